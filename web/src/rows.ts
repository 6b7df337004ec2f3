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
  kind: 'native' | 'wasm';
  /** "parallax", or the library that it is compared with. */
  program: string;
  isa: string;
  threads: number;
  /** Same bits on every platform: 128 bits, no fused multiply-add. */
  exact: boolean;
  /** "Chromium 156", "native avx512". */
  engine: string;
  machine: string;
  /** What the data was: "synthetic, seed 0", "MNIST test images". */
  data: string;
  /** Share of the machine's ceiling, 0 to 1, when it was measured. */
  ceiling: number | undefined;
  /** Of a training run's losses; equal on all exact engines. */
  lossBits: string | undefined;
  /** Why the result does not count. */
  voided: string | undefined;
}

/** A row as it is written to files. */
export type Row = Readonly<Record<string, unknown>>;

/** Rows that belong together, and where they came from. */
export interface ResultSet {
  name: string;
  rows: readonly Row[];
  measurements: readonly Measurement[];
}
