/** The client's side of a compiled function. */
import type { Data } from './api.js';
import { flattenTo, toIntegers } from './arrays.js';
import { type Connection, moved } from './connection.js';
import { PlxError } from './errors.js';
import { disposed } from './forgotten.js';
import type {
  DType,
  GraphArray,
  GraphArrays,
  GraphFunction,
  GraphInputs,
  GraphNode,
  GraphParameter,
  InputDType,
} from './graph_api.js';
import { CallSite } from './graph_nodes.js';
import { marked } from './marks.js';
import type { EngineApi, InputValue } from './rpc.js';

/** Copies values into a new array in the engine's form. */
export function valuesOf(
  what: string,
  data: Data | number,
  shape: readonly number[],
  dtype: InputDType,
): Float32Array | Int32Array {
  const flat = flattenTo(what, data, shape);
  if (dtype === 'int32') return toIntegers(what, flat);
  return flat.values instanceof Float32Array ? flat.values : new Float32Array(flat.values);
}

/** The part of a graph that a function uses. */
interface FunctionOwner {
  readonly id: number;
  ask<T>(ask: (engine: EngineApi) => T, site?: CallSite): Promise<Awaited<T>>;
  read(parameter: GraphParameter): Promise<GraphArray>;
  write(parameter: GraphParameter, values: Data | number): Promise<void>;
}

/** The client's description of an input. */
export interface NamedInput {
  value: number;
  shape: readonly number[];
  dtype: InputDType;
}

/** Returns what frees a function. */
const disposal = (graph: number, id: number) => (engine: EngineApi) =>
  engine.disposeFunction(graph, id);

/** The client's side of a function. */
export class ClientFunction<T extends readonly GraphNode<DType>[]> implements GraphFunction<T> {
  constructor(
    readonly graph: FunctionOwner,
    readonly id: number,
    readonly inputs: ReadonlyMap<string, NamedInput>,
    connection: Connection,
  ) {
    connection.watch(this, disposal(graph.id, id));
  }

  run(inputs: GraphInputs = {}): Promise<GraphArrays<T>> {
    const site = new CallSite('run', this.run);
    return marked('run', () => this.#run(inputs, site));
  }

  async #run(inputs: GraphInputs, site: CallSite): Promise<GraphArrays<T>> {
    const values: InputValue[] = Object.entries(inputs).map(([name, data]) => {
      const input = this.inputs.get(name);
      if (!input) {
        const names = [...this.inputs.keys()].map((known) => `"${known}"`).join(', ') || 'none';
        throw new PlxError('PLX_ERR_ARGUMENT', `run: no input "${name}": the graph has ${names}`);
      }
      return {
        value: input.value,
        data: valuesOf(`run: ${name}`, data, input.shape, input.dtype),
      };
    });
    const arrays = values.map((value) => value.data);
    const running = this.graph.ask(
      (engine) => engine.runFunction(this.graph.id, this.id, moved(values, arrays)),
      site,
    );
    return (await running) as GraphArrays<T>;
  }

  explain() {
    return this.graph.ask((engine) => engine.explainFunction(this.graph.id, this.id));
  }

  read(parameter: GraphParameter): Promise<GraphArray> {
    return this.graph.read(parameter);
  }

  write(parameter: GraphParameter, values: Data | number): Promise<void> {
    return this.graph.write(parameter, values);
  }

  async dispose(): Promise<void> {
    await this.graph.ask((engine) => engine.disposeFunction(this.graph.id, this.id));
    disposed(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}
