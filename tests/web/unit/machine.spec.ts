/** The headline's interval between runs: rounds, changes of the machine, and the sentences. */
import { expect, test } from '@playwright/test';
import { pairCases } from '../../../web/src/compare.js';
import type { Interval } from '../../../web/src/interval.js';
import { type Movement, ratioOfRuns } from '../../../web/src/machine_movement.js';
import type { Measurement } from '../../../web/src/rows.js';
import { type Summary, summarise } from '../../../web/src/summary.js';
import { machineSentences, reservations, steps, verdict } from '../../../web/src/verdict.js';
import { type Change, measure, suiteCharts } from './sample_rows.js';

/** Normal deviates from a seed (Box and Muller, 1958, over a linear congruential generator). */
function normals(seed: number): () => number {
  let state = seed >>> 0;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

const rounds = 6;
const cases = 12;
/** True ratios of times, the same for all cases and runs. */
const truth = { whole: 4, instructions: 1.6 };
/** Standard deviations of logarithms: between runs, between rounds, of figures, of the yardstick. */
const spread = { run: 0.06, round: 0.02, figure: 0.03, yardstick: 0.005 };

type Side = Pick<Change, 'kind' | 'exact'>;
const sides: Record<'A' | 'B' | 'C', Side> = {
  A: { kind: 'native' },
  B: { kind: 'native', exact: true },
  C: { kind: 'wasm' },
};

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return ((sorted[rounds / 2 - 1] ?? 0) + (sorted[rounds / 2] ?? 0)) / 2;
}

/** The share of each case that is arithmetic, the rest being memory. */
const mixtures = {
  mixed: (i: number) => i / (cases - 1),
  arithmetic: () => 1,
  memory: () => 0,
};
type Mixture = keyof typeof mixtures;

/**
 * Simulates a run on a machine whose speeds at arithmetic and at memory differ from run to run and
 * from round to round.
 */
function run(side: Side, factor: number, normal: () => number, mixture: Mixture): Measurement[] {
  const speeds = ['arithmetic', 'memory'].map(() => {
    const common = spread.run * normal();
    return Array.from({ length: rounds }, () => common + spread.round * normal());
  });
  const at = (work: number, round: number) => speeds[work]?.[round] ?? 0;
  const all = Array.from({ length: rounds }, (_, round) => round);
  const timed = Array.from({ length: cases }, (_, i): Change => {
    const share = mixtures[mixture](i);
    const times = all.map((round) => {
      const moved = share * at(0, round) + (1 - share) * at(1, round);
      return (1 + i) * factor * Math.exp(moved + spread.figure * normal());
    });
    const name = `case ${i}`;
    return { ...side, name, parameters: { i }, median: median(times), rounds: times };
  });
  const yard = ['arithmetic', 'memory'].map((metric, work): Change => {
    const rates = all.map((round) => 10 * Math.exp(spread.yardstick * normal() - at(work, round)));
    const what = { suite: 'machine', name: 'yardstick', better: 'higher', primary: false };
    return { ...side, ...what, metric, parameters: {}, median: median(rates), rounds: rates };
  });
  return measure(...timed, ...yard);
}

const withoutYardstick = (rows: readonly Measurement[]) =>
  rows.filter(({ suite }) => suite !== 'machine');

function summaryOf(native: readonly Measurement[], browser: readonly Measurement[]): Summary {
  const summary = summarise(pairCases(native, browser));
  if (!summary) throw new Error('a summary');
  return summary;
}

const holds = ({ low, high }: Interval, value: number) => Number(low <= value && value <= high);

/** Shares of repetitions in which intervals hold; each has a native and two browser runs. */
function simulate(mixture: Mixture, repetitions: number) {
  const normal = normals(7);
  const count = { whole: 0, instructions: 0, overlaps: 0, blind: 0 };
  for (let i = 0; i < repetitions; i++) {
    const native = [
      ...run(sides.A, 1, normal, mixture),
      ...run(sides.B, truth.instructions, normal, mixture),
    ];
    const first = run(sides.C, truth.whole, normal, mixture);
    const second = run(sides.C, truth.whole, normal, mixture);
    const [one, other] = [summaryOf(native, first), summaryOf(native, second)];
    const blind = summaryOf(withoutYardstick(native), withoutYardstick(first));
    count.whole += holds(one.whole, truth.whole) / repetitions;
    count.instructions += holds(one.instructions, truth.instructions) / repetitions;
    count.overlaps +=
      Number(one.whole.low <= other.whole.high && other.whole.low <= one.whole.high) / repetitions;
    count.blind += holds(blind.whole, truth.whole) / repetitions;
  }
  return count;
}

test('the interval contains the truth and meets that of another run, though the machine changes', () => {
  for (const mixture of ['mixed', 'arithmetic', 'memory'] as const) {
    const { whole, instructions, overlaps, blind } = simulate(mixture, 400);
    expect(whole, mixture).toBeGreaterThanOrEqual(0.9);
    expect(instructions, mixture).toBeGreaterThanOrEqual(0.9);
    expect(overlaps, mixture).toBeGreaterThanOrEqual(0.95);
    /* Rounds alone miss what changes between runs: the simulation is hard enough. */
    expect(blind, mixture).toBeLessThan(0.6);
  }
});

test('on a machine that does not change, the yardstick does not widen the interval', () => {
  const times = [0, 0.01, -0.01, 0.005, -0.005, 0];
  const still = { arithmetic: times.map(() => 0.3), memory: times.map(() => 0.1) };
  const later = { times: times.map((each) => each + 1), yardstick: still };
  const plain = ratioOfRuns(later, { times, yardstick: undefined });
  expect(ratioOfRuns(later, { times, yardstick: still })).toEqual(plain);
});

test('the whole gap is the product of its two parts', () => {
  const normal = normals(3);
  const native = [...run(sides.A, 1, normal, 'mixed'), ...run(sides.B, 1.6, normal, 'mixed')];
  const summary = summaryOf(native, run(sides.C, 4, normal, 'mixed'));
  const { instructions, engine, whole } = summary;
  expect(instructions.value * engine.value).toBeCloseTo(whole.value, 9);
  expect(summary.cases).toBe(cases);
});

test('a few cases with two rounds do not make the interval that of two rounds', () => {
  const around = (median: number, wobble: number, rounds: number) =>
    Array.from({ length: rounds }, (_, i) => median * (1 + (i % 2 ? wobble : -wobble)));
  const side = (factor: number, of: Side, short: number) =>
    measure(
      ...Array.from({ length: 20 }, (_, i) => ({
        ...{ ...of, name: `case ${i}`, parameters: { i }, median: factor },
        rounds: around(factor, i < short ? 0.2 : 0.01, i < short ? 2 : rounds),
      })),
    );
  const whole = (short: number) =>
    summaryOf([...side(1, sides.A, short), ...side(2, sides.B, short)], side(4, sides.C, short))
      .whole;
  const [none, one, all] = [whole(0), whole(1), whole(20)];
  const width = ({ low, high }: typeof none) => Math.log(high / low);
  expect(one.value).toBeCloseTo(4, 9);
  expect(width(one)).toBeGreaterThan(width(none));
  expect(width(one)).toBeCloseTo((19 * width(none) + width(all)) / 20, 9);
});

const alone = (change: Change) =>
  summaryOf(
    measure({ kind: 'native', ...change }, { kind: 'native', exact: true, ...change }),
    measure({ median: 200, rounds: [199, 200, 201] }),
  );

test('files without rounds are compared as before, and the page warns of it', () => {
  const summary = alone({});
  expect(summary.roundless).toEqual(['A', 'B']);
  expect(summary.whole.value).toBeCloseTo(2, 4);
  expect(reservations(summary).join()).toContain('The results of A and B do not record rounds');
  expect(machineSentences(summary)).toEqual([]);
});

/** Rows of a run as this version writes them: two cases and the yardstick, with their rounds. */
function recent(side: Side, factor: number, ...counts: [number, number, number]): Measurement[] {
  const about = (value: number, n: number) =>
    Array.from({ length: n }, (_, i) => value * (1 + 0.01 * (i % 3)));
  /* A single round is not written: the row has only its median. */
  const written = (value: number, n: number) => ({
    median: value,
    ...(n > 1 ? { rounds: about(value, n) } : {}),
  });
  const costs = 'measured';
  const timed = counts.slice(0, 2).map((n, i): Change => {
    return { ...side, costs, name: `case ${i}`, parameters: { i }, ...written(100 * factor, n) };
  });
  const yard = ['arithmetic', 'memory'].map((metric): Change => {
    const what = { suite: 'machine', name: 'yardstick', better: 'higher', primary: false };
    const rate = side.kind === 'wasm' ? 8 : 10;
    return { ...side, ...what, costs, metric, parameters: {}, ...written(rate, counts[2]) };
  });
  return measure(...timed, ...yard);
}

const recentNative = [...recent(sides.A, 1, 6, 6, 6), ...recent(sides.B, 2, 6, 6, 6)];

/** Everything that the page says above the charts. */
const said = (summary: Summary) =>
  [
    verdict(summary),
    ...machineSentences(summary),
    ...reservations(summary),
    ...steps(summary).flatMap(({ figure, interval, what }) => [figure, interval, what]),
  ].join(' ');

test('a run that was stopped in its first round gives a figure and claims nothing else', () => {
  /* The same time as B: with an interval this would be "as fast as native code". */
  const summary = summaryOf(recentNative, recent(sides.C, 2, 1, 1, 1));
  expect(summary.roundless).toEqual([]);
  expect(summary.stopped).toEqual([{ side: 'C', inFirst: true }]);
  expect(verdict(summary)).toMatch(
    /^Over 2 cases with 2 threads, your browser reaches about 5\d% of native; the run was stopped in its first round, so the uncertainty of this figure is not known\.$/,
  );
  const [instructions, engine, whole] = steps(summary);
  expect(instructions?.interval).toContain('95% CI');
  for (const step of [engine, whole]) {
    expect(step?.interval).toBe('no interval');
    expect(step?.what).toContain(
      'whether there is a difference: the run was stopped in its first round.',
    );
  }
  expect(said(summary)).not.toMatch(/no difference seen|as fast|this version/i);
});

test('the chart of all cases says that intervals of one round are too narrow', () => {
  const notes = (rounds: number) => {
    const browser = recent(sides.C, 2, rounds, rounds, rounds);
    const specs = suiteCharts({ native: recentNative, browser, others: [], alone: false });
    return specs.find(({ id }) => id === 'overview')?.notes.join();
  };
  expect(notes(1)).toContain('in one round only');
  expect(notes(2)).not.toContain('in one round only');
});

test('its yardstick is that of the first round', () => {
  const summary = summaryOf(recentNative, recent(sides.C, 2, 1, 1, 1));
  const text = machineSentences(summary).join(' ');
  expect(text).toMatch(/became about 2\d% slower at arithmetic and about 2\d% slower at memory\./);
  expect(text).toContain('run scripts/playground again');
  expect(text).not.toContain('widened');
});

test('where only some cases had a second round there is no interval either', () => {
  const summary = summaryOf(recentNative, recent(sides.C, 2, 2, 1, 2));
  expect(summary.stopped).toEqual([{ side: 'C', inFirst: false }]);
  expect(verdict(summary)).toContain(
    'stopped before all cases had their second round, so the uncertainty',
  );
  expect(said(summary)).not.toMatch(/this version|no difference seen: the browser/);
});

test('a run that was cancelled later is compared by the rounds that all its cases have', () => {
  const summary = summaryOf(recentNative, recent(sides.C, 4, 4, 3, 4));
  expect(summary.stopped).toEqual([]);
  expect(summary.whole).toEqual(summaryOf(recentNative, recent(sides.C, 4, 3, 3, 4)).whole);
  expect(verdict(summary)).toContain('95% CI');
});

test('a native run of one round is not called stopped', () => {
  const native = [...recent(sides.A, 1, 1, 1, 1), ...recent(sides.B, 2, 6, 6, 6)];
  const summary = summaryOf(native, recent(sides.C, 4, 6, 6, 6));
  expect(verdict(summary)).toContain('; native run A has only one round, so the uncertainty');
  expect(steps(summary).map(({ interval }) => interval === 'no interval')).toEqual([
    true,
    false,
    true,
  ]);
});

test('a yardstick of one round corrects rounds too', () => {
  const times = [0, 0.01, -0.01];
  const [quick, slow] = [0, 0.5].map((each) => ({ arithmetic: [each], memory: [each] }));
  const { low, high } = ratioOfRuns(
    { times: times.map((each) => each + 1), yardstick: slow },
    { times, yardstick: quick },
  );
  expect(low).toBeLessThan(Math.exp(0.5));
  expect(high).toBeGreaterThan(Math.exp(1));
});

test('without a yardstick nothing is claimed about the machine', () => {
  const summary = alone({ rounds: [99, 100, 101] });
  expect(summary.roundless).toEqual([]);
  expect(machineSentences(summary).join()).toContain('is not known');
});

const exact = (value: number): Interval => ({ value, low: value, high: value });

function sentences(browser: Movement, natives?: Movement): string {
  const summary = { roundless: [], stopped: [], movement: { browser, natives } };
  return machineSentences(summary as unknown as Summary).join(' ');
}

test('the machine is called slower or faster, for each kind of work', () => {
  const slower = { value: 1 / 0.94, low: 1 / 0.96, high: 1 / 0.92 };
  const still = { value: 1.01, low: 0.99, high: 1.03 };
  expect(sentences({ arithmetic: slower, memory: exact(1 / 1.02) })).toBe(
    'Since the native run, the machine itself became 6.0% slower at arithmetic (4.0%–8.0%) and 2.0% faster at memory (2.0%–2.0%). The intervals are widened to allow for this.',
  );
  expect(sentences({ arithmetic: slower, memory: still })).toContain(
    '(4.0%–8.0%); at memory no difference was seen.',
  );
  const nothing = { arithmetic: still, memory: still };
  expect(sentences(nothing, nothing)).toContain(
    'the machine itself kept its speed at arithmetic and memory: no difference seen.',
  );
  expect(sentences(nothing, { arithmetic: slower, memory: still })).toContain(
    'Between native runs A and B, it became 6.0% slower',
  );
});

test('if the machine changed a lot, the advice is to measure again', () => {
  const advice = 'run scripts/playground again';
  expect(sentences({ arithmetic: exact(1.2), memory: exact(1) })).toContain(advice);
  expect(sentences({ arithmetic: exact(1.05), memory: exact(1) })).not.toContain(advice);
  /* Where no difference is seen, there is nothing to advise against. */
  const unsure = { value: 1.2, low: 0.8, high: 1.8 };
  expect(sentences({ arithmetic: unsure, memory: exact(1) })).not.toContain(advice);
});

test('a wide interval is no proof that there is no difference', () => {
  const of = (rounds: number[]) => {
    const native = measure(
      { kind: 'native', rounds: [99, 100, 101] },
      { kind: 'native', exact: true, rounds: [99, 100, 101] },
    );
    return summaryOf(native, measure({ rounds }));
  };
  expect(verdict(of([98, 100, 103]))).toContain('as fast as native: no difference seen');
  const wide = of([60, 100, 200]);
  expect(verdict(wide)).toContain('may be as fast: the interval is wide');
  expect(steps(wide).map(({ what }) => what)[2]).toContain('is not clear whether');
});

test('the headline states the threads that worked, and costs that were assumed', () => {
  const of = (native: Change, browser: Change) =>
    summaryOf(
      measure({ kind: 'native', ...native }, { kind: 'native', exact: true, ...native }),
      measure(browser),
    );
  expect(verdict(of({}, {}))).toContain('over 1 case with 2 threads.');
  expect(verdict(of({ threadsWorked: 2 }, { threadsWorked: 2 }))).toContain(
    'with 2 threads at work.',
  );
  expect(verdict(of({ threadsWorked: 2 }, { threadsWorked: 1 }))).toContain(
    'with 2 threads, of which 2 worked natively and 1 in the browser.',
  );
  expect(verdict(of({ threadsWorked: 1 }, { threadsWorked: 1 }))).toContain(
    'with 2 threads, of which 1 worked.',
  );
  const assumed = of({ costs: 'measured' }, { costs: 'assumed' });
  expect(assumed.assumed).toEqual(['C']);
  expect(reservations(assumed).join()).toContain('On C, the costs of threads were assumed');
  const single = { threads: 1, costs: 'assumed' };
  expect(of(single, single).assumed).toEqual([]);
});
