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

/** Logarithms of a run's times for each work, round by round. */
export type Yardstick = Readonly<Record<Work, readonly number[]>>;

/** How many times as long the same work takes on the machine as it was in the later run. */
export type Movement = Readonly<Record<Work, Interval>>;

/** The yardstick of one side's run; undefined where its files have none. */
export function yardstickOf(cases: readonly Case[], side: Side): Yardstick | undefined {
  const timesOf = (work: Work): number[] | undefined => {
    const m = cases
      .filter(({ suite, name, metric }) => {
        return suite === machineSuite && name === yardstick && metric === work;
      })
      .map((each) => each[side])
      .find(isUsable);
    return m && hasRounds(m) ? logTimes(m) : undefined;
  };
  const [arithmetic, memory] = works.map(timesOf);
  return arithmetic && memory ? { arithmetic, memory } : undefined;
}

/** How far the machine moved from one run to a later one. */
export function movementBetween(later: Yardstick, earlier: Yardstick): Movement | undefined {
  const moved = {
    arithmetic: welch(later.arithmetic, earlier.arithmetic),
    memory: welch(later.memory, earlier.memory),
  };
  return works.every((work) => isFinitePositive(moved[work])) ? moved : undefined;
}

/** Logarithms of times as they would have been, had the machine done this work as fast in all rounds. */
function corrected(times: readonly number[], yard: readonly number[]): number[] {
  return times.slice(0, yard.length).map((time, round) => time - (yard[round] ?? 0));
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
    return a.length < leastRounds || b.length < leastRounds ? measured : welch(a, b);
  });
  return union(measured, ...ratios);
}
