/** The public types of the package. */

import type {
  Batches,
  BatchOptions,
  DatasetHistory,
  DatasetOptions,
  StepLog,
} from './api_batches.js';
import type { GenerateOptions, GeneratorOptions, TokenGenerator } from './api_generation.js';
import type { GraphBuilders } from './generated/graph_builders.js';
import type { LossKind, OptimizerKind, ScheduleKind } from './generated/kinds.js';
import type { Layer, Layers } from './generated/layer_types.js';
import type { DType, Graph, GraphArray, GraphNode } from './graph_api.js';

/**
 * A build of the engine: `simd` (one thread, runs everywhere), `simd-threads` (several threads;
 * needs a cross-origin isolated page) and `relaxed-threads` (with fused multiply-add as well).
 */
export type Tier = 'simd' | 'simd-threads' | 'relaxed-threads';

/** A `URL`, described here so that neither the DOM's types nor Node's are needed. */
export interface UrlLike {
  /** The full address. */
  readonly href: string;
}

/** An `AbortSignal`, described here for the same reason as `UrlLike`. */
export interface AbortSignalLike {
  /** Whether it has aborted. */
  readonly aborted: boolean;
  /** Why it aborted. */
  readonly reason: unknown;
  /** Calls the listener when the signal aborts. */
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  /** Removes the listener. */
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Options of `load`. */
export interface LoadOptions {
  /** Number of threads, including the engine's own; default: as many as measurably pay off here. */
  threads?: number;
  /**
   * Forces this tier instead of the best that runs here; `load` rejects if it cannot run.
   * `"fastest"`: if both `relaxed-threads` and `simd-threads` run here, fetches both, measures which
   * of them multiplies matrices faster on this JavaScript engine, which takes some tenths of a
   * second, and uses that one; `info().measured` says what was measured.
   */
  tier?: Tier | 'fastest';
  /** Excludes the relaxed tier, so that results are the same bits on every machine and engine. */
  reproducible?: boolean;
  /** Fixed memory of the threaded tiers, in MiB (default 512, halved down to 64 if refused). */
  memoryMB?: number;
  /** Address of the chosen tier's .wasm file, if it is not beside the package. */
  wasmURL?: string | UrlLike | ((tier: Tier) => string | UrlLike);
  /** Address of the engine's worker file, if it is not beside the package; must be same-origin. */
  workerURL?: string | UrlLike | ((tier: Tier) => string | UrlLike);
  /** Bytes of the .wasm file of `tier`, to be used instead of fetching it. */
  wasmBinary?: ArrayBuffer | Uint8Array;
  /** The `WebAssembly.Module` of `tier`, where compiling is forbidden (edge runtimes). */
  wasmModule?: object;
  /** Milliseconds without an answer after which the start counts as failed (default 20,000). */
  timeout?: number;
  /** Called while a .wasm file is fetched. */
  onProgress?: (progress: LoadProgress) => void;
  /** Stops the start: `load` rejects with an AbortError, and what was started is ended. */
  signal?: AbortSignalLike;
  /**
   * Whether to warn, once, when a model, a graph or an engine was garbage-collected without
   * `dispose()` (default: in development, that is where Node or a bundler knows
   * `process.env.NODE_ENV` and it is not `"production"`). Its memory is freed in any case.
   */
  debug?: boolean;
}

/** How much of a .wasm file has been fetched. */
export interface LoadProgress {
  /** The tier that the file belongs to. */
  tier: Tier;
  /** Bytes so far, after decompression. */
  loaded: number;
  /** Bytes in all; missing if the server does not say, as it does not for a compressed file. */
  total?: number;
}

/** The speed of a tier on this JavaScript engine. */
export interface TierSpeed {
  /** The tier. */
  tier: Tier;
  /** GFLOP/s of products of 256 x 256 matrices on one thread, in its fastest turn. */
  gflops: number;
}

/** A step down: a better tier not used, or fewer threads or less memory than requested. */
export interface Downgrade {
  /** What was given up: a tier, or a number of threads or MiB: `"8 threads"`, `"512 MiB"`. */
  wanted: string;
  /** What is used instead. */
  got: string;
  /** The reason, in one sentence. */
  reason: string;
}

/**
 * The running engine and its measurements; costs and speeds are assumptions until `ready`. A
 * machine may be too busy to be measured even then: `costsMeasured` is false, and a later plan
 * measures again.
 */
export interface EngineInfo {
  /** Version of the library. */
  version: string;
  /** The tier in use. */
  tier: Tier;
  /** Threads in use, including the engine's own; 1 until `ready`. */
  threads: number;
  /** Threads available on this machine. */
  cpus: number;
  /** Whether the page is cross-origin isolated (always true in Node). */
  isolated: boolean;
  /** Kernel target: `"wasm128"` or `"wasmrelaxed"`. */
  isa: string;
  /** Why a better kernel target was not chosen; empty if this is the best one. */
  isaNote: string;
  /** Implementation of matrix products: `"builtin"`. */
  gemm: string;
  /** Vector width in bits. */
  vectorBits: number;
  /** Whether kernels fuse multiply and add; tested at run time, as relaxed SIMD leaves it open. */
  fma: boolean;
  /** Whether results are bit-identical to those of every other machine with `exact`. */
  exact: boolean;
  /** Nanoseconds to start and join a parallel loop over all threads; 0 with one thread. */
  forkJoinNs: number;
  /** Whether the thread costs from which plans choose thread counts were measured, not assumed. */
  costsMeasured: boolean;
  /** GFLOP/s of the GEMM kernel on one thread; at the start, before the code is fully optimised. */
  gflops: number;
  /** GB/s of a streaming kernel on one thread. */
  gbytes: number;
  /** Bytes of the module's memory once the engine had started; it never shrinks. */
  memoryBytes: number;
  /** Every step down from the best setup, with its reason; empty if there was none. */
  downgrades: Downgrade[];
  /** Times of the stages of the start. */
  startup: StartupTimes;
  /** With the tier `"fastest"`: tiers and their speeds, fastest first; empty if only one runs here. */
  measured?: TierSpeed[];
  /** Formats it as text with a line for each fact, and names the runtime, for reports of bugs. */
  toString(): string;
}

/** Milliseconds from the call of `load` to each stage of the start. */
export interface StartupTimes {
  /** When the module was fetched and compiled. */
  compiled: number;
  /** When the engine's worker had started. */
  worker: number;
  /** When the engine could be called. */
  ready: number;
  /** When all threads had joined and the machine was measured; missing until `ready`. */
  threads?: number;
}

/** Options of a new model. */
export interface ModelOptions {
  /** Seed of initial weights, dropout and, unless `fit` has its own, shuffling (default 0). */
  seed?: number;
}

/** Options of a model by name. */
export interface NamedModelOptions extends ModelOptions {
  /** Dimensions to change from the named model's defaults: `{ width: 192, heads: 6 }`. */
  config?: Record<string, number>;
}

/** Options of a new graph. */
export interface GraphOptions {
  /** Seed of the initial weights and the dropout of the graph's layers (default 0). */
  seed?: number;
}

/** An input or an output of a model. */
export interface Port {
  /** Name: `"x"`, `"ids"`, `"logits"`. */
  name: string;
  /** Element type. */
  dtype: DType;
  /** Shape of one sample. */
  shape: number[];
  /** For an int32 port, values are 0 to classes - 1; 0 means any value. */
  classes: number;
}

/** A typed array of numbers. */
export type NumericArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;

/** Nested arrays of numbers; the innermost may be typed arrays. */
export type NestedArray = readonly number[] | readonly NumericArray[] | readonly NestedArray[];

/**
 * Samples: a typed array whose length is a multiple of the sample's size, or nested arrays of the
 * full shape. They are copied, so the caller may reuse them at once.
 */
export type Data = NumericArray | NestedArray;

/** Samples for each input (or targets for each output) of a model that has several, by name. */
export type NamedData = { readonly [name: string]: Data };

/**
 * A loss: `mse` is the mean squared error over all outputs, `mae` the mean absolute error, `huber`
 * half the squared error up to a delta and linear beyond; `crossentropy` is softmax cross-entropy
 * with class labels (-100 is ignored), `binarycrossentropy` sigmoid cross-entropy with values from 0
 * to 1. Both take logits; if the model ends in a softmax, or in the activation `sigmoid`, they take
 * what goes into it. `own` is the loss that the model defines itself, without targets (CLIP's
 * contrastive loss).
 */
export type Loss = LossKind;

/** The name of a loss; the names that Keras and PyTorch use are accepted too. */
export type LossName =
  | Loss
  | 'binaryCrossEntropy'
  | 'binaryCrossentropy'
  | 'binary_crossentropy'
  | 'BCEWithLogitsLoss'
  | 'meanAbsoluteError'
  | 'mean_absolute_error'
  | 'L1Loss'
  | 'Huber'
  | 'HuberLoss'
  | 'meanSquaredError'
  | 'mean_squared_error'
  | 'MSELoss'
  | 'crossEntropy'
  | 'cross_entropy'
  | 'CrossEntropyLoss'
  | 'sparseCategoricalCrossentropy'
  | 'sparse_categorical_crossentropy';

/** The Huber loss with a delta of its own. */
export interface HuberLoss {
  /** Name of the loss. */
  kind: 'huber';
  /** Error up to which the loss is half its square; linear beyond (default 1). */
  delta?: number;
}

/**
 * A loss or a metric of your own, built from graph nodes: the prediction [rows, ...] of the model's
 * output and its target give one number, such as their mean. It is called when training begins, once
 * for each number of samples that are computed at a time; the engine then runs the nodes. The target
 * has the layout of the loss: for `crossentropy` class labels, `int32`, else values like the output,
 * also where a function is the loss.
 *
 * @example
 * ```ts
 * const mape = (g, prediction, target) =>
 *   g.mean(g.abs(g.div(g.sub(prediction, target), target)));
 * ```
 */
export type ScalarFunction<D extends 'float32' | 'int32' = 'float32'> = (
  g: GraphBuilders,
  prediction: GraphNode,
  target: GraphNode<D>,
) => GraphNode;

/** A metric that follows from the loss; those that the loss does not define are NaN. */
export type MetricName = 'accuracy' | 'top5' | 'perplexity' | 'rmse' | 'r2' | 'mae';

/** The name of an optimizer; the usual capitalisations are accepted too. */
export type OptimizerName = OptimizerKind | 'SGD' | 'Adam' | 'AdamW' | 'Lion' | 'RMSprop';

/**
 * An optimizer with settings; those left out take the defaults of its paper, and those that it does
 * not have are rejected.
 */
export interface OptimizerOptions {
  /** Name of the optimizer. */
  kind: OptimizerName;
  /** Learning rate (default: SGD and RMSprop 0.01, Adam and AdamW 0.001, Lion 0.0001). */
  rate?: number;
  /** Momentum of SGD and RMSprop (default 0: none). */
  momentum?: number;
  /** Whether SGD uses Nesterov momentum, which needs `momentum` (default false). */
  nesterov?: boolean;
  /**
   * Adam, AdamW: decay of the mean gradient; Lion: weight of that mean in the update direction
   * (default: Adam, AdamW and Lion 0.9).
   */
  beta1?: number;
  /**
   * Adam, AdamW, RMSprop: decay of the mean square; Lion: decay of the mean gradient (default: Adam
   * and AdamW 0.999, Lion and RMSprop 0.99).
   */
  beta2?: number;
  /** Term added to the denominator (default: Adam, AdamW and RMSprop 1e-8). */
  epsilon?: number;
  /**
   * Weight decay (default: AdamW 0.01): added to the gradient by SGD, Adam and RMSprop,
   * decoupled in AdamW and Lion.
   * `fit` does not apply it to biases or to the scales and shifts of norms.
   */
  weightDecay?: number;
}

/**
 * An optimizer whose state (momentum, means of gradients and squares) carries over from one `fit`
 * of a model to the next. It belongs to the model of its first `fit` and is freed with it.
 */
export interface Optimizer {
  /** The options it was created with. */
  readonly options: OptimizerOptions;
  /** Sets the learning rate of the next `fit`; for a running one, use the model's `setRate`. */
  setRate(rate: number): void;
  /**
   * Frees the state; a later `fit` starts afresh. Until this call, or the disposal of its model, it
   * holds memory in the engine. Rejects while `fit` runs.
   */
  dispose(): Promise<void>;
  /** Does the same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** How the learning rate changes from step to step; the optimizer's rate is its peak. */
export interface ScheduleOptions {
  /**
   * Shape of the schedule: `step` multiplies by `factor` every `every` steps; `cosine` and `linear`
   * decay to `floor`; `one-cycle` rises from 1/25 over 30% of the steps, then falls to almost zero.
   */
  kind: ScheduleKind;
  /** Steps of linear warmup before the rest (default 0); not for `one-cycle`. */
  warmup?: number;
  /** For `step`, `cosine`, `linear`: lowest rate as a share of the highest, 0 to 1 (default 0). */
  floor?: number;
  /** Interval of `step`, in steps. */
  every?: number;
  /** Factor of `step`, above 0 and at most 1 (default 0.1). */
  factor?: number;
}

/** Conditions for `fit` to stop before its last epoch. */
export interface EarlyStopping {
  /** Epochs without a lower validation loss after which training stops. */
  patience: number;
  /** The loss counts as lower only if it falls by more than this (default 0). */
  minImprovement?: number;
}

/** Quality of a model on given data. What the loss does not define is NaN. */
export interface Metrics {
  /** Mean loss over the samples, each times its weight, and the penalties of regularisers. */
  loss: number;
  /**
   * For `crossentropy`, the share of samples whose largest output is the label; for
   * `binarycrossentropy`, of values on their target's side of 1/2.
   */
  accuracy: number;
  /** Root mean squared error; NaN for cross-entropies. */
  rmse: number;
  /** Coefficient of determination, the explained share of the variance; NaN for cross-entropies. */
  r2: number;
  /** For `crossentropy`, the share of samples whose label is among the five largest outputs. */
  top5: number;
  /** For `crossentropy`, e to its power. */
  perplexity: number;
  /** Mean absolute error; NaN for cross-entropies. */
  mae: number;
}

/** Metrics with the confusion matrix. */
export interface Evaluation extends Metrics {
  /** Counts as `confusion[label][prediction]`; only for `crossentropy`. */
  confusion?: number[][];
}

/** A finished epoch. */
export interface EpochLog {
  /** Number of the epoch, from 1. */
  epoch: number;
  /** Total number of epochs. */
  epochs: number;
  /** Mean loss over its samples, or over its labels that are not ignored, as in validation. */
  loss: number;
  /** Metrics on the validation data, if there is any. */
  validation?: Metrics;
  /**
   * With `metrics`: their values over the batches of the epoch, each computed before its step and
   * with dropout, as in Keras.
   */
  metrics?: Record<string, number>;
  /** With `metrics` and validation: their values on the validation data. */
  validationMetrics?: Record<string, number>;
  /** Learning rate of its last step. */
  rate: number;
  /** Milliseconds since training began. */
  milliseconds: number;
}

/** Progress within an epoch, reported about every 25 ms. */
export interface BatchLog {
  /** Steps done. */
  step: number;
  /** Total number of steps. */
  steps: number;
  /** Epochs finished. */
  epoch: number;
  /** Total number of epochs. */
  epochs: number;
  /** Loss of the last step. */
  loss: number;
  /** Losses of the steps since the last call. */
  losses: Float32Array;
  /** Learning rate of the last step. */
  rate: number;
  /** With `clipNorm`: global gradient norm of the last step, before clipping. */
  gradientNorm?: number;
  /** Milliseconds since training began. */
  milliseconds: number;
}

/** Data that is not trained on. */
export interface HeldData {
  /** Samples, in the form of those of `fit`. */
  x: Data | NamedData;
  /** Their targets. */
  y: Data | NamedData;
  /** A weight for each sample's loss. */
  sampleWeight?: Data;
}

/** Options of `fit`. */
export interface FitOptions {
  /** Passes over the data (default 1). */
  epochs?: number;
  /** Samples per step (default 32); all of them if there are fewer. */
  batchSize?: number;
  /** Loss to minimise (default `"mse"`): a name, the Huber loss with its delta, or a function. */
  loss?: LossName | HuberLoss | ScalarFunction;
  /**
   * Metrics to report for every epoch, of training and validation: names, and up to eight functions,
   * which are reported by the name of the function as means over batches.
   */
  metrics?: readonly (MetricName | ScalarFunction | ScalarFunction<'int32'>)[];
  /**
   * A weight for each sample, which multiplies its loss; the loss of a batch stays the mean over its
   * samples (it is not divided by the sum of the weights), as in Keras. A share held out for
   * validation keeps its weights.
   */
  sampleWeight?: Data;
  /**
   * A weight for each class, by its label: of `crossentropy` with one label a sample, or of
   * `binarycrossentropy` with one value. It multiplies the weight of the sample in training, not in
   * validation; classes left out have the weight 1.
   */
  classWeight?: { readonly [label: number]: number };
  /**
   * Optimizer (default `"adam"`). A name or plain options start with fresh state in every call; an
   * optimizer created with `plx.optimizer` continues with its own state.
   */
  optimizer?: OptimizerOptions['kind'] | OptimizerOptions | Optimizer;
  /** Schedule of the learning rate over all steps (default `"constant"`). */
  schedule?: ScheduleOptions['kind'] | ScheduleOptions;
  /** Largest global gradient norm; longer gradients are scaled down (default: no clipping). */
  clipNorm?: number;
  /** For `crossentropy`: share of a label's weight that is spread over all classes (default 0). */
  labelSmoothing?: number;
  /** Minibatches whose gradients are combined into one step, as one large batch (default 1). */
  accumulate?: number;
  /**
   * Data to evaluate after every epoch, or the share of x and y to hold out at the end; 0: none.
   */
  validation?: HeldData | number;
  /**
   * Stops training when the validation loss no longer falls. When training ends, early or not, the
   * weights of the epoch with the lowest loss are restored (not when it is cancelled).
   */
  earlyStopping?: EarlyStopping;
  /** Whether every epoch visits the samples in a new random order (default true). */
  shuffle?: boolean;
  /**
   * Seed of the shuffling (default: the model's). Sample orders and dropout masks continue from one
   * `fit` of a model to the next: no call repeats those of an earlier one.
   */
  seed?: number;
  /**
   * Called after every epoch. The next one starts when it has returned and any promise it returned
   * has settled, so calls to the model made inside it see the weights of this epoch. If it returns
   * `"stop"`, or a promise of it, training ends and `fit` resolves with the history so far. `fit`
   * rejects with whatever it throws or rejects with.
   */
  onEpoch?: (log: EpochLog) => unknown;
  /**
   * Called about every 25 ms, between two steps. Training waits for it, as for `onEpoch`, and ends
   * if it returns `"stop"`.
   */
  onBatch?: (log: BatchLog) => unknown;
  /** Saves weights during training. */
  checkpoint?: Checkpoint;
  /**
   * Stops training; the weights keep their current values, and the error's `history` holds what was
   * done. After an abort in a callback no further step is taken. Otherwise training stops after the
   * current step in the tiers with threads (and in `parallax-nn/inline`, where nothing else runs
   * during a step), and within about 4 ms of steps in a worker without shared memory.
   */
  signal?: AbortSignalLike;
}

/** When weights are saved during training, and how. */
export interface Checkpoint {
  /**
   * Receives a copy of the weights, for `setWeights`, and the log of the epoch. Training waits for
   * it, before `onEpoch` is called.
   */
  save: (weights: Weight[], log: EpochLog) => unknown;
  /**
   * Whether only epochs are saved whose loss is lower than that of all before: the validation loss,
   * or without validation that of training (default false).
   */
  best?: boolean;
  /** Epochs from one to the next that may be saved (default 1). */
  every?: number;
}

/** Predictions: the values of n samples one after the other, with their shape [n, ...output]. */
export interface Predictions extends Float32Array {
  /** The shape [n, ...output]; a part made with `slice` or `subarray` has none. */
  readonly shape: readonly number[];
}

/** Memory in use, in exact bytes. */
export interface MemoryUse {
  /** Weights. */
  parameters: number;
  /** Gradients of the weights. */
  gradients: number;
  /** State of the optimizer. */
  optimizer: number;
  /** Intermediate values. */
  activations: number;
  /** Scratch memory of the kernels. */
  workspace: number;
  /** Minibatches and data. */
  inputs: number;
  /** Copies of weights that `fit` may restore. */
  kept: number;
  /** Copies of weights in the order in which kernels read them, shared by plans of one model. */
  packed: number;
  /** Values computed from weights alone, shared by plans of one model. */
  folded: number;
}

/** The result of `fit`. */
export interface History {
  /** Loss of every step. */
  loss: Float32Array;
  /** One entry per epoch. */
  epochs: EpochLog[];
  /** Steps done. */
  steps: number;
  /** With validation: the epoch with the lowest validation loss. */
  bestEpoch?: number;
  /** Whether `earlyStopping` ended training. */
  stoppedEarly: boolean;
  /** Whether a callback ended training by returning `"stop"`. */
  stopped: boolean;
  /** Milliseconds of training alone, without validation. */
  milliseconds: number;
  /** Memory that training used. */
  memory: MemoryUse;
}

/** One layer of a model. */
export interface LayerSummary {
  /** Kind: `"dense"`. */
  kind: string;
  /** Name: `"dense_1"`. */
  name: string;
  /** Shape of its output for one sample. */
  outputShape: number[];
  /** Number of weights and biases. */
  parameters: number;
  /** Floating-point operations for one sample. */
  flops: number;
}

/** A summary of a model's layers; `String(summary)` is a table. */
export interface Summary {
  /** Shape of one sample of the first input. */
  inputShape: number[];
  /** Layers in order. */
  layers: LayerSummary[];
  /** Number of weights and biases of all layers. */
  parameters: number;
  /** Floating-point operations of the forward pass for one sample. */
  flops: number;
  /** Formats the summary as a table. */
  toString(): string;
}

/** One weight array of a model. */
export interface Weight {
  /** Name: `"dense_1.weight"`. */
  name: string;
  /** Shape of the array. */
  shape: number[];
  /** Values, row-major. */
  data: Float32Array;
}

/** A weight array to load into a model, as returned by `getWeights`, directly or through JSON. */
export interface SavedWeight {
  /** If given, must match the name of the model's array at this position. */
  name?: string;
  /** If given, must match the shape of that array. */
  shape?: readonly number[];
  /** Values, row-major or nested; JSON turns typed arrays into objects, which are accepted too. */
  data: Data | { readonly [index: number]: number };
}

/** One step of a compiled plan. */
export interface PlanStep {
  /** Operation: `"dense"`. */
  op: string;
  /** Name of the node; may be empty. */
  name: string;
  /** Operations fused into the step: `"matmul+bias+relu"`; empty if none. */
  fused: string;
  /** Shape of its result. */
  shape: number[];
  /** Floating-point operations that are performed. */
  flops: number;
  /** Those of the operation's definition: more where a convolution uses Winograd's method. */
  directFlops: number;
  /** Bytes read and written. */
  bytes: number;
  /** Threads that the cost model assigns to it. */
  threads: number;
  /** Row count from which it would use all threads; 0: never. */
  thresholdRows: number;
  /** Whether it reads a weight that stays packed. */
  packed: boolean;
  /**
   * Whether its value depends on weights alone, and stays until one of them changes: usual runs
   * leave the step out.
   */
  kept: boolean;
  /** Offset of the result in the arena; -1 if it is elsewhere. */
  arenaOffset: number;
}

/** A compiled plan. */
export interface Plan {
  /** Steps in the order in which they run. */
  steps: PlanStep[];
  /** Floating-point operations of one run. */
  flops: number;
  /** Memory of one run. */
  memory: MemoryUse;
}

/** Options of `explain`. */
export interface ExplainOptions {
  /** Samples per run (default 32). */
  batchSize?: number;
  /** Whether to explain a training step instead of a prediction (default false). */
  training?: boolean;
  /** Loss of the training step (default `"mse"`, as in `fit`). */
  loss?: LossName;
  /** Optimizer of the training step (default `"adam"`). */
  optimizer?: OptimizerOptions['kind'] | OptimizerOptions;
}

/** Options of `predict`. */
export interface PredictOptions {
  /** Samples per run (default: chosen by the engine). */
  batchSize?: number;
  /** Name of the output (default: the first). */
  output?: string;
  /**
   * Called with the share of the samples that is done, 0 to 1. With it or with `signal`, samples are
   * predicted in parts of at least 256 or `batchSize`; calls to the model that are made meanwhile
   * take effect between two parts.
   */
  onProgress?: (fraction: number) => void | Promise<void>;
  /** Stops the prediction before its next part, with an AbortError. */
  signal?: AbortSignalLike;
}

/** Options of `save`. */
export interface SaveOptions {
  /** Texts that the file carries besides; keys must not start with `parallax.`. */
  metadata?: Readonly<Record<string, string>>;
}

/** A network with its weights, which live in the engine. */
export interface Model {
  /** Lists the layers with their parameters and floating-point operations. */
  summary(): Promise<Summary>;
  /** Describes the inputs. */
  inputs(): Promise<Port[]>;
  /** Describes the outputs. */
  outputs(): Promise<Port[]>;
  /**
   * Returns a dimension by name, such as `"width"`; undefined if the model has no such dimension.
   */
  setting(key: string): Promise<number | undefined>;
  /**
   * Trains the model. x is [n, ...input]; y is class labels (n, or one for each position of a
   * sequence) for `crossentropy`, undefined for `own`, else [n, ...output]. If a model has
   * several inputs or outputs, pass data by name: `{ pixels, ids }`. Wrong shapes, values that are
   * not finite, ids and labels out of range and invalid options are rejected before any weight
   * changes. A loss that is not finite, or a gradient that is not finite or whose square overflows,
   * rejects with PLX_ERR_DIVERGED, and the model keeps the weights of the last step whose loss was
   * finite. The errors of runs that diverged or were cancelled carry the `history` so far.
   *
   * @example
   * ```ts
   * const history = await model.fit(x, y, {
   *   epochs: 20,
   *   optimizer: { kind: 'adam', rate: 0.01 },
   *   onEpoch: ({ epoch, loss }) => console.log(epoch, loss),
   *   signal: AbortSignal.timeout(10_000),
   * });
   * console.log(history.loss.at(-1));
   * ```
   */
  fit(x: Data | NamedData, y: Data | NamedData | undefined, options?: FitOptions): Promise<History>;
  /**
   * Takes one step on one batch and returns its loss. With a name or plain options, the optimizer's
   * state carries over from call to call, as long as they are the same.
   */
  trainOnBatch(x: Data | NamedData, y: Data | NamedData, options?: BatchOptions): Promise<StepLog>;
  /**
   * Trains on batches that are made or loaded as training goes: one step a batch, in their order.
   * While a step runs, the next batch is already being fetched.
   */
  fitDataset(batches: Batches, options?: DatasetOptions): Promise<DatasetHistory>;
  /**
   * Computes an output for the samples x, by default the first: a flat array of n times the
   * output's size, with the property `shape`.
   *
   * @example
   * ```ts
   * const outputs = await model.predict([[0, 1], [1, 1]]); // a Float32Array of 2 numbers
   * ```
   */
  predict(x: Data | NamedData, options?: PredictOptions): Promise<Predictions>;
  /** Computes all outputs for the samples x, by name, each [n, ...output]. */
  predictAll(
    x: Data | NamedData,
    options?: Omit<PredictOptions, 'output'>,
  ): Promise<Record<string, GraphArray>>;
  /**
   * Computes the loss (by default `"mse"`) and the metrics of an output (by default the first) on
   * given data. sampleWeight: a weight for each sample's loss.
   *
   * @example
   * ```ts
   * const { loss, rmse, r2 } = await model.evaluate(x, y);
   * ```
   */
  evaluate(
    x: Data | NamedData,
    y: Data | NamedData,
    options?: {
      loss?: Exclude<LossName, 'own'> | HuberLoss;
      output?: string;
      sampleWeight?: Data;
    },
  ): Promise<Evaluation>;
  /** Creates a generator of ids, for language models such as `gpt2-nano`. Freed with the model. */
  generator(options?: GeneratorOptions): Promise<TokenGenerator>;
  /** Generates the ids that follow a prompt. */
  generate(prompt: ArrayLike<number>, options?: GenerateOptions): Promise<Int32Array>;
  /**
   * Copies all weights. `setWeights` restores them exactly, also after a round trip through JSON.
   *
   * @example
   * ```ts
   * const saved = JSON.stringify(await model.getWeights());
   * await model.setWeights(JSON.parse(saved));
   * ```
   */
  getWeights(): Promise<Weight[]>;
  /**
   * Replaces all weights by the given arrays, in the order of `getWeights`, or by their values
   * alone. Given names and shapes must match the model's; unless all of them do, nothing changes.
   */
  setWeights(weights: readonly (SavedWeight | Data)[]): Promise<void>;
  /**
   * Writes the model to the bytes of a safetensors file: its weights, and as metadata what it is, so
   * that `plx.load` needs nothing else. The same model gives the same bytes.
   *
   * @example
   * ```ts
   * const bytes = await model.save({ metadata: { trained: 'on digits' } });
   * const same = await plx.load(bytes);
   * await same.dispose();
   * ```
   */
  save(options?: SaveOptions): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Takes all weights from a safetensors file, whoever wrote it: its tensors must have exactly the
   * names and shapes of `getWeights`, which the error compares. Values may be F32, F16, BF16, I8, U8,
   * I32, I64 and U64 that a 32-bit float holds. On failure nothing changes.
   */
  loadWeights(file: ArrayBuffer | Uint8Array): Promise<void>;
  /** Changes the learning rate of the running `fit`, from its next step. */
  setRate(rate: number): Promise<void>;
  /**
   * Lists the steps of the compiled plan.
   *
   * @example
   * ```ts
   * const { steps, memory } = await model.explain({ batchSize: 64, training: true });
   * for (const { op, shape, flops } of steps) console.log(op, shape, flops);
   * console.log(memory.activations, memory.workspace);
   * ```
   */
  explain(options?: ExplainOptions): Promise<Plan>;
  /**
   * Frees the model's memory once all earlier calls are answered. Rejects while `fit` runs; a
   * running `generate` ends with an error.
   */
  dispose(): Promise<void>;
  /** Does the same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** An array read from a file. */
export interface IdxArray {
  /** Shape of the array. */
  shape: number[];
  /** Elements, one byte each. */
  data: Uint8Array;
}

/** A table read from a file. */
export interface CsvTable {
  /** Number of rows. */
  rows: number;
  /** Number of columns. */
  columns: number;
  /**
   * Values [rows, columns] in double precision. Models compute in single precision, so subtract the
   * mean of large numbers (time stamps) before training on them.
   */
  values: Float64Array;
  /** Whether the first line named the columns; it is not counted as a row. */
  names: boolean;
}

/** Readers of data files. */
export interface DataReaders {
  /** Reads an IDX file (the format of MNIST), gzip-compressed or not. */
  idx(bytes: ArrayBuffer | Uint8Array): Promise<IdxArray>;
  /**
   * Reads a table of numbers from CSV (RFC 4180, UTF-8): cells are separated by commas and may be
   * quoted. If the first line contains semicolons, those separate the cells and decimal commas are
   * allowed, as spreadsheets in many countries write them. A first line without numbers names the
   * columns.
   *
   * @example
   * ```ts
   * const { rows, columns, values } = await plx.data.csv('width,height\n1,2\n3,4\n');
   * ```
   */
  csv(text: string | ArrayBuffer | Uint8Array): Promise<CsvTable>;
}

/** The engine. */
export interface Parallax {
  /**
   * Describes the engine that is running, and why it is not a better one.
   *
   * @example
   * ```ts
   * console.log(String(plx.info())); // as text, to paste into a report of a bug
   * ```
   */
  info(): EngineInfo;
  /**
   * Resolves to the updated `info` when all threads have joined and the machine is measured. Calls
   * need not wait for it: an engine starts with one thread, and existing plans switch to all of
   * them later.
   */
  ready(): Promise<EngineInfo>;
  /** Functions that create layers. */
  readonly layers: Layers;
  /**
   * Creates a model from a stack of layers. Invalid layers are reported by the first awaited call.
   *
   * @example
   * ```ts
   * const net = plx.sequential([
   *   plx.layers.dense({ units: 8, activation: 'tanh', inputShape: [2] }),
   *   plx.layers.dense({ units: 1 }),
   * ]);
   * console.log(String(await net.summary()));
   * await net.dispose();
   * ```
   */
  sequential(layers: readonly Layer[], options?: ModelOptions): Model;
  /**
   * Creates a model by name: `"mlp:784-200-10"`, `"mlp:5-64-1:tanh"`, `"gpt2-nano"`.
   *
   * @example
   * ```ts
   * const gpt = plx.model('gpt2-nano', { config: { width: 32, heads: 2, layers: 1 }, seed: 1 });
   * const [{ name, shape }] = await gpt.inputs(); // ids, [64]
   * await gpt.dispose();
   * ```
   */
  model(name: string, options?: NamedModelOptions): Model;
  /**
   * Creates the model that a file of `model.save` holds, with its weights.
   *
   * @example
   * ```ts
   * const saved = await plx.model('mlp:4-8-2').save();
   * const model = await plx.load(saved);
   * console.log(await model.predict([[1, 2, 3, 4]]));
   * await model.dispose();
   * ```
   */
  load(file: ArrayBuffer | Uint8Array): Promise<Model>;
  /**
   * Creates an optimizer whose state carries over from one `fit` of a model to the next. It holds
   * memory in the engine until its `dispose()` or that of its model; `await using` works.
   *
   * @example
   * ```ts
   * const adam = plx.optimizer({ kind: 'adam', rate: 0.01 });
   * await model.fit(x, y, { optimizer: adam });
   * adam.setRate(0.001);
   * await model.fit(x, y, { optimizer: adam }); // continues with its means
   * await adam.dispose();
   * ```
   */
  optimizer(options: OptimizerOptions['kind'] | OptimizerOptions): Optimizer;
  /** Lists the names that `model` accepts, besides `mlp:WIDTHS`. */
  models(): Promise<string[]>;
  /**
   * Creates an empty graph for custom networks and computations.
   *
   * @example
   * ```ts
   * const g = plx.graph();
   * const rows = g.input('rows', [2, 3]);
   * const shares = await g.compile([g.softmax(rows)]);
   * const [{ data, shape }] = await shares.run({ rows: [[1, 2, 3], [3, 2, 1]] });
   * await g.dispose();
   * ```
   */
  graph(options?: GraphOptions): Graph;
  /** Readers of data files. */
  readonly data: DataReaders;
  /** Stops the worker and its threads and frees all memory. Pending calls are cancelled. */
  dispose(): void;
  /** Does the same, for `using`. */
  [Symbol.dispose](): void;
  /** Does the same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts an engine. */
export type Load<P = Parallax> = (options?: LoadOptions) => Promise<P>;
