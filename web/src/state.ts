/** All that the page shows. Views read it, actions replace parts of it. */
import type { BenchProgress, EngineInfo, SuiteInfo } from 'parallax-nn';
import type { ResultSet } from './rows.js';
import type { RunOptions } from './url_state.js';

export type EngineState =
  | { phase: 'starting' }
  | { phase: 'ready'; info: EngineInfo }
  /** It never came up. */
  | { phase: 'failed'; message: string }
  /** It ran, and died. */
  | { phase: 'lost'; message: string };

export type RunState =
  | { phase: 'idle' }
  | { phase: 'running'; progress?: BenchProgress }
  | { phase: 'done'; milliseconds: number }
  | { phase: 'cancelled'; milliseconds: number }
  | { phase: 'failed'; message: string };

export type NativeState =
  | { phase: 'loading' }
  /** The page's origin has none. */
  | { phase: 'absent' }
  | { phase: 'failed'; message: string }
  | { phase: 'ready'; set: ResultSet };

/** A point of the loss curve. */
export interface LossPoint {
  step: number;
  seconds: number;
  loss: number;
}

export interface TrainingState {
  phase: 'idle' | 'running' | 'paused' | 'done' | 'stopped' | 'failed';
  message?: string;
  step: number;
  steps: number;
  epoch: number;
  epochs: number;
  seconds: number;
  samplesPerSecond?: number;
  train: readonly LossPoint[];
  held: readonly LossPoint[];
  /** On the samples held out, in the function's own units. */
  rmse?: number;
  r2?: number;
  /** Mean squared error of the noise, in the units of the curve. */
  floor?: number;
}

/** Where the images of the suites come from. */
export type MnistState =
  | { phase: 'looking' }
  | { phase: 'synthetic'; message?: string }
  | { phase: 'real'; source: string; images: number };

export interface AppState {
  options: RunOptions;
  suites: readonly SuiteInfo[];
  engine: EngineState;
  run: RunState;
  /** Why cases of the run were dropped. */
  dropped: readonly string[];
  /** Whether the page was hidden while the run went on. */
  hidden: boolean;
  browser: ResultSet | undefined;
  native: NativeState;
  files: readonly ResultSet[];
  fileErrors: readonly string[];
  mnist: MnistState;
  training: TrainingState;
  /** Counts changes of the colour scheme: charts are drawn again. */
  theme: number;
}

export const idleTraining: TrainingState = {
  phase: 'idle',
  step: 0,
  steps: 0,
  epoch: 0,
  epochs: 0,
  seconds: 0,
  train: [],
  held: [],
};
