/** Everything that the page shows. Views read it, actions replace parts of it. */
import type {
  BenchProgress,
  EngineInfo,
  Exhibit,
  HeldSample,
  LearningAbout,
  Measure,
  SuiteInfo,
  TaskInfo,
  Weight,
} from 'parallax-nn/bench';
import type { AbResult } from './ab_run.js';
import type { Frames } from './frames.js';
import type { KeptRun } from './kept_run.js';
import type { PeersResult } from './peers_result.js';
import type { ProfileResult } from './profile_text.js';
import type { Route } from './route.js';
import type { ResultSet } from './rows.js';
import type { SelfTestState } from './self_test_state.js';
import type { SiteState } from './service_worker_client.js';
import type { TableState } from './table_state.js';
import type { TrainingChoice } from './training.js';
import type { TwinsState } from './twins_state.js';
import type { FormState, RunOptions } from './url_state.js';

export type EngineState =
  | { phase: 'starting' }
  /** began: when it was asked for, on the clock of the page; first: it is the first of this visit. */
  | { phase: 'ready'; info: EngineInfo; began: number; first: boolean }
  /** It did not start. */
  | { phase: 'failed'; message: string }
  /** It started, but stopped unexpectedly. */
  | { phase: 'lost'; message: string };

export type RunState =
  | { phase: 'idle' }
  | { phase: 'running'; progress?: BenchProgress }
  /** estimated: the milliseconds that were expected, if that was known. */
  | { phase: 'done'; milliseconds: number; estimated?: number }
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

/** Results of other machines: those that come with the page, or those of a link. */
export type ElsewhereState =
  | { phase: 'loading' }
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

/** What a run has learnt so far, where it can be tried: on drawn digits, or to continue a text. */
export type Learnt =
  /** samples: digits that were not trained on. */
  | { kind: 'digits'; weights: readonly Weight[]; samples: readonly HeldSample[] }
  /** characters: the code point of each id. */
  | { kind: 'text'; weights: readonly Weight[]; characters: readonly number[] }
  /** What cannot be tried on this page. */
  | { kind: 'weights'; weights: readonly Weight[] };

export interface TrainingState {
  phase: TrainingPhase;
  /** Why it failed. */
  message?: string;
  /** What was asked for. */
  choice?: TrainingChoice;
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
  learnt?: Learnt;
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

/** Probabilities of the digits for what is drawn. */
export type ReadingState =
  | { phase: 'none' }
  | { phase: 'known'; shares: readonly number[] }
  | { phase: 'failed'; message: string };

/** A text that the trained language model continues. */
export type WritingState =
  | { phase: 'none' }
  | { phase: 'writing'; text: string }
  | { phase: 'done'; text: string }
  | { phase: 'failed'; text: string; message: string };

export interface ProfileState {
  phase: 'idle' | 'running' | 'done' | 'cancelled' | 'failed';
  /** How much of a running profile is done, 0 to 1. */
  fraction?: number;
  /** Why it failed. */
  message?: string;
  /** The last profile. */
  result?: ProfileResult;
}

/** A measurement beside other libraries. */
export type PeersState =
  | { phase: 'idle' }
  | {
      phase: 'running';
      /** fraction: 0 to 1; what is left is not known at the beginning. */
      progress: { what: string; fraction: number; millisecondsLeft?: number };
    }
  | { phase: 'done' | 'cancelled'; milliseconds: number }
  | { phase: 'failed'; message: string };
/** An A/B test on this page. */
export interface AbState {
  phase: 'idle' | 'starting' | 'running' | 'done' | 'cancelled' | 'failed';
  /** Pairs that are measured, of all; undefined until both sides are warm. */
  progress?: { pairs: number; of: number; millisecondsLeft: number };
  /** Why it failed. */
  message?: string;
  /** The last result. */
  result?: AbResult;
}

/** The earlier runs that this browser keeps. */
export interface EarlierState {
  phase: 'unread' | 'reading' | 'ready' | 'unavailable';
  /** The newest first. */
  runs: readonly KeptRun[];
  /** Number of entries that this version cannot read. */
  unreadable: number;
  /** The one whose results the page shows as this browser's. */
  current?: string;
  /** What failed, or why nothing can be kept. */
  problem?: string;
  /** What left to make room. */
  note?: string;
}

/** An earlier run that is shown beside others. */
export interface ComparedRun extends ResultSet {
  id: string;
}

/** A file to train on. */
export interface TrainingFile {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Where the images of the suites come from. */
export type MnistState =
  /** Those of the page will be loaded when they are needed; `from` is their source. */
  | { phase: 'offered'; images: number; from: string }
  | { phase: 'loading' }
  | { phase: 'synthetic'; message?: string }
  | { phase: 'real'; source: string; images: number };

export interface AppState {
  route: Route;
  options: RunOptions;
  /** Settings of the other forms that are not their defaults. */
  form: FormState;
  /** What the address says that means nothing here. */
  misread: readonly string[];
  suites: readonly SuiteInfo[];
  /** The suites that a run of a minute has room for. */
  minute: 'unknown' | readonly string[];
  engine: EngineState;
  estimate: EstimateState;
  run: RunState;
  /** Why cases of the run were dropped. */
  dropped: readonly string[];
  /** Why the whole run is void; undefined if it is not. */
  voided: string | undefined;
  browser: ResultSet | undefined;
  native: NativeState;
  /** Results of a named other machine, which come with the page. */
  reference: ElsewhereState;
  /** Results in the address, which someone else measured. */
  shared: ElsewhereState;
  files: readonly ResultSet[];
  earlier: EarlierState;
  /** Earlier runs that were chosen to be compared with. */
  compared: readonly ComparedRun[];
  ab: AbState;
  fileErrors: readonly string[];
  mnist: MnistState;
  tasks: readonly TaskInfo[];
  optimizers: readonly string[];
  training: TrainingState;
  reading: ReadingState;
  writing: WritingState;
  table: TableState;
  /** How smoothly the page was drawn during the last training; undefined if nothing was trained. */
  frames: Frames | undefined;
  twins: TwinsState;
  selfTest: SelfTestState;
  /** Names of models that can be profiled. */
  models: readonly string[];
  profile: ProfileState;
  peers: PeersState;
  /** What the last measurement found, as far as it got. */
  peersResult: PeersResult | undefined;
  /** Texts and tables to train on; images of digits are shared with the suites. */
  trainingFiles: Readonly<Partial<Record<'text' | 'table', TrainingFile>>>;
  /** Why a training file was rejected. */
  trainingFileError: string | undefined;
  /** Counts changes of the colour scheme, so that charts are redrawn. */
  theme: number;
  site: SiteState;
  /** Results that the user has downloaded: sets of rows, descriptions of training runs, A/B tests. */
  saved: readonly object[];
  /** Whether the user has agreed to lose what is not saved. */
  leaving: boolean;
}

/** Whether an A/B test measures, which nothing may disturb. */
export const isTesting = ({ ab }: Pick<AppState, 'ab'>): boolean =>
  ab.phase === 'starting' || ab.phase === 'running';

/** Whether the choice of suites is left to the page: as many as fit into a minute. */
export const isMinute = ({ options }: Pick<AppState, 'options'>): boolean =>
  options.suites === undefined && options.size === 'quick';

/** Whether the suites of a minute are chosen, but not known yet. */
export const awaitsMinute = (state: AppState): boolean =>
  isMinute(state) && state.minute === 'unknown';

/** The chosen suites that the engine has; undefined for all. */
export function chosenSuites(state: AppState): string[] | undefined {
  const { options, suites, minute } = state;
  if (isMinute(state)) {
    return typeof minute === 'object' && minute.length < suites.length ? [...minute] : undefined;
  }
  const { suites: names } = options;
  if (typeof names !== 'object') return undefined;
  return names.filter((name) => suites.some((suite) => suite.name === name));
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
