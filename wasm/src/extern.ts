/**
 * The package without its files: `load` needs `wasmURL` and `workerURL`, and a bundler copies
 * nothing. Selected by the export condition `parallax-nn-extern-wasm`.
 *
 * @packageDocumentation
 */
import type { Load } from './api.js';
import { browserHost } from './browser.js';
import { makeLoad } from './client.js';
import { newParallax } from './parallax.js';

export type * from './api.js';
export type * from './api_activations.js';
export type * from './api_generation.js';
export { type FailedCall, PlxError } from './errors.js';
export type * from './generated/layer_types.js';
export type * from './graph_api.js';

/** Starts an engine from the files at `wasmURL` and `workerURL`. */
export const load: Load = makeLoad(browserHost(), newParallax);
