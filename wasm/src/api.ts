/** The public types of the package. */

import type { GenerateOptions, GeneratorOptions, TokenGenerator } from './api_generation.js';
import type { Layer, Layers } from './api_layers.js';
import type { OptimizerKind, ScheduleKind } from './generated/kinds.js';
import type { DType, Graph, GraphArray } from './graph_api.js';

/**
 * A build of the engine: `simd` (one thread, runs everywhere), `simd-threads` (several threads;
 * needs a cross-origin isolated page) and `relaxed-threads` (with fused multiply-add as well).
 */
export type Tier = 'simd' | 'simd-threads' | 'relaxed-threads';

/** A `URL`. These types stand without those of a browser or of Node. */
export interface UrlLike {
  /** The whole of it. */
  readonly href: string;
}

/** An `AbortSignal`. */
export interface AbortSignalLike {
  /** Whether it has aborted. */
  readonly aborted: boolean;
  /** Why. */
  readonly reason: unknown;
  /** Calls listener when it aborts. */
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  /** Calls it no more. */
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Options of `load`. */
export interface LoadOptions {
  /** Threads including the engine's own; by default as many as measure worth it here. */
  threads?: number;
  /** Force a tier, instead of the best that runs here. What it lacks is then an error. */
  tier?: Tier;
  /** The same bits on every machine and engine: leaves out the relaxed tier. */
  reproducible?: boolean;
  /** Fixed memory of the threaded tiers, in MiB (default 512, halved down to 64 if refused). */
  memoryMB?: number;
  /** Where the .wasm file of the chosen tier lies, when it is not beside the package. */
  wasmURL?: string | UrlLike | ((tier: Tier) => string | UrlLike);
  /** Where the engine's worker file lies, when it is not beside the package. Same origin. */
  workerURL?: string | UrlLike | ((tier: Tier) => string | UrlLike);
  /** The bytes of the .wasm file of `tier`, instead of fetching it. */
  wasmBinary?: ArrayBuffer | Uint8Array;
  /** The `WebAssembly.Module` of `tier`, where compiling is forbidden (edge runtimes). */
  wasmModule?: object;
  /** Milliseconds until a silent start counts as failed (default 20,000). */
  timeout?: number;
}

/** Why a better tier was not taken, or fewer threads or less memory than asked for. */
export interface Downgrade {
  /** What was given up: a tier, or threads or memory with how much: `"8 threads"`, `"512 MiB"`. */
  wanted: string;
  /** What was taken in its place. */
  got: string;
  /** One sentence. */
  reason: string;
}

/** What runs, and what it measured; until `ready`, costs and speeds are assumed. */
export interface EngineInfo {
  /** Version of the library. */
  version: string;
  /** The tier that runs. */
  tier: Tier;
  /** Threads at work, including the engine's own: one, until `ready`. */
  threads: number;
  /** Threads that could have been used. */
  cpus: number;
  /** Whether the page is cross-origin isolated (always, in Node). */
  isolated: boolean;
  /** Kernel target: `"wasm128"` or `"wasmrelaxed"`. */
  isa: string;
  /** Why not a better one; empty when it is the best. */
  isaNote: string;
  /** Who multiplies matrices: `"builtin"`. */
  gemm: string;
  /** Bits of a vector. */
  vectorBits: number;
  /** Whether kernels fuse multiply and add: asked of the engine, since the relaxed tier leaves it open. */
  fma: boolean;
  /** Whether results have the bits of every other exact machine. */
  exact: boolean;
  /** Nanoseconds of a parallel loop that all threads take part in; 0 with one thread. */
  forkJoinNs: number;
  /** Whether the costs of threads, by which plans choose them, were measured; else they are assumed. */
  costsMeasured: boolean;
  /** GEMM kernel, one thread, GFLOP/s; at the start, before the engine's code is compiled well. */
  gflops: number;
  /** Streaming kernel, one thread, GB/s. */
  gbytes: number;
  /** Bytes of the module's memory when the engine had started; it never shrinks. */
  memoryBytes: number;
  /** Every step down from the best, with its reason. Empty when nothing was given up. */
  downgrades: Downgrade[];
  /** Milliseconds from the call of `load` until each was there. */
  startup: StartupTimes;
}

/** Milliseconds from the call of `load`. */
export interface StartupTimes {
  /** The module was fetched and compiled. */
  compiled: number;
  /** The engine's worker had started. */
  worker: number;
  /** The engine could be called. */
  ready: number;
  /** All threads had joined, and the machine was measured; missing until `ready`. */
  threads?: number;
}

/** Options of a new model. */
export interface ModelOptions {
  /** Fixes initial weights, dropout and, unless `fit` says otherwise, shuffling (default 0). */
  seed?: number;
}

/** Options of a model by name. */
export interface NamedModelOptions extends ModelOptions {
  /** What differs from the name's own dimensions: `{ width: 192, heads: 6 }`. */
  config?: Record<string, number>;
}

/** Options of a new graph. */
export interface GraphOptions {
  /** Fixes the initial weights and the dropout of the graph's layers (default 0). */
  seed?: number;
}

/** An input or an output of a model. */
export interface Port {
  /** `"x"`, `"ids"`, `"logits"`. */
  name: string;
  /** Of its elements. */
  dtype: DType;
  /** Of one sample. */
  shape: number[];
  /** Of an int32 port: values are 0 to classes - 1; 0: any. */
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

/** Numbers in nested arrays. */
export type NestedArray = number[] | NestedArray[];

/**
 * Samples: a typed array whose length is a multiple of the sample's size, or nested arrays of the
 * full shape. They are copied; the caller keeps them.
 */
export type Data = NumericArray | NestedArray;

/** Samples for each input (or targets for each output) of a model that has several, by name. */
export type NamedData = { readonly [name: string]: Data };

/**
 * `mse`: mean squared error over all outputs; `crossentropy`: of the softmax, with class labels
 * (-100: not counted); `own`: what the model defines, without targets (CLIP's contrastive loss).
 */
export type Loss = 'mse' | 'crossentropy' | 'own';

/** A loss, also as Keras and PyTorch name it. */
export type LossName =
  | Loss
  | 'meanSquaredError'
  | 'mean_squared_error'
  | 'MSELoss'
  | 'crossEntropy'
  | 'cross_entropy'
  | 'CrossEntropyLoss'
  | 'sparseCategoricalCrossentropy'
  | 'sparse_categorical_crossentropy';

/** An optimizer; capitals are as good. */
export type OptimizerName = OptimizerKind | 'SGD' | 'Adam' | 'AdamW' | 'Lion' | 'RMSprop';

/** An optimizer with settings; what is left out has the paper's default. */
export interface OptimizerOptions {
  /** Which. */
  kind: OptimizerName;
  /** Learning rate (SGD and RMSprop 0.01, Adam and AdamW 0.001, Lion 0.0001). */
  rate?: number;
  /** SGD, RMSprop. */
  momentum?: number;
  /** SGD: Nesterov's form of momentum. */
  nesterov?: boolean;
  /** Adam, AdamW: decay of the mean of gradients; Lion: its part in the direction. */
  beta1?: number;
  /** Adam, AdamW, RMSprop: decay of the mean of squares; Lion: of the mean of gradients. */
  beta2?: number;
  /** Adam, AdamW, RMSprop. */
  epsilon?: number;
  /**
   * SGD, Adam, RMSprop: added to the gradient; AdamW, Lion: decoupled. `fit` leaves biases and the
   * scales and shifts of norms without it.
   */
  weightDecay?: number;
}

/**
 * An optimizer whose state (momentum, means of gradients and squares) goes on from one `fit` of a model
 * to the next. It belongs to the model of its first `fit` and is freed with it.
 */
export interface Optimizer {
  /** As they were given. */
  readonly options: OptimizerOptions;
  /** The learning rate of the next `fit`; that of a running one is the model's `setRate`. */
  setRate(rate: number): void;
  /**
   * Gives the state back; a later `fit` begins anew. Until then, or until its model is disposed of, it
   * holds memory in the engine. Refused while `fit` runs.
   */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** How the learning rate goes from step to step; the optimizer's rate is its highest. */
export interface ScheduleOptions {
  /**
   * `step`: times `factor` after every so many steps; `cosine` and `linear`: down to `floor`;
   * `one-cycle`: up from 1/25 over 30% of the steps, then down to almost nothing.
   */
  kind: ScheduleKind;
  /** Steps of linear growth before all else (default 0); not for `one-cycle`. */
  warmup?: number;
  /** The lowest rate as a share of the highest, 0 to 1 (default 0). */
  floor?: number;
  /** `step`: after how many steps. */
  every?: number;
  /** `step`: by what, above 0 and at most 1 (default 0.1). */
  factor?: number;
}

/** When `fit` is to stop before its epochs are over. */
export interface EarlyStopping {
  /** Epochs without a lower validation loss after which training is done. */
  patience: number;
  /** By how much more than this the loss has to fall to count as lower (default 0). */
  minImprovement?: number;
}

/** How well a model does on some data. */
export interface Metrics {
  /** Mean over the samples. */
  loss: number;
  /** Share of samples whose largest output is the label; NaN for `mse`. */
  accuracy: number;
  /** Root of the mean squared error; NaN for `crossentropy`. */
  rmse: number;
  /** Explained share of the variance; NaN for `crossentropy`. */
  r2: number;
  /** Share of samples whose label is among the five largest outputs; NaN for `mse`. */
  top5: number;
  /** e to the power of the loss; NaN for `mse`. */
  perplexity: number;
}

/** Metrics with the confusion matrix. */
export interface Evaluation extends Metrics {
  /** `confusion[label][prediction]` counts; only for `crossentropy`. */
  confusion?: number[][];
}

/** A finished epoch. */
export interface EpochLog {
  /** Its number, from 1. */
  epoch: number;
  /** How many there are to be. */
  epochs: number;
  /** Mean loss over its samples, or its labels that count, as in validation. */
  loss: number;
  /** On the validation data, if there is any. */
  validation?: Metrics;
  /** Learning rate of its last step. */
  rate: number;
  /** Milliseconds since training began. */
  milliseconds: number;
}

/** Progress within an epoch, told every 25 ms or so. */
export interface BatchLog {
  /** Steps done. */
  step: number;
  /** Steps in all. */
  steps: number;
  /** Epochs finished. */
  epoch: number;
  /** Epochs in all. */
  epochs: number;
  /** Loss of the last step. */
  loss: number;
  /** Losses of the steps since the last call. */
  losses: Float32Array;
  /** Learning rate of the last step. */
  rate: number;
  /** With `clipNorm`: length of all gradients together in the last step, before clipping. */
  gradientNorm?: number;
  /** Milliseconds since training began. */
  milliseconds: number;
}

/** Options of `fit`. */
export interface FitOptions {
  /** Passes over the data (default 1). */
  epochs?: number;
  /** Samples per step (default 32); all of them, where there are fewer. */
  batchSize?: number;
  /** Default `"mse"`. */
  loss?: LossName;
  /**
   * Default `"adam"`. A name or options begin with new state in every call; an optimizer of
   * `plx.optimizer` goes on with its own.
   */
  optimizer?: OptimizerOptions['kind'] | OptimizerOptions | Optimizer;
  /** Of the learning rate, over all steps (default `"constant"`). */
  schedule?: ScheduleOptions['kind'] | ScheduleOptions;
  /** Scales gradients to at most this length, all together (default: as they are). */
  clipNorm?: number;
  /** `crossentropy`: share of a label's weight that is spread over all classes (default 0). */
  labelSmoothing?: number;
  /** Batches whose gradients make up that of one large batch for a step (default 1). */
  accumulate?: number;
  /** Data to evaluate after every epoch, or the share of x and y (from the end) to hold out; 0: none. */
  validation?: { x: Data | NamedData; y: Data | NamedData } | number;
  /**
   * Stops when the validation loss falls no more. The weights of the epoch in which it was lowest
   * are put back when training ends, early or not (not when it is cancelled).
   */
  earlyStopping?: EarlyStopping;
  /** A new order every epoch (default true). */
  shuffle?: boolean;
  /**
   * Of the shuffling; default the model's. Orders, as dropout's masks, go on from `fit` to `fit` of a
   * model: no call repeats those of an earlier one.
   */
  seed?: number;
  /**
   * Called after every epoch. The next one begins when it has returned, and the promise that it may
   * give is settled: what it asks of the model is answered with the weights of its epoch. `fit` rejects
   * with what it throws or rejects with.
   */
  onEpoch?: (log: EpochLog) => void | Promise<void>;
  /** Called every 25 ms or so, between two steps. Training waits for it, as for `onEpoch`. */
  onBatch?: (log: BatchLog) => void | Promise<void>;
  /**
   * Stops training; the weights stay as they are then, and the error's `history` has what was done.
   * No further step is taken after an abort in a callback, nor after the step at work in the tiers
   * with threads (and in `parallax-nn/inline`, where nothing else runs during a step); in a worker
   * without shared memory those of some 4 ms.
   */
  signal?: AbortSignalLike;
}

/** Bytes, exact. */
export interface MemoryUse {
  /** Weights. */
  parameters: number;
  /** Their gradients. */
  gradients: number;
  /** The optimizer's state. */
  optimizer: number;
  /** Intermediate values. */
  activations: number;
  /** Scratch of the kernels. */
  workspace: number;
  /** Batches and data. */
  inputs: number;
  /** Copies of weights that `fit` may put back. */
  kept: number;
}

/** What `fit` gives. */
export interface History {
  /** Loss of every step. */
  loss: Float32Array;
  /** One entry per epoch. */
  epochs: EpochLog[];
  /** Steps done. */
  steps: number;
  /** With validation: the epoch in which its loss was lowest. */
  bestEpoch?: number;
  /** Whether `earlyStopping` ended training. */
  stoppedEarly: boolean;
  /** Of training alone, without validation. */
  milliseconds: number;
  /** What training took. */
  memory: MemoryUse;
}

/** One layer of a model. */
export interface LayerSummary {
  /** `"dense"`. */
  kind: string;
  /** `"dense_1"`. */
  name: string;
  /** Of one sample. */
  outputShape: number[];
  /** Weights and biases. */
  parameters: number;
  /** Floating-point operations for one sample. */
  flops: number;
}

/** A model's layers. `String(summary)` is a table. */
export interface Summary {
  /** Shape of one sample of the first input. */
  inputShape: number[];
  /** In order. */
  layers: LayerSummary[];
  /** Of all layers. */
  parameters: number;
  /** Forward, one sample. */
  flops: number;
  /** The table. */
  toString(): string;
}

/** One weight array of a model. */
export interface Weight {
  /** `"dense_1.weight"`. */
  name: string;
  /** Its shape. */
  shape: number[];
  /** Its values, row-major. */
  data: Float32Array;
}

/** A weight array to put into a model: as `getWeights` gives it, or as JSON gives that back. */
export interface SavedWeight {
  /** If told, it must be that of the model's array in this place. */
  name?: string;
  /** If told, it must be that array's. */
  shape?: readonly number[];
  /** Its values, row-major or nested; JSON makes objects of typed arrays. */
  data: Data | { readonly [index: number]: number };
}

/** One step of a compiled plan. */
export interface PlanStep {
  /** `"dense"`. */
  op: string;
  /** Of the node; may be empty. */
  name: string;
  /** What was fused into it: `"matmul+bias+relu"`; empty if nothing. */
  fused: string;
  /** Of its result. */
  shape: number[];
  /** Floating-point operations. */
  flops: number;
  /** Read and written. */
  bytes: number;
  /** Threads that the cost model gives it. */
  threads: number;
  /** Row count from which it would use all threads; 0: never. */
  thresholdRows: number;
  /** Place in the arena; -1 when it is elsewhere. */
  arenaOffset: number;
}

/** A compiled plan. */
export interface Plan {
  /** In the order in which they run. */
  steps: PlanStep[];
  /** Of one run. */
  flops: number;
  /** Of one run. */
  memory: MemoryUse;
}

/** Options of `explain`. */
export interface ExplainOptions {
  /** Samples per run (default 32). */
  batchSize?: number;
  /** The plan of a training step instead of that of a prediction. */
  training?: boolean;
  /** Of the training step. */
  loss?: LossName;
  /** Of the training step. */
  optimizer?: OptimizerOptions['kind'] | OptimizerOptions;
}

/** A network with its weights, living in the engine. */
export interface Model {
  /** Layers, parameters and floating-point operations. */
  summary(): Promise<Summary>;
  /** What it takes. */
  inputs(): Promise<Port[]>;
  /** What it gives. */
  outputs(): Promise<Port[]>;
  /** A dimension by its name, `"width"`; undefined when the model has none of it. */
  setting(key: string): Promise<number | undefined>;
  /**
   * Trains. x is [n, ...input]; y is [n, ...output] for `mse`, class labels (n, or one for each
   * position of a sequence) for `crossentropy`, undefined for `own`. Where a model has several
   * inputs or outputs, data is named: `{ pixels, ids }`. Bad shapes, values that are not finite, ids
   * and labels that cannot be, and impossible options are refused before any weight changes. A
   * loss that is not finite, or a gradient that is not or whose square is not, rejects with
   * PLX_ERR_DIVERGED, and the model then has the weights of the last step whose loss was finite. The
   * errors of a run that diverged or was cancelled have its `history`.
   */
  fit(x: Data | NamedData, y: Data | NamedData | undefined, options?: FitOptions): Promise<History>;
  /** An output for samples x, the first unless named: a flat array of n times the output's size. */
  predict(
    x: Data | NamedData,
    options?: { batchSize?: number; output?: string },
  ): Promise<Float32Array>;
  /** All outputs for samples x by name, [n, ...output]. */
  predictAll(
    x: Data | NamedData,
    options?: { batchSize?: number },
  ): Promise<Record<string, GraphArray>>;
  /** Loss and quality of an output (the first unless named) on data. */
  evaluate(
    x: Data | NamedData,
    y: Data | NamedData,
    options?: { loss?: LossName; output?: string },
  ): Promise<Evaluation>;
  /** A generator of sequences, for models of ids such as `gpt2-nano`. It is freed with the model. */
  generator(options?: GeneratorOptions): Promise<TokenGenerator>;
  /** The ids that follow a prompt. */
  generate(prompt: ArrayLike<number>, options?: GenerateOptions): Promise<Int32Array>;
  /** Copies of all weights. `setWeights` takes them back, also through JSON, value by value. */
  getWeights(): Promise<Weight[]>;
  /**
   * Replaces all weights: the same arrays, in the order of `getWeights`, or only their values. Names
   * and shapes that are told must be the model's, and nothing changes unless all are.
   */
  setWeights(weights: readonly (SavedWeight | Data)[]): Promise<void>;
  /** Changes the learning rate of the running `fit`, from its next step. */
  setRate(rate: number): Promise<void>;
  /** The compiled plan, step by step. */
  explain(options?: ExplainOptions): Promise<Plan>;
  /**
   * Gives the memory back, when the calls made before are answered. Refused while `fit` runs; a
   * running `generate` ends with an error.
   */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** An array read from a file. */
export interface IdxArray {
  /** Its shape. */
  shape: number[];
  /** Its bytes. */
  data: Uint8Array;
}

/** A table read from a file. */
export interface CsvTable {
  /** Lines with numbers. */
  rows: number;
  /** Numbers in a line. */
  columns: number;
  /**
   * [rows, columns]. In double precision: subtract the mean before a model trains on large numbers
   * (time stamps), as it computes in single precision.
   */
  values: Float64Array;
  /** Whether the first line named the columns; it is no row then. */
  names: boolean;
}

/** Readers of data files. */
export interface DataReaders {
  /** An IDX file (the format of MNIST), compressed by gzip or not. */
  idx(bytes: ArrayBuffer | Uint8Array): Promise<IdxArray>;
  /**
   * A table of numbers as RFC 4180 describes it: commas between cells, quotes around any of them. With
   * semicolons in the first line, those separate cells and decimal commas are allowed, as spreadsheets
   * of many countries write it. A first line without numbers names the columns. In UTF-8.
   */
  csv(text: string | ArrayBuffer | Uint8Array): Promise<CsvTable>;
}

/** The engine. */
export interface Parallax {
  /** What runs now, and why not something better. */
  info(): EngineInfo;
  /**
   * Resolves, with what `info` then tells, when all threads have joined and the machine is measured.
   * Calls need not wait for it: an engine begins with one thread, and what runs then goes over to all of
   * them.
   */
  ready(): Promise<EngineInfo>;
  /** Makers of layers. */
  readonly layers: Layers;
  /** A stack of layers. Layers that cannot be are reported by the first call that awaits. */
  sequential(layers: Layer[], options?: ModelOptions): Model;
  /** A model by name: `"mlp:784-200-10"`, `"mlp:5-64-1:tanh"`, `"gpt2-nano"`. */
  model(name: string, options?: NamedModelOptions): Model;
  /**
   * An optimizer for several calls of a model's `fit`, whose state goes on from one to the next. Each
   * holds memory in the engine until its `dispose()`, or that of its model; `await using` works.
   */
  optimizer(options: OptimizerOptions['kind'] | OptimizerOptions): Optimizer;
  /** The names that `model` knows, beside `mlp:WIDTHS`. */
  models(): Promise<string[]>;
  /** An empty graph, for networks and computations of your own making. */
  graph(options?: GraphOptions): Graph;
  /** Readers of data files. */
  readonly data: DataReaders;
  /** Ends the worker and its threads, and gives all memory back. Running calls are cancelled. */
  dispose(): void;
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts an engine. */
export type Load<P = Parallax> = (options?: LoadOptions) => Promise<P>;
