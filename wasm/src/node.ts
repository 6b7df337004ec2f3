/** The package in Node: the same API, with worker threads and files from disk. */
import type { Load } from './api.js';
import { makeLoad } from './client.js';
import { nodeHost } from './node_host.js';
import { newParallax } from './parallax.js';

export type * from './api.js';
export type * from './api_activations.js';
export type * from './api_batches.js';
export type * from './api_generation.js';
export { type FailedCall, PlxError } from './errors.js';
export type * from './generated/layer_types.js';
export type * from './graph_api.js';

/** Starts an engine in a worker thread. */
export const load: Load = makeLoad(nodeHost('engine-'), newParallax);
