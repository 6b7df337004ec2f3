import { expect, test } from '@playwright/test';
import { pairCases, ratiosOf, summarise } from '../../../web/src/compare.js';
import { toMeasurement, voidRow } from '../../../web/src/measurement.js';
import type { Row } from '../../../web/src/rows.js';
import { axisOf, suiteCharts } from '../../../web/src/suite_charts.js';

interface Change {
  kind?: 'native' | 'wasm';
  exact?: boolean;
  threads?: number;
  median?: number;
  better?: string;
  name?: string;
  suite?: string;
  metric?: string;
  primary?: boolean;
  parameters?: Record<string, string | number>;
  lossBits?: string;
}

/** A row as the engines write it. */
function row(change: Change = {}): Row {
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
    samples: {
      count: 20,
      median,
      p10: median * 0.9,
      p90: median * 1.1,
      low: median * 0.98,
      high: median * 1.02,
    },
    engine: {
      kind,
      name: 'parallax',
      version: '0.1.0',
      isa: exact ? 'sse2' : 'avx512',
      gemm: 'builtin',
      threads,
      exact,
      ...(kind === 'wasm' ? { tier: 'simd-threads', runtime: 'Chromium 156' } : {}),
    },
    machine: { name: 'test machine', cpus: 2, system: 'none' },
    data: { kind: 'synthetic', seed: 0 },
    checks: { passed: true, ...(change.lossBits ? { lossBits: change.lossBits } : {}) },
  };
}

const measure = (...changes: Change[]) => changes.map((change) => toMeasurement(row(change)));

const native = measure(
  { kind: 'native', median: 100 },
  { kind: 'native', median: 150, exact: true },
);

test('a row becomes a measurement with its interval, engine and data', () => {
  const [m] = measure({ median: 50 });
  expect(m).toMatchObject({
    value: 50,
    low: 49,
    high: 51,
    samples: 20,
    kind: 'wasm',
    engine: 'Chromium 156, simd-threads',
    data: 'synthetic, seed 0',
    voided: undefined,
  });
  expect(native[0]?.engine).toBe('native avx512');
});

test('a voided row says why and gives no ratio', () => {
  const m = toMeasurement(voidRow(row(), 'the page was hidden'));
  expect(m.voided).toBe('the page was hidden');
  const [pair] = pairCases(native, [m]);
  if (!pair) throw new Error('a case');
  expect(ratiosOf(pair).whole).toBeUndefined();
  expect(summarise(pairCases(native, [m]))).toBeUndefined();
});

test('the gap is the product of instruction set and engine', () => {
  const [pair] = pairCases(native, measure({ median: 300 }));
  if (!pair) throw new Error('a case');
  const { instructions, engine, whole } = ratiosOf(pair);
  expect(instructions?.value).toBeCloseTo(1.5, 12);
  expect(engine?.value).toBeCloseTo(2, 12);
  expect(whole?.value).toBeCloseTo(3, 12);
});

test('rates are turned round, so that above 1 is slower', () => {
  const rate = { better: 'higher', metric: 'rate' };
  const [pair] = pairCases(
    measure({ kind: 'native', median: 200, ...rate }),
    measure({ median: 100, ...rate }),
  );
  if (!pair) throw new Error('a case');
  expect(ratiosOf(pair).whole?.value).toBeCloseTo(2, 12);
});

test('only the same number of threads is compared', () => {
  const summary = summarise(pairCases(native, measure({ threads: 1 })));
  expect(summary).toBeUndefined();
  const both = summarise(pairCases(native, measure({ threads: 1 }, { threads: 2 })));
  expect(both).toMatchObject({ cases: 1, unpaired: 1, threads: [2] });
});

test('lines run along the one parameter that is a number in all cases', () => {
  const growth = [500, 1000, 2000].map((rows) => ({
    suite: 'interp5d',
    name: `${rows} rows`,
    metric: 'training time',
    median: rows,
    parameters: { rows, epochs: 50 },
  }));
  const cases = pairCases([], measure(...growth));
  expect(axisOf(cases)).toBe('rows');
  const charts = suiteCharts({ native: [], browser: measure(...growth), files: [] });
  const lines = charts.find(({ kind }) => kind === 'lines');
  expect(lines?.x.title).toBe('rows');
  expect(lines?.notes.join(' ')).toContain('C grows as rows to the power 1');
});

test('modes share a chart, layers have one each', () => {
  const layers = ['784-200', '200-10'].flatMap((layer) =>
    ['sequential', 'parallel', 'adaptive'].flatMap((mode) =>
      [1, 8, 64].map((batch) => ({
        suite: 'adaptive',
        name: `${layer}, batch ${batch}, ${mode}`,
        metric: 'layer time',
        median: batch,
        primary: mode === 'adaptive',
        parameters: { batch, mode, layer },
      })),
    ),
  );
  const charts = suiteCharts({ native: [], browser: measure(...layers), files: [] });
  const lines = charts.filter(({ kind }) => kind === 'lines');
  expect(lines.map(({ title }) => title)).toEqual([
    'adaptive: layer time, layer 784-200',
    'adaptive: layer time, layer 200-10',
  ]);
  expect(lines[0]?.series.map(({ pattern }) => pattern)).toEqual(['solid', 'dashed', 'dotted']);
});

test('bits that differ are called so', () => {
  const bits = { suite: 'bits', metric: 'training time', primary: false, exact: true };
  const verdictOf = (lossBits: string) =>
    suiteCharts({
      native: measure({ kind: 'native', ...bits, lossBits: '00000000000000aa' }),
      browser: measure({ ...bits, lossBits }),
      files: [],
    })
      .find(({ id }) => id === 'bits')
      ?.table.rows[0]?.cells.at(-1);
  expect(verdictOf('00000000000000aa')).toBe('equal to the last bit');
  expect(verdictOf('00000000000000ab')).toBe('NOT EQUAL');
});
