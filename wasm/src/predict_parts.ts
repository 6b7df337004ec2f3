/** Predictions in parts, between which they can be stopped and tell how far they are. */
import type { PredictOptions } from './api.js';
import { cancelled } from './jobs.js';
import type { Values } from './rpc.js';

/** Samples of a part, if no batch size is given. */
const SAMPLES = 256;
/** Most parts: more would make a call take longer, as each has a message there and back. */
const PARTS = 64;

/** Joins the values of parts, of which there is at least one, for each output. */
function joined(parts: readonly Float32Array[][]): Float32Array[] {
  return parts[0]!.map((_, output) => {
    const arrays = parts.map((part) => part[output]!);
    const all = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const array of arrays) {
      all.set(array, at);
      at += array.length;
    }
    return all;
  });
}

/** Predicts n samples by calling ask with some of them at a time, always whole batches. */
export async function inParts(
  n: number,
  inputs: readonly Values[],
  { batchSize = SAMPLES, onProgress, signal }: PredictOptions,
  ask: (n: number, inputs: Values[]) => Promise<Float32Array[]>,
): Promise<Float32Array[]> {
  const size = batchSize * Math.max(1, Math.ceil(n / (PARTS * batchSize)));
  const parts: Float32Array[][] = [];
  for (let from = 0; from < n || from === 0; from += size) {
    if (signal?.aborted) throw cancelled('predict', signal);
    const to = Math.min(from + size, n);
    const some = inputs.map((array) => {
      const width = n > 0 ? array.length / n : 0;
      return array.slice(from * width, to * width);
    });
    parts.push(await ask(to - from, some));
    await onProgress?.(n > 0 ? to / n : 1);
  }
  return joined(parts);
}
