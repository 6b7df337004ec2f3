/** What a profile says in words and tables. */
import { expect, test } from '@playwright/test';
import type { Profile, ProfileStep } from 'parallax-nn/bench';
import {
  ceilingsSentence,
  itemsTable,
  profileSentence,
  stepsTable,
} from '../../../web/src/profile_text.js';

const step = (change: Partial<ProfileStep>): ProfileStep => ({
  ...{ op: 'dense', name: 'dense_1.weight', fused: 'matmul+bias', shape: [8, 128] },
  ...{ flops: 2e6, bytes: 1e5, threads: 2, thresholdRows: 4, arenaOffset: 0 },
  ...{ directFlops: 2e6, packed: false, kept: false },
  ...{ nanoseconds: 40_000, medianNs: 41_000, share: 0.8, gflops: 50, gbytes: 2.5 },
  ...{ leastNs: 20_000, roofline: 0.5, limit: 'arithmetic', method: 'gemm', workers: 1.9 },
  failure: '',
  ...change,
});

const profile = {
  steps: [step({}), step({ op: 'softmax', fused: '', shape: [], limit: 'L2', method: '' })],
  items: [{ step: 0, count: 3, nanoseconds: 40_000, overNs: 20_000 }],
  ...{ rounds: 15, runs: 150, nanoseconds: 45_000, medianNs: 46_000, stepsNs: 50_000 },
  ...{ boundedNs: 50_000, leastNs: 25_000, roofline: 0.5, peak: 100, note: '' },
  levels: [{ name: 'L1', read: 150, copy: 120, add: 130 }],
} as unknown as Profile;
const given = {
  choice: { model: 'gpt2-nano', batchSize: 8, training: false },
  profile,
  info: { isa: 'wasm128', tier: 'simd-threads' as const, threads: 2 },
};

test('leaves out the steps that were computed before the run', () => {
  const kept = step({ op: 'pad', nanoseconds: 0, workers: 0, kept: true });
  const steps = [kept, ...profile.steps];
  const { rows } = stepsTable({ ...given, profile: { ...profile, steps } });
  expect(rows.map(({ cells }) => cells.slice(0, 2))).toEqual([
    ['1', 'dense'],
    ['2', 'softmax'],
  ]);
});

test('says how long a run takes, and how near its steps are to the ceilings', () => {
  expect(profileSentence(given)).toBe(
    'A prediction of gpt2-nano with 8 samples takes 45 µs (simd-threads, 2 threads) in the fastest of ' +
      '15 rounds of 10 runs. With a clock between them its steps take 50 µs together, again in the ' +
      'fastest of 15 rounds. The ceilings of this machine allow 25 µs: the steps are at 50% of them.',
  );
  expect(ceilingsSentence(given)).toContain('100 GFLOP/s');
  expect(ceilingsSentence(given)).toContain('L1 150, 120, 130');
});

test('says so when the ceilings could not be measured', () => {
  const note = 'The ceilings could not be measured: the system had no processor.';
  const busy = { ...given, profile: { ...profile, boundedNs: 0, leastNs: 0, peak: 0, note } };
  expect(profileSentence(busy)).toMatch(
    /fastest of 15 rounds\. The ceilings could not .* processor\.$/,
  );
  expect(ceilingsSentence(busy)).toBe('');
});

test('gives the reason where there is no time, or no share, and nothing that is 0 or NaN', () => {
  const none = { nanoseconds: 0, medianNs: 0, share: 0, gflops: 0, gbytes: 0, leastNs: 0 };
  const short = { ...none, roofline: 0, limit: '', failure: 'too short for this clock of 100 us' };
  const faster = { leastNs: 0, roofline: 0, limit: 'L3', failure: 'faster' };
  const note = 'Steps too short for this clock: 1.';
  const coarse = {
    ...given,
    profile: { ...profile, boundedNs: 0, leastNs: 0, note, steps: [step(short), step(faster)] },
  };
  const [first, second] = stepsTable(coarse).rows;
  expect(first?.cells.slice(4, 9)).toEqual(['–', '–', '–', '–', short.failure]);
  expect(second?.cells.slice(4, 9)).toEqual(['40', '80%', '2.5 GB/s', '–', 'L3: faster']);
  expect(profileSentence(coarse)).toContain(`together, again in the fastest of 15 rounds. ${note}`);
  const nothing = { ...coarse, profile: { ...coarse.profile, items: [], stepsNs: 0 } };
  expect(profileSentence(nothing)).toContain(`15 rounds of 10 runs. ${note}`);
  expect(itemsTable(nothing).rows).toEqual([]);
  expect(JSON.stringify([stepsTable(nothing), profileSentence(nothing)])).not.toMatch(/NaN|null/);
});

test('says which steps the ceilings were compared with, if not all', () => {
  const some = { ...given, profile: { ...profile, boundedNs: 40_000, leastNs: 20_000 } };
  expect(profileSentence(some)).toContain(
    'The ceilings of this machine allow 20 µs for steps that take 40 µs: these are at 50% of them.',
  );
});

test('has a row for each item and each step, with the rate in the unit of its limit', () => {
  expect(itemsTable(given).rows[0]?.cells).toEqual([
    ...['dense: matmul+bias', '8 × 128', 'gemm', '3', '40', '20', '40%'],
  ]);
  const [first, second] = stepsTable(given).rows;
  expect(first?.cells).toEqual([
    ...['0', 'dense', 'matmul+bias', '8 × 128', '40', '80%', '50 GFLOP/s', '50%'],
    ...['arithmetic', 'gemm', '1.9 of 2'],
  ]);
  expect(second?.cells.slice(2, 7)).toEqual(['dense_1.weight', 'scalar', '40', '80%', '2.5 GB/s']);
  for (const { cells, shades } of [...itemsTable(given).rows, ...stepsTable(given).rows]) {
    expect(shades).toHaveLength(cells.length);
  }
});
