/** The interface between client and engine. Everything in here crosses a message port. */
import type {
  BatchLog,
  CsvTable,
  EngineInfo,
  EpochLog,
  Evaluation,
  ExplainOptions,
  History,
  IdxArray,
  Loss,
  MetricName,
  Metrics,
  OptimizerOptions,
  Plan,
  Port,
  ScheduleOptions,
  Summary,
  Weight,
} from './api.js';
import type { PlxErrorName } from './generated/kinds.js';
import type { DType, GraphArray } from './graph_api.js';

/** The request to prepare the engine before the module is there. */
export interface PrepareRequest {
  /** Memory of a tier with threads. */
  memory?: WebAssembly.Memory;
}

/** The request to start the engine. */
export interface StartRequest {
  module: WebAssembly.Module;
  reproducible: boolean;
}

/** The request to add threads to an engine that has started with one. */
export interface ThreadsRequest {
  /** Threads that can run at once, including the engine's own. */
  cpus: number;
  /** Threads to use; 0: measure how many pay off. */
  threads: number;
  /** Milliseconds after which their workers count as failed. */
  timeout: number;
}

/** The part of EngineInfo that the engine knows. */
export type EngineReport = Omit<
  EngineInfo,
  'tier' | 'isolated' | 'downgrades' | 'startup' | 'memoryBytes'
> & { memoryBytes: number };

/** A layer and those inside it, each with the numbers that exports_model.c reads, and a name or ''. */
export interface PackedLayer {
  numbers: number[];
  names: string[];
}

/** Layers on samples of a shape: ids if vocabulary is not 0. */
export interface StackSpec {
  layers: PackedLayer[];
  inputShape: readonly number[];
  vocabulary: number;
}

/** A model to create: layers, or a name that the library knows. */
export type ModelSpec = StackSpec | { name: string };

/** The ports of a model, against which the client checks data. */
export interface ModelPorts {
  inputs: Port[];
  outputs: Port[];
}

/** The options of explain, with defaults filled in. */
export type ExplainRequest = Required<ExplainOptions> & { loss: Loss };

/** A weight array; its name and shape are checked if given. */
export interface GivenWeight {
  values: Float32Array;
  name: string | undefined;
  shape: readonly number[] | undefined;
}

/** Values of one port in the library's form. */
export type Values = Float32Array | Int32Array;

/** Samples in the library's form: labels are 32-bit integers. */
export interface Samples {
  n: number;
  /** Values in the order of the model's inputs. */
  inputs: Values[];
  /** Targets in the order of its outputs; empty if the loss needs none. */
  targets: Values[];
  /** A weight for each sample. */
  weights?: Float32Array;
}

/** A function of a loss (number -1) or a metric, as the calls that it makes for so many samples. */
export interface ScalarProgram {
  number: number;
  rows: number;
  /** Value 0 is the prediction, 1 its target; -1 stands for an input that was left out. */
  calls: Extract<GraphCall, { kind: 'node' }>[];
  /** The value that it gives. */
  gives: number;
}

/** The loss of a request. */
export interface LossRequest {
  loss: Loss;
  /** Delta of the Huber loss; 0: its default. */
  delta: number;
}

/** The options for sampling the next id. */
export interface Sampling {
  temperature: number;
  topK: number;
}

/** The part of every long call by which it can be stopped. */
export interface JobRequest {
  job: number;
  /** Whether a signal may stop it. */
  stoppable: boolean;
  /** If so, and if memory can be shared: element 0 becomes 1 when the signal aborts. */
  stop?: Int32Array;
}

/** The options of training, with all defaults filled in. */
export interface FitRequest extends JobRequest, LossRequest {
  epochs: number;
  batchSize: number;
  /** Names of the metrics to report; those of functions are numbered in this order. */
  metrics: { names: MetricName[]; own: string[] };
  /** For each number of samples that are computed at a time. */
  functions: ScalarProgram[];
  optimizer: OptimizerOptions;
  /** Number of an optimizer whose state carries over; without it, a new one is used. */
  state?: number;
  shuffle: boolean;
  seed: number;
  recipe: FitRecipe;
  /** Which reports have listeners; training waits for them. */
  reports: { epochs: boolean; batches: boolean };
  data: Samples;
  validation?: Samples;
}

/** The settings of fit besides those of its steps. */
export interface FitRecipe {
  schedule: Required<ScheduleOptions>;
  clipNorm: number;
  labelSmoothing: number;
  accumulate: number;
  /** Epochs without improvement; 0: never stops early. */
  patience: number;
  minImprovement: number;
}

/** Progress of training: an epoch has ended, or some milliseconds have passed. */
export type FitReport = { epoch: EpochLog } | { batch: BatchLog };

/** The result of training, up to where it failed. */
export interface FitReply extends History {
  failure?: { codeName: PlxErrorName; message: string };
}

/** Data of a summary, without its methods. */
export type SummaryData = Omit<Summary, 'toString'>;

/**
 * A call that adds to a graph. Values are numbered from 0 in the order in which calls create them;
 * -1 stands for an input that was left out. The numbers of a builder are in the order of
 * builders.def, and results is how many values it creates.
 */
export type GraphCall =
  | { kind: 'input'; name: string; dtype: DType; shape: number[] }
  | { kind: 'parameter'; name: string; shape: number[]; values?: Float32Array }
  | { kind: 'layer'; layer: PackedLayer; x: number; training: boolean }
  | { kind: 'node'; builder: string; inputs: number[]; numbers: number[]; results: number }
  | {
      kind: 'update';
      optimizer: OptimizerOptions;
      parameters: number[];
      gradients: number[];
    };

/** A weight of a graph's layers; its number as a value is -2 - its index. */
export interface GraphWeight {
  name: string;
  shape: number[];
  /** Whether it is trainable; otherwise it is a running statistic. */
  trained: boolean;
}

/** The shape and dtype of a value, as the library determined them. */
export interface ValueInfo {
  shape: number[];
  dtype: DType;
}

/** The new values, or the first call that failed: its index in the list, and the reason. */
export type ExtendReply =
  | { values: ValueInfo[] }
  | { failure: { index: number; codeName: PlxErrorName; message: string } };

/** Data for an input. */
export interface InputValue {
  value: number;
  data: Float32Array | Int32Array;
}

/** The engine's side of the connection. The client assigns numbers to models. */
export interface EngineApi {
  /** Answers as soon as the engine's code runs. */
  prepare(request: PrepareRequest): void;
  start(request: StartRequest): Promise<EngineReport>;
  /** Makes this many workers of threads, which do not load their module yet. */
  makeThreads(count: number): void;
  /** Adds threads and measures the machine, while other calls are answered. */
  setThreads(request: ThreadsRequest): Promise<EngineReport>;
  modelNames(): string[];
  createModel(model: number, spec: ModelSpec, seed: number): ModelPorts;
  modelSetting(model: number, key: string): number;
  /** Returns whether there was one to free, as disposeGraph does. */
  disposeModel(model: number): boolean;
  summary(model: number): SummaryData;
  explain(model: number, options: ExplainRequest): Plan;
  fit(
    model: number,
    request: FitRequest,
    report: (report: FitReport) => unknown,
  ): Promise<FitReply>;
  setRate(model: number, rate: number): void;
  /** Frees the state that a client's optimizer may have. */
  disposeOptimizer(state: number): void;
  /** Predicts the requested outputs, given by index. */
  predict(
    model: number,
    n: number,
    inputs: Values[],
    batchSize: number,
    outputs: number[],
  ): Float32Array[];
  evaluate(model: number, output: number, loss: LossRequest, data: Samples): Evaluation;
  createGenerator(generator: number, model: number, seed: number): void;
  feedGenerator(generator: number, ids: Int32Array): void;
  drawToken(generator: number, sampling: Sampling): number;
  generatorLogits(generator: number): Float32Array;
  resetGenerator(generator: number): void;
  disposeGenerator(generator: number): void;
  getWeights(model: number): Weight[];
  setWeights(model: number, weights: GivenWeight[]): void;
  /** Returns a safetensors file of the weights with this metadata. */
  saveWeights(model: number, metadata: [string, string][]): Uint8Array<ArrayBuffer>;
  /** Takes the weights from such a file. */
  loadWeights(model: number, file: Uint8Array): void;
  /**
   * Adds calls to a graph; creates it if it is new, with the seed of its layers. The client assigns
   * numbers to graphs and their functions.
   */
  extendGraph(graph: number, calls: GraphCall[], seed: number): ExtendReply;
  graphWeights(graph: number): GraphWeight[];
  setGraphRate(graph: number, update: number, rate: number): void;
  compileGraph(graph: number, name: number, outputs: number[], updates: number[]): void;
  runFunction(graph: number, name: number, inputs: InputValue[]): GraphArray<DType>[];
  explainFunction(graph: number, name: number): Plan;
  disposeFunction(graph: number, name: number): void;
  readParameter(graph: number, parameter: number): GraphArray;
  writeParameter(graph: number, parameter: number, values: Float32Array): void;
  disposeGraph(graph: number): boolean;
  idx(bytes: Uint8Array): IdxArray;
  csv(text: Uint8Array): CsvTable;
  /** Stops a job; ignores unknown numbers, since the job may have ended meanwhile. */
  cancel(job: number): void;
}

export type { BatchLog, EpochLog, Metrics };
