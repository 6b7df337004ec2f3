/** Profiles: figures that add up, options that are checked, and cancellation. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { load } from 'parallax-nn/bench';

const sum = (list, key) => list.reduce((total, row) => total + row[key], 0);
const near = (a, b) => Math.abs(a - b) <= 1e-9 * Math.abs(b);

describe('profile', () => {
  let plx;
  before(async () => {
    /* One thread: on a busy machine two take long to meet, and the ceilings need both. */
    plx = await load({ threads: 1, tier: 'simd-threads' });
  });
  after(() => plx.dispose());

  it('shows where the time of a prediction goes, beside the ceilings of the machine', async () => {
    const seen = [];
    const profile = await plx.profile('mlp:40-30-30-30-4', {
      batchSize: 16,
      onProgress: (fraction) => seen.push(fraction),
    });
    const { steps, items, levels, note } = profile;
    assert.equal(typeof note, 'string');
    assert.equal(steps.length, 4);
    assert.deepEqual(steps[0].shape, [16, 30]);
    assert.equal(steps[0].fused, 'matmul+bias+relu');
    assert.ok(profile.rounds >= 3 && profile.runs >= profile.rounds);
    assert.ok(profile.nanoseconds > 0 && profile.nanoseconds <= profile.medianNs);
    assert.ok(near(sum(steps, 'share'), 1));
    assert.ok(near(sum(steps, 'nanoseconds'), profile.stepsNs));
    for (const step of steps) {
      assert.equal(step.method, 'gemm packed');
      assert.equal(step.workers, 1);
      assert.ok(step.nanoseconds > 0 && step.medianNs > 0, `${step.nanoseconds} ns`);
      assert.ok(step.roofline <= 1.05 && step.leastNs > 0 === (step.failure === ''), step.failure);
      assert.ok(near(step.gflops * step.nanoseconds, step.flops));
      assert.ok(near(step.roofline * step.nanoseconds, step.leastNs));
      assert.ok(step.limit === 'arithmetic' || levels.some(({ name }) => name === step.limit));
      assert.ok(step.failure !== '' || step.leastNs * profile.peak >= step.flops * (1 - 1e-9));
    }
    assert.deepEqual(
      items.map(({ count }) => count).sort(),
      [1, 1, 2],
      'two layers of 30 by 30 are one item',
    );
    assert.ok(items.every(({ overNs }, i) => i === 0 || overNs <= items[i - 1].overNs));
    assert.ok(levels.length > 0 && levels.every(({ read, copy, add }) => read * copy * add > 0));
    assert.equal(seen.at(-1), 1);
    assert.ok(seen.every((fraction, i) => i === 0 || fraction >= seen[i - 1]));
  });

  it('tells the steps that runs leave out, and the memory that plans share', async () => {
    const { steps, memory, stepsNs } = await plx.profile('resnet-nano', { batchSize: 1 });
    const [kept, run] = [true, false].map((wanted) => steps.filter(({ kept }) => kept === wanted));
    assert.ok(kept.length > 20 && run.length > 20, `${kept.length} of ${steps.length}`);
    assert.equal(sum(kept, 'nanoseconds'), 0);
    assert.ok(near(sum(run, 'nanoseconds'), stepsNs));
    assert.ok(run.every(({ workers }) => workers > 0));
    assert.ok(run.some(({ packed }) => packed) && kept.every(({ packed }) => packed === false));
    assert.ok(run.some(({ op, flops, directFlops }) => /conv2d/.test(op) && directFlops > flops));
    assert.ok(memory.packed > 0 && memory.folded > 0 && memory.kept === 0);
  });

  it('profiles a training step, with settings, and with a loss', async () => {
    const config = { layers: 1, width: 16, heads: 2, vocabulary: 20, context: 8 };
    const gpt = await plx.profile('gpt2-nano', { training: true, batchSize: 2, config, seed: 3 });
    assert.ok(gpt.steps.some(({ op }) => op === 'attention_grad'));
    assert.ok(gpt.steps.some(({ op }) => op === 'adam'));
    const { steps } = await plx.profile('mlp:4-3', { training: true, batchSize: 2, loss: 'mse' });
    assert.ok(
      steps.some(({ op }) => /mse/.test(op)),
      steps.map(({ op }) => op).join(),
    );
  });

  it('can be cancelled, and leaves the engine free', async () => {
    const abort = new AbortController();
    const running = plx.profile('mlp:40-30-4', {
      signal: abort.signal,
      onProgress: () => abort.abort(),
    });
    await assert.rejects(running, { name: 'AbortError', codeName: 'PLX_ERR_CANCELLED' });
    assert.equal((await plx.profile('mlp:4-3', { batchSize: 1 })).steps[0].method, 'gemm packed');
  });

  it('refuses a second one meanwhile', async () => {
    const first = plx.profile('mlp:4-3');
    await assert.rejects(plx.profile('mlp:4-3'), /profile: a benchmark is already running/);
    await first;
  });

  for (const [what, call, message] of [
    ['no name', (p) => p.profile(), /profile: expected the name of a model/],
    ['an unknown model', (p) => p.profile('none'), /model "none": there is no such model/],
    ['a batch of 0', (p) => p.profile('mlp:4-3', { batchSize: 0 }), /batchSize is 0/],
    ['an unknown option', (p) => p.profile('mlp:4-3', { batch: 1 }), /no option "batch"/],
    [
      'an unknown loss',
      (p) => p.profile('mlp:4-3', { training: true, loss: 'x' }),
      /profile: loss is "x"/,
    ],
    [
      'a loss without training',
      (p) => p.profile('mlp:4-3', { loss: 'mse' }),
      /profile: loss needs training: a prediction has no loss/,
    ],
    [
      'a loss for a model with its own',
      (p) => p.profile('clip-nano', { training: true, loss: 'mse' }),
      /loss: clip-nano trains with its own; leave it out/,
    ],
    [
      'a setting of an mlp',
      (p) => p.profile('mlp:4-3', { config: { width: 1 } }),
      /profile: the dim/,
    ],
  ]) {
    it(`refuses ${what}`, () => assert.rejects(call(plx), message));
  }
});
