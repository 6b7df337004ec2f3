/** Charts are divided into parts that fit the screen, and lose nothing by it. */
import { expect, test } from '@playwright/test';
import { type ChartSpec, type Series, tableOnly } from '../../../web/src/chart_spec.js';
import { drawnHeight, mostHeight, partsOf, splitTall } from '../../../web/src/parts.js';

function bars(id: string, n: number, change: Partial<ChartSpec> = {}): ChartSpec {
  const series = (role: 'B' | 'C'): Series => ({
    name: role,
    role,
    points: Array.from({ length: n }, (_, x) => ({ x, y: x, low: x, high: x })),
  });
  return {
    ...tableOnly,
    kind: 'bars',
    id,
    title: id,
    about: '',
    categories: Array.from({ length: n }, (_, i) => `case ${i}`),
    series: [series('B'), series('C')],
    table: {
      caption: '',
      columns: ['Case'],
      rows: Array.from({ length: n }, (_, i) => ({ cells: [`case ${i}`] })),
    },
    ...change,
  };
}

test('a chart with few names stays whole', () => {
  const spec = bars('a', 24);
  expect(splitTall(spec)).toEqual([spec]);
});

test('one with many is split, and every point and row is in one piece', () => {
  const spec = bars('a', 70);
  const pieces = splitTall(spec);
  expect(pieces).toHaveLength(3);
  expect(new Set(pieces.map(({ id }) => id)).size).toBe(3);
  expect(pieces.flatMap(({ categories }) => categories)).toEqual(spec.categories);
  expect(pieces.flatMap(({ table }) => table.rows)).toEqual(spec.table.rows);
  for (const { categories, series } of pieces) {
    for (const { points } of series) {
      expect(points.map(({ y }) => `case ${y}`)).toEqual(categories);
      expect(points.map(({ x }) => x)).toEqual(points.map((_, i) => i));
    }
    expect(drawnHeight({ ...spec, categories })).toBeLessThan(mostHeight);
  }
});

test('what fits is one part; what does not is divided by name, and then by height', () => {
  const small = [bars('a', 5), bars('b', 5)];
  expect(partsOf(small).map(({ charts }) => charts.length)).toEqual([2]);
  const many = Array.from({ length: 20 }, (_, i) => bars(`h${i}`, 20, { part: 'Histograms' }));
  const parts = partsOf([bars('first', 5, { part: 'Errors' }), ...many]);
  expect(parts[0]?.title).toBe('Errors');
  expect(parts[1]?.name).toBe('histograms-1');
  expect(parts.length).toBeGreaterThan(3);
  const ids = parts.flatMap(({ charts }) => charts.map(({ id }) => id));
  expect(ids).toEqual(['first', ...many.map(({ id }) => id)]);
  expect(new Set(parts.map(({ name }) => name)).size).toBe(parts.length);
});

test('without charts there are no parts', () => {
  expect(partsOf([])).toEqual([]);
});
