/** Charts of the suite `inference`: latency against batch size, and what parts of a plan save. */
import type { ChartSpec, Point, Series } from './chart_spec.js';
import { type Case, caseKey, timesAsLong } from './compare.js';
import { figureText } from './figure.js';
import { count, significant } from './format.js';
import { geometricMean, type Interval } from './interval.js';
import { drawn, idOf, type Lane, lanesOf, looks, pointOf, valid } from './lanes.js';
import type { Measurement } from './rows.js';
import { sizeNames } from './url_state.js';

const median = 'latency, p50';

/** Lines of a chart: their metrics, their names, and what distinguishes them. */
const lines = [
  { metric: median, name: 'p50', pattern: 'solid' },
  { metric: 'latency, p99', name: 'p99', pattern: 'dashed' },
  { metric: 'p50 before all', name: 'p50 before all', pattern: 'dotted' },
] as const;

/** Variants without a part of the plan, whose median the table compares with the plan's. */
const parts = ['without packing', 'without folding', 'without fusion', 'on one thread'] as const;

/** What a percentile should be taken of. */
const enoughReadings = 1000;

type Calls = NonNullable<Measurement['calls']>;

const batchOf = ({ parameters }: Case) => Number(parameters.batch);

/** The same case in another metric. */
type Beside = (each: Case, metric: string) => Case | undefined;

function series(cases: readonly Case[], lane: Lane, beside: Beside): Series[] {
  return lines.map(
    ({ metric, name, pattern }): Series => ({
      name: `${lane.name}, ${name}`,
      ...looks(lane),
      pattern,
      points: cases.flatMap((each): Point[] => {
        const other = beside(each, metric);
        const m = valid(other && lane.of(other));
        return m ? [pointOf(batchOf(each), m)] : [];
      }),
    }),
  );
}

/** "1.3 times": how much longer a prediction takes than with the whole plan. */
function factorText(m: Measurement | undefined, whole: Measurement | undefined): string {
  const [without, all] = [valid(m), valid(whole)];
  return without && all ? `${significant(without.value / all.value)} times` : '–';
}

function callsText(m: Measurement | undefined): string {
  if (!m?.calls) return '–';
  const { count: calls, each } = m.calls;
  return each > 1 ? `${calls}, ${each} to a reading` : `${calls}`;
}

function tableOf(cases: readonly Case[], model: string, beside: Beside): ChartSpec['table'] {
  const lanes = lanesOf(cases);
  const rows = cases.flatMap((each) =>
    lanes.flatMap((lane) => {
      const of = (metric: string) => {
        const other = beside(each, metric);
        return other && lane.of(other);
      };
      const m = lane.of(each);
      if (!m) return [];
      return [
        {
          void: m.voided !== undefined,
          cells: [
            `${batchOf(each)}`,
            lane.column,
            ...lines.map(({ metric }) => figureText(of(metric))),
            ...parts.map((part) => factorText(of(`p50 ${part}`), m)),
            figureText(of('throughput')),
            callsText(m),
          ],
        },
      ];
    }),
  );
  return {
    caption: `Latency of ${model} in microseconds, how much longer it is without a part of the plan, samples per second, and the calls that were timed.`,
    columns: ['Batch', 'Engine', ...lines.map(({ name }) => name), ...parts, 'throughput', 'calls'],
    rows,
  };
}

function notesOf(cases: readonly Case[], lanes: readonly Lane[]): string[] {
  const several = (test: (calls: Calls) => boolean) =>
    cases.filter((each) =>
      lanes.some((lane) => {
        const calls = lane.of(each)?.calls;
        return calls !== undefined && test(calls);
      }),
    ).length;
  const few = several((calls) => calls.count / calls.each < enoughReadings);
  const means = several(({ each }) => each > 1);
  const notes = [];
  if (few > 0)
    notes.push(
      `${count(few, 'batch size')} had fewer than ${enoughReadings} readings, too few for a 99th percentile that holds; the size “${sizeNames.long}” (natively --full) makes that many.`,
    );
  if (means > 0)
    notes.push(
      `At ${count(means, 'batch size')} a call was too short for the clock: readings are means of several calls, and percentiles are of these means.`,
    );
  return notes;
}

function modelChart(
  model: string,
  threads: number,
  several: boolean,
  all: readonly Case[],
  beside: Beside,
): ChartSpec | undefined {
  const cases = [...all].sort((a, b) => batchOf(a) - batchOf(b));
  const lanes = lanesOf(cases);
  const latencies = drawn(lanes.flatMap((lane) => series(cases, lane, beside)));
  if (latencies.length === 0) return undefined;
  const title = `${model}${several ? `, ${count(threads, 'thread')}` : ''}`;
  return {
    id: `inference-${idOf(title)}`,
    title: `Latency of ${title}`,
    about:
      'One prediction after another, each timed on its own, or several together where one is too short for the clock, with weights packed and folded and the plan fixed. “Before all” is the same model on one thread without packing, folding and fusion.',
    kind: 'lines',
    categories: [],
    x: { title: 'batch', log: true, ticks: [...new Set(cases.map(batchOf))] },
    y: { title: 'latency (us)', log: true },
    series: latencies,
    marks: [],
    notes: notesOf(cases, lanes),
    table: tableOf(cases, title, beside),
  };
}

/** How many times as long predictions of each model take without a part of the plan, on one side. */
function savingsChart(medians: readonly Case[], lane: Lane, beside: Beside): ChartSpec | undefined {
  const models = [...new Set(medians.map(({ parameters }) => String(parameters.model)))];
  const factorOf = (model: string, part: string): Interval | undefined => {
    const factors = medians.flatMap((each) => {
      const other = String(each.parameters.model) === model && beside(each, `p50 ${part}`);
      const factor = other && timesAsLong(lane.of(other), lane.of(each));
      return factor ? [factor] : [];
    });
    return factors.length > 0 ? geometricMean(factors) : undefined;
  };
  const factors = parts.map((part) => models.map((model) => factorOf(model, part)));
  const series = parts.map(
    (name, i): Series => ({
      name,
      role: 'part',
      number: i + 1,
      points: models.flatMap((_, x) => {
        const factor = factors[i]?.[x];
        return factor ? [{ x, y: factor.value, low: factor.low, high: factor.high }] : [];
      }),
    }),
  );
  if (drawn(series).length === 0) return undefined;
  return {
    part: 'What parts save',
    id: `inference-savings-${idOf(lane.column)}`,
    title: `What each part of a plan saves: ${lane.name}`,
    about:
      'How many times as long a prediction takes without this part: geometric means over batch sizes, with their 95% intervals. At 1 the part saves nothing.',
    kind: 'bars',
    categories: models,
    x: { title: '' },
    y: { title: 'times as long' },
    series: drawn(series),
    marks: [{ name: 'with all parts', value: 1 }],
    notes: [],
    table: {
      caption: `How many times as long predictions of ${lane.name} take without a part of the plan.`,
      columns: ['Model', ...parts],
      rows: models.map((model, i) => ({
        cells: [model, ...factors.map((of) => factorCell(of[i]))],
      })),
    },
  };
}

const factorCell = (factor: Interval | undefined) =>
  factor
    ? `${significant(factor.value)} (${significant(factor.low)}–${significant(factor.high)})`
    : '–';

/** Returns the charts of this suite, and the remaining cases for a table. */
export function inferenceCharts(cases: readonly Case[]): { charts: ChartSpec[]; rest: Case[] } {
  const key = (each: Case, metric: string) => `${caseKey(each)}\u0002${metric}`;
  const all = new Map(cases.map((each) => [key(each, each.metric), each]));
  const medians = cases.filter(({ metric }) => metric === median);
  const groups = new Map<string, Case[]>();
  for (const each of medians) {
    const group = `${each.parameters.model}\u0002${each.threads}`;
    groups.set(group, [...(groups.get(group) ?? []), each]);
  }
  const several = new Set(medians.map(({ threads }) => threads)).size > 1;
  const beside: Beside = (each, metric) => all.get(key(each, metric));
  const charts = [
    ...[...groups].map(([group, some]) => {
      const [model = '', threads = ''] = group.split('\u0002');
      return modelChart(model, Number(threads), several, some, beside);
    }),
    ...lanesOf(medians).map((lane) => savingsChart(medians, lane, beside)),
  ];
  return { charts: charts.filter((spec) => spec !== undefined), rest: [] };
}
