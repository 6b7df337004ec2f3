/** Rows of result files, and what the page takes from them. */
import type { Interval } from './interval.js';

/** A measurement, whoever made it. */
export interface Measurement extends Interval {
  suite: string;
  case: string;
  parameters: Readonly<Record<string, string | number | boolean>>;
  metric: string;
  unit: string;
  /** Which way is better; none for what only describes. */
  direction: 'lower' | 'higher' | 'none';
  /** The case's figure of speed, which enters ratios. */
  primary: boolean;
  /** Number of samples behind the median. */
  samples: number;
  /** Median of each round of the run; undefined in files of older versions. */
  rounds: readonly number[] | undefined;
  kind: 'native' | 'wasm';
  /** "parallax", or the library that it is compared with. */
  program: string;
  isa: string;
  threads: number;
  /** How many of them took part in the work; undefined in files of older versions. */
  threadsWorked: number | undefined;
  /** Whether the costs by which plans choose threads were assumed: then the choice may be a bad one. */
  costsAssumed: boolean;
  /**
   * Whether its version writes the rounds of a row that has several: then a row without them had one.
   * Files of older versions never have them.
   */
  roundsWritten: boolean;
  /** Same bits on every platform: 128 bits, no fused multiply-add. */
  exact: boolean;
  /** "Chromium 156", "native avx512". */
  engine: string;
  machine: string;
  /** What the data was: "synthetic, seed 0", "MNIST test images". */
  data: string;
  /** Of the machine's ceiling, when it was measured. */
  ceiling: Share | undefined;
  /** Where it stands below what arithmetic and bandwidth allow. */
  roofline: Roofline | undefined;
  /** Of errors, in the row's unit. */
  histogram: { edges: readonly number[]; counts: readonly number[] } | undefined;
  /** Gradients, from the plan and from differences. */
  scatter: { analytic: readonly number[]; numeric: readonly number[] } | undefined;
  /** Of a training run's losses; equal on all exact engines. */
  lossBits: string | undefined;
  /** Why the result does not count. */
  voided: string | undefined;
}

/** A share of what the machine allows, 0 to 1, or why there is none. */
export type Share = { share: number; failure?: never } | { share?: never; failure: string };

/** One iteration against the roofline of its run; flops and bytes per second in units of 1e9. */
export interface Roofline {
  /** That are done. */
  flops: number;
  /** That the operation takes by its definition, where its method needs fewer. */
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
  /** Why the share does not count: then it is not to be shown. */
  failure?: string;
}

/** A row as it is written to files. */
export type Row = Readonly<Record<string, unknown>>;

/** Rows that belong together, and where they came from. */
export interface ResultSet {
  name: string;
  rows: readonly Row[];
  measurements: readonly Measurement[];
}
