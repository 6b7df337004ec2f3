/** The public types of free graphs. */
import type { Data, OptimizerOptions, Plan } from './api.js';
import type { Layer } from './api_layers.js';

/**
 * What the elements of a value are. Inputs are `float32` or `int32`. The others are storage, which
 * `cast` makes and reads and what moves elements takes; comparisons give `uint8`.
 */
export type DType = 'float32' | 'int32' | 'bfloat16' | 'float16' | 'int8' | 'uint8';

/** What inputs hold. */
export type InputDType = 'float32' | 'int32';

/** The arrays of elements; those of 16 bits come as their bits. */
export interface DTypeArrays {
  float32: Float32Array;
  int32: Int32Array;
  bfloat16: Uint16Array;
  float16: Uint16Array;
  int8: Int8Array;
  uint8: Uint8Array;
}

/** A handle to one value of a graph: a description, without numbers until a function runs. */
export interface GraphNode<D extends DType = 'float32'> {
  /** Of its elements. */
  readonly dtype: D;
  /** Its shape. The first call that awaits also reports a wrong call before it: see `check`. */
  shape(): Promise<number[]>;
}

/** A value that stays between runs, in the engine: updates write it. */
export interface GraphParameter extends GraphNode {
  /** As given. */
  readonly name: string;
}

/** One step of an optimizer, for `compile`'s `updates`. */
export interface GraphUpdate {
  /** Changes the learning rate from the next run on. */
  setRate(rate: number): Promise<void>;
}

/** A value, or a number that is one everywhere. */
export type Operand = GraphNode | number;

/** The same beside a node of that type: numbers are `float32`. */
export type OperandOf<D extends DType> = D extends 'float32' ? Operand : GraphNode<D>;

/** The numbers of a value. */
export interface GraphArray<D extends DType = 'float32'> {
  /** Row-major. */
  data: DTypeArrays[D];
  /** Sizes, outermost first; empty for a scalar. */
  shape: number[];
}

/** One array for each node. */
export type GraphArrays<T extends readonly GraphNode<DType>[]> = {
  -readonly [K in keyof T]: T[K] extends GraphNode<infer D> ? GraphArray<D> : never;
};

/** Two sizes, rows and columns; one number stands for both. */
export type Pair = number | readonly [number, number];

/**
 * Zeros around an image: none (`"valid"`), so many that the result has ceil(size / stride) rows and
 * columns (`"same"`), the same number on all sides, [rows, columns], or [top, bottom, left, right].
 */
export type Padding =
  | 'valid'
  | 'same'
  | number
  | readonly [number, number]
  | readonly [number, number, number, number];

/** Options of a convolution. */
export interface Conv2dOptions {
  /** [channels out], added to the result. */
  bias?: GraphNode;
  /** Default 1. */
  stride?: Pair;
  /** Default `"valid"`. */
  padding?: Padding;
  /** Distance of the kernel's elements (default 1). */
  dilation?: Pair;
  /** Divides both numbers of channels; as many as channels in: depthwise (default 1). */
  groups?: number;
}

/** Options of a transposed convolution. */
export interface Conv2dTransposeOptions extends Conv2dOptions {
  /** Rows and columns more, below the stride (default 0). */
  extra?: Pair;
}

/** Options of a pooling. */
export interface Pool2dOptions {
  /** Of the windows. */
  size: Pair;
  /** Default: the size, so that windows lie side by side. */
  stride?: Pair;
  /** Default 0; below the size. */
  padding?: Exclude<Padding, 'same'>;
}

/** Options of an average pooling. */
export interface AvgPool2dOptions extends Pool2dOptions {
  /** Whether averages divide by the whole window, padding included (default false). */
  countPadding?: boolean;
}

/** Options of a node that projects futures. */
export interface HypercausalOptions {
  /** How often tanh(w x + b) is applied: 1 unless told. */
  depth?: number;
  /** How many futures, 2 or more: 3 unless told. */
  futures?: number;
  /** Of the deltas on [-p, p], p = max(0.08, span / (1 + 0.3 (depth - 1))): 0 to 4, 0.25 unless told. */
  span?: number;
  /**
   * Which future stands for all: their mean, the median of each element, or for each row of the last
   * axis the one with the least sum of squares.
   */
  policy?: 'mean' | 'median' | 'min-risk';
}

/** What a node that projects futures gives. */
export interface HypercausalNode {
  /** Of x's shape: what the next nodes take. */
  state: GraphNode;
  /** Of x's shape: the future that stands for all, by the policy. */
  future: GraphNode;
  /** The mean squared deviation of the futures from their mean: a scalar. */
  spread: GraphNode;
}

/** Scalars. */
export interface HypercausalLosses {
  /** What to train on: task + 0.5 consistency + 0.3 coherence. */
  total: GraphNode;
  task: GraphNode;
  consistency: GraphNode;
  coherence: GraphNode;
}

/** What a normalisation multiplies by and adds: [channels]; default neither. */
export interface NormOptions {
  /** Multiplied by. */
  scale?: GraphNode;
  /** Added. */
  shift?: GraphNode;
  /** Added to the variance (default 1e-5). */
  epsilon?: number;
}

/** Options of batch normalisation. */
export interface BatchNormOptions extends NormOptions {
  /** Running mean [channels]. */
  mean: GraphParameter;
  /** Running variance [channels]; it should begin as ones. */
  variance: GraphParameter;
  /**
   * True: normalises by the batch, and every run moves the running values by momentum towards the
   * batch's. False: normalises by the running values.
   */
  training: boolean;
  /** Share of the batch in the running values (default 0.1). */
  momentum?: number;
}

/** Options of attention. */
export interface AttentionOptions {
  /** Heads of the queries. */
  heads: number;
  /** Heads of keys and values, which divide `heads` (default: as many). */
  kvHeads?: number;
  /** Whether query i sees only the keys up to i + (keys - queries) (default false). */
  causal?: boolean;
  /** Of the scores (default 1 / sqrt(width of a head)). */
  scale?: number;
  /** [b or 1, s or 1, t], added to the scores; -Infinity: not seen. */
  mask?: GraphNode;
}

/** Options of rotary position embedding. */
export interface RopeOptions {
  /** Heads in the last axis. */
  heads: number;
  /** Default 10,000. */
  base?: number;
  /** Position of the first element (default 0). */
  first?: number;
}

/** Options of `layer`. */
export interface LayerCallOptions {
  /** Of the weights; default the layer's own, or its kind and a number: `dense_1`. */
  name?: string;
  /** Dropout is on, and batch norm normalises by the batch (default false). */
  training?: boolean;
  /** Applies the weights of the layer of that name, which was described alike, once more. */
  share?: boolean;
}

/** Options of `compile`. */
export interface CompileOptions {
  /** Steps of optimizers that every run takes, after the outputs were worked out. */
  updates?: readonly GraphUpdate[];
}

/** Values for the inputs of a graph, by name. */
export type GraphInputs = Record<string, Data | number>;

/** A compiled function: a fixed sequence of steps with all of its memory. */
export interface GraphFunction<
  T extends readonly GraphNode<DType>[] = readonly GraphNode<DType>[],
> {
  /**
   * Runs once: takes a value for every input that the outputs depend on, takes the steps of its
   * `updates`, and gives the outputs in the order in which they were named.
   */
  run(inputs?: GraphInputs): Promise<GraphArrays<T>>;
  /** The plan, step by step. */
  explain(): Promise<Plan>;
  /** As the graph's. */
  read(parameter: GraphParameter): Promise<GraphArray>;
  /** As the graph's. */
  write(parameter: GraphParameter, values: Data | number): Promise<void>;
  /** Gives its memory back; the graph and its parameters stay. */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * A graph of operations with fixed shapes.
 *
 * Calls that add nodes cost no message to the engine: they are recorded, and sent with the first
 * call that awaits (`check`, `shape`, `compile`, `read`, `write`). That one reports the first wrong
 * call: its `PlxError` has the library's sentence, `call` names the method and its place among the
 * graph's calls, and `stack` points to the line that made it. What takes no engine to see, such as a
 * node of another graph, throws at once. A graph that had a wrong call stays unusable.
 *
 * Axes count from 0; negative ones from the last.
 */
export interface Graph {
  // ---- Values ----

  /** Data that each run is given. */
  input(name: string, shape: readonly number[]): GraphNode;
  /** Data of this type. */
  input<D extends InputDType>(
    name: string,
    shape: readonly number[],
    options: { dtype: D },
  ): GraphNode<D>;
  /** A value that stays between runs; zeros unless given. The values are copied. */
  parameter(name: string, shape: readonly number[], values?: Data | number): GraphParameter;
  /** A scalar. Where an `Operand` is taken, a number will do. */
  constant(value: number): GraphNode;

  // ---- Layers ----

  /**
   * A layer of `plx.layers` applied to x [batch, ...] (ids for an embedding). It makes its weights as
   * parameters of the graph, by the graph's seed.
   */
  layer(layer: Layer, x: GraphNode<DType>, options?: LayerCallOptions): GraphNode;
  /**
   * The weights that the layers so far train, for `gradients` and `update`; or their running
   * statistics, with `state`.
   */
  weights(options?: { state?: boolean }): Promise<GraphParameter[]>;

  // ---- Products ----

  /**
   * op(a) op(b): a is [..., m, k], b [k, n]. `transposeA` (of rank 2 only) and `transposeB` turn
   * their matrix first.
   */
  matmul(
    a: GraphNode,
    b: GraphNode,
    options?: { transposeA?: boolean; transposeB?: boolean },
  ): GraphNode;
  /** x + b along the last axis. */
  bias(x: GraphNode, b: GraphNode): GraphNode;
  /** x w + b: x [..., in], w [in, out], b [out] or left out. */
  dense(x: GraphNode, w: GraphNode, b?: GraphNode): GraphNode;

  // ---- Elementwise, with NumPy's broadcasting ----

  /** a + b. */
  add(a: Operand, b: Operand): GraphNode;
  /** a - b. */
  sub(a: Operand, b: Operand): GraphNode;
  /** a b. */
  mul(a: Operand, b: Operand): GraphNode;
  /** a / b. */
  div(a: Operand, b: Operand): GraphNode;
  /** The larger of two; NaN if either is; where equal, a has the gradient. */
  maximum(a: Operand, b: Operand): GraphNode;
  /** The smaller of two; NaN if either is; where equal, a has the gradient. */
  minimum(a: Operand, b: Operand): GraphNode;
  /** a to the power of b: a negative a takes whole b only, else the result is NaN. */
  pow(a: Operand, b: Operand): GraphNode;
  /** e to the power of x. */
  exp(x: GraphNode): GraphNode;
  /** Natural logarithm. */
  log(x: GraphNode): GraphNode;
  /** Square root. */
  sqrt(x: GraphNode): GraphNode;
  /** 1 / sqrt(x). */
  rsqrt(x: GraphNode): GraphNode;
  /** x x. */
  square(x: GraphNode): GraphNode;
  /** Sine. */
  sin(x: GraphNode): GraphNode;
  /** Cosine. */
  cos(x: GraphNode): GraphNode;
  /** Absolute value. */
  abs(x: GraphNode): GraphNode;
  /** The error function. */
  erf(x: GraphNode): GraphNode;
  /** Values limited to [low, high]; the gradient is 0 outside. */
  clip(x: GraphNode, low: number, high: number): GraphNode;

  // ---- Comparisons: 1 where they hold, else 0; shapes broadcast ----

  /** a = b; 0 for NaN. Both are reals, or both int32. */
  equal<D extends InputDType>(a: GraphNode<D>, b: OperandOf<D>): GraphNode<'uint8'>;
  /** Not a = b; 1 for NaN. */
  notEqual<D extends InputDType>(a: GraphNode<D>, b: OperandOf<D>): GraphNode<'uint8'>;
  /** a < b; 0 for NaN. */
  less<D extends InputDType>(a: GraphNode<D>, b: OperandOf<D>): GraphNode<'uint8'>;
  /** a <= b; 0 for NaN. */
  lessEqual<D extends InputDType>(a: GraphNode<D>, b: OperandOf<D>): GraphNode<'uint8'>;
  /** a > b; 0 for NaN. */
  greater<D extends InputDType>(a: GraphNode<D>, b: OperandOf<D>): GraphNode<'uint8'>;
  /** a >= b; 0 for NaN. */
  greaterEqual<D extends InputDType>(a: GraphNode<D>, b: OperandOf<D>): GraphNode<'uint8'>;
  /**
   * a where the condition is not 0, else b; shapes broadcast. What is not taken does not matter, NaN
   * and infinity included; its gradient is 0.
   */
  where<D extends DType>(
    condition: GraphNode<'uint8' | 'int32'>,
    a: GraphNode<D>,
    b: OperandOf<D>,
  ): GraphNode<D>;
  /**
   * The values as another dtype. To `float32`, `bfloat16` and `float16`: the nearest, half to even,
   * overflow to infinity. To integers: cut off at the point, the nearest there is beyond the range,
   * 0 for NaN. Gradients pass through `bfloat16` and `float16`, not through integers.
   */
  cast<D extends DType>(x: GraphNode<DType>, dtype: D): GraphNode<D>;

  // ---- Activations ----

  /** max(x, 0). */
  relu(x: GraphNode): GraphNode;
  /** x, or slope x (default 0.01) below 0. */
  leakyRelu(x: GraphNode, slope?: number): GraphNode;
  /** x, or alpha (e^x - 1) (default alpha 1) below 0. */
  elu(x: GraphNode, alpha?: number): GraphNode;
  /** x, or alpha (e^(x / alpha) - 1) (default alpha 1) below 0. */
  celu(x: GraphNode, alpha?: number): GraphNode;
  /** 1.0507 x, or 1.0507 1.6733 (e^x - 1) below 0. */
  selu(x: GraphNode): GraphNode;
  /** min(max(x, 0), 6). */
  relu6(x: GraphNode): GraphNode;
  /** x, or slope x below 0, with a slope that is learnt. */
  prelu(x: GraphNode, slope: Operand): GraphNode;
  /** x tanh(softplus(x)). */
  mish(x: GraphNode): GraphNode;
  /** x relu6(x + 3) / 6. */
  hardswish(x: GraphNode): GraphNode;
  /** relu6(x + 3) / 6. */
  hardsigmoid(x: GraphNode): GraphNode;
  /** log(1 + e^x). */
  softplus(x: GraphNode): GraphNode;
  /** x / (1 + |x|). */
  softsign(x: GraphNode): GraphNode;
  /** x sigmoid(x). */
  silu(x: GraphNode): GraphNode;
  /** x/2 (1 + erf(x / sqrt 2)). */
  gelu(x: GraphNode): GraphNode;
  /** The tanh form of GELU. */
  geluTanh(x: GraphNode): GraphNode;
  /** 1 / (1 + e^-x). */
  sigmoid(x: GraphNode): GraphNode;
  /** Hyperbolic tangent. */
  tanh(x: GraphNode): GraphNode;
  /** Inverted dropout: keeps with probability 1 - rate; the seed differs from call to call. */
  dropout(x: GraphNode, rate: number, seed?: number): GraphNode;
  /** silu(gate) up. */
  swiglu(gate: GraphNode, up: GraphNode): GraphNode;
  /** gelu(gate) up. */
  geglu(gate: GraphNode, up: GraphNode): GraphNode;

  // ---- Along an axis ----

  /** Along the last axis unless told. */
  softmax(x: GraphNode, axis?: number): GraphNode;
  /** log(softmax(x)), without underflow. */
  logSoftmax(x: GraphNode, axis?: number): GraphNode;
  /** Over one axis, which is removed; without axis over all: a scalar. */
  sum(x: GraphNode, axis?: number): GraphNode;
  /** As `sum`; the mean of nothing is NaN. */
  mean(x: GraphNode, axis?: number): GraphNode;
  /** As `sum`; the first of equals has the gradient. */
  max(x: GraphNode, axis?: number): GraphNode;
  /** log(sum(exp(x))), without overflow; as `sum`. */
  logSumExp(x: GraphNode, axis?: number): GraphNode;
  /** Index of the first largest along an axis, which is removed. */
  argmax(x: GraphNode, axis: number): GraphNode<'int32'>;
  /** The k largest of the last axis in descending order, and where they were. */
  topK(x: GraphNode, k: number): { values: GraphNode; indices: GraphNode<'int32'> };

  // ---- Shapes: elements of every dtype ----

  /** The same elements in another shape; one size may be -1 and follows from the others. */
  reshape<D extends DType>(x: GraphNode<D>, shape: readonly number[]): GraphNode<D>;
  /** Axis i of the result is axis axes[i] of x. */
  transpose<D extends DType>(x: GraphNode<D>, axes: readonly number[]): GraphNode<D>;
  /**
   * Elements begin, begin + step, ... before end of one axis. Negative begin and end count from the
   * end; a negative step goes backwards (end -1 - size: past the first).
   */
  slice<D extends DType>(
    x: GraphNode<D>,
    axis: number,
    begin: number,
    end: number,
    step?: number,
  ): GraphNode<D>;
  /** One after the other along an axis. */
  concat(x: readonly GraphNode[], axis: number): GraphNode;
  /** All of them reals, or all integers. */
  concat(x: readonly GraphNode<'int32'>[], axis: number): GraphNode<'int32'>;
  /** Storage of one dtype. */
  concat<D extends Exclude<DType, InputDType>>(
    x: readonly GraphNode<D>[],
    axis: number,
  ): GraphNode<D>;
  /** The reverse: so many equal parts, or parts of these sizes. */
  split<D extends DType>(
    x: GraphNode<D>,
    axis: number,
    parts: number | readonly number[],
  ): GraphNode<D>[];
  /** Elements of value (default 0; whole among integers) before and after each axis. */
  pad<D extends DType>(
    x: GraphNode<D>,
    before: readonly number[],
    after: readonly number[],
    value?: number,
  ): GraphNode<D>;
  /** Repeats axes of size 1, and new leading ones. */
  broadcast<D extends DType>(x: GraphNode<D>, shape: readonly number[]): GraphNode<D>;
  /** Slices of one axis (default 0) by index; the shape of indices takes the place of the axis. */
  gather<D extends DType>(
    x: GraphNode<D>,
    indices: GraphNode<'int32'>,
    axis?: number,
  ): GraphNode<D>;

  // ---- Images [n, height, width, channels] ----

  /** Cross-correlation with weights [rows, columns, channels in / groups, channels out]. */
  conv2d(x: GraphNode, weights: GraphNode, options?: Conv2dOptions): GraphNode;
  /**
   * The transpose of a convolution, with weights [rows, columns, channels out / groups, channels
   * in]. Padding `"same"`: stride times the size, for kernels no smaller than the stride.
   */
  conv2dTranspose(x: GraphNode, weights: GraphNode, options?: Conv2dTransposeOptions): GraphNode;
  /** The largest of each window. */
  maxPool2d(x: GraphNode, options: Pool2dOptions): GraphNode;
  /** The mean of each window. */
  avgPool2d(x: GraphNode, options: AvgPool2dOptions): GraphNode;
  /** Mean over rows and columns: [n, channels]. */
  globalAvgPool2d(x: GraphNode): GraphNode;
  /** Rows and columns times whole factors (default method `"nearest"`). */
  upsample2d(x: GraphNode, factors: Pair, method?: 'nearest' | 'bilinear'): GraphNode;

  // ---- Normalisation ----

  /** Over the last axis: mean 0, variance 1. */
  layerNorm(x: GraphNode, options?: NormOptions): GraphNode;
  /** x / sqrt(mean(x^2) + epsilon) over the last axis. */
  rmsNorm(x: GraphNode, options?: Omit<NormOptions, 'shift'>): GraphNode;
  /** Over groups of channels and all axes between the first and the last. */
  groupNorm(x: GraphNode, groups: number, options?: NormOptions): GraphNode;
  /** Per channel (last axis) over all else. */
  batchNorm(x: GraphNode, options: BatchNormOptions): GraphNode;
  /** Rows of the last axis divided by their length, which counts as at least epsilon (1e-12). */
  l2Normalize(x: GraphNode, epsilon?: number): GraphNode;

  // ---- Sequences ----

  /** Rows of table [vocabulary, width] by ids [...]: [..., width]. */
  embedding(table: GraphNode, ids: GraphNode<'int32'>): GraphNode;
  /**
   * softmax(scale q k^T + mask) v, head by head: q [b, s, heads d], k and v [b, t, kvHeads d].
   * Result [b, s, heads d].
   */
  attention(q: GraphNode, k: GraphNode, v: GraphNode, options: AttentionOptions): GraphNode;
  /** Rotary position embedding of x [b, s, heads d], d even. */
  rope(x: GraphNode, options: RopeOptions): GraphNode;

  // ---- Losses: scalars ----

  /** Mean squared error. */
  mse(prediction: GraphNode, target: GraphNode): GraphNode;
  /** Mean absolute error. */
  l1(prediction: GraphNode, target: GraphNode): GraphNode;
  /** Half squares within delta (default 1), straight beyond. */
  huber(prediction: GraphNode, target: GraphNode, delta?: number): GraphNode;
  /** Of sigmoid(logits) against targets in [0, 1]. */
  binaryCrossEntropy(logits: GraphNode, target: GraphNode): GraphNode;
  /** Mean of -log softmax(logits)[label]: logits [..., classes], labels [...]. */
  crossEntropy(logits: GraphNode, labels: GraphNode<'int32'>): GraphNode;
  /** Mean over rows of 1 - cos(a, b). */
  cosineLoss(a: GraphNode, b: GraphNode): GraphNode;
  /** Contrastive: a and b [n, width] are pairs row by row; the logits are scale times cosines. */
  infoNce(a: GraphNode, b: GraphNode, scale: Operand): GraphNode;

  // ---- Hypercausal ----

  /**
   * A node that projects futures: the state is tanh(w x + b), depth times, of x [..., channels];
   * futures are tanh(state + delta). w and b hold one value each. A state is the next node's x;
   * where a node has several parents, x is the mean of their states.
   */
  hypercausal(
    x: GraphNode,
    w: GraphNode,
    b: GraphNode,
    options?: HypercausalOptions,
  ): HypercausalNode;
  /**
   * Of nodes, the last of which gives the prediction, over [..., time, channels]: total = task + 0.5
   * consistency + 0.3 coherence. No gradient flows into the target.
   */
  hypercausalLoss(nodes: readonly HypercausalNode[], target: GraphNode): HypercausalLosses;

  // ---- Training ----

  /** d loss / d each variable. The loss is a scalar, and depends on all of them. */
  gradients<const T extends readonly GraphNode[]>(
    loss: GraphNode,
    variables: T,
  ): { -readonly [K in keyof T]: GraphNode };
  /** Scales gradients together so that the length of all of them is at most largest. */
  clipByNorm<const T extends readonly GraphNode[]>(
    gradients: T,
    largest: number,
  ): { -readonly [K in keyof T]: GraphNode };
  /**
   * One step of an optimizer, which keeps its state in the graph, for `compile`'s `updates`. A gradient
   * whose square overflows, in an optimizer that takes it, makes the run reject with PLX_ERR_DIVERGED
   * and changes no parameter.
   */
  update(
    optimizer: OptimizerOptions['kind'] | OptimizerOptions,
    parameters: readonly GraphParameter[],
    gradients: readonly GraphNode[],
  ): GraphUpdate;

  // ---- Use ----

  /** Sends what was recorded; rejects with the first wrong call. */
  check(): Promise<void>;
  /** Makes a function that works out these nodes. Nodes may be added and compiled afterwards. */
  compile<const T extends readonly GraphNode<DType>[]>(
    outputs: T,
    options?: CompileOptions,
  ): Promise<GraphFunction<T>>;
  /** A copy of a parameter's values. */
  read(parameter: GraphParameter): Promise<GraphArray>;
  /** Replaces a parameter's values. */
  write(parameter: GraphParameter, values: Data | number): Promise<void>;
  /** Gives the memory back: of the graph, its parameters, its optimizers and its functions. */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
