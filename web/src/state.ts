/** All that the page shows. Views read it, actions replace parts of it. */
import type {
  BenchProgress,
  EngineInfo,
  Exhibit,
  LearningAbout,
  Measure,
  SuiteInfo,
  TaskInfo,
} from 'parallax-nn/bench';
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

/** How long a run of the chosen suites would take. */
export type EstimateState =
  /** Nothing is chosen. */
  | { phase: 'nothing' }
  /** The engine starts, or is at other work. */
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

/** Some steps of the loss curve in one point. */
export interface LossPoint {
  /** The last of them. */
  step: number;
  /** Of training, when it was done. */
  seconds: number;
  /** Their mean. */
  loss: number;
  /** The least and the greatest of them. */
  low: number;
  high: number;
}

/** How fast training goes, over the last seconds. */
export interface Speed {
  samples: number;
  /** 0: not a text. */
  tokens: number;
  gflops: number;
  /** Of the most arithmetic that this machine was seen to do, 0 to 1. */
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
  /** Of the run that is shown. */
  about?: LearningAbout;
  /** As it is now; set while the run goes on. */
  rate?: number;
  step: number;
  seconds: number;
  speed?: Speed;
  train: readonly LossPoint[];
  held: readonly LossPoint[];
  measures: readonly Measure[];
  exhibits: readonly Exhibit[];
  /** At which step the measures were taken. */
  measuredAt: number;
  /** Whether what was learnt is being measured, which may take as long as training did. */
  looking: boolean;
  /** What was asked of the run, and waits until the engine is free to do it. */
  waiting: 'nothing' | 'pause' | 'stop';
  /** Of every step. */
  losses: readonly number[];
  /** Whether the learning rate was chosen, so that losses are not those of the task as it is. */
  steered: boolean;
}

/** A file to learn from. */
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
  /** Whether the page was hidden while the run went on. */
  hidden: boolean;
  browser: ResultSet | undefined;
  native: NativeState;
  files: readonly ResultSet[];
  fileErrors: readonly string[];
  mnist: MnistState;
  tasks: readonly TaskInfo[];
  training: TrainingState;
  /** Texts and tables that were given to learn from; digits are those of the suites. */
  trainingFiles: Readonly<Partial<Record<'text' | 'table', TrainingFile>>>;
  /** Why a file was not taken. */
  trainingFileError: string | undefined;
  /** Counts changes of the colour scheme: charts are drawn again. */
  theme: number;
}

/** The suites to run: those chosen that the engine has; undefined for all. */
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
