/** Walks the charts of all suites in every situation: a new chart is tested without a new test. */
import { expect, test } from '@playwright/test';
import { chartCsv, chartJson } from '../../../web/src/chart_files.js';
import { moved, type Place, wordsAt } from '../../../web/src/chart_places.js';
import { type ChartSpec, keyOf, notesOf, placed, tagOf } from '../../../web/src/chart_spec.js';
import { partsOf } from '../../../web/src/parts.js';
import type { Shown, ShownSuite } from '../../../web/src/shown.js';
import { chartsOf } from '../../../web/src/suite_charts.js';
import { answerChart, besideChart, suiteLine } from '../../../web/src/suite_lines.js';
import { situations } from './stored_rows.js';

const price = 0.5;

/** All charts that can be shown, each once, as they are drawn: long ones in pieces. */
function chartsIn(shown: Shown): ChartSpec[] {
  const start = answerChart(shown) ?? besideChart(shown);
  const suites = shown.suites.flatMap(({ suite, cases, native }) =>
    partsOf(chartsOf(suite, cases, native, price)).flatMap(({ charts }) => charts),
  );
  return [...(start ? [start] : []), ...suites];
}

const isDrawn = ({ kind }: ChartSpec) => kind !== 'table';
const wild = /NaN|Infinity|undefined|\[object|infinite|not a number/;

/** All places that keys lead to, from the first point on. */
function placesOf(spec: ChartSpec): Place[] {
  const next = spec.kind === 'lines' || spec.kind === 'heat' ? 'ArrowRight' : 'ArrowDown';
  const down = next === 'ArrowRight' ? 'ArrowDown' : 'ArrowRight';
  const found: Place[] = [];
  let row = moved(spec, undefined, next);
  while (row) {
    let at = moved(spec, row, 'Home');
    for (let last: Place | undefined; at && at.index !== last?.index; ) {
      found.push(at);
      last = at;
      at = moved(spec, at, next);
    }
    const following: Place | undefined = moved(spec, row, down);
    row = following && following.series > row.series ? following : undefined;
  }
  return found;
}

/** The number of lines of a CSV file; quoted cells may hold line ends. */
const linesOf = (csv: string) => csv.replaceAll(/"[^"]*"/g, '').split('\r\n').length - 1;

/** What is wrong with the words and the table of a chart. */
function wordFaults(spec: ChartSpec): string[] {
  const { id, title, about, table } = spec;
  const cells = table.rows.flatMap((row) => row.cells);
  const words = [title, about, table.caption, ...notesOf(spec), ...cells];
  return [
    ...(/^[\w-]+$/.test(id) ? [] : ['its id is no id']),
    ...([title, about, table.caption].includes('') ? ['it lacks words'] : []),
    ...(table.rows.length > 0 ? [] : ['its table is empty']),
    ...table.rows
      .filter((row) => row.cells.length !== table.columns.length)
      .map((row) => `${row.cells[0]}: ${row.cells.length} cells`),
    ...words.filter((text) => !text.startsWith('void: ') && wild.test(text)),
  ];
}

/** What is wrong with the points of a chart. */
function pointFaults(spec: ChartSpec): string[] {
  const { categories, series, limits, kind, x, y } = spec;
  const wrong = series.flatMap((each) => {
    const points = each.points.filter((point) => {
      const figures = [point.x, point.y, point.low, point.high, ...(point.samples ?? [])];
      const ordered = point.low <= point.y && point.y <= point.high;
      const positive =
        (!(kind === 'lines' && x.log) || point.x > 0) &&
        (!(y.log || kind === 'stacks') || point.y > 0);
      return !(figures.every(Number.isFinite) && ordered && positive);
    });
    const lost =
      kind !== 'lines' && placed(spec, each).filter(Boolean).length !== each.points.length;
    return [
      ...points.map((point) => `${each.name}: ${JSON.stringify(point)}`),
      ...(lost ? [`${each.name}: points without a category`] : []),
    ];
  });
  return [
    ...(series.length > 0 ? [] : ['it is empty']),
    ...(limits && limits.values.length !== categories.length ? ['limits'] : []),
    ...wrong,
  ];
}

const repeated = (texts: readonly string[]) => texts.filter((text, i) => texts.indexOf(text) < i);

/** What cannot be told apart without colours: names, letters and numbers, and patterns of lines. */
function colourFaults(spec: ChartSpec): string[] {
  const entries = keyOf(spec).map(({ series, name }) => `${tagOf(series)} ${name}`);
  return [
    ...repeated(entries),
    ...(spec.kind === 'stacks' ? repeated(spec.series.map(tagOf)) : []),
  ];
}

/** What is wrong with reading a chart by keys. */
function keyFaults(spec: ChartSpec): string[] {
  const places = placesOf(spec);
  const points = spec.series.filter(({ fit }) => !fit).flatMap((each) => each.points);
  const words = places.map((place) => wordsAt(spec, place));
  return [
    ...(places.length === points.length ? [] : [`${places.length} of ${points.length} points`]),
    ...words.filter((text) => wild.test(text) || !/^.+\. .+\. \d+ of \d+\.$/s.test(text)),
    ...(moved(spec, undefined, 'a') ? ['another key has a meaning'] : []),
  ];
}

/** What is wrong with the files of a chart. */
function fileFaults(spec: ChartSpec): string[] {
  const { series, table, title } = spec;
  const values = series.flatMap((each) => each.points.map(({ y }) => y));
  const lines = linesOf(chartCsv(spec)) - 1;
  const read = JSON.parse(chartJson(spec));
  const kept = (read.series ?? []).flatMap((each: { points: { value: number }[] }) =>
    each.points.map(({ value }) => value),
  );
  return [
    ...(lines === (isDrawn(spec) ? values.length : table.rows.length) ? [] : [`${lines} lines`]),
    ...(read.title === title && read.table.rows.length === table.rows.length ? [] : ['JSON']),
    ...(isDrawn(spec) && JSON.stringify(kept) !== JSON.stringify(values) ? ['values'] : []),
  ];
}

/** What is wrong with the line and the small picture of a suite. */
function lineFaults(shown: Shown, of: ShownSuite): string[] {
  const { text, strip, boxes } = suiteLine(shown, of);
  const outside = (strip?.dots ?? []).filter(({ value }) => !(value >= 0 && value <= strip!.most));
  /* What is void has no figures to draw. */
  const pictured = text.startsWith('Void') || Boolean(strip) !== Boolean(boxes);
  return [
    ...(/^[^\n]+\.$/.test(text) && !wild.test(text) ? [] : [text]),
    ...(pictured ? [] : [`no picture: ${text}`]),
    ...outside.map(({ name }) => `${name} is outside`),
  ];
}

const checks: readonly (readonly [string, (spec: ChartSpec) => string[], boolean])[] = [
  ['words and a table', wordFaults, false],
  ['files that hold all of it', fileFaults, false],
  ['finite points, each in its place', pointFaults, true],
  ['names that do without colours', colourFaults, true],
  ['keys that lead to every point', keyFaults, true],
];

for (const [situation, shownOf] of situations) {
  test(`${situation}, every chart has what it needs, and every suite a line and a picture`, () => {
    test.setTimeout(240_000);
    const shown = shownOf();
    const charts = chartsIn(shown);
    expect(charts.length).toBeGreaterThan(0);
    for (const [what, faultsOf, drawnOnly] of checks) {
      const faults = charts
        .filter((spec) => isDrawn(spec) || !drawnOnly)
        .flatMap((spec) => faultsOf(spec).map((fault) => `${spec.id}: ${fault}`));
      expect(faults, what).toEqual([]);
    }
    for (const of of shown.suites) {
      const ids = chartsOf(of.suite, of.cases, of.native, price).map(({ id }) => id);
      expect(repeated(ids), of.suite).toEqual([]);
      expect(lineFaults(shown, of), of.suite).toEqual([]);
    }
  });
}

/** What the suites owe: a suite, the beginning of the chart's id, and what it draws. */
const owed: readonly (readonly [string, string, ChartSpec['kind']])[] = [
  ['gemm', 'gemm-rate', 'dots'],
  ['gemm', 'ceiling', 'bars'],
  ['gemm', 'threads', 'lines'],
  ['mlp', 'cost', 'dots'],
  ['adaptive', 'adaptive-layer-time', 'lines'],
  ['adaptive', 'adaptive-gain', 'lines'],
  ['interp5d', 'interp5d-training-time', 'lines'],
  ['interp5d', 'interp5d-training-memory', 'lines'],
  ['interp5d', 'interp5d-prediction-memory', 'lines'],
  ['interp5d', 'interp5d-held-out-RMSE', 'lines'],
  ['models', 'models-memory', 'stacks'],
  ['models', 'models-fused-unfused', 'bars'],
  ['train', 'train-loss-step', 'lines'],
  ['train', 'train-loss-time', 'lines'],
  ['train', 'train-memory', 'stacks'],
  ['inference', 'inference-784', 'lines'],
  ['inference', 'inference-savings', 'bars'],
  ['inference', 'inference-memory', 'stacks'],
  ['bits', 'bits', 'table'],
  ['ops', 'ops-roofline', 'lines'],
  ['ops', 'ops-share', 'bars'],
  ['ops', 'ops-bandwidth', 'lines'],
  ['accuracy', 'accuracy-largest-error', 'bars'],
  ['accuracy', 'accuracy-histogram', 'lines'],
  ['accuracy', 'accuracy-gradients', 'lines'],
  ['hypercausal', 'hypercausal-epochs', 'lines'],
  ['hypercausal', 'hypercausal-heat', 'heat'],
  ['hypercausal', 'hypercausal-growth', 'lines'],
  ['hypercausal', 'hypercausal-summary', 'table'],
  ['package', 'package-start', 'stacks'],
];

test('every suite has the charts that it owes', () => {
  test.setTimeout(240_000);
  const all = situations.flatMap(([, shownOf]) =>
    shownOf().suites.flatMap(({ suite, cases, native }) =>
      chartsOf(suite, cases, native, price).map(({ id, kind }) => ({ suite, id, kind })),
    ),
  );
  for (const [suite, id, kind] of owed) {
    const found = all.filter((each) => each.suite === suite && each.id.startsWith(id));
    expect(
      found.map((each) => each.kind),
      `${suite}: ${id}`,
    ).toContain(kind);
  }
  expect([...new Set(all.map(({ kind }) => kind))].sort()).toEqual(
    ['bars', 'dots', 'heat', 'lines', 'stacks', 'table'].sort(),
  );
});

test('growth is drawn as a line, with its exponent in words', () => {
  const [, shownOf] = situations[0]!;
  const interp = shownOf().suites.find(({ suite }) => suite === 'interp5d');
  const chart = chartsOf('interp5d', interp?.cases ?? [], []).find(({ id }) =>
    id.startsWith('interp5d-training-time'),
  );
  const fits = chart?.series.filter(({ fit }) => fit) ?? [];
  expect(fits.length).toBe(chart?.notes.filter((text) => text.includes('to the power')).length);
  expect(fits.length).toBeGreaterThan(0);
  for (const { points } of fits) expect(points).toHaveLength(2);
});
