/** The answer in words, of this machine and of others; the lines of the suites. */
import { expect, test } from '@playwright/test';
import { aloneAnswer, answerOf, subjectOf, wholeAnswer } from '../../../web/src/answer.js';
import { pairCases } from '../../../web/src/compare.js';
import { markdownOf } from '../../../web/src/markdown.js';
import type { Measurement } from '../../../web/src/rows.js';
import { shownResults } from '../../../web/src/shown.js';
import type { AppState } from '../../../web/src/state.js';
import { answerChart, besideChart, suiteLine } from '../../../web/src/suite_lines.js';
import { summarise, summariseWhole } from '../../../web/src/summary.js';
import { threadsGain } from '../../../web/src/threads_gain.js';
import { type Change, measure, stateWith } from './sample_rows.js';

const around = (median: number) => [0.99, 1, 1.01].map((each) => each * median);
const timed = (median: number, change: Change = {}): Change => ({
  median,
  rounds: around(median),
  ...change,
});
const native = (change: Change = {}) =>
  measure(
    timed(100, { kind: 'native', ...change }),
    timed(150, { kind: 'native', exact: true, ...change }),
  );

function modes(times: Record<string, number>): Measurement[] {
  return measure(
    ...Object.entries(times).map(([mode, median]) =>
      timed(median, {
        suite: 'adaptive',
        name: `784-200, batch 128, ${mode}`,
        metric: 'layer time',
        primary: mode === 'adaptive',
        parameters: { layer: '784-200', batch: 128, mode },
      }),
    ),
  );
}

function answerTo(browser: Measurement[], given = native()): string {
  const cases = pairCases(given, browser);
  const summary = summarise(cases);
  if (!summary) throw new Error('a summary');
  return answerOf(summary, subjectOf('own', browser[0]), {
    browser: browser[0],
    gain: threadsGain(cases),
  });
}

test('the answer is one sentence: both shares, threads, and relaxed SIMD', () => {
  const browser = [...measure(timed(200)), ...modes({ sequential: 190, adaptive: 100 })].map(
    (m) => ({ ...m, tier: 'relaxed-threads', fma: true }),
  );
  expect(answerTo(browser)).toBe(
    'Your browser reaches 50% of the same code native, 75% of native at 128 bits; two threads give 1.9 times the speed of one; relaxed SIMD is on.',
  );
});

test('it says what is not so, and nothing about what was not measured', () => {
  expect(answerTo(measure(timed(200)))).toBe(
    'Your browser reaches 50% of the same code native, 75% of native at 128 bits; relaxed SIMD is off.',
  );
  const same = [...measure(timed(150)), ...modes({ sequential: 100, adaptive: 100 })];
  expect(answerTo(same)).toContain('and is as fast as native at 128 bits');
  expect(answerTo(same)).toContain('two threads are no faster than one');
  const slow = measure(timed(200)).map((m) => ({ ...m, tier: 'relaxed-threads' }));
  expect(answerTo(slow)).toContain('is on, but does not fuse here');
});

test('a run without a spread is said to be about so', () => {
  const [one] = measure({ median: 200, costs: 'measured' });
  if (!one) throw new Error('a row');
  expect(answerTo([one])).toMatch(/reaches about 50% .*, about 75% of native at 128 bits/);
  const cases = pairCases(measure({ kind: 'native' }), [one]);
  const whole = summariseWhole(cases);
  if (!whole) throw new Error('the gap');
  const beside = { browser: one, gain: undefined };
  expect(wholeAnswer(whole, 'your browser', beside)).toMatch(/^Your browser reaches about 50% of/);
});

test('figures whose intervals are wide are called rough', () => {
  const noisy = measure(timed(200, { rounds: [100, 200, 400] }));
  expect(answerTo(noisy)).toMatch(/reaches about \d+% .* These figures are rough/);
  expect(answerTo(measure(timed(200)))).not.toContain('rough');
});

test('without native results nothing is said about native', () => {
  const beside = { browser: undefined, gain: undefined };
  expect(aloneAnswer({ ratio: 1.3, cases: 4 }, 'that of X', beside)).toBe(
    'Your browser is 1.3 times as fast as that of X. How far that is from native on this machine is not known yet.',
  );
  expect(aloneAnswer(undefined, 'that of X', beside)).toContain('has been measured.');
});

/** A page with these results, and with a reference of two suites. */
function pageWith(given: Parameters<typeof stateWith>[0]): AppState {
  const gemm = { suite: 'gemm', name: '256', parameters: { m: 256 } };
  const reference = [...native(), ...native(gemm), ...measure(timed(300), timed(300, gemm))].map(
    (m) => ({ ...m, origin: 'reference' as const }),
  );
  const set = { name: 'reference.jsonl', rows: [], measurements: reference };
  return { ...stateWith(given), reference: { phase: 'ready', set } };
}

const nothing = { native: [], browser: [], others: [], alone: true };

test('before anything ran, the reference is shown, and named as such', () => {
  const shown = shownResults(pageWith(nothing));
  expect(shown.main?.origin).toBe('reference');
  expect(shown.suites.map(({ suite, origin }) => [suite, origin])).toEqual([
    ['mlp', 'reference'],
    ['gemm', 'reference'],
  ]);
  const chart = answerChart(shown);
  expect(chart?.categories).toEqual(['all cases', 'mlp', 'gemm']);
  expect(chart?.series.map(({ name }) => name)).toEqual([
    'native, 128-bit without fused multiply-add, reference machine',
    'Chromium 156, reference machine',
  ]);
});

test('what was measured here replaces it, suite by suite, and is never mixed with it', () => {
  const shown = shownResults(
    pageWith({ ...nothing, native: native(), browser: measure(timed(200)) }),
  );
  expect(shown.main?.origin).toBe('own');
  expect(shown.suites.map(({ suite, origin }) => [suite, origin])).toEqual([
    ['mlp', 'own'],
    ['gemm', 'reference'],
  ]);
  expect(answerChart(shown)?.categories).toEqual(['all cases', 'mlp']);
  const [mlp, gemm] = shown.suites;
  if (!mlp || !gemm) throw new Error('two suites');
  expect(suiteLine(shown, mlp).text).toMatch(
    /^50% \(\d+%–\d+%\) of native at its best, 75% \(\d+%–\d+%\) of native at 128 bits; 1 case\.$/,
  );
  expect(suiteLine(shown, gemm).text).toMatch(/^33% /);
  expect(
    suiteLine(shown, mlp).strip?.dots.map(({ role, value }) => [role, Math.round(value)]),
  ).toEqual([
    ['B', 67],
    ['C', 50],
  ]);
});

test('a browser without native results is compared with that of the reference, and no more', () => {
  const shown = shownResults(pageWith({ ...nothing, browser: measure(timed(200)) }));
  expect(shown.main?.origin).toBe('own');
  expect(answerChart(shown)).toBeUndefined();
  expect(besideChart(shown)?.series[0]?.points[0]?.y).toBeCloseTo(150, 9);
  const [mlp] = shown.suites;
  if (!mlp) throw new Error('a suite');
  expect(suiteLine(shown, mlp).text).toBe(
    '1.5 times as fast as the browser of the reference machine; 1 case.',
  );
});

test('a suite that is void says so, with the reason', () => {
  const void_ = measure(timed(200)).map((m) => ({ ...m, voided: 'the page was hidden' }));
  const shown = shownResults(stateWith({ ...nothing, native: native(), browser: void_ }));
  const [mlp] = shown.suites;
  if (!mlp) throw new Error('a suite');
  expect(suiteLine(shown, mlp).text).toBe('Void: the page was hidden.');
});

test('Markdown has the answer, the engines, and a line for each case', () => {
  const cases = pairCases(native({ name: 'a | b' }), measure(timed(200, { name: 'a | b' })));
  const lines = markdownOf(cases, 'The answer.').split('\n');
  expect(lines[0]).toBe('The answer.');
  expect(lines).toContainEqual(expect.stringMatching(/^- C: Chromium 156, simd-threads/));
  expect(lines).toContain('| mlp | a \\| b | 2 | 100 us | 150 us | 200 us | 50% | 75% |');
});
