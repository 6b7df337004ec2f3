/** Charts of the suite `accuracy`: how far results are from those in double precision. */
import type { ChartSpec, Point, Series } from './chart_spec.js';
import type { Case } from './compare.js';
import { figureText } from './figure.js';
import { significant } from './format.js';
import { type Lane, lanesOf } from './lanes.js';
import type { Measurement } from './rows.js';

const largest = 'largest error in ULP';
/** The bound in ULP that every function must meet. */
const bound = 2;

const colours = ({ role, number }: Lane) => ({ role, ...(number ? { number } : {}) });
const idOf = (text: string) => text.replaceAll(/[^\w]+/g, '-');

const isVoid = (each: Case, lanes: readonly Lane[]) =>
  lanes.some(({ of }) => of(each)?.voided !== undefined);

/** The largest error of every function. */
function errorChart(cases: readonly Case[]): ChartSpec | undefined {
  if (cases.length === 0) return undefined;
  const lanes = lanesOf(cases);
  const series = lanes
    .map(
      (lane): Series => ({
        name: lane.name,
        ...colours(lane),
        points: cases.flatMap((each, x): Point[] => {
          const m = lane.of(each);
          if (!m || m.voided !== undefined) return [];
          return [{ x, y: m.value, low: m.value, high: m.value }];
        }),
      }),
    )
    .filter(({ points }) => points.length > 0);
  return {
    id: 'accuracy-ulp',
    title: 'Largest error of every function',
    about:
      'In units in the last place (ULP) of the exact result, on a grid over all floats. Perfect rounding leaves up to 0.5; functions that do not round have 0.',
    kind: 'bars',
    categories: cases.map(({ name }) => name),
    x: { title: '' },
    y: { title: 'ULP' },
    series,
    marks: [{ name: 'required bound', value: bound }],
    notes: [],
    wide: true,
    table: {
      caption: 'Largest error in units in the last place.',
      columns: ['Function', ...lanes.map(({ column }) => column)],
      rows: cases.map((each) => ({
        void: isVoid(each, lanes),
        cells: [each.name, ...lanes.map(({ of }) => figureText(of(each)))],
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
    const y = (100 * times) / total;
    return [{ x: from > 0 ? Math.sqrt(from * to) : to / 2, y, low: y, high: y }];
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
    return [{ name: lane.name, ...colours(lane), pattern, points: sharesOf(histogram) }];
  });
  const first = lanes.map(({ of }) => of(each)?.histogram).find(Boolean);
  /* Functions that do not round have no distribution. */
  if (!first || series.every(({ points }) => points.length < 2)) return undefined;
  return {
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
        return {
          x,
          y,
          low: y,
          high: y,
          name: `${each.name}: ${significant(y)}, by finite differences ${significant(x)}`,
        };
      });
    });
    return points.length > 0 ? [{ name: lane.name, ...colours(lane), only: 'points', points }] : [];
  });
  if (series.length === 0) return undefined;
  const reach = Math.max(...series.flatMap(({ points }) => points.map(({ x }) => Math.abs(x))));
  const ends = [-reach, reach].map((x): Point => ({ x, y: x, low: x, high: x }));
  return {
    id: 'accuracy-gradients',
    title: 'Gradients: by rule, and by finite differences',
    about:
      'Every operation that has a gradient; each point is one element. A wrong rule puts points off the diagonal; finite differences in single precision are good to about three digits.',
    kind: 'lines',
    categories: [],
    x: { title: 'by central differences' },
    y: { title: 'by the rule' },
    series: [{ name: 'equal', role: 'other', number: 1, only: 'line', points: ends }, ...series],
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
  const has = (each: Case, what: 'histogram' | 'scatter') =>
    lanes.some(({ of }) => of(each)?.[what] !== undefined);
  const errors = cases.filter(({ metric }) => metric === largest);
  const gradients = cases.filter((each) => has(each, 'scatter'));
  const drawn = new Set([...errors, ...gradients]);
  return {
    charts: [
      errorChart(errors),
      gradientChart(gradients),
      ...errors.filter((each) => has(each, 'histogram')).map(histogramChart),
    ].filter((spec) => spec !== undefined),
    rest: cases.filter((each) => !drawn.has(each)),
  };
}
