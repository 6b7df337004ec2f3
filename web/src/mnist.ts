/** Reading MNIST files: from this origin, or as the user adds them. */

export const mnistFiles = {
  images: './data/mnist/t10k-images-idx3-ubyte.gz',
  labels: './data/mnist/t10k-labels-idx1-ubyte.gz',
} as const;

const imagesMagic = 0x803;
const labelsMagic = 0x801;

export type IdxKind = 'images' | 'labels';

export interface IdxFile {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** The last part of a path without ".gz", which is how the native command names the file. */
export function idxName(path: string): string {
  return path.replace(/^.*\//, '').replace(/\.gz$/, '');
}

/** Images with their labels, as the engine takes them; undefined if their numbers differ. */
export function digitsOf({ images, labels }: Partial<Record<IdxKind, IdxFile>>) {
  if (!images || !labels || idxCount(images.bytes) !== idxCount(labels.bytes)) return undefined;
  return { images: images.bytes, labels: labels.bytes, source: images.name };
}

/** Decompresses gzip; returns other bytes unchanged. name: the file, for the error. */
export async function unzip(
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  try {
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch (cause) {
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

/** Fetches and decompresses a file of this origin; undefined if missing or of another kind. */
export async function fetchIdx(
  address: string,
  kind: IdxKind,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const answer = await fetch(address);
  if (!answer.ok) return undefined;
  const bytes = await unzip(address, new Uint8Array(await answer.arrayBuffer()));
  /* Some hosts answer with their start page if a file is missing. */
  return idxKind(bytes) === kind ? bytes : undefined;
}
