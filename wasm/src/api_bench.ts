/** The public types of `parallax-nn/bench`. */
import type { AbortSignalLike, Load, Parallax } from './api.js';
import type { Learning, LearnOptions, TaskInfo } from './api_learning.js';
import type { Profile, ProfileOptions } from './api_profile.js';
import type { Timing, TimingOptions } from './api_timing.js';
import type { OptimizerKind } from './generated/kinds.js';

/**
 * How much a suite measures: `quick`, what takes seconds; `default`, the cases whose results are
 * published; `full`, every case.
 */
export type BenchSize = 'quick' | 'default' | 'full';

/** One measurement: a row of `bench/results.schema.json`. */
export type BenchRow = Record<string, unknown>;

/** Progress of a running benchmark. */
export interface BenchProgress {
  /** Current suite. */
  suite: string;
  /** Current case. */
  case: string;
  /** Fraction done of the whole run, 0 to 1. */
  fraction: number;
  /** Current round, from 1; every round visits all cases, with fresh memory. */
  round: number;
  /** Total number of rounds. */
  rounds: number;
  /** Milliseconds since the benchmark began. */
  milliseconds: number;
  /** Estimated milliseconds left, from what was measured so far. */
  millisecondsLeft: number;
  /** Reason why a case was just dropped; the others continue. */
  failure?: string;
}

/** A suite that `bench` can run. */
export interface SuiteInfo {
  /** Name, for `bench({suites: [name]})`. */
  name: string;
  /** Description in one sentence. */
  description: string;
}

/** Real data for suites. */
export interface BenchData {
  /** Handwritten digits: the two IDX files of MNIST, gzip-compressed or not. */
  mnist?: {
    /** The file of images. */
    images: ArrayBuffer | Uint8Array;
    /** The file of labels. */
    labels: ArrayBuffer | Uint8Array;
    /** Name of the data in the rows (default `"MNIST"`). */
    source?: string;
  };
}

/** Options that choose the cases that `bench` measures, and for how long. */
export interface BenchChoice {
  /** Names of suites (default: all). */
  suites?: string[];
  /** How much to measure (default `"default"`). */
  size?: BenchSize;
  /**
   * Selects cases whose name contains one of these texts; a text with a comma is the whole name of a
   * case: `"784-200-10, batch 1"` (default: all).
   */
  cases?: string[];
  /** Seconds of measuring per case (default: set by `size`). */
  seconds?: number;
  /** Rounds into which the run is split, at most 32 (default: set by `size`). */
  rounds?: number;
}

/** Options of `bench`. */
export interface BenchOptions extends BenchChoice {
  /** Seed of the data and of the order of cases (default 0). */
  seed?: number;
  /** Real data. Without it, suites use seeded noise and their rows say so. */
  data?: BenchData;
  /** Called with each row after the last round. */
  onRow?: (row: BenchRow) => void | Promise<void>;
  /** Called with progress; the benchmark runs at most one slice ahead of a returned promise. */
  onProgress?: (progress: BenchProgress) => void | Promise<void>;
  /**
   * Stops the run: rows measured so far still go to `onRow`, and the call rejects with AbortError.
   */
  signal?: AbortSignalLike;
}

/** An engine that also has the learning tasks and the benchmark suites. */
export interface BenchParallax extends Parallax {
  /** Lists the tasks that `learn` can run. */
  tasks(): Promise<TaskInfo[]>;
  /** Lists the optimizers that `learn` can use. */
  optimizers(): Promise<OptimizerKind[]>;
  /**
   * Creates the data, model and optimizer of a task, ready to train.
   *
   * @example
   * ```ts
   * const run = await plx.learn({ task: 'interp5d', size: 'quick', steps: 20 });
   * await run.train({ onProgress: ({ step, loss }) => console.log(step, loss) });
   * console.log(await run.evaluate());
   * await run.dispose();
   * ```
   */
  learn(options: LearnOptions): Promise<Learning>;
  /** Lists the suites that `bench` can run. */
  suites(): Promise<SuiteInfo[]>;
  /**
   * Measures where the time of a model's run goes: each step with its time, rate, percent of the
   * roofline of this machine, method and threads. The model is one that `model` knows by name, with
   * weights and data of its own. Takes seconds.
   *
   * @example
   * ```ts
   * const { items, steps, roofline } = await plx.profile('mlp:64-32-10', { training: true });
   * for (const { step, count, overNs } of items.slice(0, 5)) {
   *   console.log(steps[step].op, steps[step].shape, count, overNs);
   * }
   * ```
   */
  profile(model: string, options?: ProfileOptions): Promise<Profile>;
  /**
   * Prepares runs of a model that are timed when they are asked for. Two timings that take turns
   * compare batch sizes, optimizers, or engines, as `bench` does not. The model is one that `model`
   * knows by name, with weights and data of its own.
   *
   * @example
   * ```ts
   * const sgd = await plx.timing('mlp:64-32-10', { training: true, optimizer: 'sgd' });
   * const adam = await plx.timing('mlp:64-32-10', { training: true, optimizer: 'adam' });
   * for (const timing of [sgd, adam]) await timing.run(1); // packs weights, fills caches
   * for (let pair = 0; pair < 3; pair++) {
   *   const [one, other] = [await sgd.run(100), await adam.run(100)];
   *   console.log(other.nanoseconds / one.nanoseconds);
   * }
   * for (const timing of [sgd, adam]) await timing.dispose();
   * ```
   */
  timing(model: string, options?: TimingOptions): Promise<Timing>;
  /**
   * Runs suites and resolves to all rows.
   *
   * @example
   * ```ts
   * const rows = await plx.bench({
   *   suites: ['gemm'],
   *   cases: ['128 x 128 x 128'],
   *   size: 'quick',
   *   seconds: 0.01,
   *   onProgress: ({ fraction }) => console.log(fraction),
   * });
   * ```
   */
  bench(options?: BenchOptions): Promise<BenchRow[]>;
  /**
   * Estimates how many milliseconds `bench` would take on this machine with these options, from the
   * cases that they select.
   */
  benchTime(options?: BenchChoice): Promise<number>;
}

/** Starts an engine with tasks and suites. */
export type LoadBench = Load<BenchParallax>;
