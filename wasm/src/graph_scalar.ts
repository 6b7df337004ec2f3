/** Records the functions of losses and metrics, which build one number from graph nodes. */
import type { ScalarFunction } from './api.js';
import type { Connection } from './connection.js';
import { ClientGraph } from './graph.js';
import type { GraphNode } from './graph_api.js';
import { ClientNode } from './graph_nodes.js';
import { refuse } from './options.js';
import type { ScalarProgram } from './rpc.js';

/** Recording sends nothing, so there is nothing to free. */
const NOWHERE = { watch() {} } as unknown as Connection;

/** A function with its number: -1 for the loss, else that of the metric. */
export interface Scalar {
  /** "fit: loss" */
  what: string;
  number: number;
  of: ScalarFunction | ScalarFunction<'int32'>;
}

function record(
  { what, number, of }: Scalar,
  rows: number,
  output: readonly number[],
  labels: boolean,
): ScalarProgram {
  const graph = new ClientGraph(NOWHERE, 0, 0);
  const prediction = graph.input('prediction', [rows, ...output]);
  const shape = [rows, ...(labels ? output.slice(0, -1) : output)];
  const target = graph.input('target', shape, { dtype: labels ? 'int32' : 'float32' });
  ClientGraph.callsOf(graph);
  const made: unknown = (of as ScalarFunction)(graph, prediction, target as GraphNode);
  const gives = ClientNode.valueIn(graph, made, `${what}: what the function returns`);
  const calls = ClientGraph.callsOf(graph).map((call) => {
    if (call.kind === 'node') return call;
    return refuse(`${what}: ${call.kind} is not for functions: use operations on the two nodes`);
  });
  return { number, rows, calls, gives };
}

/** Records each function for each number of rows. output: the shape of one prediction. */
export const recordAll = (
  functions: readonly Scalar[],
  rows: ReadonlySet<number>,
  output: readonly number[],
  labels: boolean,
): ScalarProgram[] =>
  functions.flatMap((one) => [...rows].map((count) => record(one, count, output, labels)));
