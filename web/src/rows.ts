/** Types for rows of result files, and for what the page takes from them. */
import type { Interval } from './interval.js';

/** Where measurements come from if not from this machine. */
export type Elsewhere = 'reference' | 'shared';

/** A measurement, whoever made it. */
export interface Measurement extends Interval {
  suite: string;
  case: string;
  parameters: Readonly<Record<string, string | number | boolean>>;
  metric: string;
  unit: string;
  /** Which direction is better; `none` for figures that only describe. */
  direction: 'lower' | 'higher' | 'none';
  /** The case's figure of speed, which enters ratios. */
  primary: boolean;
  /** Number of samples behind the median. */
  samples: number;
  /** Median of each round of the run; undefined in files of older versions. */
  rounds: readonly number[] | undefined;
  /** The samples in the order in which they were taken; the reference and links leave them out. */
  values: readonly number[] | undefined;
  /** Whose machine it is, unless it is this one's: that of the reference, or of a shared link. */
  origin?: Elsewhere;
  kind: 'native' | 'wasm';
  /** "parallax", or the library that it is compared with. */
  program: string;
  isa: string;
  /** Build of the engine in a browser; undefined natively. */
  tier: string | undefined;
  /** Whether it fuses multiply and add. */
  fma: boolean;
  threads: number;
  /** How many of the threads did work; undefined in files of older versions. */
  threadsWorked: number | undefined;
  /** Whether plans chose threads by assumed costs, so that the choice may be a bad one. */
  costsAssumed: boolean;
  /**
   * Whether the version that wrote it records rounds: then a row without rounds had only one. Files
   * of older versions never have rounds.
   */
  roundsWritten: boolean;
  /** Same bits on every platform: 128 bits, no fused multiply-add. */
  exact: boolean;
  /** "Chromium 156", "native avx512". */
  engine: string;
  machine: string;
  /** The day, "2026-11-30". */
  day: string;
  /** What the data was: "synthetic, seed 0", "MNIST test images". */
  data: string;
  /** The calls that it is a percentile of, and how many of them the clock was read for at once. */
  calls: { count: number; each: number } | undefined;
  /** Share of the machine's ceiling, if that was measured. */
  ceiling: Share | undefined;
  /** How it compares with what arithmetic and bandwidth allow. */
  roofline: Roofline | undefined;
  /** Histogram of errors, in the row's unit. */
  histogram: { edges: readonly number[]; counts: readonly number[] } | undefined;
  /** Gradients, from the plan and from finite differences. */
  scatter: { analytic: readonly number[]; numeric: readonly number[] } | undefined;
  /** Bytes by component. */
  memory: Readonly<Record<string, number>> | undefined;
  /** Loss against step of a training run. */
  curve: { step: readonly number[]; loss: readonly number[] } | undefined;
  /** The most that the figure may be. */
  bound: number | undefined;
  /** Hash of the losses of a training run; equal on all exact engines. */
  lossBits: string | undefined;
  /** Why the result is void. */
  voided: string | undefined;
}

/** A share of what the machine allows, 0 to 1, or why there is none. */
export type Share = { share: number; failure?: never } | { share?: never; failure: string };

/** One iteration against the roofline of its run; flops and bytes per second in units of 1e9. */
export interface Roofline {
  /** Operations actually executed. */
  flops: number;
  /** Operations by the definition, if the method needs fewer. */
  direct?: number;
  bytes: number;
  intensity: number;
  achieved: number;
  peak: number;
  bandwidth: number;
  attainable: number;
  share: number;
  level: 'L1' | 'L2' | 'L3' | 'memory';
  bound: 'arithmetic' | 'bandwidth';
  /** Why the share is invalid; then it must not be shown. */
  failure?: string;
}

/** A row as files hold it. */
export type Row = Readonly<Record<string, unknown>>;

/** Rows that belong together, with the name of their source. */
export interface ResultSet {
  name: string;
  rows: readonly Row[];
  measurements: readonly Measurement[];
}
