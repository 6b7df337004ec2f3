/**
 * How the speed of the machine itself changed between two runs. Every round of a run also measures
 * a yardstick: a fixed piece of work, the same code natively and in the browser. If it takes longer
 * in one run than in another, the cause is not the engine but the processor's clock or other load.
 */
import type { Case, Side } from './compare.js';
import { hasRounds, isUsable, logTimes } from './compare.js';
import { type Interval, isFinitePositive, leastRounds, union, welch } from './interval.js';

/** The suite of the yardstick, which is not a benchmark. */
export const machineSuite = 'machine';
const yardstick = 'yardstick';

/** The kinds of work that the yardstick measures. */
export const works = ['arithmetic', 'memory'] as const;
export type Work = (typeof works)[number];

/** Logarithms of a run's times by kind of work and round; just one if stopped in the first round. */
export type Yardstick = Readonly<Record<Work, readonly number[]>>;

/** Ratio of times of one kind of work; without an interval if a run had only one round. */
export type Moved = Interval | { value: number; low?: never; high?: never };

/** Ratios of times of the same work, the later run to the earlier one. */
export type Movement = Readonly<Record<Work, Moved>>;

/** Whether it has an interval. */
export const hasInterval = (moved: Moved): moved is Interval => moved.low !== undefined;

/** The yardstick of one side's run; undefined if its files have none. */
export function yardstickOf(cases: readonly Case[], side: Side): Yardstick | undefined {
  const timesOf = (work: Work): number[] | undefined => {
    const m = cases
      .filter(({ suite, name, metric }) => {
        return suite === machineSuite && name === yardstick && metric === work;
      })
      .map((each) => each[side])
      .find(isUsable);
    if (!m) return undefined;
    /* A row without rounds had only one, whose median is that of the row. */
    return logTimes(hasRounds(m) ? m : { ...m, rounds: [m.value] });
  };
  const [arithmetic, memory] = works.map(timesOf);
  return arithmetic && memory ? { arithmetic, memory } : undefined;
}

const meanOf = (values: readonly number[]) =>
  values.reduce((sum, each) => sum + each, 0) / values.length;

/** Ratio of the times of the same work in two runs. */
function movedBetween(later: readonly number[], earlier: readonly number[]): Moved {
  return later.length < leastRounds || earlier.length < leastRounds
    ? { value: Math.exp(meanOf(later) - meanOf(earlier)) }
    : welch(later, earlier);
}

const isFigure = (moved: Moved) =>
  isFinitePositive({ low: moved.value, high: moved.value, ...moved });

/** How the machine's speed changed from one run to a later one. */
export function movementBetween(later: Yardstick, earlier: Yardstick): Movement | undefined {
  const moved = {
    arithmetic: movedBetween(later.arithmetic, earlier.arithmetic),
    memory: movedBetween(later.memory, earlier.memory),
  };
  return works.every((work) => isFigure(moved[work])) ? moved : undefined;
}

/** Logarithms of times corrected for the speed at which the machine did this work in each round. */
function corrected(times: readonly number[], yard: readonly number[]): number[] {
  return times.slice(0, yard.length).map((time, round) => time - (yard[round] ?? 0));
}

/** A ratio corrected for the change in the machine's speed. */
function without({ value, low, high }: Interval, moved: number): Interval {
  return { value: value / moved, low: low / moved, high: high / moved };
}

/**
 * The ratio of two runs, from logarithms of times by round, with an interval that allows for
 * changes of the machine between them. Work bound by arithmetic changes like the one yardstick,
 * work bound by memory like the other, and most work is a mixture. So the interval covers three
 * ratios: as measured, corrected by the one yardstick, and corrected by the other.
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
    /* With too few rounds of the yardstick, correct by the mean of those there are. */
    return a.length < leastRounds || b.length < leastRounds
      ? without(measured, movedBetween(yard[work], base[work]).value)
      : welch(a, b);
  });
  return union(measured, ...ratios);
}
