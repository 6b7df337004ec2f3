/** The public types of `parallax-nn/bench`. */
import type { AbortSignalLike, Load, Parallax } from './api.js';
import type { Learning, LearnOptions, TaskInfo } from './api_learning.js';

/** How long a suite may take: seconds, as published, or everything. */
export type BenchSize = 'quick' | 'default' | 'full';

/** One measurement: a row of `bench/results.schema.json`. */
export type BenchRow = Record<string, unknown>;

/** What a running bench is at. */
export interface BenchProgress {
  /** Suite at work. */
  suite: string;
  /** Case at work. */
  case: string;
  /** Share done of the whole, 0 to 1. */
  fraction: number;
  /** The round at work, from 1: every round visits all cases, with fresh memory. */
  round: number;
  /** How many there are. */
  rounds: number;
  /** Milliseconds since the bench began. */
  milliseconds: number;
  /** Milliseconds that it still takes: an estimate, from what was measured so far. */
  millisecondsLeft: number;
  /** Why a case was dropped just now; the others go on. */
  failure?: string;
}

/** A suite that `bench` can run. */
export interface SuiteInfo {
  /** For `bench({suites: [name]})`. */
  name: string;
  /** One sentence. */
  description: string;
}

/** Real data for suites. */
export interface BenchData {
  /** Handwritten digits: the two IDX files of MNIST, compressed by gzip or not. */
  mnist?: {
    images: ArrayBuffer | Uint8Array;
    labels: ArrayBuffer | Uint8Array;
    /** What rows call the data (default `"MNIST"`). */
    source?: string;
  };
}

/** What says which cases `bench` measures, and how long. */
export interface BenchChoice {
  /** Names; default all. */
  suites?: string[];
  /** Default `"default"`. */
  size?: BenchSize;
  /** Only cases whose name has one of these texts, which have no commas; default all. */
  cases?: string[];
  /** Of measuring per case; default as `size` says. */
  seconds?: number;
  /** That the run is split into, at most 32; default as `size` says. */
  rounds?: number;
}

/** Options of `bench`. */
export interface BenchOptions extends BenchChoice {
  /** Of the data and the order of cases (default 0). */
  seed?: number;
  /** Real data. Without it, suites use seeded noise and their rows say so. */
  data?: BenchData;
  /** Called with each row, when the last round is over. */
  onRow?: (row: BenchRow) => void | Promise<void>;
  /** Called as the bench goes on, one slice ahead of a promise that it may give. */
  onProgress?: (progress: BenchProgress) => void | Promise<void>;
  /** Stops it: rows measured by then still go to `onRow`, and the call rejects with AbortError. */
  signal?: AbortSignalLike;
}

/** An engine that also has the learning tasks, and the suites that measure it. */
export interface BenchParallax extends Parallax {
  /** The tasks that `learn` knows. */
  tasks(): Promise<TaskInfo[]>;
  /** Makes data, model and optimizer of a task, ready to train. */
  learn(options: LearnOptions): Promise<Learning>;
  /** The suites that `bench` knows. */
  suites(): Promise<SuiteInfo[]>;
  /** Runs suites, and resolves to all rows. */
  bench(options?: BenchOptions): Promise<BenchRow[]>;
  /**
   * About how many milliseconds `bench` would take with these options on this machine, from the cases
   * that they choose.
   */
  benchTime(options?: BenchChoice): Promise<number>;
}

/** Starts an engine with tasks and suites. */
export type LoadBench = Load<BenchParallax>;
