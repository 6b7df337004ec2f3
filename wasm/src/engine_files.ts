/** Weights as safetensors files. */
import type { Heap } from './heap.js';

const encoder = new TextEncoder();

/** Writes the weights of the model at an address into a new array, the only copy. */
export function saveWeights(
  heap: Heap,
  model: number,
  metadata: readonly [string, string][],
): Uint8Array<ArrayBuffer> {
  const { c } = heap;
  const texts = encoder.encode(
    metadata
      .flat()
      .map((text) => `${text}\0`)
      .join(''),
  );
  heap.with([texts], (address) => {
    heap.check(c._plx_js_weights_save(c._plx_js_model_weights(model), metadata.length, address!));
  });
  const { address: list, count } = heap.read('losses');
  const places = heap.doubles(list, 2 * count);
  const pieces = Array.from({ length: count }, (_, i) => [places[2 * i]!, places[2 * i + 1]!]);
  const file = new Uint8Array(pieces.reduce((sum, [, size]) => sum + size!, 0));
  const memory = new Uint8Array(c.wasmMemory.buffer);
  let at = 0;
  for (const [address, size] of pieces as [number, number][]) {
    file.set(memory.subarray(address, address + size), at);
    at += size;
  }
  c._plx_js_free(places[0]!);
  c._plx_js_free(list);
  return file;
}

/** Takes the weights of the model at an address from a file. */
export function loadWeights(heap: Heap, model: number, file: Uint8Array): void {
  const { c } = heap;
  heap.with([file], (address) => {
    heap.check(c._plx_js_weights_load(c._plx_js_model_weights(model), address!, file.byteLength));
  });
}
