/** The client's side of a graph, which records calls and sends them with the first awaited one. */
import type { Data, GraphOptions, OptimizerOptions, Parallax } from './api.js';
import { checkInteger, checkName, checkNumber, checkWhole } from './arrays.js';
import { type Connection, moved } from './connection.js';
import { PlxError } from './errors.js';
import { disposed } from './forgotten.js';
import type { GraphBuilders } from './generated/graph_builders.js';
import type { Layer } from './generated/layer_types.js';
import type {
  CompileOptions,
  DType,
  Graph,
  GraphArray,
  GraphFunction,
  GraphNode,
  GraphParameter,
  GraphUpdate,
  HypercausalLosses,
  HypercausalNode,
  InputDType,
  LayerCallOptions,
} from './graph_api.js';
import { ClientFunction, type NamedInput, valuesOf } from './graph_function.js';
import { LayerNames } from './graph_layers.js';
import {
  CallSite,
  ClientNode,
  ClientParameter,
  ClientUpdate,
  ClientWeight,
  type Recorded,
} from './graph_nodes.js';
import { integers, listOf, optionsOf } from './graph_options.js';
import {
  type BuilderMethod,
  builderOf,
  countOf,
  METHODS,
  type Named,
  NONE,
  named,
  placed,
  type ResultDType,
} from './graph_table.js';
import { apart, checkLater, checkLayer, packed } from './layers.js';
import { marked } from './marks.js';
import { checkOptimizer, checkRate } from './optimizer.js';
import { checkOptions, number, refuse } from './options.js';
import type { EngineApi, GraphCall, ValueInfo } from './rpc.js';
import { noTraining } from './without_training.js';

const INPUT_DTYPES: readonly InputDType[] = ['float32', 'int32'];

type Method = keyof Graph & string;

/** The result of a method: one node, or several. */
type Made = ClientNode | ClientNode[] | Record<string, ClientNode>;

/** Most parts of a split, as each of them needs a handle. */
const MOST_PARTS = 4096;

/** The base of the methods of builder_table.ts, which are added below. */
const Builders = class {} as new () => GraphBuilders;

export class ClientGraph extends Builders implements Graph {
  readonly id: number;
  readonly #connection: Connection;
  readonly #seed: number;
  readonly #layers = new LayerNames();
  readonly #inputs = new Map<string, NamedInput>();
  readonly #known: ValueInfo[] = [];
  #pending: Recorded[] = [];
  /** Resolves when the engine has everything sent so far: to the reason if it rejected a call. */
  #sent: Promise<{ error: unknown } | undefined> = Promise.resolve(undefined);
  #disposed = false;
  #calls = 0;
  #values = 0;
  #functions = 0;

  constructor(connection: Connection, id: number, seed: number) {
    super();
    this.#connection = connection;
    this.id = id;
    this.#seed = seed;
    connection.watch(this, (engine) => engine.disposeGraph(id), 'a graph');
  }

  // ---- Recording ----

  /** Records a call for later and returns the number of its first value. */
  #record(site: CallSite, call: GraphCall, values = 1): number {
    this.#pending.push({ call, site });
    const first = this.#values;
    this.#values += values;
    return first;
  }

  #site(method: Method): CallSite {
    if (this.#disposed) {
      throw new PlxError('PLX_ERR_STATE', `${method}: this graph was disposed`);
    }
    return new CallSite(method, this[method], this.#calls++);
  }

  #constant(site: CallSite, value: number): number {
    checkNumber(site.method, value);
    const call: GraphCall = {
      kind: 'node',
      builder: 'constant',
      inputs: [],
      numbers: [value],
      results: 1,
    };
    return this.#record(site, call);
  }

  /** Records a call of a builder with named arguments. */
  #add(method: BuilderMethod, given: Named): Made {
    const { builder, results, each, like: at } = builderOf(method);
    const { nodes, numbers } = placed(method, given, this.#calls);
    const count = each ? countOf(given, each) : results.length;
    const site = this.#site(method);
    const inputs = nodes.map((node, i) => {
      if (node === NONE) return -1;
      if (typeof node === 'number') return this.#constant(site, node);
      return ClientNode.valueIn(this, node, `${method}: input ${i}`);
    });
    const call: GraphCall = { kind: 'node', builder, inputs, numbers, results: count };
    const first = this.#record(site, call, count);
    const model = nodes[at];
    const dtypes = {
      like: model instanceof ClientNode ? model.dtype : 'float32',
      asked: given.dtype as DType,
    };
    const node = (i: number, dtype: ResultDType) =>
      new ClientNode(
        this,
        first + i,
        dtype === 'like' || dtype === 'asked' ? dtypes[dtype] : dtype,
      );
    if (each) return Array.from({ length: count }, (_, i) => node(i, 'like'));
    if (results[0]!.name === '') return node(0, results[0]!.dtype);
    return Object.fromEntries(results.map(({ name, dtype }, i) => [name, node(i, dtype)]));
  }

  static {
    for (const method of METHODS) {
      /* Creates a method of this name with the arguments of its row. */
      const { [method]: value } = {
        [method](this: ClientGraph, ...given: unknown[]) {
          return this.#add(method, named(method, given));
        },
      };
      Object.defineProperty(ClientGraph.prototype, method, {
        value,
        writable: true,
        configurable: true,
      });
    }
  }

  // ---- Values ----

  input<D extends InputDType = 'float32'>(
    name: string,
    shape: readonly number[],
    options: { dtype?: D } = {},
  ): GraphNode<D> {
    if (typeof name !== 'string' || name === '' || this.#inputs.has(name)) {
      throw new PlxError(
        'PLX_ERR_ARGUMENT',
        `input: "${name}" is ${this.#inputs.has(name) ? 'already used' : 'not a valid name'}: ` +
          'give each input a name of its own',
      );
    }
    const asked = optionsOf('input', options).dtype ?? 'float32';
    const dtype = checkName('input: dtype', asked, INPUT_DTYPES);
    const dims = integers('input: shape', shape);
    const value = this.#record(this.#site('input'), { kind: 'input', name, dtype, shape: dims });
    this.#inputs.set(name, { value, shape: dims, dtype });
    return new ClientNode(this, value, dtype) as GraphNode<DType> as GraphNode<D>;
  }

  parameter(name: string, shape: readonly number[], values?: Data | number): GraphParameter {
    const dims = integers('parameter: shape', shape);
    const given =
      values === undefined
        ? {}
        : { values: valuesOf('parameter', values, dims, 'float32') as Float32Array };
    const call: GraphCall = { kind: 'parameter', name: String(name), shape: dims, ...given };
    const value = this.#record(this.#site('parameter'), call);
    return new ClientParameter(this, value, String(name), dims);
  }

  // ---- Layers ----

  layer(layer: Layer, x: GraphNode<DType>, options: LayerCallOptions = {}): GraphNode {
    optionsOf('layer', options);
    const site = this.#site('layer');
    const value = ClientNode.valueIn(this, x, 'layer: the input');
    if (value < 0) {
      throw new PlxError(
        'PLX_ERR_ARGUMENT',
        'layer: the input is a weight: it must be a node that holds samples',
      );
    }
    checkLater('layer', layer);
    const checked = checkLayer('layer', { ...layer, ...(options.name && { name: options.name }) });
    const [first, softmax] = apart(checked);
    const named = { ...first!, name: this.#layers.nameOf(first!, options.share === true) };
    const training = options.training ?? false;
    const call: GraphCall = { kind: 'layer', layer: packed(named), x: value, training };
    const y = new ClientNode(this, this.#record(site, call), 'float32') as GraphNode;
    return softmax ? this.softmax(y) : y;
  }

  async weights(options: { state?: boolean } = {}): Promise<GraphParameter[]> {
    optionsOf('weights', options);
    const [none, wanted] = [this.#layers.size === 0, !options.state];
    const all = await this.#call('weights', (engine) => (none ? [] : engine.graphWeights(this.id)));
    return all.flatMap(({ name, shape, trained }, i) =>
      trained === wanted ? [new ClientWeight(this, -2 - i, name, shape)] : [],
    );
  }

  // ---- Methods that the table has in another form ----

  split<D extends DType>(
    x: GraphNode<D>,
    axis: number,
    parts: number | readonly number[],
  ): GraphNode<D>[] {
    const sizes = typeof parts === 'number' ? [] : integers('split: parts', parts);
    const count = typeof parts === 'number' ? checkInteger('split: parts', parts) : sizes.length;
    if (count < 1 || count > MOST_PARTS) {
      throw new PlxError(
        'PLX_ERR_ARGUMENT',
        `split: parts is ${count}: it must be 1 to ${MOST_PARTS}`,
      );
    }
    return this.#add('split', {
      x,
      axis,
      partsCount: count,
      sizes,
    }) as ClientNode[] as GraphNode<DType>[] as GraphNode<D>[];
  }

  hypercausalLoss(nodes: readonly HypercausalNode[], target: GraphNode): HypercausalLosses {
    const last = listOf('hypercausalLoss', 'nodes', nodes).at(-1);
    if (!last) return refuse('hypercausalLoss: expected a list of at least one node');
    const spreads = nodes.map((node) => (node as Partial<HypercausalNode> | null)?.spread);
    const { state, future } = last;
    const losses = this.#add('hypercausalLoss', { state, future, target, spreads });
    return losses as unknown as HypercausalLosses;
  }

  // ---- Training ----

  update(
    optimizer: OptimizerOptions['kind'] | OptimizerOptions,
    parameters: readonly GraphParameter[],
    gradients: readonly GraphNode[],
  ): GraphUpdate {
    if (PLX_TRAINING) {
      const options = checkOptimizer('update: optimizer', optimizer);
      listOf('update', 'parameters', parameters);
      if (parameters.length !== listOf('update', 'gradients', gradients).length) {
        throw new PlxError(
          'PLX_ERR_SHAPE',
          `update: ${parameters.length} parameters, but ${gradients.length} gradients: ` +
            'each parameter needs one',
        );
      }
      const call: GraphCall = {
        kind: 'update',
        optimizer: options,
        parameters: parameters.map((p, i) => this.#parameter(`update: parameter ${i}`, p)),
        gradients: gradients.map((g, i) => ClientNode.valueIn(this, g, `update: gradient ${i}`)),
      };
      return new ClientUpdate(this, this.#record(this.#site('update'), call));
    }
    throw noTraining('update');
  }

  #parameter(what: string, parameter: GraphParameter): number {
    const value = ClientNode.valueIn(this, parameter, what);
    if (parameter instanceof ClientParameter) return value;
    throw new PlxError('PLX_ERR_ARGUMENT', `${what} must be created by parameter()`);
  }

  // ---- Use ----

  /** Takes the calls that a graph recorded so far, which are then not sent. */
  static callsOf(graph: ClientGraph): GraphCall[] {
    return graph.#pending.splice(0).map(({ call }) => call);
  }

  /**
   * Calls the engine. All calls of a graph and its functions take this way, through the same number
   * of promises, so that none overtakes one that waits for the calls recorded before it.
   */
  ask<T>(ask: (engine: EngineApi) => T, site?: CallSite, needsAll = false): Promise<Awaited<T>> {
    return this.#sent.then((failure) => {
      if (failure && needsAll) throw failure.error;
      const answer = this.#connection.call(ask);
      return site ? site.answer(answer) : answer;
    });
  }

  /** Sends the recorded calls, then calls the engine; rejects if any call so far was rejected. */
  async #call<T>(method: string, ask: (engine: EngineApi) => T, site?: CallSite) {
    if (this.#disposed) {
      throw new PlxError('PLX_ERR_STATE', `${method}: this graph was disposed`);
    }
    const pending = this.#pending;
    if (pending.length > 0) {
      this.#pending = [];
      this.#sent = this.#sent.then(
        (failure) => failure ?? this.#send(pending).catch((error: unknown) => ({ error })),
      );
    }
    return this.ask(ask, site, true);
  }

  async #send(pending: readonly Recorded[]): Promise<undefined> {
    const calls = pending.map(({ call }) => call);
    const arrays = calls.map((call) => ('values' in call ? call.values : undefined));
    const reply = await this.#connection.call((engine) =>
      engine.extendGraph(this.id, moved(calls, arrays), this.#seed),
    );
    if (!('failure' in reply)) {
      this.#known.push(...reply.values);
      return;
    }
    const { index, codeName, message } = reply.failure;
    throw pending[index]!.site.failure(new PlxError(codeName, message));
  }

  check(): Promise<void> {
    return this.#call('check', () => {});
  }

  async shapeOf(value: number): Promise<number[]> {
    await this.#call('shape', () => {});
    return [...this.#known[value]!.shape];
  }

  async setRate(update: number, rate: number): Promise<void> {
    checkRate(rate);
    await this.#call('setRate', (engine) => engine.setGraphRate(this.id, update, rate));
  }

  compile<const T extends readonly GraphNode<DType>[]>(
    outputs: T,
    options: CompileOptions = {},
  ): Promise<GraphFunction<T>> {
    const site = new CallSite('compile', this.compile);
    return marked('compile', () => this.#compile(outputs, options, site));
  }

  async #compile<const T extends readonly GraphNode<DType>[]>(
    outputs: T,
    options: CompileOptions,
    site: CallSite,
  ): Promise<GraphFunction<T>> {
    const updates = listOf('compile', 'updates', optionsOf('compile', options).updates ?? []);
    const values = listOf('compile', 'outputs', outputs).map((o, i) =>
      ClientNode.valueIn(this, o, `compile: output ${i}`),
    );
    const steps = updates.map((u, i) => ClientUpdate.valueIn(this, u, `compile: update ${i}`));
    if (values.length + steps.length === 0) {
      throw new PlxError('PLX_ERR_ARGUMENT', 'compile: give at least one output or update');
    }
    const inputs = new Map(this.#inputs);
    const id = ++this.#functions;
    await this.#call('compile', (engine) => engine.compileGraph(this.id, id, values, steps), site);
    return new ClientFunction<T>(this, id, inputs, this.#connection);
  }

  async read(parameter: GraphParameter): Promise<GraphArray> {
    const value = this.#parameter('read: the parameter', parameter);
    const read = await this.#call('read', (engine) => engine.readParameter(this.id, value));
    return read as GraphArray;
  }

  async write(parameter: GraphParameter, values: Data | number): Promise<void> {
    const value = this.#parameter('write: the parameter', parameter);
    const { name, dims } = parameter as ClientParameter;
    const data = valuesOf(`write: ${name}`, values, dims, 'float32') as Float32Array;
    await this.#call('write', (engine) =>
      engine.writeParameter(this.id, value, moved(data, [data])),
    );
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#pending = [];
    await this.ask((engine) => engine.disposeGraph(this.id));
    disposed(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}

/** Creates the function plx.graph of an engine. */
export function graphMaker(connection: Connection): Parallax['graph'] {
  let graphs = 0;
  return (options: GraphOptions = {}) => {
    checkOptions('graph', options, { seed: number });
    const seed = checkWhole('graph: seed', options.seed ?? 0, 0);
    return new ClientGraph(connection, ++graphs, seed);
  };
}
