/** The public types of training batch by batch. */
import type { Data, FitOptions, HeldData, Metrics, NamedData } from './api.js';

/** One batch of a data set, whose samples make one step. */
export interface Batch {
  /** Samples. */
  x: Data | NamedData;
  /** Their targets, as for `fit`. */
  y: Data | NamedData;
  /** A weight for each sample, as for `fit`. */
  sampleWeight?: Data;
}

/**
 * Batches in order: an iterable, also an asynchronous one such as an async generator; or, for
 * several epochs, a function that makes one for each.
 */
export type Batches =
  | Iterable<Batch>
  | AsyncIterable<Batch>
  | (() => Iterable<Batch> | AsyncIterable<Batch>);

/** Options of `trainOnBatch`. */
export interface BatchOptions
  extends Pick<
    FitOptions,
    'loss' | 'metrics' | 'optimizer' | 'classWeight' | 'clipNorm' | 'labelSmoothing' | 'signal'
  > {
  /** A weight for each sample, as for `fit`. */
  sampleWeight?: Data;
}

/** Options of `fitDataset`. */
export interface DatasetOptions extends Omit<BatchOptions, 'sampleWeight'> {
  /** Passes over the data (default 1); more than one need a function that makes the batches. */
  epochs?: number;
  /** Most batches of an epoch (default: all there are). */
  batchesPerEpoch?: number;
  /** Data to evaluate after every epoch. */
  validation?: HeldData;
  /** Called after every epoch, as in `fit`; `"stop"` ends training. */
  onEpoch?: (log: DatasetEpoch) => unknown;
  /** Called after every step, as `onBatch` of `fit`; `"stop"` ends training. */
  onBatch?: (log: DatasetStep) => unknown;
}

/** A step of `fitDataset` or `trainOnBatch`. */
export interface StepLog {
  /** Loss of the batch, before the step. */
  loss: number;
  /** With `metrics`: their values for the batch. */
  metrics?: Record<string, number>;
}

/** A step of `fitDataset`. */
export interface DatasetStep extends StepLog {
  /** Steps done. */
  step: number;
  /** Number of the epoch, from 1. */
  epoch: number;
}

/** A finished epoch of `fitDataset`. */
export interface DatasetEpoch extends StepLog {
  /** Number of the epoch, from 1. */
  epoch: number;
  /** Steps of the epoch. */
  steps: number;
  /** Metrics on the validation data, if there is any. */
  validation?: Metrics;
}

/** The result of `fitDataset`. */
export interface DatasetHistory {
  /** Loss of every step. */
  loss: Float32Array;
  /** One entry per epoch. */
  epochs: DatasetEpoch[];
  /** Steps done. */
  steps: number;
  /** Whether a callback ended training. */
  stopped: boolean;
}
