/** What the client asks of the engine. Everything in here crosses a message port. */
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
  Metrics,
  OptimizerOptions,
  Plan,
  Port,
  ScheduleOptions,
  Summary,
  Weight,
} from './api.js';
import type { Layer } from './api_layers.js';
import type { PlxErrorName } from './generated/kinds.js';
import type { DType, GraphArray } from './graph_api.js';

/** What the engine can do before the module is there. */
export interface PrepareRequest {
  /** Of a tier with threads. */
  memory?: WebAssembly.Memory;
}

/** The rest of what the engine needs. */
export interface StartRequest {
  module: WebAssembly.Module;
  reproducible: boolean;
}

/** The threads that join an engine which has started with one. */
export interface ThreadsRequest {
  /** That can run at once, including the engine's own. */
  cpus: number;
  /** 0: measure. */
  threads: number;
  /** Milliseconds until their workers count as failed. */
  timeout: number;
}

/** The part of EngineInfo that the engine knows. */
export type EngineReport = Omit<
  EngineInfo,
  'tier' | 'isolated' | 'downgrades' | 'startup' | 'memoryBytes'
> & { memoryBytes: number };

/** A model to make: layers, or a name that the library knows. */
export type ModelSpec = { layers: Layer[] } | { name: string };

/** What the client keeps of a model to check data against. */
export interface ModelPorts {
  inputs: Port[];
  outputs: Port[];
}

/** What explain is to explain. */
export type ExplainRequest = Required<ExplainOptions> & { loss: Loss };

/** A weight array; its name and shape are checked where they are told. */
export interface GivenWeight {
  values: Float32Array;
  name: string | undefined;
  shape: readonly number[] | undefined;
}

/** Values of one port, as the library reads them. */
export type Values = Float32Array | Int32Array;

/** Samples in the form that the library reads: labels are 32-bit integers. */
export interface Samples {
  n: number;
  /** In the order of the model's inputs. */
  inputs: Values[];
  /** In the order of its outputs; empty where the loss needs none. */
  targets: Values[];
}

/** How the next id is drawn. */
export interface Sampling {
  temperature: number;
  topK: number;
}

/** What every long call has, so that it can be stopped. */
export interface JobRequest {
  job: number;
  /** Whether a signal may stop it. */
  stoppable: boolean;
  /** Then, where memory can be shared: element 0 becomes 1 as the signal aborts. */
  stop?: Int32Array;
}

/** Training as the library sees it, all defaults filled in. */
export interface FitRequest extends JobRequest {
  epochs: number;
  batchSize: number;
  loss: Loss;
  optimizer: OptimizerOptions;
  /** Number of an optimizer whose state goes on; without it, a new one. */
  state?: number;
  shuffle: boolean;
  seed: number;
  recipe: FitRecipe;
  /** What is listened to: training waits for whoever does. */
  reports: { epochs: boolean; batches: boolean };
  data: Samples;
  validation?: Samples;
}

/** What fit does beside steps. */
export interface FitRecipe {
  schedule: Required<ScheduleOptions>;
  clipNorm: number;
  labelSmoothing: number;
  accumulate: number;
  /** 0: never stops early. */
  patience: number;
  minImprovement: number;
}

/** Progress of training: an epoch has ended, or some milliseconds are over. */
export type FitReport = { epoch: EpochLog } | { batch: BatchLog };

/** The result of training, up to where it failed. */
export interface FitReply extends History {
  failure?: { codeName: PlxErrorName; message: string };
}

/** Data of a summary, without its methods. */
export type SummaryData = Omit<Summary, 'toString'>;

/**
 * A call that adds to a graph. Values have numbers, from 0 in the order in which calls make them; -1
 * stands for an input that was left out. A builder's numbers are as builders.def lists them, and results is how many values
 * it makes.
 */
export type GraphCall =
  | { kind: 'input'; name: string; dtype: DType; shape: number[] }
  | { kind: 'parameter'; name: string; shape: number[]; values?: Float32Array }
  | { kind: 'layer'; layer: Layer; x: number; training: boolean }
  | { kind: 'node'; builder: string; inputs: number[]; numbers: number[]; results: number }
  | {
      kind: 'update';
      optimizer: OptimizerOptions;
      parameters: number[];
      gradients: number[];
    };

/** A weight that a graph's layers made; its number as a value is -2 - its place. */
export interface GraphWeight {
  name: string;
  shape: number[];
  /** Whether it is trained, or running statistics. */
  trained: boolean;
}

/** What the library worked out of a value. */
export interface ValueInfo {
  shape: number[];
  dtype: DType;
}

/** The new values, or the first call that failed: its place in the list, and why. */
export type ExtendReply =
  | { values: ValueInfo[] }
  | { failure: { index: number; codeName: PlxErrorName; message: string } };

/** Data for an input. */
export interface InputValue {
  value: number;
  data: Float32Array | Int32Array;
}

/** The engine's side of the connection. Models are named by numbers that the client gives. */
export interface EngineApi {
  /** Answers as soon as the engine's code runs. */
  prepare(request: PrepareRequest): void;
  start(request: StartRequest): Promise<EngineReport>;
  /** Adds threads and measures the machine, while other calls are answered. */
  setThreads(request: ThreadsRequest): Promise<EngineReport>;
  modelNames(): string[];
  createModel(model: number, spec: ModelSpec, seed: number): ModelPorts;
  modelSetting(model: number, key: string): number;
  disposeModel(model: number): void;
  summary(model: number): SummaryData;
  explain(model: number, options: ExplainRequest): Plan;
  fit(
    model: number,
    request: FitRequest,
    report: (report: FitReport) => unknown,
  ): Promise<FitReply>;
  setRate(model: number, rate: number): void;
  /** Frees the state that an optimizer of the client has by now. */
  disposeOptimizer(state: number): void;
  /** The outputs that are asked for by their places. */
  predict(
    model: number,
    n: number,
    inputs: Values[],
    batchSize: number,
    outputs: number[],
  ): Float32Array[];
  evaluate(model: number, output: number, loss: Loss, data: Samples): Evaluation;
  createGenerator(generator: number, model: number, seed: number): void;
  feedGenerator(generator: number, ids: Int32Array): void;
  drawToken(generator: number, sampling: Sampling): number;
  generatorLogits(generator: number): Float32Array;
  resetGenerator(generator: number): void;
  disposeGenerator(generator: number): void;
  getWeights(model: number): Weight[];
  setWeights(model: number, weights: GivenWeight[]): void;
  /**
   * Makes the graph when it is new, with the seed of its layers. A graph and its functions have
   * numbers from the client.
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
  disposeGraph(graph: number): void;
  idx(bytes: Uint8Array): IdxArray;
  csv(text: Uint8Array): CsvTable;
  /** Stops a job; unknown numbers are ignored, since it may have ended meanwhile. */
  cancel(job: number): void;
}

export type { BatchLog, EpochLog, Metrics };
