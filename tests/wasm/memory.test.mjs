/** Memory comes back, whatever happens, and a failure of one call leaves the next one working. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { queryObjects, setFlagsFromString } from 'node:v8';
import { load } from 'parallax-nn';
import { load as loadInline } from 'parallax-nn/inline';
import { XOR } from './support/data.mjs';
import { withEngine } from './support/engine.mjs';
import { collect } from './support/garbage.mjs';

const THREADED = ['simd-threads', 'relaxed-threads'];
const TIERS = ['simd', ...THREADED];
const ROUNDS = 500;
/* Node 20 has relaxed SIMD only with this flag, which later versions do not know. */
if (process.versions.node.startsWith('20.')) setFlagsFromString('--experimental-wasm-relaxed-simd');

/** Rounds after which everything that is made once has been made. */
const WARM = 50;

/** Creates, trains, uses and disposes of one of each object. */
async function round(plx, i) {
  const { dense, dropout } = plx.layers;
  const layers = [
    dense({ units: 16, activation: 'tanh', inputShape: [2] }),
    dropout({ rate: 0.1 }),
    dense({ units: 1 }),
  ];
  const model = plx.sequential(layers, { seed: i });
  const optimizer = plx.optimizer('adam');
  await model.fit(XOR.x, XOR.y, { optimizer, epochs: 2, batchSize: 3, validation: 0.25 });
  await model.evaluate(XOR.x, XOR.y);
  await model.setWeights(await model.getWeights());
  await optimizer.dispose();
  await model.dispose();

  const g = plx.graph({ seed: i });
  const output = g.layer(dense({ units: 3 }), g.input('x', [4, 2]));
  const loss = g.mean(g.square(output));
  const weights = await g.weights();
  const updates = [g.update('adam', weights, g.gradients(loss, weights))];
  const step = await g.compile([loss], { updates });
  await step.run({ x: XOR.x });
  await g.dispose();

  const config = { width: 8, heads: 1, layers: 1, context: 8, vocabulary: 5 };
  const gpt = plx.model('gpt2-nano', { config, seed: i });
  await gpt.generate([1, 2], { count: 3 });
  await gpt.dispose();
}

/** Runs rounds, and returns what `used` gave after the warm ones and at the end. */
async function rounds(plx, used) {
  for (let i = 0; i < WARM; i++) await round(plx, i);
  const before = await used();
  for (let i = WARM; i < ROUNDS; i++) await round(plx, i);
  return [before, await used()];
}

/** Bytes of the largest array that an engine of fixed memory has room for, to a page. */
async function largest(plx, limit) {
  const fits = (bytes) =>
    plx.data.idx(new Uint8Array(bytes)).then(
      () => true,
      ({ codeName }) => codeName !== 'PLX_ERR_MEMORY',
    );
  let [room, none] = [0, limit];
  while (none - room > 4096) {
    const middle = (room + none) / 2;
    if (await fits(middle)) room = middle;
    else none = middle;
  }
  return room;
}

describe(`${ROUNDS} rounds of create, train, dispose leave memory where it was:`, () => {
  /* Here the module's memory grows, so its size shows what was kept. The inline build runs in this
   * thread, where it can be seen. */
  it('that of the tier simd, and no object of JavaScript stays', async () => {
    const { instantiate } = WebAssembly;
    let memory;
    WebAssembly.instantiate = async (...given) => {
      const made = await instantiate.apply(WebAssembly, given);
      memory = Object.values(made.exports).find((value) => value instanceof WebAssembly.Memory);
      return made;
    };
    const plx = await loadInline().finally(() => {
      WebAssembly.instantiate = instantiate;
    });
    const made = [plx.model('mlp:2-1'), plx.optimizer('adam'), plx.graph()];
    const [before, after] = await rounds(plx, async () => {
      await collect();
      const objects = made.map((one) => queryObjects(one.constructor));
      return { wasm: memory.buffer.byteLength, objects };
    });
    plx.dispose();
    assert.deepEqual(after, before);
  });

  for (const tier of THREADED) {
    it(`that of the tier ${tier}`, () =>
      withEngine({ tier, threads: 2, memoryMB: 64 }, async (plx) => {
        await plx.ready();
        const [before, after] = await rounds(plx, () => largest(plx, 64 * 2 ** 20));
        assert.ok(before > 2 ** 24, `${before} bytes fit`);
        assert.ok(after >= before - 4096, `${before} bytes fitted, then ${after}`);
      }));
  }
});

describe('after', () => {
  const fails = (promise, codeName, message) =>
    assert.rejects(promise, (error) => {
      assert.equal(error.codeName, codeName, error.message);
      assert.match(error.message, message);
      return true;
    });

  for (const tier of TIERS) {
    describe(`with the tier ${tier}:`, () => {
      const OPTIONS = { tier, threads: 2, ...(tier !== 'simd' && { memoryMB: 64 }) };

      it('an aborted fit, the next call works', () =>
        withEngine(OPTIONS, async (plx) => {
          const model = plx.model('mlp:2-64-64-1', { seed: 1 });
          const controller = new AbortController();
          const { signal } = controller;
          const onBatch = () => controller.abort();
          const running = model.fit(XOR.x, XOR.y, { epochs: 1e6, signal, onBatch });
          await fails(running, 'PLX_ERR_CANCELLED', /cancelled/);
          assert.equal((await model.fit(XOR.x, XOR.y, { epochs: 3 })).steps, 3);
        }));

      it('too little memory, the next call works', () =>
        withEngine(OPTIONS, async (plx) => {
          const model = plx.model('mlp:2-64-1', { seed: 1 });
          const expected = await model.predict(XOR.x);
          for (let i = 0; i < 3; i++) {
            /* Of 4,000 samples at once, each of the wide layers has 960 MB of values. */
            const wide = plx.model('mlp:1-60000-1-60000-1');
            const samples = new Float32Array(4000);
            const whole = wide.fit(samples, samples, { batchSize: samples.length });
            await fails(whole, 'PLX_ERR_MEMORY', /MiB|GiB|bytes/);
            await wide.dispose();
          }
          assert.deepEqual(await model.predict(XOR.x), expected);
          assert.equal((await model.fit(XOR.x, XOR.y)).steps, 1);
        }));

      it('the death of its worker, calls fail at once and the next load works', async () => {
        const workers = [];
        const take = (worker) => workers.push(worker);
        process.on('worker', take);
        const plx = await load(OPTIONS);
        process.off('worker', take);
        const model = plx.model('mlp:2-64-64-1');
        await model.summary();
        const running = model.fit(XOR.x, XOR.y, { epochs: 1e6 });
        await Promise.all([
          fails(running, 'PLX_ERR_IO', /the engine's worker failed: it ended with exit code 1/),
          ...workers.map((worker) => worker.terminate()),
        ]);
        await fails(model.predict(XOR.x), 'PLX_ERR_IO', /worker failed/);
        await withEngine(OPTIONS, async (next) => {
          assert.equal((await next.model('mlp:2-1').predict(XOR.x)).length, 4);
        });
      });
    });
  }
});
