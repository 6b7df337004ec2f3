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
  ...change,
});

const profile = {
  steps: [step({}), step({ op: 'softmax', fused: '', shape: [], limit: 'L2', method: '' })],
  items: [{ step: 0, count: 3, nanoseconds: 40_000, overNs: 20_000 }],
  ...{ rounds: 15, runs: 150, nanoseconds: 45_000, medianNs: 46_000, stepsNs: 50_000 },
  ...{ leastNs: 25_000, roofline: 0.5, peak: 100 },
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
    'A prediction of gpt2-nano with 8 samples takes 45 µs (simd-threads, 2 threads), its steps 50 µs ' +
      'with a clock between them: the fastest of 15 rounds. The ceilings of this machine allow 25 µs: ' +
      'the steps are at 50% of them.',
  );
  expect(ceilingsSentence(given)).toContain('100 GFLOP/s');
  expect(ceilingsSentence(given)).toContain('L1 150, 120, 130');
});

test('says so when the ceilings could not be measured', () => {
  const busy = { ...given, profile: { ...profile, leastNs: 0 } };
  expect(profileSentence(busy)).toContain('could not be measured');
  expect(ceilingsSentence(busy)).toBe('');
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
