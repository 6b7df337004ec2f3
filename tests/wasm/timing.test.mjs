/** Timed runs: what they compute, what they refuse, and that they are freed. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { load } from 'parallax-nn/bench';

describe('timing', () => {
  let plx;
  before(async () => {
    plx = await load({ threads: 1, tier: 'simd-threads' });
  });
  after(() => plx.dispose());

  it('times as many runs as it is asked for, by the clock of the engine', async () => {
    const timing = await plx.timing('mlp:64-128-10', { batchSize: 64 });
    assert.ok(timing.clockNs > 0 && timing.clockNs < 1e8, String(timing.clockNs));
    await timing.run(1);
    /* Many times as many runs take longer, whatever disturbs them. */
    const few = await timing.run(1);
    const many = await timing.run(2000);
    assert.equal(few.threads, 1);
    assert.ok(few.nanoseconds >= 0 && many.nanoseconds > few.nanoseconds);
    await timing.dispose();
  });

  /* The loss comes from the weights as they are, which no optimizer changes here. */
  it('computes the same whatever the optimizer, the engine and the number of runs', async () => {
    const other = await load({ tier: 'simd' });
    const hashes = [];
    for (const [engine, optimizer, times] of [
      [plx, 'adam', 1],
      [plx, 'sgd', 1],
      [plx, 'lion', 5],
      [other, 'rmsprop', 3],
      [other, 'adamw', 1],
    ]) {
      const timing = await engine.timing('mlp:20-30-4', { training: true, optimizer, seed: 3 });
      await timing.run(times);
      hashes.push(await timing.hash());
      await timing.dispose();
    }
    other.dispose();
    assert.match(hashes[0], /^[0-9a-f]{16}$/);
    assert.deepEqual(new Set(hashes).size, 1, hashes.join());
    const another = await plx.timing('mlp:20-30-4', { training: true, seed: 4 });
    await another.run(1);
    assert.notEqual(await another.hash(), hashes[0]);
    await another.dispose();
  });

  it('takes turns: two timings do not disturb what the other computes', async () => {
    const open = (batchSize) => plx.timing('gpt2-nano', { batchSize, config: { layers: 1 } });
    const [one, two] = [await open(1), await open(2)];
    const seen = new Set();
    for (let round = 0; round < 3; round++) {
      for (const timing of [one, two]) {
        await timing.run(1);
        seen.add(await timing.hash());
      }
    }
    assert.equal(seen.size, 2);
    await one.dispose();
    await two.run(1);
    await two.dispose();
  });

  it('is freed once, and says so afterwards', async () => {
    const timing = await plx.timing('mlp:4-3', { batchSize: 1 });
    await timing.dispose();
    await timing.dispose();
    await assert.rejects(timing.run(1), /timing: it was disposed of/);
  });

  for (const [what, call, message] of [
    ['no name', (p) => p.timing(), /timing: expected the name of a model/],
    ['an unknown model', (p) => p.timing('none'), /model "none": there is no such model/],
    ['a batch of 0', (p) => p.timing('mlp:4-3', { batchSize: 0 }), /batchSize is 0/],
    ['an unknown option', (p) => p.timing('mlp:4-3', { batch: 1 }), /no option "batch"/],
    [
      'an unknown optimizer',
      (p) => p.timing('mlp:4-3', { training: true, optimizer: 'x' }),
      /timing: optimizer is "x": it must be one of/,
    ],
    [
      'an optimizer without training',
      (p) => p.timing('mlp:4-3', { optimizer: 'sgd' }),
      /timing: optimizer needs training: a prediction has no optimizer/,
    ],
    [
      'no runs',
      async (p) => {
        const timing = await p.timing('mlp:4-3');
        await timing.run(0).finally(() => timing.dispose());
      },
      /times is 0/,
    ],
  ]) {
    it(`refuses ${what}`, () => assert.rejects(call(plx), message));
  }

  it('refuses to disturb a benchmark', async () => {
    const timing = await plx.timing('mlp:4-3');
    let refused;
    await plx.profile('mlp:4-3', {
      onProgress: () => {
        refused ??= timing.run(1).catch((error) => error);
      },
    });
    assert.match((await refused).message, /timing: a benchmark is already running/);
    await timing.dispose();
  });
});
