/** Charts of the suite `accuracy`: how far results are from those in double precision. */
import { boundOf, largest } from './accuracy_figures.js';
import { type ChartSpec, type Point, plainPoint, type Series } from './chart_spec.js';
import type { Case } from './compare.js';
import { figureText } from './figure.js';
import { capital, significant } from './format.js';
import { drawn, idOf, isVoid, lanesOf, looks, valid } from './lanes.js';
import type { Measurement } from './rows.js';

/** Whether errors of this metric have bounds, or are those of every function. */
const isJudged = (cases: readonly Case[], metric: string) =>
  metric === largest || cases.some((each) => each.metric === metric && boundOf(each) !== undefined);

/** The errors in one metric, each under its own bound. */
function errorChart(metric: string, cases: readonly Case[]): ChartSpec {
  const lanes = lanesOf(cases);
  const [unit = ''] = cases.map((each) => each.unit);
  const values = cases.map(boundOf);
  const bounded = values.some((value) => value !== undefined);
  return {
    part: 'Errors',
    id: `accuracy-${idOf(metric)}`,
    title: metric === largest ? 'Largest error of every function' : capital(metric),
    about:
      metric === largest
        ? 'In units in the last place (ULP) of the exact result, on a grid over all floats. Perfect rounding leaves up to 0.5; functions that do not round have 0. The bound of a function is a property of how it is computed.'
        : 'Of sums along rows. The bound is half of what a plain loop in single precision errs by on the same data.',
    kind: 'bars',
    categories: cases.map(({ name }) => name),
    x: { title: '' },
    y: { title: unit },
    series: drawn(
      lanes.map((lane) => ({
        name: lane.name,
        ...looks(lane),
        points: cases.flatMap((each, x) => {
          const m = valid(lane.of(each));
          return m ? [plainPoint(x, m.value)] : [];
        }),
      })),
    ),
    marks: [],
    ...(bounded ? { limits: { name: 'bound', values } } : {}),
    notes: [],
    wide: true,
    table: {
      caption: `${metric}, in ${unit}.`,
      columns: ['Of', 'Bound', ...lanes.map(({ column }) => column)],
      rows: cases.map((each, i) => ({
        void: isVoid(each, lanes),
        cells: [
          each.name,
          values[i] === undefined ? '–' : significant(values[i]),
          ...lanes.map(({ of }) => figureText(of(each))),
        ],
      })),
    },
  };
}

type Histogram = NonNullable<Measurement['histogram']>;

/** Shares of the values, at the geometric mean of each bin; exact results are leftmost. */
function sharesOf({ edges, counts }: Histogram): Point[] {
  const total = counts.reduce((sum, each) => sum + each, 0);
  return counts.flatMap((times, i): Point[] => {
    const [from, to] = [edges[i] as number, edges[i + 1] as number];
    if (times === 0) return [];
    return [plainPoint(from > 0 ? Math.sqrt(from * to) : to / 2, (100 * times) / total)];
  });
}

/** The distribution of errors, on a logarithmic scale. */
function histogramChart(each: Case): ChartSpec | undefined {
  const lanes = lanesOf([each]);
  const series = lanes.flatMap((lane): Series[] => {
    const histogram = lane.of(each)?.histogram;
    if (!histogram) return [];
    /* The sides often agree: through the dashes the lines below stay visible. */
    const pattern = lane.role === 'A' ? ('dashed' as const) : ('solid' as const);
    return [{ name: lane.name, ...looks(lane), pattern, points: sharesOf(histogram) }];
  });
  const first = lanes.map(({ of }) => of(each)?.histogram).find(Boolean);
  /* Functions that do not round have no distribution. */
  if (!first || series.every(({ points }) => points.length < 2)) return undefined;
  return {
    part: 'Histograms',
    id: `accuracy-histogram-${idOf(each.name)}`,
    title: `Errors of ${each.name}`,
    about: 'Share of values by error. Exact results are at the left.',
    kind: 'lines',
    categories: [],
    x: { title: each.unit, log: true },
    y: { title: '% of values', log: true },
    series,
    marks: [],
    notes: [],
    table: {
      caption: `Errors of ${each.name}: number of values by error in ${each.unit}.`,
      columns: ['From', 'To', ...lanes.map(({ column }) => column)],
      rows: first.counts.map((_, i) => ({
        cells: [
          significant(first.edges[i] ?? 0),
          significant(first.edges[i + 1] ?? 0),
          ...lanes.map(({ of }) => String(of(each)?.histogram?.counts[i] ?? '–')),
        ],
      })),
    },
  };
}

/** Gradients of all operations: those of the plan against finite differences. */
function gradientChart(cases: readonly Case[]): ChartSpec | undefined {
  const lanes = lanesOf(cases);
  const series = lanes.flatMap((lane): Series[] => {
    const points = cases.flatMap((each) => {
      const scatter = lane.of(each)?.scatter;
      return (scatter?.analytic ?? []).map((y, i): Point => {
        const x = scatter?.numeric[i] ?? Number.NaN;
        return plainPoint(
          x,
          y,
          `${each.name}: ${significant(y)}, by finite differences ${significant(x)}`,
        );
      });
    });
    return points.length > 0 ? [{ name: lane.name, ...looks(lane), only: 'points', points }] : [];
  });
  if (series.length === 0) return undefined;
  const reach = Math.max(...series.flatMap(({ points }) => points.map(({ x }) => Math.abs(x))));
  const ends = [-reach, reach].map((x) => plainPoint(x, x));
  return {
    part: 'Gradients',
    id: 'accuracy-gradients',
    title: 'Gradients: by rule, and by finite differences',
    about:
      'Every operation that has a gradient; each point is one element. A wrong rule puts points off the diagonal; finite differences in single precision are good to about three digits.',
    kind: 'lines',
    categories: [],
    x: { title: 'by central differences' },
    y: { title: 'by the rule' },
    series: [{ name: 'equal', role: 'mark', only: 'line', points: ends }, ...series],
    marks: [],
    notes: [],
    wide: true,
    table: {
      caption: 'Largest difference between the two, relative to the larger.',
      columns: ['Operation', 'Points', ...lanes.map(({ column }) => column)],
      rows: cases.map((each) => ({
        void: isVoid(each, lanes),
        cells: [
          String(each.parameters.op ?? each.name),
          String(each.parameters.points ?? '–'),
          ...lanes.map(({ of }) => figureText(of(each))),
        ],
      })),
    },
  };
}

/** Returns the charts of this suite, and the remaining cases for a table. */
export function accuracyCharts(cases: readonly Case[]): { charts: ChartSpec[]; rest: Case[] } {
  const lanes = lanesOf(cases);
  const having = (what: 'histogram' | 'scatter') =>
    cases.filter((each) => lanes.some(({ of }) => of(each)?.[what] !== undefined));
  const metrics = [...new Set(cases.map(({ metric }) => metric))].filter((metric) =>
    isJudged(cases, metric),
  );
  /* Of other metrics with bounds, only the cases that have one: functions have theirs elsewhere. */
  const errors = metrics.map((metric) => ({
    metric,
    some: cases.filter(
      (each) => each.metric === metric && (metric === largest || boundOf(each) !== undefined),
    ),
  }));
  const gradients = having('scatter');
  const shown = new Set([...errors.flatMap(({ some }) => some), ...gradients]);
  return {
    charts: [
      ...errors
        .filter(({ some }) => some.length > 0)
        .map((each) => errorChart(each.metric, each.some)),
      gradientChart(gradients),
      ...having('histogram').map(histogramChart),
    ].filter((spec) => spec !== undefined),
    rest: cases.filter((each) => !shown.has(each)),
  };
}
