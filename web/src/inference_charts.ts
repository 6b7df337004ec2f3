/** Charts of the suite `inference`: latency against batch size, and what parts of a plan save. */
import type { ChartSpec, Point, Series } from './chart_spec.js';
import { type Case, caseKey } from './compare.js';
import { figureText } from './figure.js';
import { count, significant } from './format.js';
import { type Lane, lanesOf } from './lanes.js';
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

const valid = (m: Measurement | undefined) => (m?.voided === undefined ? m : undefined);
const batchOf = ({ parameters }: Case) => Number(parameters.batch);

/** The same case in another metric. */
type Beside = (each: Case, metric: string) => Case | undefined;

function series(cases: readonly Case[], lane: Lane, beside: Beside): Series[] {
  return lines.map(
    ({ metric, name, pattern }): Series => ({
      name: `${lane.name}, ${name}`,
      role: lane.role,
      ...(lane.number ? { number: lane.number } : {}),
      pattern,
      points: cases.flatMap((each): Point[] => {
        const other = beside(each, metric);
        const m = valid(other && lane.of(other));
        return m ? [{ x: batchOf(each), y: m.value, low: m.low, high: m.high }] : [];
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
  const drawn = lanes
    .flatMap((lane) => series(cases, lane, beside))
    .filter(({ points }) => points.length > 0);
  if (drawn.length === 0) return undefined;
  const title = `${model}${several ? `, ${count(threads, 'thread')}` : ''}`;
  return {
    id: `inference-${title.replaceAll(/[^\w]+/g, '-')}`,
    title: `Latency of ${title}`,
    about:
      'One prediction after another, each timed on its own, or several together where one is too short for the clock, with weights packed and folded and the plan fixed. “Before all” is the same model on one thread without packing, folding and fusion.',
    kind: 'lines',
    categories: [],
    x: { title: 'batch', log: true, ticks: [...new Set(cases.map(batchOf))] },
    y: { title: 'latency (us)', log: true },
    series: drawn,
    marks: [],
    notes: notesOf(cases, lanes),
    table: tableOf(cases, title, beside),
  };
}

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
  const charts = [...groups].map(([group, some]) => {
    const [model = '', threads = ''] = group.split('\u0002');
    return modelChart(model, Number(threads), several, some, (each, metric) =>
      all.get(key(each, metric)),
    );
  });
  return { charts: charts.filter((spec) => spec !== undefined), rest: [] };
}
