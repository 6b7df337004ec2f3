/** `parallax-nn/inference` in Node. */
import type { LoadInference } from './api_inference.js';
import { makeLoad } from './client.js';
import { nodeHost } from './node_host.js';
import { newParallax } from './parallax.js';

export type * from './api.js';
export type * from './api_activations.js';
export type * from './api_batches.js';
export type * from './api_generation.js';
export type * from './api_inference.js';
export { type FailedCall, PlxError } from './errors.js';
export type * from './generated/layer_types.js';
export type * from './graph_api.js';

/** Starts an engine without training. */
export const load: LoadInference = makeLoad(nodeHost('engine-inference-'), newParallax);
