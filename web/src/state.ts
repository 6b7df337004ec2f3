/** Everything that the page shows. Views read it, actions replace parts of it. */
import type {
  BenchProgress,
  EngineInfo,
  Exhibit,
  LearningAbout,
  Measure,
  SuiteInfo,
  TaskInfo,
} from 'parallax-nn/bench';
import type { ProfileResult } from './profile_text.js';
import type { ResultSet } from './rows.js';
import type { RunOptions } from './url_state.js';

export type EngineState =
  | { phase: 'starting' }
  | { phase: 'ready'; info: EngineInfo }
  /** It did not start. */
  | { phase: 'failed'; message: string }
  /** It started, but stopped unexpectedly. */
  | { phase: 'lost'; message: string };

export type RunState =
  | { phase: 'idle' }
  | { phase: 'running'; progress?: BenchProgress }
  | { phase: 'done'; milliseconds: number }
  | { phase: 'cancelled'; milliseconds: number }
  | { phase: 'failed'; message: string };

/** How long a run of the chosen suites would take. */
export type EstimateState =
  /** Nothing is chosen. */
  | { phase: 'nothing' }
  /** The engine is starting or busy. */
  | { phase: 'waiting' }
  | { phase: 'asking' }
  | { phase: 'known'; milliseconds: number }
  | { phase: 'unknown'; message: string };

export type NativeState =
  | { phase: 'loading' }
  /** The page's origin has none. */
  | { phase: 'absent' }
  | { phase: 'failed'; message: string }
  | { phase: 'ready'; set: ResultSet };

/** A point of the loss curve, which stands for one or more steps. */
export interface LossPoint {
  /** The last step. */
  step: number;
  /** Seconds of training up to that step. */
  seconds: number;
  /** Mean loss of the steps. */
  loss: number;
  /** Least and greatest loss of the steps. */
  low: number;
  high: number;
}

/** Speed of training per second, over the last seconds. */
export interface Speed {
  samples: number;
  /** 0 if the data is not text. */
  tokens: number;
  gflops: number;
  /** Share of the peak arithmetic measured on this machine, 0 to 1. */
  share: number;
}

export type TrainingPhase =
  | 'idle'
  | 'preparing'
  | 'running'
  | 'paused'
  | 'stopped'
  | 'done'
  | 'failed';

export interface TrainingState {
  phase: TrainingPhase;
  /** Why it failed. */
  message?: string;
  /** Description of the run that is shown. */
  about?: LearningAbout;
  /** Current learning rate; set during a run. */
  rate?: number;
  step: number;
  seconds: number;
  speed?: Speed;
  train: readonly LossPoint[];
  held: readonly LossPoint[];
  measures: readonly Measure[];
  exhibits: readonly Exhibit[];
  /** The step at which the measures were taken. */
  measuredAt: number;
  /** Whether the model is being evaluated, which may take as long as training did. */
  looking: boolean;
  /** A request that waits until the engine is free. */
  waiting: 'nothing' | 'pause' | 'stop';
  /** Loss of every step. */
  losses: readonly number[];
  /** Whether the user chose the learning rate, so that losses differ from the task's default. */
  steered: boolean;
}

export interface ProfileState {
  phase: 'idle' | 'running' | 'done' | 'cancelled' | 'failed';
  /** How much of a running profile is done, 0 to 1. */
  fraction?: number;
  /** Why it failed. */
  message?: string;
  /** The last profile. */
  result?: ProfileResult;
}

/** A file to train on. */
export interface TrainingFile {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
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
  estimate: EstimateState;
  run: RunState;
  /** Why cases of the run were dropped. */
  dropped: readonly string[];
  /** Whether the page was hidden during the run. */
  hidden: boolean;
  browser: ResultSet | undefined;
  native: NativeState;
  files: readonly ResultSet[];
  fileErrors: readonly string[];
  mnist: MnistState;
  tasks: readonly TaskInfo[];
  optimizers: readonly string[];
  training: TrainingState;
  /** Names of models that can be profiled. */
  models: readonly string[];
  profile: ProfileState;
  /** Texts and tables to train on; images of digits are shared with the suites. */
  trainingFiles: Readonly<Partial<Record<'text' | 'table', TrainingFile>>>;
  /** Why a training file was rejected. */
  trainingFileError: string | undefined;
  /** Counts changes of the colour scheme, so that charts are redrawn. */
  theme: number;
}

/** The chosen suites that the engine has; undefined for all. */
export function chosenSuites({ options, suites }: AppState): string[] | undefined {
  return options.suites?.filter((name) => suites.some((suite) => suite.name === name));
}

export const idleTraining: TrainingState = {
  phase: 'idle',
  step: 0,
  seconds: 0,
  train: [],
  held: [],
  measures: [],
  exhibits: [],
  measuredAt: 0,
  looking: false,
  waiting: 'nothing',
  losses: [],
  steered: false,
};
