/** Files that users pass: their uncompressed bytes and their names. */
import type { BenchData } from './api_bench.js';
import { checkHeld, kindOf } from './arrays.js';
import { PlxError } from './errors.js';
import { gunzip, isGzip } from './gzip.js';
import type { BenchRequest } from './rpc_bench.js';

/** Copies the caller's bytes; also: what else may be given. */
export function bytesOf(
  what: string,
  bytes: ArrayBuffer | Uint8Array,
  also = '',
): Uint8Array<ArrayBuffer> {
  const array = bytes instanceof Uint8Array;
  if (array || bytes instanceof ArrayBuffer) {
    checkHeld(what, array ? bytes.buffer : bytes);
    /* Given an array, the constructor copies it. */
    return new Uint8Array(array ? bytes : new Uint8Array(bytes));
  }
  throw new PlxError(
    'PLX_ERR_ARGUMENT',
    `${what}: expected ${also}an ArrayBuffer or a Uint8Array, not ${kindOf(bytes)}`,
  );
}

/** Copies bytes as bytesOf does; a string is encoded as UTF-8. */
export function textBytes(
  what: string,
  text: string | ArrayBuffer | Uint8Array,
): Uint8Array<ArrayBuffer> {
  return typeof text === 'string'
    ? new TextEncoder().encode(text)
    : bytesOf(what, text, 'a string, ');
}

export async function plainBytes(what: string, given: ArrayBuffer | Uint8Array) {
  const bytes = bytesOf(what, given);
  return isGzip(bytes) ? gunzip(what, bytes) : bytes;
}

/** Checks the name of data; results.schema.json limits its length. */
export function checkSource(what: string, source: unknown): string {
  if (typeof source === 'string' && source.length > 0 && source.length <= 400) return source;
  throw new PlxError('PLX_ERR_ARGUMENT', `${what}: expected a string of 1 to 400 characters`);
}

/** Reads the two files of handwritten digits, uncompressed. */
export async function readDigits(
  call: string,
  { images, labels, source }: NonNullable<BenchData['mnist']>,
): Promise<NonNullable<BenchRequest['mnist']>> {
  const named = checkSource(`${call}: data.mnist.source`, source ?? 'MNIST');
  /* Both are copied before the first await. */
  const [plainImages, plainLabels] = await Promise.all([
    plainBytes(`${call}: data.mnist.images`, images),
    plainBytes(`${call}: data.mnist.labels`, labels),
  ]);
  return { images: plainImages, labels: plainLabels, source: named };
}
