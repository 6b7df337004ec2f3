/** Compressing rows, and unpacking what may come from anywhere. */

async function through(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
  most: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(await new Blob(parts).arrayBuffer());
    size += value.length;
    if (size > most) throw new Error('it holds more than any result of this page');
    parts.push(value);
  }
}

/** Compresses a text. */
export const pack = (text: string): Promise<Uint8Array<ArrayBuffer>> =>
  through(
    new TextEncoder().encode(text),
    new CompressionStream('deflate-raw'),
    Number.POSITIVE_INFINITY,
  );

/** The text in compressed bytes. Fails if they are damaged, or hold more than `most` bytes. */
export async function unpack(bytes: Uint8Array<ArrayBuffer>, most: number): Promise<string> {
  return new TextDecoder().decode(
    await through(bytes, new DecompressionStream('deflate-raw'), most),
  );
}
