/** What there is to draw of a run, suite by suite. */
import type { ChartSpec, Mark, Point, Role, Series } from './chart_spec.js';
import { type Case, pairCases, ratiosOf, type Side, speedCases } from './compare.js';
import { count, percent, significant } from './format.js';
import { noise } from './interp5d.js';
import { exponent, type Interval } from './interval.js';
import type { Measurement, ResultSet } from './rows.js';
import { intervalText } from './verdict.js';
import type { TableData } from './views/table.js';

export interface ChartInput {
  native: readonly Measurement[];
  browser: readonly Measurement[];
  files: readonly ResultSet[];
}

const sides: readonly Side[] = ['A', 'B', 'C'];
const sideNames: Record<Side, string> = {
  A: 'native at its best',
  B: 'native, 128 bits without fused multiply-add',
  C: 'this browser',
};

function label({ name, threads }: Case, several: boolean): string {
  return `${name}${several ? `, ${count(threads, 'thread')}` : ''}`;
}

/** Beside cases of other suites. */
const fullLabel = (each: Case, several: boolean) => `${each.suite} ${label(each, several)}`;

const severalThreads = (cases: readonly Case[]) =>
  new Set(cases.map(({ threads }) => threads)).size > 1;

function cell(m: Measurement | undefined): string {
  if (!m) return '–';
  const text = `${significant(m.value)} (${significant(m.low)}–${significant(m.high)})`;
  return m.voided === undefined ? text : `void: ${m.voided}`;
}

function share(ratio: Interval | undefined): string {
  if (!ratio) return '–';
  return `${percent(1 / ratio.value)} (${intervalText(
    { value: 0, low: 1 / ratio.high, high: 1 / ratio.low },
    percent,
  ).replace('95% CI ', '')})`;
}

function ceiling(m: Measurement | undefined): string {
  return m?.ceiling === undefined ? '–' : percent(m.ceiling);
}

/** All cases on one scale: native at its best is 100%. */
export function overview(cases: readonly Case[]): ChartSpec | undefined {
  const shown = speedCases(cases).filter((each) => each.C && ratiosOf(each).whole);
  if (shown.length === 0) return undefined;
  const several = severalThreads(shown);
  const series = (['B', 'C'] as const).map((side): Series => {
    const points = shown.flatMap((each, x): Point[] => {
      const ratios = ratiosOf(each);
      const ratio = side === 'B' ? ratios.instructions : ratios.whole;
      if (!ratio) return [];
      return [{ x, y: 100 / ratio.value, low: 100 / ratio.high, high: 100 / ratio.low }];
    });
    return { name: sideNames[side], role: side, points };
  });
  return {
    id: 'overview',
    title: 'Speed as a percentage of native at its best',
    about:
      'Every case on one scale. The distance from 100% to B is the instruction set, from B to C the browser’s engine.',
    kind: 'bars',
    categories: shown.map((each) => fullLabel(each, several)),
    x: { title: '' },
    y: { title: '% of the speed of A' },
    series: series.filter(({ points }) => points.length > 0),
    marks: [{ name: 'A = 100%', value: 100 }],
    notes: [],
    wide: true,
    table: {
      caption:
        'Speed of B and C as a share of A with its 95% interval, and what part of its own ceiling each side reaches.',
      columns: [
        'Case',
        'B of A',
        'C of A',
        'C of B',
        'A of ceiling',
        'B of ceiling',
        'C of ceiling',
      ],
      rows: shown.map((each) => {
        const { instructions, engine, whole } = ratiosOf(each);
        return {
          cells: [
            fullLabel(each, several),
            share(instructions),
            share(whole),
            share(engine),
            ceiling(each.A),
            ceiling(each.B),
            ceiling(each.C),
          ],
        };
      }),
    },
  };
}

/** Parameters whose values differ among the cases, with how many values each has. */
function varying(cases: readonly Case[]): Map<string, number> {
  const values = new Map<string, Set<unknown>>();
  for (const { parameters } of cases) {
    for (const [name, value] of Object.entries(parameters)) {
      values.set(name, (values.get(name) ?? new Set()).add(value));
    }
  }
  return new Map(
    [...values].map(([name, seen]) => [name, seen.size] as const).filter(([, n]) => n > 1),
  );
}

/** The parameter to draw lines along: numeric in all cases, with the most values, at least three. */
export function axisOf(cases: readonly Case[]): string | undefined {
  const numeric = [...varying(cases)].filter(
    ([name, values]) =>
      values > 2 && cases.every(({ parameters }) => typeof parameters[name] === 'number'),
  );
  const [best] = numeric.sort(([, a], [, b]) => b - a);
  /* Of a case in several parameters at once (m, n, k), none is an axis. */
  if (!best || numeric.length > 1) return undefined;
  return best[0];
}

/** Told apart inside one chart, by the pattern of the line. */
const modes = ['adaptive', 'parallel', 'sequential'] as const;
const patterns = { adaptive: 'solid', parallel: 'dashed', sequential: 'dotted' } as const;

function tableOf(cases: readonly Case[], several: boolean, caption: string): TableData {
  const unit = cases[0]?.unit ?? '';
  return {
    caption: `${caption}: median with its 95% interval, in ${unit}.`,
    columns: [
      'Case',
      ...sides.map((side) => `${side}: ${sideNames[side]}`),
      'C of A',
      'Data',
      'Samples',
    ],
    rows: cases.map((each) => ({
      void: sides.some((side) => each[side]?.voided !== undefined),
      cells: [
        label(each, several),
        ...sides.map((side) => cell(each[side])),
        share(ratiosOf(each).whole),
        (each.C ?? each.A)?.data ?? '–',
        String((each.C ?? each.A)?.samples ?? '–'),
      ],
    })),
  };
}

function sideSeries(
  cases: readonly Case[],
  side: Side,
  place: (each: Case, index: number) => number,
): Series {
  const role: Role = side;
  return {
    name: sideNames[side],
    role,
    points: cases.flatMap((each, i): Point[] => {
      const m = each[side];
      if (!m || m.voided !== undefined) return [];
      return [{ x: place(each, i), y: m.value, low: m.low, high: m.high }];
    }),
  };
}

const drawn = (series: readonly Series[]) => series.filter(({ points }) => points.length > 0);

function lineSeries(cases: readonly Case[], along: string): Series[] {
  const place = ({ parameters }: Case) => Number(parameters[along]);
  const present = modes.filter((mode) => cases.some(({ parameters }) => parameters.mode === mode));
  if (present.length < 2) return drawn(sides.map((side) => sideSeries(cases, side, place)));
  return drawn(
    sides.flatMap((side) =>
      present.map((mode) => {
        const some = cases.filter(({ parameters }) => parameters.mode === mode);
        const series = sideSeries(some, side, place);
        return { ...series, name: `${series.name}, ${mode}`, pattern: patterns[mode] };
      }),
    ),
  );
}

/** Growth laws in words. */
function growth(cases: readonly Case[], series: readonly Series[], along: string): string[] {
  if ((cases[0]?.C ?? cases[0]?.A)?.direction !== 'lower') return [];
  if (series.some(({ pattern }) => pattern)) return [];
  return series.flatMap(({ role, points }) => {
    const slope = exponent(points);
    if (!slope) return [];
    return [
      `${role} grows as ${along} to the power ${significant(slope.value)} (${intervalText(slope, significant)}).`,
    ];
  });
}

function isWide(series: readonly Series[]): boolean {
  const values = series.flatMap(({ points }) => points.map(({ y }) => y)).filter((y) => y > 0);
  return Math.max(...values) > 8 * Math.min(...values);
}

/** What a metric is compared with, beside the sides. */
function marksOf(suite: string, metric: string): Mark[] {
  return suite === 'interp5d' && metric === 'held-out RMSE'
    ? [{ name: 'noise of the data', value: noise }]
    : [];
}

/** One metric of one suite, or of one facet of it. */
function metricChart(
  cases: readonly Case[],
  facet: string,
  along: string | undefined,
): ChartSpec | undefined {
  const [first] = cases;
  if (!first) return undefined;
  const several = severalThreads(cases);
  const title = `${first.suite}: ${first.metric}${facet && `, ${facet}`}`;
  const series = along
    ? lineSeries(cases, along)
    : drawn(sides.map((side) => sideSeries(cases, side, (_, i) => i)));
  const base = {
    id: title.replaceAll(/[^\w-]+/g, '-'),
    title,
    marks: marksOf(first.suite, first.metric),
    series,
    table: tableOf(cases, several, title),
    y: {
      title: `${first.metric} (${first.unit})`,
      ...(isWide(series) && along ? { log: true } : {}),
    },
  };
  if (!along) {
    return {
      ...base,
      about: 'Bars are medians, whiskers their 95% intervals.',
      kind: 'bars',
      categories: cases.map((each) => label(each, several)),
      x: { title: '' },
      notes: [],
    };
  }
  return {
    ...base,
    about: `Against ${along}. Points are medians, whiskers their 95% intervals.`,
    kind: 'lines',
    categories: [],
    x: {
      title: along,
      log: true,
      ticks: [...new Set(cases.map(({ parameters }) => Number(parameters[along])))],
    },
    notes: growth(cases, series, along),
  };
}

/** Fewer points than this make no line. */
const leastPoints = 3;

/**
 * A chart for each value of the parameters that are neither the axis nor told apart inside a chart;
 * or one of bars, where that would leave lines of few points.
 */
function metricCharts(cases: readonly Case[]): (ChartSpec | undefined)[] {
  const along = severalThreads(cases) ? undefined : axisOf(cases);
  const names = [...varying(cases).keys()].filter((name) => name !== along && name !== 'mode');
  const groups = groupBy(cases, ({ parameters }) =>
    names.map((name) => `${name} ${parameters[name]}`).join(', '),
  );
  const lines = along && [...groups.values()].every((some) => some.length >= leastPoints);
  if (!lines) return [metricChart(cases, '', undefined)];
  return [...groups].map(([facet, some]) => metricChart(some, facet, along));
}

/** Equal bits, case by case: only exact engines promise them. */
function bitsTable(cases: readonly Case[]): ChartSpec | undefined {
  const hashed = cases.filter((each) => each.C?.lossBits);
  if (hashed.length === 0) return undefined;
  const judge = ({ B, C }: Case): string => {
    if (!C?.exact) return 'not promised: this tier fuses multiply and add';
    if (!B?.lossBits) return 'no native run to compare with';
    return B.lossBits === C.lossBits ? 'equal to the last bit' : 'NOT EQUAL';
  };
  return {
    id: 'bits',
    title: 'Same seed, same bits',
    about:
      'A hash of the losses of whole training runs. Exact engines, here and natively, agree to the last bit; the tier simd-threads is one.',
    kind: 'table',
    categories: [],
    x: { title: '' },
    y: { title: '' },
    series: [],
    marks: [],
    notes: [],
    wide: true,
    table: {
      caption: 'Hashes of the losses.',
      columns: ['Training run', 'Native, exact', 'This browser', 'Verdict'],
      rows: hashed.map((each) => ({
        void: judge(each) === 'NOT EQUAL',
        cells: [each.name, each.B?.lossBits ?? '–', each.C?.lossBits ?? '–', judge(each)],
      })),
    },
  };
}

/** Drawn although they are not a figure of speed. */
const alsoDrawn = new Set(['held-out RMSE', 'training memory', 'prediction memory']);

/** What is not drawn, in one table per suite. */
function furtherFigures(suite: string, cases: readonly Case[]): ChartSpec | undefined {
  if (cases.length === 0) return undefined;
  const title = `${suite}: further figures`;
  const several = severalThreads(cases);
  return {
    id: `${suite}-further`,
    title,
    about: 'Measured in the same run.',
    kind: 'table',
    categories: [],
    x: { title: '' },
    y: { title: '' },
    series: [],
    marks: [],
    notes: [],
    wide: true,
    table: {
      caption: `${title}: median with its 95% interval.`,
      columns: ['Case', 'Metric', 'Unit', ...sides.map((side) => `${side}: ${sideNames[side]}`)],
      rows: cases.map((each) => ({
        void: sides.some((side) => each[side]?.voided !== undefined),
        cells: [
          label(each, several),
          each.metric,
          each.unit,
          ...sides.map((side) => cell(each[side])),
        ],
      })),
    },
  };
}

function groupBy(cases: readonly Case[], key: (each: Case) => string): Map<string, Case[]> {
  const groups = new Map<string, Case[]>();
  for (const each of cases) groups.set(key(each), [...(groups.get(key(each)) ?? []), each]);
  return groups;
}

function chartsOfSuite(suite: string, cases: readonly Case[]): (ChartSpec | undefined)[] {
  const metrics = [...groupBy(cases, ({ metric }) => metric)];
  const isDrawn = ([metric, some]: (typeof metrics)[number]) =>
    some.length > 1 && (alsoDrawn.has(metric) || some.some(({ C, A }) => (C ?? A)?.primary));
  return [
    ...metrics.filter(isDrawn).flatMap(([, some]) => metricCharts(some)),
    furtherFigures(
      suite,
      metrics.filter((group) => !isDrawn(group)).flatMap(([, some]) => some),
    ),
    bitsTable(cases.filter(() => suite === 'bits')),
  ];
}

/** Everything to draw: first the overview, then what the browser measured, suite by suite. */
export function suiteCharts({ native, browser }: ChartInput): ChartSpec[] {
  const cases = pairCases(native, browser).filter(({ C }) => C !== undefined);
  const charts = [...groupBy(cases, ({ suite }) => suite)].flatMap(([suite, some]) =>
    chartsOfSuite(suite, some),
  );
  return [overview(cases), ...charts].filter((spec) => spec !== undefined);
}
