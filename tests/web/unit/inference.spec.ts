import { expect, test } from '@playwright/test';
import { toMeasurement } from '../../../web/src/measurement.js';
import type { Row } from '../../../web/src/rows.js';
import { origin, suiteCharts } from './sample_rows.js';

/** A row of the suite, as the engines write it. */
function row(
  kind: 'native' | 'wasm',
  model: string,
  batch: number,
  metric: string,
  value: number,
  calls = { count: 1000, each: 1 },
): Row {
  return {
    schema: 'parallax-results-1',
    suite: 'inference',
    case: `${model}, batch ${batch}`,
    parameters: { model, batch },
    metric,
    unit: 'us',
    better: 'lower',
    primary: metric === 'latency, p50',
    samples: { count: 3, median: value, p10: value, p90: value, low: value, high: value },
    calls,
    ...origin(kind),
  };
}

/** All metrics of one model: packing saves a fifth, all parts together half. */
const rowsOf = (kind: 'native' | 'wasm', model: string, factor: number, calls?: typeof few) =>
  [128, 1, 8].flatMap((batch) => {
    const value = factor * batch;
    return [
      row(kind, model, batch, 'latency, p50', value, calls),
      row(kind, model, batch, 'latency, p99', 2 * value, calls),
      row(kind, model, batch, 'p50 without packing', 1.25 * value, calls),
      row(kind, model, batch, 'p50 before all', 2 * value, calls),
    ];
  });

const few = { count: 12, each: 4 };

const chartsOf = (native: Row[], browser: Row[]) =>
  suiteCharts({
    native: native.map(toMeasurement),
    browser: browser.map(toMeasurement),
    others: [],
    alone: false,
  });

test('each model has a chart of both percentiles against batch size, on each side', () => {
  const charts = chartsOf(
    [...rowsOf('native', '784-200-10', 3), ...rowsOf('native', 'vit-nano', 50)],
    [...rowsOf('wasm', '784-200-10', 6), ...rowsOf('wasm', 'vit-nano', 90)],
  );
  expect(charts.map(({ title }) => title)).toEqual([
    'Speed as a percentage of native at its best',
    'Latency of 784-200-10',
    'Latency of vit-nano',
    'What each part of a plan saves: native at its best',
    'What each part of a plan saves: this browser',
  ]);
  const [, mlp] = charts;
  expect(mlp?.series.map(({ name, role }) => `${role} ${name}`)).toEqual([
    'A native at its best, p50',
    'A native at its best, p99',
    'A native at its best, p50 before all',
    'C this browser, p50',
    'C this browser, p99',
    'C this browser, p50 before all',
  ]);
  expect(mlp?.series[4]?.points.map(({ x, y }) => [x, y])).toEqual([
    [1, 12],
    [8, 96],
    [128, 1536],
  ]);
  expect(mlp?.notes).toEqual([]);
});

test('the table has what each part saves, and how many calls there were', () => {
  const [chart] = chartsOf([], rowsOf('wasm', '784-200-10', 6, few));
  const column = (name: string) => chart?.table.columns.indexOf(name) ?? -1;
  const cells = chart?.table.rows[0]?.cells ?? [];
  expect(cells[column('Batch')]).toBe('1');
  expect(cells[column('p99')]).toBe('12');
  expect(cells[column('without packing')]).toBe('1.25 times');
  expect(cells[column('without folding')]).toBe('–');
  expect(cells[column('calls')]).toBe('12, 4 to a reading');
  expect(chart?.notes).toEqual([
    '3 batch sizes had fewer than 1000 readings, too few for a 99th percentile that holds; the size “Long” (natively --full) makes that many.',
    'At 3 batch sizes a call was too short for the clock: readings are means of several calls, and percentiles are of these means.',
  ]);
});

test('a chart has what each part saves, as a mean over batch sizes', () => {
  const charts = chartsOf([], rowsOf('wasm', '784-200-10', 6));
  const savings = charts.find(({ id }) => id.startsWith('inference-savings'));
  expect(savings?.categories).toEqual(['784-200-10']);
  expect(savings?.series.map(({ name }) => name)).toEqual(['without packing']);
  expect(savings?.series[0]?.points[0]?.y).toBeCloseTo(1.25, 9);
  expect(savings?.marks).toEqual([{ name: 'with all parts', value: 1 }]);
});

test('readings count, not calls', () => {
  const notes = (calls: typeof few) =>
    chartsOf([], rowsOf('wasm', '784-200-10', 6, calls))[0]?.notes.join(' ') ?? '';
  expect(notes({ count: 1600, each: 16 })).toContain('fewer than 1000 readings');
  expect(notes({ count: 16000, each: 16 })).not.toContain('fewer');
  expect(notes({ count: 16000, each: 16 })).toContain('means of several calls');
  expect(notes({ count: 1000, each: 1 })).toBe('');
});

test('a void figure is in the table, with the reason, and not drawn', () => {
  const rows = rowsOf('wasm', 'vit-nano', 5).map((each) => ({
    ...each,
    checks: { passed: false, failure: 'the result differs' },
  }));
  const charts = chartsOf(rowsOf('native', 'vit-nano', 2), rows);
  const [chart] = charts;
  expect(chart?.series.map(({ role }) => role)).toEqual(['A', 'A', 'A']);
  expect(chart?.table.rows.some(({ void: isVoid }) => isVoid)).toBe(true);
  expect(chart?.table.rows.flatMap(({ cells }) => cells).join()).toContain('the result differs');
});
