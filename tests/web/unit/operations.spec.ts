import { expect, test } from '@playwright/test';
import { toMeasurement } from '../../../web/src/measurement.js';
import type { Row } from '../../../web/src/rows.js';
import { origin, suiteCharts } from './sample_rows.js';

/** A row of the suites ops and accuracy, as the engines write it. */
function row(kind: 'native' | 'wasm', more: Record<string, unknown>): Row {
  return {
    schema: 'parallax-results-1',
    suite: 'ops',
    case: 'gelu medium',
    parameters: { op: 'gelu', size: 'medium', pass: 'forward', shape: '65536' },
    metric: 'time',
    unit: 'us',
    better: 'lower',
    primary: true,
    samples: { count: 20, median: 40, p10: 39, p90: 41, low: 39.5, high: 40.5 },
    ...origin(kind),
    ...more,
  };
}

const roofline = {
  flops: 65536,
  bytes: 524288,
  intensity: 0.125,
  achieved: 1.6,
  peak: 100,
  bandwidth: 60,
  attainable: 7.5,
  share: 0.22,
  level: 'L2',
  stream: 'copy',
  bound: 'bandwidth',
};

const chartsOf = (native: Row[], browser: Row[]) =>
  suiteCharts({
    native: native.map(toMeasurement),
    browser: browser.map(toMeasurement),
    others: [],
    alone: false,
  });

test('an operation is under the roof of its level, on each side', () => {
  const charts = chartsOf([row('native', { roofline })], [row('wasm', { roofline })]);
  const titles = charts.map(({ title }) => title);
  expect(titles).toContain('Roofline of native at its best');
  expect(titles).toContain('Roofline of this browser');
  expect(titles).toContain('Operations, medium, forward: share of the roofline');
  /* Without side B, too, they have the whole gap. */
  expect(titles).toContain('Speed as a percentage of native at its best');
  expect(titles).not.toContain('Speed as a percentage of each side’s own ceiling');
  const own = charts.find(({ title }) => title === 'Roofline of this browser');
  const [roof, ops] = own?.series ?? [];
  expect(roof?.name).toBe('L2, 60 GB/s');
  expect(roof?.points.map(({ x, y }) => [x, y])).toEqual([
    [0.0625, 3.75],
    [0.25, 15],
  ]);
  expect(ops?.points).toMatchObject([{ x: 0.125, y: 1.6 }]);
  const shares = charts.find(({ id }) => id.startsWith('ops-share'));
  expect(shares?.series.map(({ role, points }) => [role, points[0]?.y])).toEqual([
    ['A', 22],
    ['C', 22],
  ]);
});

test('a void operation is in the table and not on the charts', () => {
  const checks = { passed: false, failure: 'off' };
  const charts = chartsOf([row('native', { roofline })], [row('wasm', { roofline, checks })]);
  const shares = charts.find(({ id }) => id.startsWith('ops-share'));
  expect(shares?.series.map(({ role }) => role)).toEqual(['A']);
  expect(shares?.table.rows[0]?.void).toBe(true);
  expect(charts.map(({ title }) => title)).not.toContain('Roofline of this browser');
});

test('an invalid share becomes a reason, and what a method saves has its own column', () => {
  const failing = { ...roofline, share: 1.2, failure: 'the peak was measured too low' };
  const winograd = { ...roofline, direct: 147456 };
  const charts = chartsOf(
    [row('native', { roofline: failing })],
    [row('wasm', { roofline: winograd })],
  );
  const shares = charts.find(({ id }) => id.startsWith('ops-share'));
  expect(shares?.series.map(({ role }) => role)).toEqual(['C']);
  expect(shares?.table.rows[0]?.cells.at(-3)).toBe('no share: the peak was measured too low');
  const native = charts.find(({ title }) => title === 'Roofline of native at its best');
  expect(native?.series.find(({ name }) => name === 'operations')?.points).toEqual([]);
  expect(native?.notes).toHaveLength(1);
  const browser = charts.find(({ title }) => title === 'Roofline of this browser');
  expect(browser?.table.rows[0]?.cells.at(-1)).toBe(
    'Winograd: 2.25 times fewer operations than the direct sum',
  );
});

const accuracy = {
  suite: 'accuracy',
  case: 'tanh',
  parameters: { function: 'tanh' },
  metric: 'largest error in ULP',
  unit: 'ULP',
  primary: false,
  samples: { count: 1, median: 1.3, p10: 1.3, p90: 1.3 },
  bound: 2,
  histogram: { edges: [0, 0.5, 1, 2], counts: [30, 60, 10] },
};

test('errors have a bar, a histogram of shares, and a table of counts', () => {
  const charts = chartsOf([row('native', accuracy)], [row('wasm', accuracy)]);
  const largest = charts.find(({ title }) => title === 'Largest error of every function');
  expect(largest?.categories).toEqual(['tanh']);
  expect(largest?.limits).toEqual({ name: 'bound', values: [2] });
  const histogram = charts.find(({ title }) => title === 'Errors of tanh');
  expect(histogram?.series[1]?.points.map(({ y }) => y)).toEqual([30, 60, 10]);
  expect(histogram?.series[1]?.points[1]?.x).toBeCloseTo(Math.SQRT1_2);
  expect(histogram?.table.rows.map(({ cells }) => cells[2])).toEqual(['30', '60', '10']);
});

test('each error stands under its own bound, or none', () => {
  const softmax = { ...accuracy, case: 'softmax of 1000', parameters: { width: 1000 } };
  const { bound: _, ...largest } = softmax;
  const spread = {
    ...softmax,
    ...{ metric: 'RMS error in ULP', bound: 4, histogram: undefined },
  };
  const relu = {
    ...accuracy,
    case: 'relu',
    bound: 0,
    samples: { count: 1, median: 0, p10: 0, p90: 0 },
  };
  const charts = chartsOf(
    [],
    [accuracy, relu, largest, spread].map((each) => row('wasm', each)),
  );
  const limitsOf = (title: string) => charts.find((each) => each.title === title)?.limits?.values;
  expect(limitsOf('Largest error of every function')).toEqual([2, 0, undefined]);
  expect(limitsOf('RMS error in ULP')).toEqual([4]);
});

test('a histogram is drawn of every error that has one', () => {
  const norm = {
    ...accuracy,
    ...{ case: 'layer norm of 768', metric: 'largest error in units of 1', bound: undefined },
  };
  const charts = chartsOf([], [row('wasm', norm)]);
  expect(charts.map(({ title }) => title)).toContain('Errors of layer norm of 768');
});

test('gradients are points around the diagonal', () => {
  const gradient = {
    ...accuracy,
    case: 'gradient of exp',
    parameters: { op: 'exp', points: 2 },
    metric: 'largest difference',
    unit: 'relative',
    histogram: undefined,
    scatter: { analytic: [1, -2], numeric: [1.001, -2.001] },
  };
  const charts = chartsOf([], [row('wasm', gradient)]);
  const chart = charts.find(({ id }) => id === 'accuracy-gradients');
  const [diagonal, points] = chart?.series ?? [];
  expect(diagonal?.points.map(({ x, y }) => x === y)).toEqual([true, true]);
  expect(points?.points.map(({ x, y }) => [x, y])).toEqual([
    [1.001, 1],
    [-2.001, -2],
  ]);
});
