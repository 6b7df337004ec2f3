/** The additional interface between client and engine for tasks and suites. */

import type { Loss, Weight } from './api.js';
import type { BenchProgress, BenchRow, BenchSize, SuiteInfo } from './api_bench.js';
import type {
  Exhibit,
  HeldSample,
  LearningAbout,
  LearnOptions,
  Measure,
  TaskInfo,
  TrainOutcome,
  TrainProgress,
} from './api_learning.js';
import type { Profile, ProfileOptions } from './api_profile.js';
import type { TimedRuns, TimingOptions } from './api_timing.js';
import type { OptimizerKind } from './generated/kinds.js';
import type { EngineApi, JobRequest } from './rpc.js';

/** A run of suites. */
export interface BenchPlan {
  suites: string[];
  cases: string[];
  size: BenchSize;
  seed: number;
  seconds: number;
  rounds: number;
  /** Files of handwritten digits, uncompressed. */
  mnist?: { images: Uint8Array; labels: Uint8Array; source: string };
}

/** A call of bench. */
export interface BenchRequest extends BenchPlan, JobRequest {}

/** Progress of a benchmark: what happened since the last report. */
export interface BenchReport {
  rows: BenchRow[];
  progress?: BenchProgress;
}

/** A run of a task; zeros stand for the task's own values. Files are uncompressed. */
export interface LearnRequest
  extends Required<Pick<LearnOptions, 'task' | 'size' | 'seed' | 'steps' | 'batchSize' | 'rate'>>,
    Pick<LearnOptions, 'model' | 'optimizer'> {
  text?: { bytes: Uint8Array; source: string };
  table?: { bytes: Uint8Array; source: string };
  mnist?: NonNullable<BenchPlan['mnist']>;
}

/** A call of train. */
export interface TrainRequest extends JobRequest {
  /** Most steps to take; may be infinite. */
  steps: number;
}

/** A call of profile. */
export interface ProfileRequest
  extends JobRequest,
    Required<Pick<ProfileOptions, 'batchSize' | 'training' | 'seed'>> {
  /** Name of the model, with settings. */
  model: string;
  loss?: Loss;
}

/** Timed runs to prepare. */
export interface TimingRequest extends Required<Omit<TimingOptions, 'config' | 'optimizer'>> {
  /** Name of the model, with settings. */
  model: string;
  optimizer: OptimizerKind;
}

export type TrainReport = TrainProgress;

export interface BenchEngineApi extends EngineApi {
  tasks(): TaskInfo[];
  optimizers(): OptimizerKind[];
  /** Creates a run; the client assigns its number. */
  learn(run: number, request: LearnRequest): LearningAbout;
  trainRun(
    run: number,
    request: TrainRequest,
    report: (report: TrainReport) => unknown,
  ): Promise<TrainOutcome>;
  pauseRun(run: number): void;
  setRunRate(run: number, rate: number): void;
  evaluateRun(run: number): Measure[];
  exhibitRun(run: number): Exhibit[];
  runLosses(run: number, from: number): Float32Array;
  runWeights(run: number): Weight[];
  heldSample(run: number, i: number): HeldSample;
  /** Returns whether there was one to free. */
  disposeRun(run: number): boolean;
  suites(): SuiteInfo[];
  benchTime(request: BenchPlan): number;
  profile(request: ProfileRequest, report: (fraction: number) => unknown): Promise<Profile>;
  /** Prepares timed runs; the client assigns their number. Returns the step of the clock. */
  openTiming(timing: number, request: TimingRequest): number;
  runTiming(timing: number, times: number): TimedRuns;
  hashTiming(timing: number): string;
  /** Returns whether there was one to free. */
  disposeTiming(timing: number): boolean;
  bench(request: BenchRequest, report: (report: BenchReport) => unknown): Promise<void>;
}
