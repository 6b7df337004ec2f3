/** A graph on the client's side: records calls, and sends them with the first that awaits. */
import type { Data, GraphOptions, OptimizerOptions, Parallax } from './api.js';
import type { Layer } from './api_layers.js';
import {
  checkInteger,
  checkName,
  checkNumber,
  checkWhole,
  flattenTo,
  toIntegers,
} from './arrays.js';
import { type Connection, moved } from './connection.js';
import { DTYPES } from './dtypes.js';
import { PlxError } from './errors.js';
import type {
  AttentionOptions,
  AvgPool2dOptions,
  BatchNormOptions,
  CompileOptions,
  Conv2dOptions,
  Conv2dTransposeOptions,
  DType,
  Graph,
  GraphArray,
  GraphArrays,
  GraphFunction,
  GraphInputs,
  GraphNode,
  GraphParameter,
  GraphUpdate,
  HypercausalLosses,
  HypercausalNode,
  HypercausalOptions,
  InputDType,
  LayerCallOptions,
  NormOptions,
  Operand,
  OperandOf,
  Pair,
  Pool2dOptions,
  RopeOptions,
} from './graph_api.js';
import {
  CallSite,
  ClientNode,
  ClientParameter,
  ClientUpdate,
  ClientWeight,
  type Recorded,
} from './graph_nodes.js';
import { convolution, integers, listOf, optionsOf, pair, pooling } from './graph_options.js';
import { checkLayer } from './layers.js';
import { builderOf, libraryName } from './library_names.js';
import { checkOptimizer } from './model.js';
import { checkRate } from './optimizer.js';
import { checkOptions, number, refuse } from './options.js';
import type { EngineApi, GraphCall, InputValue, ValueInfo } from './rpc.js';

const INPUT_DTYPES: readonly InputDType[] = ['float32', 'int32'];

/** What the library calls all axes of a reduction. */
const ALL_AXES = 1000;

type Method = keyof Graph & string;

/** An input that was left out. */
const NONE = null;
type Input = Operand | typeof NONE;

/** Numbers of a call, by name or checked already. */
type Numbers = Readonly<Record<string, number>> | number[];

/** Those that need not be whole. */
const REAL = new Set(
  ['slope', 'alpha', 'rate', 'low', 'high', 'value', 'epsilon'].concat([
    ...['momentum', 'scale', 'base', 'delta', 'largest', 'span'],
  ]),
);

function namedNumbers(method: Method, numbers: Readonly<Record<string, number>>): number[] {
  return Object.entries(numbers).map(([name, value]) =>
    (REAL.has(name) ? checkNumber : checkInteger)(`${method}: ${name}`, value),
  );
}

/** A new array of the values, in the engine's form. */
function valuesOf(
  what: string,
  data: Data | number,
  shape: readonly number[],
  dtype: InputDType,
): Float32Array | Int32Array {
  const flat = flattenTo(what, data, shape);
  if (dtype === 'int32') return toIntegers(what, flat);
  return flat.values instanceof Float32Array ? flat.values : Float32Array.from(flat.values);
}

const MOST_DIMENSIONS = 6;
/** Parts of one array: each is a handle. */
const MOST_PARTS = 4096;

/** An axis, or all of them where none is given. */
function axes(method: string, axis: number | undefined): number {
  return axis === undefined ? ALL_AXES : checkAxis(`${method}: axis`, axis);
}

/** An axis of an array of at most six dimensions. */
function checkAxis(what: string, axis: number): number {
  if (Math.abs(checkInteger(what, axis)) <= MOST_DIMENSIONS) return axis;
  throw new PlxError('PLX_ERR_SHAPE', `${what} is ${axis}: arrays have at most 6 dimensions`);
}

/** An input as the client knows it. */
interface NamedInput {
  value: number;
  shape: readonly number[];
  dtype: InputDType;
}

/** A function on the client's side. */
class ClientFunction<T extends readonly GraphNode<DType>[]> implements GraphFunction<T> {
  constructor(
    readonly graph: ClientGraph,
    readonly id: number,
    readonly inputs: ReadonlyMap<string, NamedInput>,
  ) {}

  async run(inputs: GraphInputs = {}): Promise<GraphArrays<T>> {
    const site = new CallSite('run', this.run);
    const values: InputValue[] = Object.entries(inputs).map(([name, data]) => {
      const input = this.inputs.get(name);
      if (!input) {
        const names = [...this.inputs.keys()].map((known) => `"${known}"`).join(', ') || 'none';
        throw new PlxError('PLX_ERR_ARGUMENT', `run: no input "${name}": there are ${names}`);
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

export class ClientGraph implements Graph {
  readonly id: number;
  readonly #connection: Connection;
  readonly #seed: number;
  /** By the names of layers: how they were described. */
  readonly #layers = new Map<string, string>();
  readonly #inputs = new Map<string, NamedInput>();
  readonly #known: ValueInfo[] = [];
  #pending: Recorded[] = [];
  /** When the engine has all that was sent to it: why it refused some, if it did. */
  #sent: Promise<{ error: unknown } | undefined> = Promise.resolve(undefined);
  #disposed = false;
  #calls = 0;
  #values = 0;
  #functions = 0;

  constructor(connection: Connection, id: number, seed: number) {
    this.#connection = connection;
    this.id = id;
    this.#seed = seed;
  }

  // ---- Recording ----

  /** Keeps a call for later, and gives the number of its first value. */
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
    return this.#record(site, {
      kind: 'node',
      builder: 'constant',
      inputs: [],
      numbers: [value],
      results: 1,
    });
  }

  /**
   * Records the call of the builder that a method stands for, and gives the number of its first
   * value. Numbers are in the builder's order.
   */
  #build(method: Method, inputs: readonly Input[], numbers: Numbers = [], results = 1): number {
    if (!Array.isArray(inputs)) {
      throw new PlxError('PLX_ERR_ARGUMENT', `${method}: give an array of nodes`);
    }
    const values = Array.isArray(numbers) ? numbers : namedNumbers(method, numbers);
    const site = this.#site(method);
    const ids = inputs.map((input, i) => {
      if (input === NONE) return -1;
      if (typeof input === 'number') return this.#constant(site, input);
      return ClientNode.valueIn(this, input, `${method}: input ${i}`);
    });
    const call: GraphCall = {
      kind: 'node',
      builder: builderOf(method),
      inputs: ids,
      numbers: values,
      results,
    };
    return this.#record(site, call, results);
  }

  #node(method: Method, inputs: readonly Input[], numbers?: Numbers): GraphNode {
    return this.#list(this.#build(method, inputs, numbers), 1, 'float32')[0]!;
  }

  /** A node with elements of the type of its first input. */
  #alike<D extends DType>(
    method: Method,
    inputs: readonly GraphNode<D>[],
    numbers: Numbers,
  ): GraphNode<D> {
    const first = this.#build(method, inputs as readonly Input[], numbers);
    return this.#list(first, 1, inputs[0]?.dtype ?? ('float32' as D))[0]!;
  }

  #list<D extends DType>(first: number, count: number, dtype: D): GraphNode<D>[] {
    return Array.from(
      { length: count },
      (_, i) => new ClientNode(this, first + i, dtype) as GraphNode<DType> as GraphNode<D>,
    );
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
        `input: "${name}" ${this.#inputs.has(name) ? 'is there already' : 'is no name'}: ` +
          'give each input a name of its own',
      );
    }
    const dtype = checkName(
      'input: dtype',
      optionsOf('input', options).dtype ?? 'float32',
      INPUT_DTYPES,
    );
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

  constant(value: number): GraphNode {
    return this.#list(this.#constant(this.#site('constant'), value), 1, 'float32')[0]!;
  }

  // ---- Layers ----

  layer(layer: Layer, x: GraphNode<DType>, options: LayerCallOptions = {}): GraphNode {
    optionsOf('layer', options);
    const site = this.#site('layer');
    const value = ClientNode.valueIn(this, x, 'layer: the input');
    if (value < 0) {
      throw new PlxError(
        'PLX_ERR_ARGUMENT',
        'layer: the input is a weight, not a value of samples',
      );
    }
    const checked = checkLayer('layer', { ...layer, ...(options.name && { name: options.name }) });
    const named = { ...checked, name: this.#layerName(checked, options.share === true) };
    const training = options.training ?? false;
    const call: GraphCall = { kind: 'layer', layer: named, x: value, training };
    return this.#list(this.#record(site, call), 1, 'float32')[0]!;
  }

  /** The layer's own name, which no other may have unless it shares its weights. */
  #layerName(layer: Layer, share: boolean): string {
    const { name: given, ...rest } = layer;
    const described = JSON.stringify(Object.entries(rest).sort());
    let name = given;
    for (let i = 1; name === undefined; i++) {
      const free = `${libraryName(layer.kind)}_${i}`;
      if (!this.#layers.has(free)) name = free;
    }
    const known = this.#layers.get(name);
    if (share && known !== described) {
      const why =
        known === undefined ? 'there is no layer of that name' : 'it is described otherwise';
      throw new PlxError('PLX_ERR_ARGUMENT', `layer: "${name}" cannot share weights: ${why}`);
    }
    if (!share && known !== undefined) {
      throw new PlxError(
        'PLX_ERR_ARGUMENT',
        `layer: there is a layer "${name}" already: give this one a name of its own, or share: ` +
          'true to apply the same weights again',
      );
    }
    this.#layers.set(name, described);
    return name;
  }

  async weights(options: { state?: boolean } = {}): Promise<GraphParameter[]> {
    optionsOf('weights', options);
    const [none, wanted] = [this.#layers.size === 0, !options.state];
    const all = await this.#call('weights', (engine) => (none ? [] : engine.graphWeights(this.id)));
    return all.flatMap(({ name, shape, trained }, i) =>
      trained === wanted ? [new ClientWeight(this, -2 - i, name, shape)] : [],
    );
  }

  // ---- Products ----

  matmul(
    a: GraphNode,
    b: GraphNode,
    options: { transposeA?: boolean; transposeB?: boolean } = {},
  ): GraphNode {
    optionsOf('matmul', options);
    const flags = [Number(options.transposeA ?? false), Number(options.transposeB ?? false)];
    return this.#node('matmul', [a, b], flags);
  }

  bias(x: GraphNode, b: GraphNode): GraphNode {
    return this.#node('bias', [x, b]);
  }

  dense(x: GraphNode, w: GraphNode, b?: GraphNode): GraphNode {
    return this.#node('dense', [x, w, b ?? NONE]);
  }

  // ---- Elementwise ----

  add(a: Operand, b: Operand): GraphNode {
    return this.#node('add', [a, b]);
  }

  sub(a: Operand, b: Operand): GraphNode {
    return this.#node('sub', [a, b]);
  }

  mul(a: Operand, b: Operand): GraphNode {
    return this.#node('mul', [a, b]);
  }

  div(a: Operand, b: Operand): GraphNode {
    return this.#node('div', [a, b]);
  }

  maximum(a: Operand, b: Operand): GraphNode {
    return this.#node('maximum', [a, b]);
  }

  minimum(a: Operand, b: Operand): GraphNode {
    return this.#node('minimum', [a, b]);
  }

  pow(a: Operand, b: Operand): GraphNode {
    return this.#node('pow', [a, b]);
  }

  exp(x: GraphNode): GraphNode {
    return this.#node('exp', [x]);
  }

  log(x: GraphNode): GraphNode {
    return this.#node('log', [x]);
  }

  sqrt(x: GraphNode): GraphNode {
    return this.#node('sqrt', [x]);
  }

  rsqrt(x: GraphNode): GraphNode {
    return this.#node('rsqrt', [x]);
  }

  square(x: GraphNode): GraphNode {
    return this.#node('square', [x]);
  }

  sin(x: GraphNode): GraphNode {
    return this.#node('sin', [x]);
  }

  cos(x: GraphNode): GraphNode {
    return this.#node('cos', [x]);
  }

  abs(x: GraphNode): GraphNode {
    return this.#node('abs', [x]);
  }

  erf(x: GraphNode): GraphNode {
    return this.#node('erf', [x]);
  }

  clip(x: GraphNode, low: number, high: number): GraphNode {
    return this.#node('clip', [x], { low, high });
  }

  // ---- Comparisons, choice, other dtypes ----

  #compare(method: Method, a: GraphNode<DType>, b: GraphNode<DType> | number): GraphNode<'uint8'> {
    return this.#list(this.#build(method, [a, b] as Input[]), 1, 'uint8')[0]!;
  }

  equal<D extends InputDType>(a: GraphNode<D>, b: OperandOf<D>): GraphNode<'uint8'> {
    return this.#compare('equal', a, b);
  }

  notEqual<D extends InputDType>(a: GraphNode<D>, b: OperandOf<D>): GraphNode<'uint8'> {
    return this.#compare('notEqual', a, b);
  }

  less<D extends InputDType>(a: GraphNode<D>, b: OperandOf<D>): GraphNode<'uint8'> {
    return this.#compare('less', a, b);
  }

  lessEqual<D extends InputDType>(a: GraphNode<D>, b: OperandOf<D>): GraphNode<'uint8'> {
    return this.#compare('lessEqual', a, b);
  }

  greater<D extends InputDType>(a: GraphNode<D>, b: OperandOf<D>): GraphNode<'uint8'> {
    return this.#compare('greater', a, b);
  }

  greaterEqual<D extends InputDType>(a: GraphNode<D>, b: OperandOf<D>): GraphNode<'uint8'> {
    return this.#compare('greaterEqual', a, b);
  }

  where<D extends DType>(
    condition: GraphNode<'uint8' | 'int32'>,
    a: GraphNode<D>,
    b: OperandOf<D>,
  ): GraphNode<D> {
    const first = this.#build('where', [condition, a, b] as Input[]);
    return this.#list(first, 1, a?.dtype ?? ('float32' as D))[0]!;
  }

  cast<D extends DType>(x: GraphNode<DType>, dtype: D): GraphNode<D> {
    const number = DTYPES.indexOf(checkName('cast: dtype', dtype, DTYPES));
    return this.#list(this.#build('cast', [x] as Input[], [number]), 1, dtype)[0]!;
  }

  // ---- Activations: the number is their parameter, NaN for the default ----

  relu(x: GraphNode): GraphNode {
    return this.#node('relu', [x]);
  }

  leakyRelu(x: GraphNode, slope = Number.NaN): GraphNode {
    return this.#node('leakyRelu', [x], { slope });
  }

  elu(x: GraphNode, alpha = Number.NaN): GraphNode {
    return this.#node('elu', [x], { alpha });
  }

  celu(x: GraphNode, alpha = Number.NaN): GraphNode {
    return this.#node('celu', [x], { alpha });
  }

  prelu(x: GraphNode, slope: Operand): GraphNode {
    return this.#node('prelu', [x, slope]);
  }

  selu(x: GraphNode): GraphNode {
    return this.#node('selu', [x]);
  }

  relu6(x: GraphNode): GraphNode {
    return this.#node('relu6', [x]);
  }

  mish(x: GraphNode): GraphNode {
    return this.#node('mish', [x]);
  }

  hardswish(x: GraphNode): GraphNode {
    return this.#node('hardswish', [x]);
  }

  hardsigmoid(x: GraphNode): GraphNode {
    return this.#node('hardsigmoid', [x]);
  }

  softplus(x: GraphNode): GraphNode {
    return this.#node('softplus', [x]);
  }

  softsign(x: GraphNode): GraphNode {
    return this.#node('softsign', [x]);
  }

  silu(x: GraphNode): GraphNode {
    return this.#node('silu', [x]);
  }

  gelu(x: GraphNode): GraphNode {
    return this.#node('gelu', [x]);
  }

  geluTanh(x: GraphNode): GraphNode {
    return this.#node('geluTanh', [x]);
  }

  sigmoid(x: GraphNode): GraphNode {
    return this.#node('sigmoid', [x]);
  }

  tanh(x: GraphNode): GraphNode {
    return this.#node('tanh', [x]);
  }

  dropout(x: GraphNode, rate: number, seed = this.#calls): GraphNode {
    return this.#node('dropout', [x], { rate, seed });
  }

  swiglu(gate: GraphNode, up: GraphNode): GraphNode {
    return this.#node('swiglu', [gate, up]);
  }

  geglu(gate: GraphNode, up: GraphNode): GraphNode {
    return this.#node('geglu', [gate, up]);
  }

  // ---- Along an axis ----

  softmax(x: GraphNode, axis = -1): GraphNode {
    return this.#node('softmax', [x], { axis: checkAxis('softmax: axis', axis) });
  }

  logSoftmax(x: GraphNode, axis = -1): GraphNode {
    return this.#node('logSoftmax', [x], { axis: checkAxis('logSoftmax: axis', axis) });
  }

  sum(x: GraphNode, axis?: number): GraphNode {
    return this.#node('sum', [x], { axis: axes('sum', axis) });
  }

  mean(x: GraphNode, axis?: number): GraphNode {
    return this.#node('mean', [x], { axis: axes('mean', axis) });
  }

  max(x: GraphNode, axis?: number): GraphNode {
    return this.#node('max', [x], { axis: axes('max', axis) });
  }

  logSumExp(x: GraphNode, axis?: number): GraphNode {
    return this.#node('logSumExp', [x], { axis: axes('logSumExp', axis) });
  }

  argmax(x: GraphNode, axis: number): GraphNode<'int32'> {
    const first = this.#build('argmax', [x], { axis: checkAxis('argmax: axis', axis) });
    return this.#list(first, 1, 'int32')[0]!;
  }

  topK(x: GraphNode, k: number): { values: GraphNode; indices: GraphNode<'int32'> } {
    const first = this.#build('topK', [x], { k }, 2);
    return {
      values: this.#list(first, 1, 'float32')[0]!,
      indices: this.#list(first + 1, 1, 'int32')[0]!,
    };
  }

  // ---- Shapes ----

  reshape<D extends DType>(x: GraphNode<D>, shape: readonly number[]): GraphNode<D> {
    return this.#alike('reshape', [x], integers('reshape: shape', shape));
  }

  transpose<D extends DType>(x: GraphNode<D>, axes: readonly number[]): GraphNode<D> {
    return this.#alike('transpose', [x], integers('transpose: axes', axes));
  }

  slice<D extends DType>(
    x: GraphNode<D>,
    axis: number,
    begin: number,
    end: number,
    step = 1,
  ): GraphNode<D> {
    return this.#alike('slice', [x], { axis, begin, end, step });
  }

  concat<D extends DType>(x: readonly GraphNode<D>[], axis: number): GraphNode<D> {
    return this.#alike('concat', x, { axis });
  }

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
        `split: ${count} parts; 1 to ${MOST_PARTS} are possible`,
      );
    }
    const numbers = [checkInteger('split: axis', axis), count, ...sizes];
    const input = x as GraphNode<DType> as GraphNode;
    return this.#list(this.#build('split', [input], numbers, count), count, x.dtype);
  }

  pad<D extends DType>(
    x: GraphNode<D>,
    before: readonly number[],
    after: readonly number[],
    value = 0,
  ): GraphNode<D> {
    const sizes = [...integers('pad: before', before), ...integers('pad: after', after)];
    if (before.length !== after.length) {
      throw new PlxError(
        'PLX_ERR_SHAPE',
        `pad: before has ${before.length} axes, but after has ${after.length}`,
      );
    }
    return this.#alike('pad', [x], [checkNumber('pad: value', value), ...sizes]);
  }

  broadcast<D extends DType>(x: GraphNode<D>, shape: readonly number[]): GraphNode<D> {
    return this.#alike('broadcast', [x], integers('broadcast: shape', shape));
  }

  gather<D extends DType>(x: GraphNode<D>, indices: GraphNode<'int32'>, axis = 0): GraphNode<D> {
    return this.#alike('gather', [x, indices as GraphNode<DType> as GraphNode<D>], { axis });
  }

  // ---- Images ----

  conv2d(x: GraphNode, weights: GraphNode, options: Conv2dOptions = {}): GraphNode {
    const numbers = convolution('conv2d', options);
    return this.#node('conv2d', [x, weights, options.bias ?? NONE], numbers);
  }

  conv2dTranspose(
    x: GraphNode,
    weights: GraphNode,
    options: Conv2dTransposeOptions = {},
  ): GraphNode {
    const method = 'conv2dTranspose';
    const numbers = convolution(method, options);
    numbers.push(...pair(`${method}: extra`, options.extra ?? 0));
    return this.#node('conv2dTranspose', [x, weights, options.bias ?? NONE], numbers);
  }

  maxPool2d(x: GraphNode, options: Pool2dOptions): GraphNode {
    return this.#node('maxPool2d', [x], pooling('maxPool2d', options));
  }

  avgPool2d(x: GraphNode, options: AvgPool2dOptions): GraphNode {
    return this.#node('avgPool2d', [x], pooling('avgPool2d', options));
  }

  globalAvgPool2d(x: GraphNode): GraphNode {
    return this.#node('globalAvgPool2d', [x]);
  }

  upsample2d(x: GraphNode, factors: Pair, method: 'nearest' | 'bilinear' = 'nearest'): GraphNode {
    const bilinear = checkName('upsample2d: method', method, ['nearest', 'bilinear']) !== 'nearest';
    const numbers = [...pair('upsample2d: factors', factors), Number(bilinear)];
    return this.#node('upsample2d', [x], numbers);
  }

  // ---- Normalisation ----

  layerNorm(x: GraphNode, options: NormOptions = {}): GraphNode {
    const { scale = NONE, shift = NONE, epsilon = 1e-5 } = optionsOf('layerNorm', options);
    return this.#node('layerNorm', [x, scale, shift], { epsilon });
  }

  rmsNorm(x: GraphNode, options: Omit<NormOptions, 'shift'> = {}): GraphNode {
    const { scale = NONE, epsilon = 1e-5 } = optionsOf('rmsNorm', options);
    return this.#node('rmsNorm', [x, scale], { epsilon });
  }

  groupNorm(x: GraphNode, groups: number, options: NormOptions = {}): GraphNode {
    const { scale = NONE, shift = NONE, epsilon = 1e-5 } = optionsOf('groupNorm', options);
    return this.#node('groupNorm', [x, scale, shift], { groups, epsilon });
  }

  batchNorm(x: GraphNode, options: BatchNormOptions): GraphNode {
    const given = optionsOf('batchNorm', options);
    const { scale = NONE, shift = NONE, epsilon = 1e-5, momentum = 0.1 } = given;
    const training = Number(given.training);
    const inputs = [x, scale, shift, given.mean, given.variance];
    return this.#node('batchNorm', inputs, { training, momentum, epsilon });
  }

  l2Normalize(x: GraphNode, epsilon = 1e-12): GraphNode {
    return this.#node('l2Normalize', [x], { epsilon });
  }

  // ---- Sequences ----

  embedding(table: GraphNode, ids: GraphNode<'int32'>): GraphNode {
    return this.#node('embedding', [table, ids as GraphNode<DType> as GraphNode]);
  }

  attention(q: GraphNode, k: GraphNode, v: GraphNode, options: AttentionOptions): GraphNode {
    const { heads, kvHeads = 0, scale = 0, mask = NONE } = optionsOf('attention', options);
    const causal = Number(options.causal ?? false);
    return this.#node('attention', [q, k, v, mask], { heads, kvHeads, causal, scale });
  }

  rope(x: GraphNode, options: RopeOptions): GraphNode {
    const { heads, base = 10_000, first = 0 } = optionsOf('rope', options);
    return this.#node('rope', [x], { heads, base, first });
  }

  // ---- Losses ----

  mse(prediction: GraphNode, target: GraphNode): GraphNode {
    return this.#node('mse', [prediction, target]);
  }

  l1(prediction: GraphNode, target: GraphNode): GraphNode {
    return this.#node('l1', [prediction, target]);
  }

  huber(prediction: GraphNode, target: GraphNode, delta = 1): GraphNode {
    return this.#node('huber', [prediction, target], { delta });
  }

  binaryCrossEntropy(logits: GraphNode, target: GraphNode): GraphNode {
    return this.#node('binaryCrossEntropy', [logits, target]);
  }

  crossEntropy(logits: GraphNode, labels: GraphNode<'int32'>): GraphNode {
    const inputs = [logits, labels as GraphNode<DType> as GraphNode];
    return this.#node('crossEntropy', inputs);
  }

  cosineLoss(a: GraphNode, b: GraphNode): GraphNode {
    return this.#node('cosineLoss', [a, b]);
  }

  infoNce(a: GraphNode, b: GraphNode, scale: Operand): GraphNode {
    return this.#node('infoNce', [a, b, scale]);
  }

  // ---- Hypercausal ----

  hypercausal(
    x: GraphNode,
    w: GraphNode,
    b: GraphNode,
    options: HypercausalOptions = {},
  ): HypercausalNode {
    const { depth = 1, futures = 3, span = 0.25 } = optionsOf('hypercausal', options);
    const policies = ['mean', 'median', 'min-risk'] as const;
    const name = checkName('hypercausal: policy', options.policy ?? 'mean', policies);
    const policy = policies.indexOf(name);
    const first = this.#build('hypercausal', [x, w, b], { depth, futures, span, policy }, 3);
    const [state, future, spread] = this.#list(first, 3, 'float32');
    return { state: state!, future: future!, spread: spread! };
  }

  hypercausalLoss(nodes: readonly HypercausalNode[], target: GraphNode): HypercausalLosses {
    const last = listOf('hypercausalLoss', 'nodes', nodes).at(-1);
    if (!last) return refuse('hypercausalLoss: give it a list of nodes');
    const spreads = nodes.map((node) => (node as Partial<HypercausalNode> | null)?.spread);
    const inputs = [last.state, last.future, target, ...spreads] as GraphNode[];
    const first = this.#build('hypercausalLoss', inputs, [], 4);
    const [total, task, consistency, coherence] = this.#list(first, 4, 'float32');
    return { total: total!, task: task!, consistency: consistency!, coherence: coherence! };
  }

  // ---- Training ----

  gradients<const T extends readonly GraphNode[]>(
    loss: GraphNode,
    variables: T,
  ): { -readonly [K in keyof T]: GraphNode } {
    const count = listOf('gradients', 'variables', variables).length;
    const first = this.#build('gradients', [loss, ...variables], [], count);
    return this.#list(first, count, 'float32') as { -readonly [K in keyof T]: GraphNode };
  }

  clipByNorm<const T extends readonly GraphNode[]>(
    gradients: T,
    largest: number,
  ): { -readonly [K in keyof T]: GraphNode } {
    const count = listOf('clipByNorm', 'gradients', gradients).length;
    const first = this.#build('clipByNorm', gradients, { largest }, count);
    return this.#list(first, count, 'float32') as { -readonly [K in keyof T]: GraphNode };
  }

  update(
    optimizer: OptimizerOptions['kind'] | OptimizerOptions,
    parameters: readonly GraphParameter[],
    gradients: readonly GraphNode[],
  ): GraphUpdate {
    const options = checkOptimizer(optimizer);
    listOf('update', 'parameters', parameters);
    if (parameters.length !== listOf('update', 'gradients', gradients).length) {
      throw new PlxError(
        'PLX_ERR_SHAPE',
        `update: ${parameters.length} parameters, but ${gradients.length} gradients`,
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

  #parameter(what: string, parameter: GraphParameter): number {
    const value = ClientNode.valueIn(this, parameter, what);
    if (parameter instanceof ClientParameter) return value;
    throw new PlxError('PLX_ERR_ARGUMENT', `${what} must be made by parameter()`);
  }

  // ---- Use ----

  /**
   * Asks the engine. Every call of a graph and its functions goes this way, by as many promises, so
   * that none overtakes another which waits for what was recorded before it.
   */
  ask<T>(ask: (engine: EngineApi) => T, site?: CallSite, needsAll = false): Promise<Awaited<T>> {
    return this.#sent.then((failure) => {
      if (failure && needsAll) throw failure.error;
      const answer = this.#connection.call(ask);
      return site ? site.answer(answer) : answer;
    });
  }

  /** Sends what is pending, and asks then; if any call so far could not be made, that is the answer. */
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

  async compile<const T extends readonly GraphNode<DType>[]>(
    outputs: T,
    options: CompileOptions = {},
  ): Promise<GraphFunction<T>> {
    const site = new CallSite('compile', this.compile);
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
    return new ClientFunction<T>(this, id, inputs);
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
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}

/** plx.graph of an engine. */
export function graphMaker(connection: Connection): Parallax['graph'] {
  let graphs = 0;
  return (options: GraphOptions = {}) => {
    checkOptions('graph', options, { seed: number });
    const seed = checkWhole('graph: seed', options.seed ?? 0, 0);
    return new ClientGraph(connection, ++graphs, seed);
  };
}
