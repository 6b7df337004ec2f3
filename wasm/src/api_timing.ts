/** The public types of timed runs, in `parallax-nn/bench`. */
import type { OptimizerName } from './api.js';

/** Options of `timing`. */
export interface TimingOptions {
  /** Samples per run (default 32). */
  batchSize?: number;
  /** Whether a run is a training step instead of a prediction (default false). */
  training?: boolean;
  /**
   * Optimizer of the training step, with its own defaults (default `"adam"`); without `training` it
   * is refused.
   */
  optimizer?: OptimizerName;
  /** Settings of the model: `{ width: 192 }`. */
  config?: Record<string, number>;
  /** Seed of the weights and of the data, which is random (default 0). */
  seed?: number;
}

/** What `run` of a timing measured. */
export interface TimedRuns {
  /** Nanoseconds of all runs together, by the clock of the engine: no message is in them. */
  nanoseconds: number;
  /** Threads that the engine had. */
  threads: number;
}

/**
 * Runs of a model that are timed when they are asked for, so that several timings, also of several
 * engines, can take turns.
 */
export interface Timing {
  /** Step of the clock in nanoseconds: a measurement should last a thousand of them. */
  readonly clockNs: number;
  /**
   * Runs so many times. The first run of all packs weights, and the first after something else finds
   * cold caches: leave them out. A training step computes everything but changes no weight.
   */
  run(times: number): Promise<TimedRuns>;
  /**
   * Returns the hash of what the last run computed: of the loss of a training step, or of the first
   * output. Engines that are exact give equal ones after the same number of runs.
   */
  hash(): Promise<string>;
  /** Frees the memory. */
  dispose(): Promise<void>;
  /** Does the same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
