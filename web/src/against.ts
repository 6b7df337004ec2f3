/** How this browser compares with everything else that measured the same cases. */
import type { ChartSpec, Point, Role } from './chart_spec.js';
import { type Case, type Foreign, pairCases } from './compare.js';
import { list, significant } from './format.js';
import { type Interval, inverse, isNarrow, straddlesOne } from './interval.js';
import { type Lane, lanesOf } from './lanes.js';
import { comparedMeasurements, foreignMeasurements, nativeMeasurements } from './native_files.js';
import type { AppState } from './state.js';
import { summariseWhole } from './summary.js';

/** What an interval of a ratio of speeds says. */
export type Outcome = 'win' | 'loss' | 'no difference';

/** Above 1 is faster. No difference: the interval contains 1. */
export function outcomeOf(speed: Interval): Outcome {
  if (straddlesOne(speed)) return 'no difference';
  return speed.value > 1 ? 'win' : 'loss';
}

/** The outcome in words; an interval that is wide does not show that there is none. */
export function outcomeText(speed: Interval): string {
  const outcome = outcomeOf(speed);
  return outcome === 'no difference' && !isNarrow(speed)
    ? 'no difference seen, but the interval is wide'
    : outcome;
}

/** This browser beside one other. */
export interface Against {
  name: string;
  role: Role;
  number?: number;
  cases: number;
  /** How many times as fast this browser is. */
  speed: Interval;
  /** Whether both have enough rounds for an interval. */
  spread: boolean;
}

type Inputs = Pick<AppState, 'native' | 'files' | 'browser' | 'reference' | 'compared'>;

function casesOf(state: Inputs): Case[] {
  const { browser, reference } = state;
  const others: Foreign[] = [...comparedMeasurements(state), ...foreignMeasurements(state)];
  if (reference.phase === 'ready') {
    others.push(
      ...reference.set.measurements.map((measurement) => ({ file: 'reference', measurement })),
    );
  }
  return pairCases(nativeMeasurements(state), browser?.measurements ?? [], others);
}

/** A lane's measurements as if they were the native side: ratios are then those to it. */
const asNative = (cases: readonly Case[], { of }: Lane): Case[] =>
  cases.map((each) => {
    const { A: _, ...rest } = each;
    const other = of(each);
    return other ? { ...rest, A: other } : rest;
  });

/** All that measured cases of this browser's run, in the order of the charts. */
export interface AgainstAll {
  all: readonly Against[];
  /** Names of those that have no valid case in common with it. */
  without: readonly string[];
}

export function againstAll(state: Inputs): AgainstAll {
  const all: Against[] = [];
  const without: string[] = [];
  if (!state.browser) return { all, without };
  const cases = casesOf(state);
  for (const lane of lanesOf(cases)) {
    const { name, role, number } = lane;
    if (role === 'C' || !cases.some((each) => lane.of(each))) continue;
    const whole = summariseWhole(asNative(cases, lane));
    if (!whole) {
      without.push(name);
      continue;
    }
    const { ratio, spread } = whole;
    all.push({
      ...{ name, role, cases: whole.cases, spread, speed: inverse(ratio) },
      ...(number ? { number } : {}),
    });
  }
  return { all, without };
}

/** "Chromium 156, simd (run of 2026-11-30 13:20:05)": without the machine. */
const shortName = ({ name }: Against) => name.replace(/ on .*( \([^()]*\))$/, '$1');

const figure = ({ speed, spread }: Against) =>
  spread
    ? `${significant(speed.value)} (${significant(speed.low)}–${significant(speed.high)})`
    : `about ${significant(speed.value)}`;

/** What the chart leaves out, as sentences. */
function notesOf({ all, without }: AgainstAll): string[] {
  const notes: string[] = [];
  if (all.some(({ spread }) => !spread)) {
    notes.push(
      'Where a run has only one round, or its file does not record rounds, there is no interval.',
    );
  }
  if (without.length > 0) {
    notes.push(
      `Not drawn, since no valid case has the same parameters and number of threads: ${list(without)}.`,
    );
  }
  return notes;
}

/** The chart of all of them; undefined if there is nothing to compare. */
export function againstChart(against: AgainstAll): ChartSpec | undefined {
  const { all } = against;
  if (all.length === 0) return undefined;
  const points = all.map(({ speed: { value: y, low, high }, spread }, x): Point => {
    return { x, y, ...(spread ? { low, high } : { low: y, high: y }) };
  });
  const tag = ({ role, number }: Against) => (role === 'other' ? String(number) : role);
  return {
    id: 'against',
    title: 'This browser beside everything else that measured the same',
    about:
      'How many times as fast this browser is, over the cases that both measured, with the 95% interval. Above 1 it is faster: a win.',
    kind: 'dots',
    categories: all.map((each) => `${tag(each)}: ${shortName(each)}`),
    x: { title: '' },
    y: { title: 'times as fast', log: true },
    series: [{ name: 'this browser', role: 'C', points }],
    marks: [{ name: '1 = no difference', value: 1 }],
    notes: notesOf(against),
    wide: true,
    table: {
      caption: 'How many times as fast this browser is: geometric means over the common cases.',
      columns: ['Beside', 'Cases', 'Times as fast', 'Outcome'],
      rows: all.map((each) => ({
        cells: [
          `${tag(each)}: ${each.name}`,
          String(each.cases),
          figure(each),
          each.spread ? outcomeText(each.speed) : 'not known: no interval',
        ],
      })),
    },
  };
}
