/** The public types of profiles, in `parallax-nn/bench`. */
import type { AbortSignalLike, LossName, Plan, PlanStep } from './api.js';

/** Options of `profile`. */
export interface ProfileOptions {
  /** Samples per run (default 32). */
  batchSize?: number;
  /** Whether to profile a training step with Adam instead of a prediction (default false). */
  training?: boolean;
  /**
   * Loss of the training step, for models without one of their own (default `"crossentropy"`); with
   * other models and without `training` it is refused.
   */
  loss?: Exclude<LossName, 'own'>;
  /** Settings of the model: `{ width: 192 }`. */
  config?: Record<string, number>;
  /** Seed of the weights and of the data, which is random (default 0). */
  seed?: number;
  /** Called with the fraction that is done, 0 to 1. */
  onProgress?: (fraction: number) => void | Promise<void>;
  /** Stops measuring: the call rejects with AbortError. */
  signal?: AbortSignalLike;
}

/** A step of a plan, as it ran. Times are nanoseconds. */
export interface ProfileStep extends PlanStep {
  /**
   * Time in the round in which all steps together took least, since interference only slows down. 0:
   * `failure` says why, or the step was computed before the run (`workers` is 0).
   */
  nanoseconds: number;
  /** Median of the rounds. */
  medianNs: number;
  /** Share of the time of all steps, 0 to 1. */
  share: number;
  /** Floating-point operations performed, 10^9 a second. */
  gflops: number;
  /** Bytes of operands, each read or written once, 10^9 a second. */
  gbytes: number;
  /**
   * Least time that the ceilings of this machine allow: multiply-adds at the speed of all threads,
   * and each operand from the nearest memory that can still have it.
   */
  leastNs: number;
  /** `leastNs / nanoseconds`. */
  roofline: number;
  /** What sets `leastNs`: `"arithmetic"`, or a level of memory such as `"L2"`; empty: unknown. */
  limit: string;
  /** How it was computed, such as `"gemm packed"` or `"rows"`; empty for a step that only sets memory apart. */
  method: string;
  /** Mean number of threads that did some of the work. */
  workers: number;
  /**
   * Why there is no time (`"too short for this clock of 100 us"`), or no share of the roofline: the
   * step is faster than what `limit` names, so that is no ceiling for it. Else empty.
   */
  failure: string;
}

/** Steps of the same operation, shape and cost, together. */
export interface ProfileItem {
  /** Index of the first in `steps`. */
  step: number;
  /** Number of steps. */
  count: number;
  /** Their time. */
  nanoseconds: number;
  /** Their time above `leastNs`: what a better kernel could gain at most. */
  overNs: number;
}

/** Bandwidth of a level of memory, all threads together, in 10^9 bytes a second. */
export interface ProfileLevel {
  /** `"L1"`, `"L2"`, `"L3"` or `"memory"`, as far as they can be told apart. */
  name: string;
  /** Summing an array. */
  read: number;
  /** Copying one half of an array to the other. */
  copy: number;
  /** Adding two thirds of an array to the last. */
  add: number;
}

/** Where the time of a model's run goes, beside what this machine allows. */
export interface Profile extends Plan {
  /** Steps in the order in which they run. */
  steps: ProfileStep[];
  /** Steps grouped, most time above the ceilings first. */
  items: ProfileItem[];
  /** Number of rounds; in each, ceilings, runs and profiled runs are measured in turn. */
  rounds: number;
  /** Number of profiled runs. */
  runs: number;
  /** Time of a run without profiling, in the fastest round; a round's time is the mean of its runs. */
  nanoseconds: number;
  /** The same, median of the rounds. */
  medianNs: number;
  /** Time of all steps together, with a clock between them, in the fastest round. */
  stepsNs: number;
  /** The part of `stepsNs` whose steps have a share of the roofline; 0: none has. */
  boundedNs: number;
  /** Least time of the same steps. */
  leastNs: number;
  /** `leastNs / boundedNs`. */
  roofline: number;
  /** Ceiling of arithmetic, all threads together, in 10^9 operations a second. */
  peak: number;
  /** Ceilings of bandwidth, nearest memory first. */
  levels: ProfileLevel[];
  /** Sentences about what could not be measured, and why; else empty. */
  note: string;
}
