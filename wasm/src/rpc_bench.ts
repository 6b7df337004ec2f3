/** The additional interface between client and engine for tasks and suites. */

import type { Loss } from './api.js';
import type { BenchProgress, BenchRow, BenchSize, SuiteInfo } from './api_bench.js';
import type {
  Exhibit,
  LearningAbout,
  LearnOptions,
  Measure,
  TaskInfo,
  TrainOutcome,
  TrainProgress,
} from './api_learning.js';
import type { Profile, ProfileOptions } from './api_profile.js';
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
  disposeRun(run: number): void;
  suites(): SuiteInfo[];
  benchTime(request: BenchPlan): number;
  profile(request: ProfileRequest, report: (fraction: number) => unknown): Promise<Profile>;
  bench(request: BenchRequest, report: (report: BenchReport) => unknown): Promise<void>;
}
