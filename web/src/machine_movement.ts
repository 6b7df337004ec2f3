/**
 * How far the machine itself moved between two runs. A run measures a yardstick beside every round: a
 * fixed piece of work, the same code natively and in the browser. What it takes longer in one run than
 * in another is not a difference of the engines: the processor's clock, or other work on the machine.
 */
import type { Case, Side } from './compare.js';
import { hasRounds, isUsable, logTimes } from './compare.js';
import { type Interval, isFinitePositive, leastRounds, union, welch } from './interval.js';

/** The suite of the yardstick, which is no benchmark. */
export const machineSuite = 'machine';
const yardstick = 'yardstick';

/** What the yardstick measures. */
export const works = ['arithmetic', 'memory'] as const;
export type Work = (typeof works)[number];

/** Logarithms of a run's times for each work, round by round; of one that was stopped in its first, one. */
export type Yardstick = Readonly<Record<Work, readonly number[]>>;

/** How many times as long one work takes; without an interval where a run had one round only. */
export type Moved = Interval | { value: number; low?: never; high?: never };

/** How many times as long the same work takes on the machine as it was in the later run. */
export type Movement = Readonly<Record<Work, Moved>>;

/** Whether its interval is known. */
export const hasInterval = (moved: Moved): moved is Interval => moved.low !== undefined;

/** The yardstick of one side's run; undefined where its files have none. */
export function yardstickOf(cases: readonly Case[], side: Side): Yardstick | undefined {
  const timesOf = (work: Work): number[] | undefined => {
    const m = cases
      .filter(({ suite, name, metric }) => {
        return suite === machineSuite && name === yardstick && metric === work;
      })
      .map((each) => each[side])
      .find(isUsable);
    if (!m) return undefined;
    /* The median of a row without rounds is that of its only one. */
    return logTimes(hasRounds(m) ? m : { ...m, rounds: [m.value] });
  };
  const [arithmetic, memory] = works.map(timesOf);
  return arithmetic && memory ? { arithmetic, memory } : undefined;
}

const meanOf = (values: readonly number[]) =>
  values.reduce((sum, each) => sum + each, 0) / values.length;

/** How many times as long work took in one run as in another. */
function movedBetween(later: readonly number[], earlier: readonly number[]): Moved {
  return later.length < leastRounds || earlier.length < leastRounds
    ? { value: Math.exp(meanOf(later) - meanOf(earlier)) }
    : welch(later, earlier);
}

const isFigure = (moved: Moved) =>
  isFinitePositive({ low: moved.value, high: moved.value, ...moved });

/** How far the machine moved from one run to a later one. */
export function movementBetween(later: Yardstick, earlier: Yardstick): Movement | undefined {
  const moved = {
    arithmetic: movedBetween(later.arithmetic, earlier.arithmetic),
    memory: movedBetween(later.memory, earlier.memory),
  };
  return works.every((work) => isFigure(moved[work])) ? moved : undefined;
}

/** Logarithms of times as they would have been, had the machine done this work as fast in all rounds. */
function corrected(times: readonly number[], yard: readonly number[]): number[] {
  return times.slice(0, yard.length).map((time, round) => time - (yard[round] ?? 0));
}

/** A ratio as it would have been, had the machine not moved so. */
function without({ value, low, high }: Interval, moved: number): Interval {
  return { value: value / moved, low: low / moved, high: high / moved };
}

/**
 * The ratio of two runs, from logarithms of times by round, with an interval that holds in spite of
 * what the machine did between them. Work bound by arithmetic moved as the one yardstick did, work
 * bound by memory as the other, and most is a mixture: so the interval covers the ratio as measured,
 * corrected by the one, and corrected by the other.
 */
export function ratioOfRuns(
  later: { times: readonly number[]; yardstick: Yardstick | undefined },
  earlier: { times: readonly number[]; yardstick: Yardstick | undefined },
): Interval {
  const measured = welch(later.times, earlier.times);
  const [yard, base] = [later.yardstick, earlier.yardstick];
  if (!yard || !base) return measured;
  const ratios = works.map((work) => {
    const [a, b] = [corrected(later.times, yard[work]), corrected(earlier.times, base[work])];
    /* Rounds without a yardstick of their own are corrected by what there is of it. */
    return a.length < leastRounds || b.length < leastRounds
      ? without(measured, movedBetween(yard[work], base[work]).value)
      : welch(a, b);
  });
  return union(measured, ...ratios);
}
