/** Files to train on that are read whole, up to a size. */
import { unzip } from './mnist.js';
import type { TrainingFile } from './state.js';

/** Most bytes of a text or a table to train on, also after it was unpacked. */
export const mostBytes = 20e6;

/** Reads a text or a table, unless it is too large. */
export async function smallFile(file: File): Promise<TrainingFile> {
  const most = `${(mostBytes / 1e6).toLocaleString('en')} MB are allowed`;
  if (file.size > mostBytes) {
    const size = (file.size / 1e6).toFixed(1);
    throw new Error(`${file.name} has ${size} MB: at most ${most}.`);
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  return { name: file.name, bytes: await unzip(file.name, bytes, mostBytes) };
}
