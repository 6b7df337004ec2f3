/** A compiled function on the client's side. */
import type { Data } from './api.js';
import { flattenTo, toIntegers } from './arrays.js';
import { moved } from './connection.js';
import { PlxError } from './errors.js';
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
import type { EngineApi, InputValue } from './rpc.js';

/** A new array of the values, in the engine's form. */
export function valuesOf(
  what: string,
  data: Data | number,
  shape: readonly number[],
  dtype: InputDType,
): Float32Array | Int32Array {
  const flat = flattenTo(what, data, shape);
  if (dtype === 'int32') return toIntegers(what, flat);
  return flat.values instanceof Float32Array ? flat.values : Float32Array.from(flat.values);
}

/** What a function asks its graph. */
interface FunctionOwner {
  readonly id: number;
  ask<T>(ask: (engine: EngineApi) => T, site?: CallSite): Promise<Awaited<T>>;
  read(parameter: GraphParameter): Promise<GraphArray>;
  write(parameter: GraphParameter, values: Data | number): Promise<void>;
}

/** An input as the client knows it. */
export interface NamedInput {
  value: number;
  shape: readonly number[];
  dtype: InputDType;
}

/** A function on the client's side. */
export class ClientFunction<T extends readonly GraphNode<DType>[]> implements GraphFunction<T> {
  constructor(
    readonly graph: FunctionOwner,
    readonly id: number,
    readonly inputs: ReadonlyMap<string, NamedInput>,
  ) {}

  async run(inputs: GraphInputs = {}): Promise<GraphArrays<T>> {
    const site = new CallSite('run', this.run);
    const values: InputValue[] = Object.entries(inputs).map(([name, data]) => {
      const input = this.inputs.get(name);
      if (!input) {
        const names = [...this.inputs.keys()].map((known) => `"${known}"`).join(', ') || 'none';
        throw new PlxError('PLX_ERR_ARGUMENT', `run: no input "${name}": the inputs are ${names}`);
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
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}
