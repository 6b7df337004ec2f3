/** Reading the weights of a model. */
import type { Weight } from './api.js';
import type { Heap } from './heap.js';

/** Copies all weights of the model at this address. */
export function readWeights(heap: Heap, model: number): Weight[] {
  const weights = heap.c._plx_js_model_weights(model);
  return Array.from({ length: heap.c._plx_js_weights_count(weights) }, (_, i) => {
    heap.c._plx_js_weights_at(weights, i);
    const { name, shape, data, size } = heap.read('weight');
    return { name, shape, data: heap.floats(data, size).slice() };
  });
}
