/** The images that the suites use: those of this origin, those the user drops in, or noise. */

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

/** The last part of a path, named as the native command names it: unzipped. */
export function idxName(path: string): string {
  return path.replace(/^.*\//, '').replace(/\.gz$/, '');
}

/** Images with their labels, as the engine takes them; undefined when they do not belong together. */
export function digitsOf({ images, labels }: Partial<Record<IdxKind, IdxFile>>) {
  if (!images || !labels || idxCount(images.bytes) !== idxCount(labels.bytes)) return undefined;
  return { images: images.bytes, labels: labels.bytes, source: images.name };
}

/** Undoes gzip; other bytes are given back as they are. */
export async function unzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** What an IDX file holds, by its first four bytes; undefined when it is neither. */
export function idxKind(bytes: Uint8Array): IdxKind | undefined {
  if (bytes.length < 8) return undefined;
  const magic = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (magic === imagesMagic) return 'images';
  return magic === labelsMagic ? 'labels' : undefined;
}

/** How many images or labels an IDX file says it has. */
export function idxCount(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(4);
}

/** The bytes at an address of this origin, unzipped; undefined when there are none. */
export async function fetchIdx(
  address: string,
  kind: IdxKind,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const answer = await fetch(address);
  if (!answer.ok) return undefined;
  const bytes = await unzip(new Uint8Array(await answer.arrayBuffer()));
  /* A host may answer a missing file with its start page. */
  return idxKind(bytes) === kind ? bytes : undefined;
}
