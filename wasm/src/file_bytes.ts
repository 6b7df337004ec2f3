/** Files that users hand in: their bytes, unzipped, and what they are called. */
import type { BenchData } from './api_bench.js';
import { checkHeld } from './arrays.js';
import { PlxError } from './errors.js';
import { gunzip, isGzip } from './gzip.js';
import type { BenchRequest } from './rpc_bench.js';

/** A copy of the caller's bytes. */
export function bytesOf(what: string, bytes: ArrayBuffer | Uint8Array): Uint8Array<ArrayBuffer> {
  const array = bytes instanceof Uint8Array;
  if (array || bytes instanceof ArrayBuffer) {
    checkHeld(what, array ? bytes.buffer : bytes);
    /* Of an array it is a copy. */
    return new Uint8Array(array ? bytes : new Uint8Array(bytes));
  }
  throw new PlxError('PLX_ERR_ARGUMENT', `${what}: expected an ArrayBuffer or a Uint8Array`);
}

/** As bytesOf; a string stands for its UTF-8. */
export function textBytes(
  what: string,
  text: string | ArrayBuffer | Uint8Array,
): Uint8Array<ArrayBuffer> {
  return typeof text === 'string' ? new TextEncoder().encode(text) : bytesOf(what, text);
}

export async function plainBytes(what: string, given: ArrayBuffer | Uint8Array) {
  const bytes = bytesOf(what, given);
  return isGzip(bytes) ? gunzip(what, bytes) : bytes;
}

/** Texts of a row hold as many characters as results.schema.json allows. */
export function checkSource(what: string, source: unknown): string {
  if (typeof source === 'string' && source.length > 0 && source.length <= 400) return source;
  throw new PlxError('PLX_ERR_ARGUMENT', `${what}: expected a string of 1 to 400 characters`);
}

/** The two files of handwritten digits, uncompressed. */
export async function readDigits(
  call: string,
  { images, labels, source }: NonNullable<BenchData['mnist']>,
): Promise<NonNullable<BenchRequest['mnist']>> {
  const named = checkSource(`${call}: data.mnist.source`, source ?? 'MNIST');
  /* Both are copied before anything is awaited. */
  const [plainImages, plainLabels] = await Promise.all([
    plainBytes(`${call}: data.mnist.images`, images),
    plainBytes(`${call}: data.mnist.labels`, labels),
  ]);
  return { images: plainImages, labels: plainLabels, source: named };
}
