/** The public types of free graphs. */
import type { Data, OptimizerOptions, Plan } from './api.js';
import type { Layer } from './api_layers.js';
import type { GraphBuilders } from './generated/graph_builders.js';

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

/** Options of a product of matrices. */
export interface MatmulOptions {
  /** Turns a, which is of rank 2 (default false). */
  transposeA?: boolean;
  /** Turns b (default false). */
  transposeB?: boolean;
}

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
export interface Graph extends GraphBuilders {
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

  // ---- Beside the operations of the table ----

  /** The reverse of `concat`: so many equal parts, or parts of these sizes. */
  split<D extends DType>(
    x: GraphNode<D>,
    axis: number,
    parts: number | readonly number[],
  ): GraphNode<D>[];
  /**
   * Of nodes, the last of which gives the prediction, over [..., time, channels]: total = task + 0.5
   * consistency + 0.3 coherence. No gradient flows into the target.
   */
  hypercausalLoss(nodes: readonly HypercausalNode[], target: GraphNode): HypercausalLosses;

  // ---- Training ----

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
