/** The comparison over all cases that every side measured. */
import {
  type Case,
  hasRounds,
  isNamesake,
  isUsable,
  logTimes,
  type Side,
  speedCases,
} from './compare.js';
import { geometricMean, type Interval, isFinitePositive, mixture, ratio } from './interval.js';
import {
  type Movement,
  machineSuite,
  movementBetween,
  ratioOfRuns,
  type Yardstick,
  yardstickOf,
} from './machine_movement.js';
import type { Measurement } from './rows.js';

/** Cases that were left out of the comparison, and why. */
export interface LeftOut {
  why: 'void' | 'useless' | 'otherParameters' | 'unmeasured';
  names: readonly string[];
}

/** The comparison of this browser with native on this machine, over a set of cases. */
export interface Summary {
  /** Number of cases that all three sides measured. */
  cases: number;
  /**
   * Ratios of times B/A, C/B and C/A; finite and above 0. If a side is in `stopped`, only the value
   * of its ratios is meaningful: one round shows no spread between rounds.
   */
  instructions: Interval;
  engine: Interval;
  whole: Interval;
  /** Numbers of threads of the cases, ascending. */
  threads: readonly number[];
  /** Numbers of threads that did work, ascending; empty if the rows do not say. */
  worked: Readonly<Record<Side, readonly number[]>>;
  /** Sides whose rows are from versions that wrote no rounds, so that intervals are too narrow. */
  roundless: readonly Side[];
  /** Sides whose runs ended before every case had its second round. */
  stopped: readonly Stopped[];
  /** Sides whose plans chose threads based on assumed costs. */
  assumed: readonly Side[];
  /** How the machine's speed changed: from native run A to B, and from A to the browser's run. */
  movement: { natives: Movement | undefined; browser: Movement | undefined };
}

/** A run that was stopped too early for an interval. */
export interface Stopped {
  side: Side;
  /** Whether no case had a second round. */
  inFirst: boolean;
}

const sides: readonly Side[] = ['A', 'B', 'C'];

/** A case that every side has measured. */
type Complete = Case & Record<Side, Measurement>;

const isComplete = (each: Case): each is Complete => sides.every((side) => isUsable(each[side]));

/** One side's run: its mean over the cases, on a logarithmic scale. */
interface Run {
  /** Of the same cases in the same order as on the other side. */
  measurements: readonly Measurement[];
  /** One mean for each round that all cases had; undefined if a case has fewer than two rounds. */
  times: readonly number[] | undefined;
  /** Why there are no times, unless an older version left them out. */
  stopped: 'inFirst' | 'later' | undefined;
  /** The mean of medians alone, as if cases were independent. */
  mean: Interval;
  yardstick: Yardstick | undefined;
}

/** The median as a time: rates are inverted. */
function timeOf({ direction, value, low, high }: Measurement): Interval {
  return direction === 'higher'
    ? { value: 1 / value, low: 1 / high, high: 1 / low }
    : { value, low, high };
}

/** The mean over all cases, for each round that all of them have. */
function meansOfRounds(measurements: readonly Measurement[]): number[] | undefined {
  if (!measurements.every(hasRounds)) return undefined;
  const all = measurements.map(logTimes);
  const rounds = Math.min(...all.map(({ length }) => length));
  return Array.from({ length: rounds }, (_, round) => {
    return all.reduce((sum, times) => sum + (times[round] ?? 0), 0) / all.length;
  });
}

function stoppedOf(measurements: readonly Measurement[]): Run['stopped'] {
  const short = measurements.filter((each) => !hasRounds(each));
  if (short.length === 0 || !short.every(({ roundsWritten }) => roundsWritten)) return undefined;
  return short.length === measurements.length ? 'inFirst' : 'later';
}

function runOf(measurements: readonly Measurement[], yardstick: Yardstick | undefined): Run {
  const mean = geometricMean(measurements.map(timeOf));
  return {
    measurements,
    times: meansOfRounds(measurements),
    stopped: stoppedOf(measurements),
    mean,
    yardstick,
  };
}

/** The mean over the rounds; over medians if there are no rounds. */
function meanOf({ times, mean }: Run): Interval {
  if (!times) return mean;
  const value = Math.exp(times.reduce((sum, each) => sum + each, 0) / times.length);
  return { value, low: (value * mean.low) / mean.value, high: (value * mean.high) / mean.value };
}

/**
 * The cases by their numbers of rounds, which a suite may end before the others do: cases with two
 * must not make the interval of all that of two rounds. Only the last round of a run that was
 * cancelled lacks cases without more to it.
 */
function groupsOf(later: Run, earlier: Run): number[][] {
  const groups = new Map<string, number[]>();
  const counts = [later, earlier].map(({ measurements }) =>
    measurements.map(({ rounds = [] }) => rounds.length),
  );
  const most = counts.map((all) => Math.max(...all));
  for (const i of later.measurements.keys()) {
    const key = counts.map((all, side) => Math.min(all[i]!, most[side]! - 1)).join();
    groups.set(key, [...(groups.get(key) ?? []), i]);
  }
  return [...groups.values()];
}

/**
 * How many times as long one run took as the other. Cases are not independent, since the machine's
 * speed is common to them; whole rounds are nearly so.
 */
function ratioOf(later: Run, earlier: Run): Interval {
  if (!later.times || !earlier.times) return ratio(meanOf(later), meanOf(earlier));
  const all = later.measurements;
  return mixture(
    groupsOf(later, earlier).map((group) => {
      const [a, b] = [later, earlier].map(({ measurements, yardstick }) => {
        const of = group.flatMap((i) => measurements[i] ?? []);
        return { times: meansOfRounds(of) ?? [], yardstick };
      });
      return { share: group.length / all.length, ratio: ratioOfRuns(a!, b!) };
    }),
  );
}

function reasonOf(each: Case, all: readonly Case[]): LeftOut['why'] {
  const measured = sides.map((side) => each[side]);
  if (measured.some((m) => m?.voided !== undefined)) return 'void';
  if (measured.every((m) => m !== undefined)) return 'useless';
  const elsewhere = all.some(
    (other) => other !== each && isNamesake(other, each) && (other.A ?? other.B),
  );
  return elsewhere ? 'otherParameters' : 'unmeasured';
}

/** The cases that this browser measured, each with its figure of speed. */
const measuredHere = (all: readonly Case[]) =>
  speedCases(all).filter(({ C, suite }) => C && suite !== machineSuite);

/** Cases that this browser measured but the comparison leaves out. */
export function leftOut(all: readonly Case[]): LeftOut[] {
  const names = new Map<LeftOut['why'], string[]>();
  for (const each of measuredHere(all).filter((one) => !isComplete(one))) {
    const why = reasonOf(each, all);
    names.set(why, [...(names.get(why) ?? []), `${each.suite} ${each.title}`]);
  }
  return [...names].map(([why, some]) => ({ why, names: some }));
}

const ascending = (numbers: readonly number[]) => [...new Set(numbers)].sort((a, b) => a - b);

/** Numbers of threads that did work on one side; empty if a row does not say. */
function workedOf(complete: readonly Complete[], side: Side): number[] {
  const worked = complete.flatMap((each) => each[side].threadsWorked ?? []);
  return worked.length === complete.length ? ascending(worked) : [];
}

function movementOf(later: Run, earlier: Run): Movement | undefined {
  return (
    later.yardstick && earlier.yardstick && movementBetween(later.yardstick, earlier.yardstick)
  );
}

/**
 * The comparison over the cases that all three sides measured; undefined if there are none, or if a
 * ratio is not finite and positive.
 */
export function summarise(all: readonly Case[]): Summary | undefined {
  const complete = measuredHere(all).filter(isComplete);
  if (complete.length === 0) return undefined;
  const runOn = (side: Side) =>
    runOf(
      complete.map((each) => each[side]),
      yardstickOf(all, side),
    );
  const runs = { A: runOn('A'), B: runOn('B'), C: runOn('C') };
  const { A, B, C } = runs;
  const ratios = { instructions: ratioOf(B, A), engine: ratioOf(C, B), whole: ratioOf(C, A) };
  if (!Object.values(ratios).every(isFinitePositive)) return undefined;
  const threaded = complete.filter(({ threads }) => threads > 1);
  return {
    ...ratios,
    cases: complete.length,
    threads: ascending(complete.map(({ threads }) => threads)),
    worked: { A: workedOf(complete, 'A'), B: workedOf(complete, 'B'), C: workedOf(complete, 'C') },
    roundless: sides.filter((side) => !runs[side].times && !runs[side].stopped),
    stopped: sides.flatMap((side) => {
      const { stopped } = runs[side];
      return stopped ? { side, inFirst: stopped === 'inFirst' } : [];
    }),
    assumed: sides.filter((side) => threaded.some((each) => each[side].costsAssumed)),
    movement: { natives: movementOf(B, A), browser: movementOf(C, A) },
  };
}

/** The gap alone, where it cannot be split because no case has side B. */
export interface Whole {
  cases: number;
  /** Ratio of times C/A. */
  ratio: Interval;
  /** Whether both runs had several rounds; only then is the interval meaningful. */
  spread: boolean;
}

/** The gap over the cases that this browser and native at its best measured, if there are any. */
export function summariseWhole(all: readonly Case[]): Whole | undefined {
  const pairs = measuredHere(all).flatMap(({ A, C }) =>
    isUsable(A) && isUsable(C) ? [{ A, C }] : [],
  );
  if (pairs.length === 0) return undefined;
  const runOn = (side: 'A' | 'C') =>
    runOf(
      pairs.map((each) => each[side]),
      yardstickOf(all, side),
    );
  const runs = { A: runOn('A'), C: runOn('C') };
  const whole = ratioOf(runs.C, runs.A);
  if (!isFinitePositive(whole)) return undefined;
  const spread = Boolean(runs.A.times && runs.C.times);
  return { cases: pairs.length, ratio: whole, spread };
}
