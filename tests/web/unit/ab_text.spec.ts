/** What an A/B test says, on samples whose truth is known. */
import { expect, test } from '@playwright/test';
import { Random } from '../../../bench/peers/random.mjs';
import { readChoice, sidesOf } from '../../../web/src/ab_choice.js';
import type { Pair } from '../../../web/src/ab_measure.js';
import type { AbEngineInfo, AbResult } from '../../../web/src/ab_run.js';
import {
  abCharts,
  abFile,
  bitsText,
  sidesTable,
  speedOf,
  verdictOf,
} from '../../../web/src/ab_text.js';
import { outcomeOf } from '../../../web/src/against.js';
import { defaultRun, readForm } from '../../../web/src/url_state.js';

const info: AbEngineInfo = {
  ...{ tier: 'simd-threads', threads: 1, cpus: 2, isa: 'wasm128', vectorBits: 128 },
  ...{ fma: false, exact: true },
};
const sample = (ns: number) => ({ ns, threads: 1, hash: '00' });
const pairOf = (first: number, second: number, i = 0): Pair => ({
  ...{ first: sample(first), second: sample(second), swapped: i % 2 === 1 },
});

function result(pairs: readonly Pair[], search = '', change: Partial<AbResult> = {}): AbResult {
  const choice = readChoice(readForm(search), defaultRun, true);
  return {
    ...{ choice, sides: sidesOf(choice), engines: [info, { ...info, threads: 2 }] },
    ...{ date: '2026-11-30T13:20:05.123Z', pairs, sameBits: true },
    ...change,
  };
}

const steady = (first: number, second: number, spread = 0.01) =>
  Array.from({ length: 8 }, (_, i) => pairOf(first * (1 + spread * (i - 3.5)), second, i));

test('win, loss and no difference are those of the second side', () => {
  expect(verdictOf(result(steady(2e6, 1e6)))).toMatch(
    /^Win: a training step of mlp:784-200-10 is 2 times as fast with 2 threads as with 1 thread \(95% CI [\d.]+–[\d.]+, 8 pairs\)\.$/,
  );
  expect(verdictOf(result(steady(1e6, 2e6)))).toMatch(/^Loss: .* is 0\.5 times as fast/);
  expect(verdictOf(result(steady(1e6, 1e6)))).toMatch(/^No difference: .* is 1 times as fast/);
  expect(verdictOf(result(steady(1e6, 1e6, 0.2)))).toMatch(
    /^No difference was seen, but the interval is wide: .* More pairs/,
  );
});

test('batches are compared by the time of a sample', () => {
  /* 32 samples take eight times as long as one: four times as fast for each. */
  const of = result(steady(1e5, 8e5), '?ab=batch&abrun=prediction', { sameBits: false });
  expect(verdictOf(of)).toMatch(
    /^Win: per sample, a prediction of .* is 4 times as fast with batches of 32 as with batches of 1/,
  );
  expect(bitsText(of)).toContain('hold different data');
  expect(sidesTable(of).rows.map(({ cells }) => cells.at(-1))).toEqual([
    expect.stringMatching(/^100 \(96\.5–10[34]\)$/),
    '25 (25–25)',
  ]);
});

test('a void test has a reason, and no figure', () => {
  const of = result(steady(2e6, 1e6), '', { voided: 'the page was hidden' });
  expect(verdictOf(of)).toMatch(/^Void: during the test the page was hidden\./);
  expect(verdictOf(of)).not.toMatch(/\d times/);
  expect(abCharts(of)).toEqual([]);
  expect(sidesTable(of).rows.every((row) => row.void)).toBe(true);
  const file = JSON.parse(abFile(of, 'agent'));
  expect(file.voided).toBe('the page was hidden');
  expect(file.timesAsFast).toBeUndefined();
});

test('a drift that both sides share does not hide a difference', () => {
  const drifting = Array.from({ length: 10 }, (_, i) => pairOf(1.05e6 * 1.2 ** i, 1e6 * 1.2 ** i));
  expect(speedOf(result(drifting)).value).toBeCloseTo(1.05, 9);
  expect(outcomeOf(speedOf(result(drifting)))).toBe('win');
});

/* 95% of intervals hold the truth; with 400 of them, fewer than 92% are three deviations away. */
test('simulated pairs: the interval holds the truth as often as it claims', () => {
  const random = new Random(7);
  let held = 0;
  const trials = 400;
  for (let trial = 0; trial < trials; trial++) {
    const noise = random.normals(40, 0.1);
    const pairs = Array.from({ length: 20 }, (_, i) =>
      pairOf(1.3e6 * Math.exp(noise[2 * i]!), 1e6 * Math.exp(noise[2 * i + 1]!)),
    );
    const { low, high } = speedOf(result(pairs));
    if (low <= 1.3 && high >= 1.3) held += 1;
  }
  expect(held / trials).toBeGreaterThan(0.92);
});

test('charts and tables have every pair', () => {
  const pairs = steady(2e6, 1e6);
  const [times, speeds] = abCharts(result(pairs));
  expect(times?.series.map(({ points }) => points.map(({ y }) => y))).toEqual([
    pairs.map(({ first }) => first.ns / 1000),
    pairs.map(({ second }) => second.ns / 1000),
  ]);
  expect(speeds?.series[0]?.points.map(({ y }) => y)).toEqual(
    pairs.map(({ first, second }) => first.ns / second.ns),
  );
  expect(speeds?.table.rows).toHaveLength(8);
  expect(speeds?.table.rows[1]?.cells.slice(0, 2)).toEqual(['2', '2']);
  const file = JSON.parse(abFile(result(pairs), 'agent'));
  expect(file).toMatchObject({ kind: 'parallax-ab-1', outcome: 'win', userAgent: 'agent' });
  expect(file.pairs).toHaveLength(8);
  expect(file.pairs[1]).toMatchObject({ second: 1e6, measuredFirst: 'second' });
});
