import { expect, test } from '@playwright/test';
import type { ChartSpec } from '../../../web/src/chart_spec.js';
import { heatOf } from '../../../web/src/heat.js';
import { toMeasurement } from '../../../web/src/measurement.js';
import type { Row } from '../../../web/src/rows.js';
import { origin, suiteCharts } from './sample_rows.js';

interface Configuration {
  D: number;
  K: number;
  T: number;
  depth?: number;
  policy?: string;
  graph?: string;
}

/** A row of the suite, as the engines write it. */
function row(
  kind: 'native' | 'wasm',
  { D, K, T, depth = 1, policy = 'mean', graph = 'chain' }: Configuration,
  value: number,
  more: Record<string, unknown> = {},
): Row {
  return {
    schema: 'parallax-results-1',
    suite: 'hypercausal',
    case: `${graph} D ${D}, K ${K}, T ${T}, depth ${depth}${policy === 'mean' ? '' : `, ${policy}`}`,
    parameters: { graph, policy, D, K, T, depth, epochs: 100 },
    metric: 'epoch time',
    unit: 'us',
    better: 'lower',
    primary: true,
    samples: { count: 20, median: value, p10: value, p90: value, low: value, high: value },
    ...origin(kind),
    ...more,
  };
}

const chartsOf = (native: Row[], browser: Row[]) =>
  suiteCharts({
    native: native.map(toMeasurement),
    browser: browser.map(toMeasurement),
    others: [],
    alone: false,
  });

/** A grid whose time is D K T / 100, so that everything grows to the power 1. */
const grid = (kind: 'native' | 'wasm', factor = 1) =>
  [3, 6].flatMap((D) =>
    [3, 5, 9].flatMap((K) =>
      [48, 96].map((T) => row(kind, { D, K, T }, (factor * D * K * T) / 100)),
    ),
  );

test('every configuration is on the curve, native and browser', () => {
  const charts = chartsOf(grid('native'), grid('wasm', 2));
  const curve = charts.find(({ id }) => id === 'hypercausal-epochs');
  expect(curve?.series.map(({ role, points }) => [role, points.length])).toEqual([
    ['A', 12],
    ['C', 12],
  ]);
  expect(curve?.series[1]?.points[0]).toMatchObject({ x: 1, y: (2 * 3 * 3 * 48) / 100 });
  expect(curve?.series[1]?.points[0]?.name).toContain('chain D 3, K 3, T 48');
  expect(curve?.table.rows).toHaveLength(12);
  expect(charts.map(({ id, part }) => [part, id])[0]).toEqual(['Against native', 'overview']);
});

test('the map holds means over the lengths, and is lightest where it takes longest', () => {
  const charts = chartsOf(grid('native'), grid('wasm', 2));
  const maps = charts.filter(({ id }) => id.startsWith('hypercausal-heat'));
  expect(maps).toHaveLength(2);
  const [native, browser] = maps;
  expect(native?.table.columns).toEqual(['D', 'K 3', 'K 5', 'K 9']);
  expect(native?.table.rows.map(({ cells }) => cells)).toEqual([
    ['D 3', '6.48', '10.8', '19.4'],
    ['D 6', '13', '21.6', '38.9'],
  ]);
  expect(browser?.table.rows[0]?.cells[1]).toBe('13');
  expect(native?.kind).toBe('heat');
  expect(native?.categories).toEqual(['K 3', 'K 5', 'K 9']);
  expect(native?.series.map(({ name, points }) => [name, points.length])).toEqual([
    ['D 3', 3],
    ['D 6', 3],
  ]);
  const shades = heatOf(native as ChartSpec);
  const [least, most] = [native?.series[0]?.points[0], native?.series[1]?.points[2]];
  expect(shades.css(least)).toBe(shades.at(0));
  expect(shades.css(most)).toBe(shades.at(1));
});

test('a configuration off the grid does not blur the map', () => {
  const more = row('wasm', { D: 24, K: 5, T: 96 }, 1000);
  const charts = chartsOf(grid('native'), [...grid('wasm'), more]);
  const map = charts.find(({ id }) => /^hypercausal-heat-C/.test(id));
  expect(map?.table.rows.map(({ cells }) => cells[0])).toEqual(['D 3', 'D 6']);
});

/** The configurations that measure growth: one of D, K, T varies around (6, 5, 96), depth 1. */
const lines = (Ds: number[], Ks: number[], Ts: number[]): Configuration[] => [
  ...Ds.map((D) => ({ D, K: 5, T: 96 })),
  ...Ks.map((K) => ({ D: 6, K, T: 96 })),
  ...Ts.map((T) => ({ D: 6, K: 5, T })),
];

test('lines of growth do not change the map of the whole grid', () => {
  const all = [3, 6].flatMap((D) =>
    [3, 5, 9].flatMap((K) =>
      [48, 96].flatMap((T) => [1, 2, 3].map((depth): Configuration => ({ D, K, T, depth }))),
    ),
  );
  const extra = lines([24, 96, 768], [33, 65], [384, 1024, 4096]);
  const time = ({ D, K, T, depth = 1 }: Configuration) => (D * K * T * depth) / 100;
  const rows = [...all, ...extra].map((each) => row('wasm', each, time(each)));
  const map = chartsOf([], rows).find(({ id }) => id.startsWith('hypercausal-heat'));
  expect(map?.about).toContain('T 48, 96 and depth 1, 2, 3');
  expect(map?.table.columns).toEqual(['D', 'K 3', 'K 5', 'K 9']);
  expect(map?.table.rows.map(({ cells }) => cells)).toEqual([
    ['D 3', '13', '21.6', '38.9'],
    ['D 6', '25.9', '43.2', '77.8'],
  ]);
});

test('the corners that a quick run measures make a map too', () => {
  const corners = [3, 6].flatMap((D) => [48, 96].map((T): Configuration => ({ D, K: 3, T })));
  const extra = lines([3, 24, 96], [5, 9, 33], [48, 384, 1024]);
  const far = { D: 6, K: 9, T: 96, depth: 3 };
  const rows = [...corners, ...extra, far].map((each) => row('wasm', each, each.D * each.K));
  const map = chartsOf([], rows).find(({ id }) => id.startsWith('hypercausal-heat'));
  expect(map?.about).toContain('T 96 and depth 1,');
  expect(map?.table.rows.map(({ cells }) => cells)).toEqual([
    ['D 3', '9', '15'],
    ['D 6', '18', '30'],
  ]);
});

test('growth has its exponent with an interval', () => {
  const line = [3, 5, 9, 65].map((K) => row('wasm', { D: 6, K, T: 96 }, K ** 0.5));
  const chart = chartsOf([], line).find(({ id }) => id === 'hypercausal-growth-K');
  expect(chart?.series[0]?.points).toHaveLength(4);
  expect(chart?.notes[0]).toContain('grows as K to the power 0.5');
  expect(chart?.x.ticks).toEqual([3, 5, 9, 65]);
});

test('the summary names the fastest and the slowest chain, not another policy', () => {
  const rmse = row('wasm', { D: 6, K: 9, T: 96 }, 0.19, { metric: 'RMSE', unit: '1' });
  const risky = row('wasm', { D: 6, K: 9, T: 96, policy: 'min-risk' }, 900);
  const charts = chartsOf([], [...grid('wasm'), rmse, risky]);
  const summary = charts.find(({ id }) => id === 'hypercausal-summary');
  expect(summary?.table.rows.map(({ cells }) => cells.slice(1))).toEqual([
    ['fastest', 'chain D 3, K 3, T 48, depth 1', '4.32', '–', '–'],
    ['slowest', 'chain D 6, K 9, T 96, depth 1', '51.8', '0.19', '–'],
  ]);
});

test('a void configuration is in the table and on no chart', () => {
  const checks = { passed: false, failure: 'off' };
  const rows = grid('wasm').map((each, i) => (i === 0 ? { ...each, checks } : each));
  const curve = chartsOf([], rows).find(({ id }) => id === 'hypercausal-epochs');
  expect(curve?.series[0]?.points).toHaveLength(11);
  expect(curve?.table.rows[0]?.void).toBe(true);
});
