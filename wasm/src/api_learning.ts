/** The public types of learning tasks. */
import type { AbortSignalLike, MemoryUse, Weight } from './api.js';
import type { BenchSize } from './api_bench.js';

/** A task: a model with data to learn, the settings of its training, and what shows the result. */
export interface TaskInfo {
  /** Name, for `learn({task: name})`. */
  name: string;
  /** Description in one sentence. */
  description: string;
  /**
   * Data that it accepts: a text (`text`), handwritten digits (`data.mnist`) or a table of numbers
   * (`data.csv`). Without such data, and if this is `"nothing"`, it generates its data from the
   * seed.
   */
  takes: 'text' | 'digits' | 'table' | 'nothing';
}

/** Options of `learn`. */
export interface LearnOptions {
  /** Name of a task: `"gpt2-nano"`. */
  task: string;
  /** How long to train (default `"default"`). */
  size?: BenchSize;
  /** Seed of data, weights and the order of samples (default 0). */
  seed?: number;
  /**
   * Model to use instead of the task's, with changed settings after a colon:
   * `"gpt2-nano:layers=6"`.
   */
  model?: string;
  /** UTF-8 text to learn, for tasks that take one. */
  text?: string | ArrayBuffer | Uint8Array;
  /** Name of the text, such as its file name (default `"text"`). */
  source?: string;
  /** Real data, for tasks that take it. */
  data?: LearnData;
  /** Total number of steps (default: set by `size`). */
  steps?: number;
  /** Samples per minibatch (default: the task's). */
  batchSize?: number;
  /** Peak learning rate (default: the task's). */
  rate?: number;
  /** Name of an optimizer, used with its own defaults: `"adamw"` (default: the task's). */
  optimizer?: string;
}

/** Files to learn from. */
export interface LearnData {
  /** Handwritten digits: the two IDX files of MNIST, gzip-compressed or not. */
  mnist?: {
    /** The file of images. */
    images: ArrayBuffer | Uint8Array;
    /** The file of labels. */
    labels: ArrayBuffer | Uint8Array;
    /** Name of the data (default `"MNIST"`). */
    source?: string;
  };
  /** A table as read by `plx.data.csv`, with the target in the last column. */
  csv?: {
    /** The file's content. */
    text: string | ArrayBuffer | Uint8Array;
    /** Name of the table (default `"table"`). */
    source?: string;
  };
}

/** A description of the model, its data and its training. */
export interface LearningAbout {
  /** Name of the task. */
  task: string;
  /** Full name of the model: `"gpt2-nano:vocabulary=58,context=64"`. */
  model: string;
  /** Number of trainable values. */
  parameters: number;
  /** Description of the data. */
  data: {
    /** Whether it is real; false: generated. */
    real: boolean;
    /** Name: that of a file, or of a generator such as `"story grammar"`. */
    source: string;
    /**
     * How the file was read, if there is a choice (`"its first line names the columns"`), or `""`.
     */
    note: string;
    /** Seed with which it was generated and split. */
    seed: number;
    /** Number of training samples. */
    train: number;
    /** Number of held-out samples. */
    test: number;
    /** Tokens of one sample; 0 if it is not text. */
    tokens: number;
  };
  /** Name of the optimizer. */
  optimizer: string;
  /** Peak learning rate. */
  rate: number;
  /** Samples per minibatch. */
  batchSize: number;
  /** Minibatches whose gradients are averaged for one step; 1 for most tasks. */
  batches: number;
  /** Total number of steps. */
  steps: number;
  /** Floating-point operations of one step. */
  flops: number;
  /** Memory that training uses. */
  memory: MemoryUse;
}

/** Progress of training, reported every 20 to 30 ms, or after each step if steps take longer. */
export interface TrainProgress {
  /** Steps done. */
  step: number;
  /** Total number of steps. */
  steps: number;
  /** Epochs finished. */
  epoch: number;
  /** Loss of the last step; NaN before the first. */
  loss: number;
  /** Losses of the steps since the last report. */
  losses: Float32Array;
  /** Milliseconds of training so far; pauses, evaluation and exhibits do not count. */
  milliseconds: number;
  /** Highest arithmetic speed observed on this machine with these threads, in GFLOP/s. */
  peak: number;
}

/** Options of `train`. */
export interface TrainOptions {
  /** Most steps to take in this call (default: all that are left). */
  steps?: number;
  /** Called as training proceeds; training waits for a returned promise. */
  onProgress?: (progress: TrainProgress) => void | Promise<void>;
  /** Stops training as in `fit`: `train` rejects with AbortError, and can be called again. */
  signal?: AbortSignalLike;
}

/** Why `train` ended, and how far training has come. */
export interface TrainOutcome {
  /** `done`: all steps are done; `steps`: the requested steps are; `paused`: `pause` was called. */
  reason: 'done' | 'steps' | 'paused';
  /** Steps done. */
  step: number;
  /** Total number of steps. */
  steps: number;
  /** Milliseconds of training so far. */
  milliseconds: number;
}

/** A measure of quality on held-out data. */
export interface Measure {
  /** Name: `"perplexity"`. */
  name: string;
  /** Unit: `"nats/token"`; `"1"` for a plain number. */
  unit: string;
  /** Which direction is better. */
  better: 'lower' | 'higher' | 'none';
  /** Measured value. */
  value: number;
  /** Value that the task promises at the end of its size; missing if it promises none. */
  goal?: number;
}

/**
 * Something to look at: a generated text; matrices (confusion, similarity, attention); pictures
 * (learnt filters, samples); bars (gradient norms by layer).
 */
export interface Exhibit {
  /** Form of the exhibit. */
  kind: 'text' | 'matrix' | 'images' | 'bars';
  /** Name: `"confusion"`. */
  name: string;
  /** Content of a text; otherwise empty. */
  text: string;
  /** Number of matrices or pictures. */
  count: number;
  /** Rows of each. */
  rows: number;
  /** Columns of each; the number of bars. */
  columns: number;
  /** Channels of a picture. */
  channels: number;
  /** Values [count, rows, columns, channels]. */
  values: Float32Array;
  /** Labels of the rows of matrices, of pictures or of bars; may be empty. */
  labels: string[];
  /** Whether the labels name a matrix's columns as well, as in a confusion matrix. */
  square: boolean;
  /** Title of a matrix's rows; may be empty. */
  rowTitle: string;
  /** Title of a matrix's columns; may be empty. */
  columnTitle: string;
}

/** A sample that is not trained on. */
export interface HeldSample {
  /** Values of the model's first input: numbers, or ids. */
  x: Float32Array | Int32Array;
  /** Its target: numbers, or class labels; empty if the model's loss has no targets. */
  y: Float32Array | Int32Array;
}

/** One run of a task: a model in training, which lives in the engine. */
export interface Learning {
  /** Description of the model, its data and its training. */
  readonly about: LearningAbout;
  /**
   * Trains to the end, until `pause`, or for some steps. A loss that is not finite rejects with
   * PLX_ERR_DIVERGED, which names the step. Rejects while another `train` is running.
   */
  train(options?: TrainOptions): Promise<TrainOutcome>;
  /** Makes the running `train` resolve after its current step. */
  pause(): Promise<void>;
  /** Continues the paused `train` with its options, and resolves as it would. */
  resume(): Promise<TrainOutcome>;
  /** Changes the peak learning rate from the next step on. */
  setRate(rate: number): Promise<void>;
  /** Measures quality on held-out data; also between the steps of a running `train`. */
  evaluate(): Promise<Measure[]>;
  /** Shows what has been learnt; also between the steps of a running `train`. */
  exhibits(): Promise<Exhibit[]>;
  /**
   * Copies all weights, also between the steps of a running `train`. A model of the name
   * `about.model` takes them, and then predicts what this one would.
   *
   * @example
   * ```ts
   * const run = await plx.learn({ task: 'interp5d', size: 'quick', steps: 20 });
   * await run.train();
   * const net = plx.model(run.about.model);
   * await net.setWeights(await run.getWeights());
   * const { x, y } = await run.heldOut(0);
   * console.log(await net.predict(x), y);
   * await run.dispose();
   * await net.dispose();
   * ```
   */
  getWeights(): Promise<Weight[]>;
  /** Returns a sample that is not trained on, 0 to `about.data.test - 1`. */
  heldOut(i: number): Promise<HeldSample>;
  /** Returns the losses of all steps so far, from step `from` (default 0) on. */
  losses(from?: number): Promise<Float32Array>;
  /** Frees the memory. A running `train` is cancelled. */
  dispose(): Promise<void>;
  /** Does the same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
