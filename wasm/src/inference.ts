/**
 * The package without training: models with existing weights, generation, and graphs without
 * gradients, in engines of their own.
 *
 * @packageDocumentation
 */
import type { LoadInference } from './api_inference.js';
import { browserHost } from './browser.js';
import { makeLoad } from './client.js';
import { newParallax } from './parallax.js';

export type * from './api.js';
export type * from './api_activations.js';
export type * from './api_batches.js';
export type * from './api_generation.js';
export type * from './api_inference.js';
export { type FailedCall, PlxError } from './errors.js';
export type * from './generated/layer_types.js';
export type * from './graph_api.js';

/* Literals, for the reason given in index.ts. */
const host = browserHost(
  'engine-inference-',
  PLX_FILES && {
    wasm: {
      simd: () => new URL('./engine-inference-simd.wasm', import.meta.url),
      'simd-threads': () => new URL('./engine-inference-simd-threads.wasm', import.meta.url),
      'relaxed-threads': () => new URL('./engine-inference-relaxed-threads.wasm', import.meta.url),
    },
    worker: {
      simd: () =>
        new Worker(new URL('./engine-inference-simd.mjs', import.meta.url), { type: 'module' }),
      'simd-threads': () =>
        new Worker(new URL('./engine-inference-simd-threads.mjs', import.meta.url), {
          type: 'module',
        }),
      'relaxed-threads': () =>
        new Worker(new URL('./engine-inference-relaxed-threads.mjs', import.meta.url), {
          type: 'module',
        }),
    },
  },
);

/**
 * Starts an engine without training, like `load` of `parallax-nn` but smaller.
 *
 * @example
 * ```ts
 * import { load } from 'parallax-nn/inference';
 * const plx = await load();
 * const model = plx.model('mlp:2-8-1');
 * await model.setWeights(await model.getWeights()); // or those of a file
 * console.log(await model.predict([[0, 1]]));
 * plx.dispose();
 * ```
 */
export const load: LoadInference = makeLoad(host, newParallax);
