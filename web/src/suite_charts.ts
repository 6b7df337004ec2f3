/** The charts of a suite. */
import { accuracyCharts } from './accuracy_charts.js';
import { adaptiveCharts } from './adaptive_charts.js';
import {
  type ChartSpec,
  isWide,
  type Mark,
  type Point,
  plainPoint,
  type Series,
  tableOnly,
} from './chart_spec.js';
import { anyOf, type Case, hasOneRound, isNativeSide, ratiosOf, speedCases } from './compare.js';
import { costChart } from './cost_chart.js';
import { curveCharts } from './curve_charts.js';
import { figureText, shareText, undrawn } from './figure.js';
import { count, percent } from './format.js';
import { fitsText, type Growth, growthOf } from './growth.js';
import { hypercausalCharts } from './hypercausal_charts.js';
import { inferenceCharts } from './inference_charts.js';
import type { Interval } from './interval.js';
import { drawn, isVoid, type Lane, lanesOf, looks, pointOf, sideNamesOf, valid } from './lanes.js';
import { machineSuite } from './machine_movement.js';
import { memoryChart } from './memory_chart.js';
import { opsCharts } from './ops_charts.js';
import type { Measurement } from './rows.js';
import { scalingChart } from './scaling_chart.js';
import { packageCharts, packageSuite } from './start_up_chart.js';
import { intervalText } from './verdict.js';
import type { TableData } from './views/table.js';

function label({ title, threads }: Case, several: boolean): string {
  return `${title}${several ? `, ${count(threads, 'thread')}` : ''}`;
}

const severalThreads = (cases: readonly Case[]) =>
  new Set(cases.map(({ threads }) => threads)).size > 1;

function share(ratio: Interval | undefined): string {
  if (!ratio) return '–';
  return `${percent(1 / ratio.value)} (${intervalText(
    { value: 0, low: 1 / ratio.high, high: 1 / ratio.low },
    percent,
  ).replace('95% CI ', '')})`;
}

/** The share of the ceiling; void measurements have none. */
const ceilingOf = (m: Measurement | undefined) => valid(m)?.ceiling;

const ceiling = (m: Measurement | undefined) => shareText(ceilingOf(m));

/** The cases of a suite on one scale: native at its best is 100%. */
export function overview(cases: readonly Case[]): ChartSpec | undefined {
  const shown = speedCases(cases).filter((each) => each.C && ratiosOf(each).whole);
  if (shown.length === 0) return undefined;
  const several = severalThreads(shown);
  const names = sideNamesOf(shown);
  const series = (['B', 'C'] as const).map((side): Series => {
    const points = shown.flatMap((each, x): Point[] => {
      const ratios = ratiosOf(each);
      const ratio = side === 'B' ? ratios.instructions : ratios.whole;
      if (!ratio) return [];
      return [{ x, y: 100 / ratio.value, low: 100 / ratio.high, high: 100 / ratio.low }];
    });
    return { name: names[side], role: side, points };
  });
  return {
    id: 'overview',
    title: 'Speed as a percentage of native at its best',
    about:
      'Every case on one scale. The distance from 100% to B is the instruction set, from B to C the browser’s engine.',
    kind: 'bars',
    categories: shown.map((each) => label(each, several)),
    x: { title: '' },
    y: { title: '% of the speed of A' },
    series: series.filter(({ points }) => points.length > 0),
    marks: [{ name: 'A = 100%', value: 100 }],
    notes: [
      shown.some(({ A, B, C }) => [A, B, C].some(hasOneRound))
        ? 'Some cases were measured in one round only: their intervals show the spread within that round, not between rounds, and are too narrow.'
        : 'Intervals of single cases do not allow for changes of the machine itself between the runs; those above, over all cases, do.',
    ],
    wide: true,
    table: {
      caption:
        'Speed of B and C as a share of A, with its 95% interval, and the share of its own ceiling that each side reaches.',
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
            label(each, several),
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

/** How close each side comes to the most that its own instructions and threads can do. */
export function ceilings(cases: readonly Case[]): ChartSpec | undefined {
  const lanes = lanesOf(cases).filter(({ role }) => role !== 'other');
  const shown = speedCases(cases).filter((each) => lanes.some(({ of }) => ceilingOf(of(each))));
  if (shown.length === 0) return undefined;
  const several = severalThreads(shown);
  const series = lanes.map(({ name, role, of }): Series => {
    const points = shown.flatMap((each, x): Point[] => {
      const part = ceilingOf(of(each))?.share;
      if (part === undefined) return [];
      return [plainPoint(x, 100 * part)];
    });
    return { name, role, points };
  });
  return {
    id: 'ceiling',
    title: 'Speed as a percentage of each side’s own ceiling',
    about:
      'The ceiling is what multiply-adds in registers reach with that side’s vectors and threads, measured alongside the cases. A case with little arithmetic is bound by memory instead, and stays far below.',
    kind: 'bars',
    categories: shown.map((each) => label(each, several)),
    x: { title: '' },
    y: { title: '% of the ceiling' },
    series: drawn(series),
    marks: [],
    notes: undrawn(shown.flatMap((each) => lanes.map(({ of }) => ceilingOf(of(each))))),
    wide: true,
    table: {
      caption: 'Share of its own ceiling that each side reaches.',
      columns: ['Case', ...lanes.map(({ column }) => column)],
      rows: shown.map((each) => ({
        cells: [label(each, several), ...lanes.map(({ of }) => ceiling(of(each)))],
      })),
    },
  };
}

/** Parameters whose values differ between cases, with the number of values of each. */
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
  /* Where several parameters vary at once (m, n, k), none is an axis. */
  if (!best || numeric.length > 1) return undefined;
  return best[0];
}

/** Modes share a chart and are distinguished by the pattern of the line. */
const modes = ['adaptive', 'parallel', 'sequential'] as const;
const patterns = { adaptive: 'solid', parallel: 'dashed', sequential: 'dotted' } as const;

/** The data that a case was measured on; several if the sides differ. */
function dataOf(each: Case, lanes: readonly Lane[]): string {
  const all = lanes.flatMap(({ of }) => of(each)?.data ?? []);
  return [...new Set(all)].join(' / ');
}

function tableOf(cases: readonly Case[], several: boolean, caption: string): TableData {
  const lanes = lanesOf(cases);
  const unit = cases[0]?.unit ?? '';
  return {
    caption: `${caption}: median with its 95% interval, in ${unit}.`,
    columns: ['Case', ...lanes.map(({ column }) => column), 'C of A', 'Data', 'Samples'],
    rows: cases.map((each) => ({
      void: isVoid(each, lanes),
      cells: [
        label(each, several),
        ...lanes.map(({ of }) => figureText(of(each))),
        share(ratiosOf(each).whole),
        dataOf(each, lanes),
        String(anyOf(each)?.samples ?? '–'),
      ],
    })),
  };
}

const laneSeries = (
  cases: readonly Case[],
  lane: Lane,
  place: (each: Case, index: number) => number,
): Series => ({
  name: lane.name,
  ...looks(lane),
  points: cases.flatMap((each, i): Point[] => {
    const m = valid(lane.of(each));
    return m ? [pointOf(place(each, i), m)] : [];
  }),
});

function lineSeries(cases: readonly Case[], along: string): Series[] {
  const place = ({ parameters }: Case) => Number(parameters[along]);
  const present = modes.filter((mode) => cases.some(({ parameters }) => parameters.mode === mode));
  const lanes = lanesOf(cases);
  if (present.length < 2) return drawn(lanes.map((lane) => laneSeries(cases, lane, place)));
  return drawn(
    lanes.flatMap((lane) =>
      present.map((mode) => {
        const some = cases.filter(({ parameters }) => parameters.mode === mode);
        const series = laneSeries(some, lane, place);
        return { ...series, name: `${series.name}, ${mode}`, pattern: patterns[mode] };
      }),
    ),
  );
}

/** Units of costs: time and memory. */
const costs = new Set(['s', 'ms', 'us', 'ns', 'bytes']);

/** Growth laws of costs; none where several lines belong to a side. */
function costGrowth(cases: readonly Case[], series: readonly Series[], along: string): Growth {
  const isCost = costs.has(cases[0]?.unit ?? '');
  return isCost && series.every(({ pattern }) => !pattern)
    ? growthOf(series, along)
    : { fits: [], notes: [] };
}

const valuesOf = (series: readonly Series[]) =>
  series.flatMap(({ points }) => points.map(({ y }) => y));

/** Standard deviation of the noise in the data of interp5d: no model can have a smaller error. */
const noise = 0.1;

/** Reference values that a metric is compared with. */
function marksOf(suite: string, metric: string): Mark[] {
  if (suite === 'interp5d' && metric === 'held-out RMSE')
    return [{ name: 'noise of the data', value: noise }];
  return metric === 'fused / unfused' ? [{ name: 'no difference', value: 1 }] : [];
}

/** What the strip under a figure shows. */
const samplesText = 'the strip below is its samples, or the medians of its rounds.';

/** The chart of one metric of a suite, or of one facet of it. */
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
    : drawn(lanesOf(cases).map((lane) => laneSeries(cases, lane, (_, i) => i)));
  const base = {
    id: title.replaceAll(/[^\w-]+/g, '-'),
    title,
    marks: marksOf(first.suite, first.metric),
    series,
    table: tableOf(cases, several, title),
    y: {
      title: `${first.metric} (${first.unit})`,
      ...(isWide(valuesOf(series)) ? { log: true } : {}),
    },
  };
  if (!along) {
    return {
      ...base,
      about: `${base.y.log ? 'Points' : 'Bars'} are medians, whiskers their 95% intervals; ${samplesText}`,
      kind: base.y.log ? 'dots' : 'bars',
      categories: cases.map((each) => label(each, several)),
      x: { title: '' },
      notes: [],
    };
  }
  const law = costGrowth(cases, series, along);
  return {
    ...base,
    series: [...series, ...law.fits],
    about: `Against ${along}. Points are medians, whiskers their 95% intervals.${fitsText(law)}`,
    kind: 'lines',
    categories: [],
    x: {
      title: along,
      log: true,
      ticks: [...new Set(cases.map(({ parameters }) => Number(parameters[along])))],
    },
    notes: law.notes,
  };
}

/** The least number of points of a line. */
const leastPoints = 3;

/**
 * One chart for each combination of the parameters that are neither the axis nor shown by patterns;
 * or a single chart of bars, where lines would have too few points.
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

/** Says whether a run has the bits of the native one; only exact engines promise that. */
function judgeBits(run: Measurement, native: Measurement | undefined): string {
  if (!run.exact) return 'not promised: this tier fuses multiply and add';
  if (!native) return 'no native run to compare with';
  if (native.lossBits === run.lossBits) return 'equal to the last bit';
  return native.data === run.data
    ? 'NOT EQUAL'
    : `not comparable: the native run used ${native.data}`;
}

/** Equal bits, case by case; native runs of any number of threads serve: bits do not differ. */
function bitsTable(cases: readonly Case[], native: readonly Measurement[]): ChartSpec | undefined {
  const exact = native.filter((m) => isNativeSide(m) && m.exact && m.lossBits);
  const nativeOf = (run: Measurement): Measurement | undefined => {
    const runs = exact.filter((m) => m.suite === run.suite && m.case === run.case);
    return runs.find(({ data }) => data === run.data) ?? runs[0];
  };
  const rows = lanesOf(cases)
    .filter(({ role }) => role === 'C' || role === 'other')
    .flatMap(({ name, of }) =>
      cases.flatMap((each) => {
        const run = of(each);
        if (!run?.lossBits) return [];
        const native = nativeOf(run);
        const verdict = judgeBits(run, native);
        const title = `${each.name}, ${count(each.threads, 'thread')}`;
        return {
          void: verdict === 'NOT EQUAL',
          cells: [title, name, run.data, run.lossBits, native?.lossBits ?? '–', verdict],
        };
      }),
    );
  if (rows.length === 0) return undefined;
  return {
    ...tableOnly,
    id: 'bits',
    title: 'Same seed, same bits',
    about:
      'Hashes of the losses of whole training runs, and of the results of every operation and its gradient. Exact engines, here and natively, agree to the last bit; the tier simd-threads is exact.',
    table: {
      caption: 'Hash of each run, and of its native counterpart.',
      columns: ['Run', 'Engine', 'Data', 'Hash', 'Native, exact', 'Verdict'],
      rows,
    },
  };
}

/** Metrics that are drawn although they are not figures of speed. */
const alsoDrawn = new Set([
  'held-out RMSE',
  'training memory',
  'prediction memory',
  'fused / unfused',
]);

/** The figures that are not drawn, in one table per suite. */
function furtherFigures(suite: string, cases: readonly Case[]): ChartSpec | undefined {
  if (cases.length === 0) return undefined;
  const title = `${suite}: further figures`;
  const several = severalThreads(cases);
  const lanes = lanesOf(cases);
  return {
    ...tableOnly,
    part: 'Further figures',
    id: `${suite}-further`,
    title,
    about: 'Measured in the same run.',
    table: {
      caption: `${title}: median with its 95% interval.`,
      columns: ['Case', 'Metric', 'Unit', ...lanes.map(({ column }) => column)],
      rows: cases.map((each) => ({
        void: isVoid(each, lanes),
        cells: [
          label(each, several),
          each.metric,
          each.unit,
          ...lanes.map(({ of }) => figureText(of(each))),
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

/** The speed of the machine itself during the runs. */
function machineTable(cases: readonly Case[]): { charts: ChartSpec[]; rest: Case[] } {
  const table = furtherFigures(machineSuite, cases);
  if (!table) return { charts: [], rest: [] };
  const spec: ChartSpec = {
    ...table,
    id: 'machine',
    title: 'The machine itself',
    about:
      'A fixed piece of work, the same code natively and in the browser, measured in every round of each run. Where its figures differ, the machine changed between the runs, not the engine.',
  };
  return { charts: [spec], rest: [] };
}

/** Suites whose rows hold more than a speed have their own charts; other cases go into a table. */
const ownCharts: Record<string, (cases: readonly Case[]) => { charts: ChartSpec[]; rest: Case[] }> =
  {
    ops: opsCharts,
    accuracy: accuracyCharts,
    hypercausal: hypercausalCharts,
    inference: inferenceCharts,
    [packageSuite]: packageCharts,
    [machineSuite]: machineTable,
  };

function chartsOfSuite(suite: string, cases: readonly Case[]): (ChartSpec | undefined)[] {
  const own = ownCharts[suite]?.(cases);
  if (own) return [...own.charts, furtherFigures(suite, own.rest)];
  const metrics = [...groupBy(cases, ({ metric }) => metric)];
  const isDrawn = ([metric, some]: (typeof metrics)[number]) =>
    some.length > 1 && (alsoDrawn.has(metric) || some.some((each) => anyOf(each)?.primary));
  return [
    ...metrics.filter(isDrawn).flatMap(([, some]) => metricCharts(some)),
    furtherFigures(
      suite,
      metrics.filter((group) => !isDrawn(group)).flatMap(([, some]) => some),
    ),
  ];
}

/** Gives charts the part of the suite's view that they belong to, unless they have one. */
const inPart = (part: string, charts: readonly (ChartSpec | undefined)[]): ChartSpec[] =>
  charts.filter((spec) => spec !== undefined).map((spec) => ({ part, ...spec }));

/**
 * The charts of a suite. native: the native rows, among which those of any number of threads have
 * the bits of a case. price: of an hour of the machine, if the user gave one.
 */
export function chartsOf(
  suite: string,
  cases: readonly Case[],
  native: readonly Measurement[],
  price?: number,
): ChartSpec[] {
  const bits = suite === 'bits' ? bitsTable(cases, native) : undefined;
  return [
    ...inPart('Same bits', [bits]),
    ...inPart('Against native', [
      suite === machineSuite ? undefined : overview(cases),
      /* Operations stand under the roofline instead. */
      suite in ownCharts ? undefined : ceilings(cases),
    ]),
    ...inPart('Threads', [
      ...(suite === 'adaptive' ? adaptiveCharts(cases) : []),
      scalingChart(cases),
    ]),
    ...inPart('Figures', chartsOfSuite(suite, cases)),
    ...inPart('Loss', curveCharts(cases)),
    ...inPart('Memory', [memoryChart(suite, cases)]),
    ...inPart('Cost', [price === undefined ? undefined : costChart(cases, price)]),
  ];
}
