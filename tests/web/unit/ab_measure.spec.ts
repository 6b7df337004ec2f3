/** Paired measurements, with engines made for the test. */
import { expect, test } from '@playwright/test';
import type { TimingOptions } from 'parallax-nn/bench';
import type { AbSide } from '../../../web/src/ab_choice.js';
import { measurePairs, type TimingEngine } from '../../../web/src/ab_measure.js';

const side = (name: string, batchSize = 1): AbSide => ({
  ...{ name, tier: 'auto', threads: 0, model: 'mlp:4-3' },
  options: { batchSize },
});

interface Call {
  what: 'open' | 'run' | 'hash' | 'dispose';
  name: string;
  times?: number;
}

/** An engine whose runs take so many nanoseconds; notes what it is asked for. */
function engine(
  name: string,
  calls: Call[],
  ns: (options: TimingOptions) => number,
  clockNs = 5000,
): TimingEngine {
  return {
    async timing(_model, options = {}) {
      calls.push({ what: 'open', name });
      return {
        clockNs,
        async run(times) {
          calls.push({ what: 'run', name, times });
          return { nanoseconds: times * ns(options), threads: 1 };
        },
        async hash() {
          calls.push({ what: 'hash', name });
          return '0'.repeat(16);
        },
        async dispose() {
          calls.push({ what: 'dispose', name });
        },
        async [Symbol.asyncDispose]() {},
      };
    },
  };
}

const settings = (pairs: number, seed = 0, signal = new AbortController().signal) => ({
  ...{ pairs, seed, signal },
  rest: async () => {},
});

const nothing = () => {};

test('measures both sides in every pair, in an order by chance that the seed repeats', async () => {
  const orders: string[] = [];
  for (const seed of [1, 1, 2]) {
    const calls: Call[] = [];
    const pairs = await measurePairs(
      [side('a'), side('b')],
      [engine('a', calls, () => 2e6), engine('b', calls, () => 1e6)],
      settings(20, seed),
      nothing,
    );
    expect(pairs).toHaveLength(20);
    for (const { first, second } of pairs) {
      expect(first.ns).toBe(2e6);
      expect(second.ns).toBe(1e6);
    }
    /* The order that is told is that in which they were opened. */
    const opened = calls.filter(({ what }) => what === 'open').slice(-40);
    for (const [i, { swapped }] of pairs.entries())
      expect(opened[2 * i]?.name).toBe(swapped ? 'b' : 'a');
    orders.push(pairs.map(({ swapped }) => Number(swapped)).join(''));
  }
  expect(orders[0]).toBe(orders[1]);
  expect(orders[0]).not.toBe(orders[2]);
  expect(orders[0]).toMatch(/0/);
  expect(orders[0]).toMatch(/1/);
});

test('each sample has memory of its own, begins with an untimed run, and is long enough', async () => {
  const calls: Call[] = [];
  /* With steps of 100 µs a sample must last 100 ms: 20,000 runs of 5 µs, or half of that. */
  const one = engine('a', calls, () => 5_000, 1e5);
  await measurePairs([side('a'), side('a')], [one, one], settings(6), nothing);
  const samples = calls
    .map(({ what, times = 0 }) => (what === 'run' ? `run ${times}` : what))
    .join(',')
    .split('open,')
    .filter(Boolean);
  for (const sample of samples) expect(sample).toMatch(/^run 1,hash,(run \d+,)+dispose,?$/);
  const last = samples.at(-1)?.match(/run (\d+),dispose/)?.[1];
  expect(Number(last)).toBeGreaterThanOrEqual(10_000);
  expect(Number(last)).toBeLessThan(100_000);
});

test('nothing is compared before both sides are warm', async () => {
  const calls: Call[] = [];
  let opened = 0;
  /* The first four samples are of code that is still being compiled. */
  const cold = engine('a', calls, () => (opened++ < 40 ? 5e6 / opened : 1e5));
  const pairs = await measurePairs([side('a'), side('a')], [cold, cold], settings(6), nothing);
  for (const { first, second } of pairs) expect([first.ns, second.ns]).toEqual([1e5, 1e5]);
});

test('tells the pairs and the time that is left', async () => {
  const one = engine('a', [], () => 6e7);
  const told: number[] = [];
  await measurePairs([side('a'), side('b')], [one, one], settings(6), (progress) => {
    told.push(progress.pairs);
    expect(progress.of).toBe(6);
    expect(progress.millisecondsLeft).toBeGreaterThanOrEqual(0);
    if (progress.pairs === 6) expect(progress.millisecondsLeft).toBe(0);
  });
  expect(told).toEqual([1, 2, 3, 4, 5, 6]);
});

test('a cancelled test stops, and frees what it opened', async () => {
  const calls: Call[] = [];
  const controller = new AbortController();
  const one = engine('a', calls, () => 6e7);
  const measuring = measurePairs(
    [side('a'), side('b')],
    [one, one],
    settings(50, 0, controller.signal),
    ({ pairs }) => {
      if (pairs === 2) controller.abort();
    },
  );
  await expect(measuring).rejects.toMatchObject({ name: 'AbortError' });
  const number = (what: Call['what']) => calls.filter((call) => call.what === what).length;
  expect(number('open')).toBe(number('dispose'));
});

test('an engine that fails ends the test with its reason, and what was opened is freed', async () => {
  const calls: Call[] = [];
  const one = engine('a', calls, () => {
    throw new Error('no memory');
  });
  await expect(
    measurePairs([side('a'), side('b')], [one, one], settings(6), nothing),
  ).rejects.toThrow('no memory');
  expect(calls.at(-1)?.what).toBe('dispose');
});

test('a clock that is too coarse is told, instead of waited for', async () => {
  const one = engine('a', [], () => 1, 1e8);
  await expect(
    measurePairs([side('a'), side('b')], [one, one], settings(6), nothing),
  ).rejects.toThrow('has steps of 100 ms: too coarse');
});
