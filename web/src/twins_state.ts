/** The state of two engines that train in turns. */
import type { Tier } from 'parallax-nn/bench';
import type { LossPoint } from './state.js';

/** Where two runs of losses differ first. */
export interface Comparison {
  /** Steps that both have done. */
  compared: number;
  /** The first step whose losses have other bits, from 1; undefined if none has. */
  differs: number | undefined;
  /** The largest difference of a step, as a share of the loss. */
  largest: number;
}

export interface Twin {
  tier: Tier;
  threads: number;
  exact: boolean;
  curve: readonly LossPoint[];
  /** Seconds of its own turns. */
  seconds: number;
}

export interface TwinsState {
  phase: 'idle' | 'starting' | 'running' | 'pausing' | 'paused' | 'done' | 'stopped' | 'failed';
  message?: string;
  model: string;
  steps: number;
  twins: readonly Twin[];
  found: Comparison;
}

export const idleTwins: TwinsState = {
  phase: 'idle',
  model: '',
  steps: 0,
  twins: [],
  found: { compared: 0, differs: undefined, largest: 0 },
};

export const areTwinsActive = ({ phase }: Pick<TwinsState, 'phase'>): boolean =>
  ['starting', 'running', 'pausing', 'paused'].includes(phase);
