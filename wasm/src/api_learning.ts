/** The public types of learning tasks. */
import type { AbortSignalLike, MemoryUse } from './api.js';
import type { BenchSize } from './api_bench.js';

/** A model with data that it can learn, how it is trained, and what shows that it did. */
export interface TaskInfo {
  /** For `learn({task: name})`. */
  name: string;
  /** One sentence. */
  description: string;
  /**
   * What it learns from when it is given: a text (`text`), handwritten digits (`data.mnist`), a
   * table of numbers (`data.csv`). Without it, and where this is `"nothing"`, it generates data from
   * the seed.
   */
  takes: 'text' | 'digits' | 'table' | 'nothing';
}

/** Options of `learn`. */
export interface LearnOptions {
  /** Name of a task: `"gpt2-nano"`. */
  task: string;
  /** How long it trains (default `"default"`). */
  size?: BenchSize;
  /** Of data, weights and the order of samples (default 0). */
  seed?: number;
  /** Another model than the task's, with what differs behind a colon: `"gpt2-nano:layers=6"`. */
  model?: string;
  /** UTF-8 text to learn, in tasks that take one. */
  text?: string | ArrayBuffer | Uint8Array;
  /** What to call the text: its file's name (default `"text"`). */
  source?: string;
  /** Real data, in tasks that take it. */
  data?: LearnData;
  /** Steps in all; default as the size says. */
  steps?: number;
  /** Samples per batch; default the task's. */
  batchSize?: number;
  /** The highest learning rate; default the task's. */
  rate?: number;
  /** Name of an optimizer, with its own defaults: `"adamw"`; default the task's. */
  optimizer?: string;
}

/** Files to learn from. */
export interface LearnData {
  /** Handwritten digits: the two IDX files of MNIST, compressed by gzip or not. */
  mnist?: {
    images: ArrayBuffer | Uint8Array;
    labels: ArrayBuffer | Uint8Array;
    /** What to call them (default `"MNIST"`). */
    source?: string;
  };
  /** A table as `plx.data.csv` reads it, the target in the last column. */
  csv?: {
    text: string | ArrayBuffer | Uint8Array;
    /** What to call it (default `"table"`). */
    source?: string;
  };
}

/** What is trained, and on what. */
export interface LearningAbout {
  /** Name of the task. */
  task: string;
  /** The model's full name: `"gpt2-nano:vocabulary=58,context=64"`. */
  model: string;
  /** Values that are trained. */
  parameters: number;
  /** The data. */
  data: {
    /** False: generated. */
    real: boolean;
    /** What it is called: a file's name, or that of a generator: `"story grammar"`. */
    source: string;
    /** How the file was read where that is a choice (`"its first line names the columns"`), or `""`. */
    note: string;
    /** That it was generated and split by. */
    seed: number;
    /** Samples to train on. */
    train: number;
    /** Samples held out. */
    test: number;
    /** Of one sample; 0 when it is no text. */
    tokens: number;
  };
  /** Name of the optimizer. */
  optimizer: string;
  /** The highest learning rate. */
  rate: number;
  /** Samples per batch. */
  batchSize: number;
  /** Batches whose gradients are averaged for a step; 1 for most tasks. */
  batches: number;
  /** Steps in all. */
  steps: number;
  /** Floating-point operations of one step. */
  flops: number;
  /** What training takes. */
  memory: MemoryUse;
}

/** Told every 20 to 30 ms while training, or after each step where one takes longer. */
export interface TrainProgress {
  /** Steps done. */
  step: number;
  /** Steps in all. */
  steps: number;
  /** Epochs finished. */
  epoch: number;
  /** Loss of the last step; NaN before the first. */
  loss: number;
  /** Losses of the steps since the last report. */
  losses: Float32Array;
  /** Milliseconds that training took so far; pauses, evaluation and exhibits do not count. */
  milliseconds: number;
  /** The most arithmetic that this machine was seen to do with these threads, in GFLOP/s. */
  peak: number;
}

/** Options of `train`. */
export interface TrainOptions {
  /** At most so many steps now; default to the end. */
  steps?: number;
  /** Called as training goes on, which waits for the promise if it gives one. */
  onProgress?: (progress: TrainProgress) => void | Promise<void>;
  /** Stops as that of `fit` does: `train` rejects with AbortError, and can be called again. */
  signal?: AbortSignalLike;
}

/** Why `train` came to an end, and how far it is. */
export interface TrainOutcome {
  /** All steps are done; the steps asked for are; or `pause` was called. */
  reason: 'done' | 'steps' | 'paused';
  /** Steps done. */
  step: number;
  /** Steps in all. */
  steps: number;
  /** Milliseconds that training took so far. */
  milliseconds: number;
}

/** A figure of quality, on data that was held out. */
export interface Measure {
  /** `"perplexity"`. */
  name: string;
  /** `"nats/token"`; `"1"` for a number without one. */
  unit: string;
  /** Which way is better. */
  better: 'lower' | 'higher' | 'none';
  /** What was measured. */
  value: number;
  /** What the task promises at its size and end; missing where it promises nothing. */
  goal?: number;
}

/**
 * Something to look at: a generated text; matrices (confusion, similarity, attention); pictures
 * (learnt filters, samples); bars (gradient norms by layer).
 */
export interface Exhibit {
  /** What it is. */
  kind: 'text' | 'matrix' | 'images' | 'bars';
  /** `"confusion"`. */
  name: string;
  /** Of a text; otherwise empty. */
  text: string;
  /** Matrices or pictures. */
  count: number;
  /** Of each. */
  rows: number;
  /** Of each; the number of bars. */
  columns: number;
  /** Of a picture. */
  channels: number;
  /** [count, rows, columns, channels]. */
  values: Float32Array;
  /** Of rows (matrices), pictures or bars; may be empty. */
  labels: string[];
  /** Of a matrix: the labels name its columns as well, as in a confusion of classes. */
  square: boolean;
  /** What a matrix has downwards; may be empty. */
  rowTitle: string;
  /** What a matrix has across; may be empty. */
  columnTitle: string;
}

/** A model on its way through a task, living in the engine. */
export interface Learning {
  /** What is trained, and on what. */
  readonly about: LearningAbout;
  /**
   * Trains to the end, until `pause`, or for some steps. A loss that is not finite rejects with
   * PLX_ERR_DIVERGED, which names the step. Refused while it already runs.
   */
  train(options?: TrainOptions): Promise<TrainOutcome>;
  /** Makes the running `train` resolve after its current step. */
  pause(): Promise<void>;
  /** Goes on with the options of the `train` that was paused, and resolves as it does. */
  resume(): Promise<TrainOutcome>;
  /** Changes the highest learning rate from the next step on. */
  setRate(rate: number): Promise<void>;
  /** Works out quality on held-out data; also between the steps of a running `train`. */
  evaluate(): Promise<Measure[]>;
  /** Shows what has been learnt; also between the steps of a running `train`. */
  exhibits(): Promise<Exhibit[]>;
  /** Losses of all steps so far, from step `from` (default 0) on. */
  losses(from?: number): Promise<Float32Array>;
  /** Gives the memory back. A running `train` is cancelled. */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
