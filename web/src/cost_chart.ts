/** What a million samples cost on a machine whose price for an hour the user gives. */
import type { ChartSpec, Point } from './chart_spec.js';
import type { Case } from './compare.js';
import { significant } from './format.js';
import { drawn, lanesOf, looks, valid } from './lanes.js';
import type { Measurement } from './rows.js';

const unit = 'samples/s';
const [million, hour] = [1e6, 3600];

/** Whether the price of a sample follows from one of these figures. */
export const hasRates = (cases: readonly Case[]): boolean =>
  cases.some((each) => each.unit === unit);

/** Reads a price; undefined if it is none. */
export function priceOf(text: string | undefined): number | undefined {
  const price = Number(text);
  return text && Number.isFinite(price) && price > 0 && price < 1e9 ? price : undefined;
}

/** The price of a million samples at this rate. */
export const costOf = (rate: number, price: number): number => ((price / hour) * million) / rate;

function pointOf(x: number, m: Measurement | undefined, price: number): Point[] {
  if (!m || !(m.value > 0)) return [];
  const cost = (rate: number) => costOf(rate, price);
  /* An interval that reaches 0 has no end in costs. */
  return [
    { x, y: cost(m.value), low: cost(m.high), high: m.low > 0 ? cost(m.low) : cost(m.value) },
  ];
}

/** The cost of every case that has a rate. */
export function costChart(cases: readonly Case[], price: number): ChartSpec | undefined {
  const rated = cases.filter((each) => each.unit === unit);
  const lanes = lanesOf(rated);
  const series = drawn(
    lanes.map((lane) => ({
      name: lane.name,
      ...looks(lane),
      points: rated.flatMap((each, x) => pointOf(x, valid(lane.of(each)), price)),
    })),
  );
  if (series.length === 0) return undefined;
  const text = (m: Measurement | undefined) => {
    const [point] = pointOf(0, valid(m), price);
    return point
      ? `${significant(point.y)} (${significant(point.low)}–${significant(point.high)})`
      : '–';
  };
  return {
    id: 'cost',
    title: 'Cost of a million samples',
    about: `At ${significant(price)} for an hour of the machine, in the same currency: the price of an hour divided by the samples of an hour. Only time is counted.`,
    kind: 'dots',
    categories: rated.map(({ title, metric }) => `${title}, ${metric}`),
    x: { title: '' },
    y: { title: 'price of a million samples', log: true },
    series,
    marks: [],
    notes: [],
    wide: true,
    table: {
      caption: 'Price of a million samples with its 95% interval.',
      columns: ['Case', ...lanes.map(({ column }) => column)],
      rows: rated.map((each) => ({
        cells: [`${each.title}, ${each.metric}`, ...lanes.map(({ of }) => text(of(each)))],
      })),
    },
  };
}
