/** `parallax-nn/bench` in Node. */
import type { LoadBench } from './api_bench.js';
import { makeLoad } from './client.js';
import { nodeHost } from './node_host.js';
import { nodeMachine } from './node_machine.js';
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

/** Starts an engine with tasks and suites. */
export const load: LoadBench = makeLoad(
  nodeHost('engine-bench-'),
  (connection, info, later) => new ClientBench(connection, info, later, nodeMachine),
);
