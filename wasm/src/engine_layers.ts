/** Passes layers to the library. */
import type { Heap } from './heap.js';
import type { PackedLayer } from './rpc.js';

const encoder = new TextEncoder();

/** Runs body with the count and the address of a layer's numbers, and the address of its names. */
export function withLayer<T>(
  heap: Heap,
  { numbers, names }: PackedLayer,
  body: (count: number, numbers: number, names: number) => T,
): T {
  const texts = encoder.encode(names.map((name) => `${name}\0`).join(''));
  return heap.with([Float64Array.from(numbers), texts], (from, text) =>
    body(numbers.length, from!, text!),
  );
}
