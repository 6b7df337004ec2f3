/** Sample rows for tests of the page. */
import type { ChartSpec } from '../../../web/src/chart_spec.js';
import type { Foreign } from '../../../web/src/compare.js';
import { toMeasurement } from '../../../web/src/measurement.js';
import type { Measurement, ResultSet, Row } from '../../../web/src/rows.js';
import { shownResults } from '../../../web/src/shown.js';
import type { AppState } from '../../../web/src/state.js';
import { chartsOf } from '../../../web/src/suite_charts.js';

export interface Change {
  kind?: 'native' | 'wasm';
  exact?: boolean;
  threads?: number;
  median?: number;
  better?: string;
  name?: string;
  program?: string;
  seed?: number;
  suite?: string;
  metric?: string;
  primary?: boolean;
  parameters?: Record<string, string | number>;
  lossBits?: string;
  /** Medians of each round of the run. */
  rounds?: readonly number[];
  /** Samples to use instead of those derived from the median. */
  samples?: Record<string, unknown>;
  threadsWorked?: number;
  costs?: string;
  ceiling?: { share?: number; failure?: string };
}

/** What rows of a run with made-up data on one thread have in common. */
export const origin = (kind: 'native' | 'wasm') => ({
  engine: {
    kind,
    name: 'parallax',
    version: '0.1.0',
    isa: 'avx512',
    threads: 1,
    exact: false,
    ...(kind === 'wasm' ? { tier: 'simd', runtime: 'Chromium 156' } : {}),
  },
  machine: { name: 'test machine' },
  data: { kind: 'synthetic', seed: 0 },
  checks: { passed: true },
});

/** A row as the engines write it. */
export function row(change: Change = {}): Row {
  const { kind = 'wasm', exact = false, threads = 2, median = 100, better = 'lower' } = change;
  return {
    schema: 'parallax-results-1',
    suite: change.suite ?? 'mlp',
    case: change.name ?? 'train 784-200-10, batch 64',
    parameters: change.parameters ?? { batch: 64 },
    metric: change.metric ?? 'step time',
    unit: 'us',
    better,
    primary: change.primary ?? true,
    samples: change.samples ?? {
      count: 20,
      median,
      p10: median * 0.9,
      p90: median * 1.1,
      low: median * 0.98,
      high: median * 1.02,
      ...(change.rounds ? { rounds: change.rounds } : {}),
    },
    engine: {
      kind,
      name: change.program ?? 'parallax',
      version: '0.1.0',
      isa: exact ? 'sse2' : 'avx512',
      gemm: 'builtin',
      threads,
      exact,
      ...(change.threadsWorked ? { threadsWorked: change.threadsWorked } : {}),
      ...(change.costs ? { costs: change.costs } : {}),
      ...(kind === 'wasm' ? { tier: 'simd-threads', runtime: 'Chromium 156' } : {}),
    },
    machine: { name: 'test machine', cpus: 2, system: 'none' },
    data: { kind: 'synthetic', seed: change.seed ?? 0 },
    ...(change.ceiling ? { ceiling: change.ceiling } : {}),
    checks: { passed: true, ...(change.lossBits ? { lossBits: change.lossBits } : {}) },
  };
}

export const measure = (...changes: Change[]): Measurement[] =>
  changes.map((change) => toMeasurement(row(change)));

const setOf = (name: string, measurements: readonly Measurement[]): ResultSet => ({
  name,
  rows: [],
  measurements,
});

export interface Given {
  native: readonly Measurement[];
  browser: readonly Measurement[];
  others: readonly Foreign[];
  /** Whether the native results are in a file of the user, not served with the page. */
  alone: boolean;
}

/** The state of a page that has these results. */
export function stateWith({ native, browser, others, alone }: Given): AppState {
  const files = new Map<string, Measurement[]>();
  for (const { file, measurement } of others) {
    files.set(file, [...(files.get(file) ?? []), measurement]);
  }
  const own = [...files].map(([name, some]) => setOf(name, some));
  return {
    native: alone ? { phase: 'absent' } : { phase: 'ready', set: setOf('native.jsonl', native) },
    files: alone && native.length > 0 ? [setOf('mine.jsonl', native), ...own] : own,
    compared: [],
    browser: browser.length > 0 ? setOf('this browser', browser) : undefined,
    shared: { phase: 'absent' },
    reference: { phase: 'absent' },
  } as unknown as AppState;
}

/** The charts of all suites that the page would show. */
export const suiteCharts = (given: Given): ChartSpec[] =>
  shownResults(stateWith(given)).suites.flatMap(({ suite, cases, native }) =>
    chartsOf(suite, cases, native),
  );
