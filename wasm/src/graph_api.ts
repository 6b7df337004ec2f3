/** The public types of graphs. */
import type { Data, OptimizerOptions, Plan } from './api.js';
import type { GraphBuilders } from './generated/graph_builders.js';
import type { DTypeArrays } from './generated/kinds.js';
import type { Layer } from './generated/layer_types.js';

/**
 * Element type of a value. Inputs are `float32` or `int32`. The other types are for storage: `cast`
 * converts to and from them, and operations that only move elements accept them; comparisons return
 * `uint8`.
 */
export type DType = keyof DTypeArrays;

/** Element type of an input. */
export type InputDType = 'float32' | 'int32';

/** A handle to one value of a graph: a description, without numbers until a function runs. */
export interface GraphNode<D extends DType = 'float32'> {
  /** Element type. */
  readonly dtype: D;
  /**
   * Returns the shape. Like every awaited call, it also reports an earlier wrong call: see `check`.
   */
  shape(): Promise<number[]>;
}

/** A value that persists in the engine between runs; updates write to it. */
export interface GraphParameter extends GraphNode {
  /** The name it was given. */
  readonly name: string;
}

/** One step of an optimizer, for `compile`'s `updates`. */
export interface GraphUpdate {
  /** Changes the learning rate from the next run on. */
  setRate(rate: number): Promise<void>;
}

/** A node, or a number, which stands for a scalar. */
export type Operand = GraphNode | number;

/** An operand next to a node of type D; numbers are `float32`. */
export type OperandOf<D extends DType> = D extends 'float32' ? Operand : GraphNode<D>;

/** The numbers of a value. */
export interface GraphArray<D extends DType = 'float32'> {
  /** Elements, row-major. */
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
 * Zero padding around an image: none (`"valid"`), enough for a result of ceil(size / stride) rows
 * and columns (`"same"`), one number for all sides, [rows, columns], or [top, bottom, left, right].
 */
export type Padding =
  | 'valid'
  | 'same'
  | number
  | readonly [number, number]
  | readonly [number, number, number, number];

/** Options of a matrix product. */
export interface MatmulOptions {
  /** Whether the last two axes of a are swapped first (default false). */
  transposeA?: boolean;
  /** Whether those of b are (default false). */
  transposeB?: boolean;
}

/** Options of a cumulative sum. */
export interface CumsumOptions {
  /** Whether a sum leaves out the element itself (default false). */
  exclusive?: boolean;
  /** Whether sums begin at the last element (default false). */
  reverse?: boolean;
}

/**
 * Options of resizing. An axis of size n gets size m; element o of the result lies at a position of
 * x, with s = m / n.
 */
export interface ResizeOptions {
  /** What is made of the elements around a position (default `"nearest"`). */
  method?: 'nearest' | 'linear' | 'cubic';
  /**
   * Positions: (o + 1/2) / s - 1/2 (`"half-pixel"`, the default, and with whole sizes
   * `"half-pixel-symmetric"`), the same but 0 if m is 1 (`"pytorch-half-pixel"`), o (n - 1) / (m - 1)
   * (`"align-corners"`), or o / s (`"asymmetric"`).
   */
  coordinates?:
    | 'half-pixel'
    | 'pytorch-half-pixel'
    | 'align-corners'
    | 'asymmetric'
    | 'half-pixel-symmetric';
  /** How `"nearest"` rounds positions: half way goes down (`"prefer-floor"`, the default) or up. */
  rounding?: 'prefer-floor' | 'prefer-ceil' | 'floor' | 'ceil';
  /** Coefficient of `"cubic"` (default -0.75). */
  cubic?: number;
  /** Whether elements outside have no weight; else the edge repeats (default false). */
  excludeOutside?: boolean;
  /** Whether filters get wider where an axis gets shorter (default false). */
  antialias?: boolean;
}

/** Options of a convolution. */
export interface Conv2dOptions {
  /** Bias [channels out] added to the result (default: none). */
  bias?: GraphNode;
  /** Vertical and horizontal stride (default 1). */
  stride?: Pair;
  /** Zero padding (default `"valid"`). */
  padding?: Padding;
  /** Spacing between the kernel's elements (default 1). */
  dilation?: Pair;
  /**
   * Number of groups; must divide the input and output channels. As many as input channels:
   * depthwise (default 1).
   */
  groups?: number;
}

/** Options of a transposed convolution. */
export interface Conv2dTransposeOptions extends Conv2dOptions {
  /** Additional rows and columns of the result, fewer than the stride (default 0). */
  extra?: Pair;
}

/** Options of pooling. */
export interface Pool2dOptions {
  /** Rows and columns of the windows. */
  size: Pair;
  /** Vertical and horizontal stride (default: the window size, so that windows do not overlap). */
  stride?: Pair;
  /** Padding, smaller than the window (default 0). */
  padding?: Exclude<Padding, 'same'>;
  /** Distance of the pixels of a window; at most the size of the image (default 1). */
  dilation?: Pair;
  /**
   * Whether a last window may end outside, if it begins in the image or in the padding before it; what
   * is outside of image and padding never counts (default false).
   */
  ceil?: boolean;
}

/** Options of average pooling. */
export interface AvgPool2dOptions extends Pool2dOptions {
  /** Whether averages divide by the size of the whole window, padding included (default false). */
  countPadding?: boolean;
}

/** Options of an LSTM. */
export interface LstmOptions {
  /** Bias [4 units] (default: none). */
  bias?: GraphNode;
  /** State before the first step [batch, units] (default 0). */
  h0?: GraphNode;
  /** Cell before the first step [batch, units] (default 0). */
  c0?: GraphNode;
  /** Above 0 where a step counts, [batch, time] or [batch, time, 1] (default: all count). */
  mask?: GraphNode;
  /** Whether the last step is taken first (default false). */
  reverse?: boolean;
}

/** Options of a GRU. */
export interface GruOptions extends Omit<LstmOptions, 'bias' | 'c0'> {
  /** Bias [3 units] of the product with the inputs (default: none). */
  bias?: GraphNode;
  /** Bias [3 units] of the product with the state (default: none). */
  recurrentBias?: GraphNode;
  /** Whether the reset gate comes after the product with the state (default true). */
  resetAfter?: boolean;
}

/** What an LSTM computes. */
export interface LstmResult {
  /** The state after each step, [batch, time, units]. */
  states: GraphNode;
  /** The cell after the last step taken, [batch, units]. */
  cell: GraphNode;
}

/** The largest elements of each row, and where they are. */
export interface TopK {
  /** Elements in descending order. */
  values: GraphNode;
  /** Their indices along the last axis. */
  indices: GraphNode<'int32'>;
}

/** Options of a node that projects futures. */
export interface HypercausalOptions {
  /** How often tanh(w x + b) is applied (default 1). */
  depth?: number;
  /** Number of futures, at least 2 (default 3). */
  futures?: number;
  /**
   * Span of the deltas, 0 to 4 (default 0.25): they lie on [-p, p] with
   * p = max(0.08, span / (1 + 0.3 (depth - 1))).
   */
  span?: number;
  /**
   * How the futures are summarised: by their mean (the default), by the median of each element, or
   * for each row of the last axis by the future with the smallest sum of squares.
   */
  policy?: 'mean' | 'median' | 'min-risk';
}

/** The results of a node that projects futures. */
export interface HypercausalNode {
  /** State, in the shape of x; the input of the next nodes. */
  state: GraphNode;
  /** Summary of the futures by the policy, in the shape of x. */
  future: GraphNode;
  /** Mean squared deviation of the futures from their mean, a scalar. */
  spread: GraphNode;
}

/** The parts of the hypercausal loss, all scalars. */
export interface HypercausalLosses {
  /** The loss to train on: task + 0.5 consistency + 0.3 coherence. */
  total: GraphNode;
  /** Mean squared error of the prediction. */
  task: GraphNode;
  /** How far the futures are from the states. */
  consistency: GraphNode;
  /** How far the futures of a node are from each other. */
  coherence: GraphNode;
}

/** The scale and shift of a normalisation, each [channels] (default: neither). */
export interface NormOptions {
  /** Factor of the normalised values. */
  scale?: GraphNode;
  /** Term added after scaling. */
  shift?: GraphNode;
  /** Constant added to the variance (default 1e-5). */
  epsilon?: number;
}

/** Options of batch normalisation. */
export interface BatchNormOptions extends NormOptions {
  /** Running mean [channels]. */
  mean: GraphParameter;
  /** Running variance [channels]; it should start as ones. */
  variance: GraphParameter;
  /**
   * Whether to normalise by the batch, while every run moves the running values towards the batch's
   * by momentum; false: normalise by the running values.
   */
  training: boolean;
  /** Weight of the batch in the running values (default 0.1). */
  momentum?: number;
}

/** Options of attention. */
export interface AttentionOptions {
  /** Number of heads of the queries. */
  heads: number;
  /** Number of heads of keys and values; must divide `heads` (default: `heads`). */
  kvHeads?: number;
  /** Whether query i sees only the keys up to i + (keys - queries) (default false). */
  causal?: boolean;
  /** Factor of the scores (default 1 / sqrt(width of a head)). */
  scale?: number;
  /** Mask [b or 1, s or 1, t] added to the scores; -Infinity hides a key. */
  mask?: GraphNode;
}

/** Options of rotary position embedding. */
export interface RopeOptions {
  /** Number of heads in the last axis. */
  heads: number;
  /** Base of the wavelengths (default 10,000). */
  base?: number;
  /** Position of the first element (default 0). */
  first?: number;
}

/** Options of `layer`. */
export interface LayerCallOptions {
  /** Name of the weights; default: the layer's own, or its kind and a number, `dense_1`. */
  name?: string;
  /** Whether dropout is on and batch norm normalises by the batch (default false). */
  training?: boolean;
  /**
   * Whether to reuse the weights of the earlier layer of that name, which must have the same
   * options.
   */
  share?: boolean;
}

/** Options of `compile`. */
export interface CompileOptions {
  /** Optimizer steps that every run takes after it has computed the outputs. */
  updates?: readonly GraphUpdate[];
}

/** Values for the inputs of a graph, by name. */
export type GraphInputs = Record<string, Data | number>;

/** A compiled function: a fixed sequence of steps with all of its memory. */
export interface GraphFunction<
  T extends readonly GraphNode<DType>[] = readonly GraphNode<DType>[],
> {
  /**
   * Runs once: needs a value for every input that the outputs depend on, takes the steps of its
   * `updates`, and returns the outputs in the order given to `compile`.
   */
  run(inputs?: GraphInputs): Promise<GraphArrays<T>>;
  /** Lists the steps of the plan. */
  explain(): Promise<Plan>;
  /** Copies a parameter's values, as the graph's `read` does. */
  read(parameter: GraphParameter): Promise<GraphArray>;
  /** Replaces a parameter's values, as the graph's `write` does. */
  write(parameter: GraphParameter, values: Data | number): Promise<void>;
  /** Frees its memory; the graph and its parameters stay. */
  dispose(): Promise<void>;
  /** Does the same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * A graph of operations with fixed shapes.
 *
 * Calls that add nodes send no message to the engine: they are recorded, and sent with the first
 * awaited call (`check`, `shape`, `compile`, `read`, `write`). That call reports the first wrong
 * one: its `PlxError` has the library's sentence, `call` names the method and its index among the
 * graph's calls, and `stack` points to the line that made it. Mistakes that can be detected without
 * the engine, such as a node of another graph, throw at once. After a wrong call the graph is
 * unusable.
 *
 * Axes count from 0; negative axes count from the end.
 *
 * @example
 * ```ts
 * const g = plx.graph({ seed: 1 });
 * const x = g.input('x', [4, 2]);
 * const y = g.input('y', [4, 1]);
 * const hidden = g.layer(plx.layers.dense({ units: 8, activation: 'tanh' }), x);
 * const output = g.layer(plx.layers.dense({ units: 1 }), hidden);
 * const loss = g.mse(output, y);
 * const weights = await g.weights();
 * const step = g.update({ kind: 'adam', rate: 0.05 }, weights, g.gradients(loss, weights));
 * const train = await g.compile([loss], { updates: [step] });
 * const values = { x: [0, 0, 0, 1, 1, 0, 1, 1], y: [0, 1, 1, 0] };
 * for (let i = 0; i < 100; i++) {
 *   const [{ data }] = await train.run(values);
 *   if (i % 20 === 0) console.log(i, data[0]);
 * }
 * await g.dispose();
 * ```
 */
export interface Graph extends GraphBuilders {
  // ---- Values ----

  /** Adds an input, whose values are passed to each run. */
  input(name: string, shape: readonly number[]): GraphNode;
  /** Adds an input with elements of the given type. */
  input<D extends InputDType>(
    name: string,
    shape: readonly number[],
    options: { dtype: D },
  ): GraphNode<D>;
  /**
   * Adds a parameter, which persists between runs (default: zeros). The values are copied. The name
   * is for messages and listings, and need not be unique.
   */
  parameter(name: string, shape: readonly number[], values?: Data | number): GraphParameter;

  // ---- Layers ----

  /**
   * Applies a layer of `plx.layers` to x [batch, ...] (ids for an embedding). Its weights become
   * parameters of the graph, initialised from the graph's seed.
   */
  layer(layer: Layer, x: GraphNode<DType>, options?: LayerCallOptions): GraphNode;
  /**
   * Lists the trainable weights of the layers so far, for `gradients` and `update`; with `state`,
   * their running statistics instead.
   */
  weights(options?: { state?: boolean }): Promise<GraphParameter[]>;

  // ---- Operations whose form is not in the table ----

  /** Splits x along an axis, the reverse of `concat`, into equal parts or parts of given sizes. */
  split<D extends DType>(
    x: GraphNode<D>,
    axis: number,
    parts: number | readonly number[],
  ): GraphNode<D>[];
  /**
   * Computes the loss of hypercausal nodes over [..., time, channels]; the last one is the
   * prediction. total = task + 0.5 consistency + 0.3 coherence. No gradient flows into the target.
   */
  hypercausalLoss(nodes: readonly HypercausalNode[], target: GraphNode): HypercausalLosses;

  // ---- Training ----

  /**
   * Adds one step of an optimizer, whose state lives in the graph, for `compile`'s `updates`. If an
   * optimizer uses squared gradients and a square overflows, the run rejects with PLX_ERR_DIVERGED
   * and changes no parameter.
   */
  update(
    optimizer: OptimizerOptions['kind'] | OptimizerOptions,
    parameters: readonly GraphParameter[],
    gradients: readonly GraphNode[],
  ): GraphUpdate;

  // ---- Use ----

  /** Sends the recorded calls; rejects with the first wrong one. */
  check(): Promise<void>;
  /** Compiles a function that computes these nodes. More nodes may be added and compiled later. */
  compile<const T extends readonly GraphNode<DType>[]>(
    outputs: T,
    options?: CompileOptions,
  ): Promise<GraphFunction<T>>;
  /** Copies a parameter's values. */
  read(parameter: GraphParameter): Promise<GraphArray>;
  /** Replaces a parameter's values. */
  write(parameter: GraphParameter, values: Data | number): Promise<void>;
  /** Frees the memory of the graph, its parameters, its optimizers and its functions. */
  dispose(): Promise<void>;
  /** Does the same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
