/** What an A/B test says: a sentence, tables, charts, and a file. */
import { summarise } from '../../bench/peers/statistics.mjs';
import type { Sample } from './ab_measure.js';
import type { AbEngineInfo, AbResult } from './ab_run.js';
import { outcomeOf } from './against.js';
import type { ChartSpec, Point } from './chart_spec.js';
import { capital, count, significant } from './format.js';
import { type Interval, isNarrow } from './interval.js';
import { intervalText } from './verdict.js';
import type { TableData } from './views/table.js';

/** The two sides, by the number of their tag. */
const numbers = [1, 2] as const;
type Side = (typeof numbers)[number];

const microseconds = (ns: number) => significant(ns / 1000);

/** Batches of different sizes are compared by the time of a sample. */
const bySample = ({ choice }: AbResult) => choice.differs === 'batch';

/** The unit in which the sides are compared. */
const unitOf = (result: AbResult) => (bySample(result) ? 'µs per sample' : 'µs');

/** The time of a sample that was measured, in the unit of the comparison, in nanoseconds. */
const timeOf = (result: AbResult, side: Side, { ns }: Sample) =>
  bySample(result) ? ns / result.sides[side - 1]!.options.batchSize : ns;

const timesOf = (result: AbResult, side: Side): number[] =>
  result.pairs.map(({ first, second }) => timeOf(result, side, side === 1 ? first : second));

/** How many times as fast the second side is, pair by pair. */
export function speedsOf(result: AbResult): number[] {
  const second = timesOf(result, 2);
  return timesOf(result, 1).map((ns, i) => ns / (second[i] ?? Number.NaN));
}

/** The median of the pairs with its 95% interval. */
export function speedOf(result: AbResult): Interval {
  const { median: value, low, high } = summarise(speedsOf(result));
  return { value, low, high };
}

const whatOf = ({ choice: { model, training } }: AbResult) =>
  `${training ? 'a training step' : 'a prediction'} of ${model}`;

/** The outcome, how much, and how sure. */
export function verdictOf(result: AbResult): string {
  const { sides, voided, pairs } = result;
  if (voided !== undefined) {
    return `Void: during the test ${voided}. Keep the page in view and the computer awake, and measure again.`;
  }
  const speed = speedOf(result);
  const per = bySample(result) ? 'per sample, ' : '';
  const figure = `${significant(speed.value)} times as fast`;
  const over = `${intervalText(speed, significant)}, ${count(pairs.length, 'pair')}`;
  const which = `${per}${whatOf(result)} is ${figure} ${sides[1].name} as ${sides[0].name} (${over}).`;
  const outcome = outcomeOf(speed);
  if (outcome !== 'no difference') return `${capital(outcome)}: ${which}`;
  return isNarrow(speed)
    ? `No difference: ${which}`
    : `No difference was seen, but the interval is wide: ${which} More pairs may show one.`;
}

/** Whether the sides computed the same. */
export function bitsText({ sameBits, voided, choice }: AbResult): string {
  if (voided !== undefined) return '';
  if (sameBits) return 'In every pair both sides computed the same, to the last bit.';
  return choice.differs === 'batch'
    ? 'Batches of different sizes hold different data, so results are not compared.'
    : 'One of the engines fuses multiply and add, so equal bits are not promised and results are not compared.';
}

const engineText = ({ tier, threads, isa, vectorBits, fma }: AbEngineInfo) =>
  `${tier} (${isa}, ${vectorBits} bits${fma ? ', fused multiply-add' : ''}), ${count(threads, 'thread')}`;

/** What each side was, and how long it took. */
export function sidesTable(result: AbResult): TableData {
  const unit = bySample(result) ? 'Sample (µs)' : 'Run (µs)';
  return {
    caption: `The sides: medians of ${count(result.pairs.length, 'pair')}, with their 95% intervals.`,
    columns: ['Side', 'Engine', 'Batch', 'Optimizer', unit],
    rows: numbers.map((side) => {
      const { name, options } = result.sides[side - 1]!;
      const { median, low, high } = summarise(timesOf(result, side));
      return {
        void: result.voided !== undefined,
        cells: [
          `${side}: ${name}`,
          engineText(result.engines[side - 1]!),
          String(options.batchSize),
          options.optimizer ?? '–',
          `${microseconds(median)} (${microseconds(low)}–${microseconds(high)})`,
        ],
      };
    }),
  };
}

function pairsTable(result: AbResult): TableData {
  const [first, second] = [timesOf(result, 1), timesOf(result, 2)];
  const speeds = speedsOf(result);
  return {
    caption: `Every pair, in the order in which they were measured: times in ${unitOf(result)}.`,
    columns: ['Pair', 'Measured first', '1', '2', 'Times as fast'],
    rows: result.pairs.map(({ swapped }, i) => ({
      void: result.voided !== undefined,
      cells: [
        String(i + 1),
        swapped ? '2' : '1',
        microseconds(first[i]!),
        microseconds(second[i]!),
        significant(speeds[i]!),
      ],
    })),
  };
}

/** Points along the pairs; a single sample has no interval. */
const along = (values: readonly number[]): Point[] =>
  values.map((y, i) => ({ x: i + 1, y, low: y, high: y }));

/** At most about five labels. */
function ticksOf(pairs: number): number[] {
  const step = [1, 2, 5, 10, 20, 50].find((each) => pairs / each <= 6) ?? 50;
  return Array.from({ length: pairs }, (_, i) => i + 1).filter(
    (pair) => pair === 1 || pair % step === 0,
  );
}

/** The time of every sample, and the ratio of every pair; a void test has no charts. */
export function abCharts(result: AbResult): ChartSpec[] {
  const { sides, pairs, voided } = result;
  if (voided !== undefined) return [];
  const speed = speedOf(result);
  const common = {
    kind: 'lines',
    categories: [],
    x: { title: 'pair', ticks: ticksOf(pairs.length) },
    table: pairsTable(result),
    notes: [],
  } as const;
  return [
    {
      ...common,
      id: 'ab-times',
      title: 'Time of every sample',
      about:
        'Pairs in the order in which they were measured. What moves both together was the machine.',
      y: { title: unitOf(result) },
      series: numbers.map((number) => ({
        name: sides[number - 1]!.name,
        role: 'other',
        number,
        points: along(timesOf(result, number).map((ns) => ns / 1000)),
        only: 'points',
      })),
      marks: [],
    },
    {
      ...common,
      id: 'ab-speeds',
      title: 'How many times as fast side 2 is, pair by pair',
      about: `The median is ${significant(speed.value)} (${intervalText(speed, significant)}). Above 1, side 2 is faster.`,
      y: { title: 'times as fast' },
      series: [
        {
          ...{ name: 'each pair', role: 'other', number: 2 },
          points: along(speedsOf(result)),
          only: 'points',
        },
        {
          ...{ name: 'median of the pairs', role: 'other', number: 3 },
          points: along(pairs.map(() => speed.value)).map((point) => ({
            ...point,
            name: `median ${significant(speed.value)}, ${intervalText(speed, significant)}`,
          })),
          pattern: 'dashed',
          only: 'line',
        },
      ],
      marks: [{ name: '1 = no difference', value: 1 }],
    },
  ];
}

/** The test as a file: what was compared on what, every pair, and what follows. */
export function abFile(result: AbResult, userAgent: string): string {
  const { choice, sides, engines, date, pairs, sameBits, voided } = result;
  const compared = voided === undefined ? speedOf(result) : undefined;
  return `${JSON.stringify(
    {
      kind: 'parallax-ab-1',
      date,
      userAgent,
      choice,
      sides: sides.map((side, i) => ({ ...side, engine: engines[i] })),
      unit: bySample(result) ? 'ns per sample' : 'ns per run',
      pairs: pairs.map((pair) => ({
        first: timeOf(result, 1, pair.first),
        second: timeOf(result, 2, pair.second),
        measuredFirst: pair.swapped ? 'second' : 'first',
        hashes: [pair.first.hash, pair.second.hash],
      })),
      sameBits,
      ...(compared ? { timesAsFast: compared, outcome: outcomeOf(compared) } : { voided }),
    },
    null,
    1,
  )}\n`;
}
