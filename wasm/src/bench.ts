/**
 * The package with the learning tasks and the benchmark suites, in engines of their own.
 *
 * @packageDocumentation
 */
import type { LoadBench } from './api_bench.js';
import { browserHost } from './browser.js';
import { makeLoad } from './client.js';
import { browserMachine } from './machine.js';
import { ClientBench } from './parallax_bench.js';

export type * from './api.js';
export type * from './api_activations.js';
export type * from './api_batches.js';
export type * from './api_bench.js';
export type * from './api_generation.js';
export type * from './api_learning.js';
export type * from './api_profile.js';
export type * from './api_timing.js';
export { type FailedCall, PlxError } from './errors.js';
export type * from './generated/layer_types.js';
export type * from './graph_api.js';

/* Literals, for the reason given in index.ts. */
const host = browserHost(
  'engine-bench-',
  PLX_FILES && {
    wasm: {
      simd: () => new URL('./engine-bench-simd.wasm', import.meta.url),
      'simd-threads': () => new URL('./engine-bench-simd-threads.wasm', import.meta.url),
      'relaxed-threads': () => new URL('./engine-bench-relaxed-threads.wasm', import.meta.url),
    },
    worker: {
      simd: () =>
        new Worker(new URL('./engine-bench-simd.mjs', import.meta.url), { type: 'module' }),
      'simd-threads': () =>
        new Worker(new URL('./engine-bench-simd-threads.mjs', import.meta.url), { type: 'module' }),
      'relaxed-threads': () =>
        new Worker(new URL('./engine-bench-relaxed-threads.mjs', import.meta.url), {
          type: 'module',
        }),
    },
  },
);

/**
 * Starts an engine with tasks and suites, like `load` of `parallax-nn` but larger.
 *
 * @example
 * ```ts
 * import { load } from 'parallax-nn/bench';
 * const plx = await load();
 * console.log(await plx.suites()); // [{ name: 'machine', ... }, ...]
 * plx.dispose();
 * ```
 */
export const load: LoadBench = makeLoad(
  host,
  (connection, info, later) => new ClientBench(connection, info, later, browserMachine),
);
