/** Decompresses gzip with the platform's own decoder. */
import { PlxError } from './errors.js';

/** Whether bytes start like a gzip file. */
export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** Decompresses bytes; what names them in messages. */
export async function gunzip(
  what: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(unpacked).arrayBuffer());
  } catch (cause) {
    throw new PlxError('PLX_ERR_FORMAT', `${what}: the gzip data is damaged or cut off`, { cause });
  }
}
