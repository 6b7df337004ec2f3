/**
 * Trains and runs neural networks in WebAssembly.
 *
 * @packageDocumentation
 */
import type { Load } from './api.js';
import { browserHost } from './browser.js';
import { makeLoad } from './client.js';
import { newParallax } from './parallax.js';

export type * from './api.js';
export type * from './api_activations.js';
export type * from './api_batches.js';
export type * from './api_generation.js';
export { type FailedCall, PlxError } from './errors.js';
export type * from './generated/layer_types.js';
export type * from './graph_api.js';

/* Bundlers look for literals of this form, exactly one for each file, and copy those files; so
 * with the condition parallax-nn-extern-wasm there are none. The workers have no name,
 * because webpack would merge workers of the same name into one file. */
const host = browserHost(
  'engine-',
  PLX_FILES && {
    wasm: {
      simd: () => new URL('./engine-simd.wasm', import.meta.url),
      'simd-threads': () => new URL('./engine-simd-threads.wasm', import.meta.url),
      'relaxed-threads': () => new URL('./engine-relaxed-threads.wasm', import.meta.url),
    },
    worker: {
      simd: () => new Worker(new URL('./engine-simd.mjs', import.meta.url), { type: 'module' }),
      'simd-threads': () =>
        new Worker(new URL('./engine-simd-threads.mjs', import.meta.url), { type: 'module' }),
      'relaxed-threads': () =>
        new Worker(new URL('./engine-relaxed-threads.mjs', import.meta.url), { type: 'module' }),
    },
  },
);

/**
 * Starts an engine in its own worker, with the best tier that this machine and page allow;
 * `info().downgrades` says why a better one is not in use.
 *
 * @example
 * ```ts
 * import { load } from 'parallax-nn';
 * const plx = await load();
 * const model = plx.sequential([
 *   plx.layers.dense({ units: 8, activation: 'tanh', inputShape: [2] }),
 *   plx.layers.dense({ units: 1 }),
 * ]);
 * await model.fit([[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]], { epochs: 500 });
 * console.log(await model.predict([[0, 1]]));
 * plx.dispose();
 * ```
 */
export const load: Load = makeLoad(host, newParallax);
