/** The state of the self-test. */
import type { Tier } from 'parallax-nn/bench';

export type Verdict = 'passed' | 'failed' | 'skipped' | 'told';

/** One finding. told: a figure without a promise to hold it against. */
export interface Finding {
  tier: Tier;
  check: string;
  verdict: Verdict;
  detail: string;
}

export interface SelfTestState {
  phase: 'idle' | 'running' | 'done' | 'cancelled' | 'failed';
  /** Done of the whole test, 0 to 1. */
  fraction: number;
  /** The tier and the case that is being tested. */
  doing: string;
  findings: readonly Finding[];
  /** Why it failed to go on. */
  message?: string;
}

export const idleSelfTest: SelfTestState = {
  phase: 'idle',
  fraction: 0,
  doing: '',
  findings: [],
};
