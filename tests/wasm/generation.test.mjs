/** Generation: a model learns a pattern and continues it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { load } from 'parallax-nn';

const CONFIG = { layers: 1, heads: 2, width: 32, vocabulary: 8, context: 12 };
/** 0 1 2 3 3 2 1: the id after 1, 2 or 3 depends on the ids before it. */
const PATTERN = [0, 1, 2, 3, 3, 2, 1];
const at = (i) => PATTERN[i % PATTERN.length];

for (const tier of ['simd', 'simd-threads']) {
  describe(`generation in the tier ${tier}`, () => {
    let plx;
    let model;
    before(async () => {
      plx = await load({ tier, threads: tier === 'simd' ? 1 : 2 });
      model = plx.model('gpt2-nano', { seed: 1, config: CONFIG });
      const n = 7 * 8;
      const ids = Int32Array.from({ length: 12 * n }, (_, i) => at(Math.floor(i / 12) + (i % 12)));
      const labels = ids.map((_, i) => at(Math.floor(i / 12) + (i % 12) + 1));
      await model.fit(ids, labels, {
        epochs: 60,
        batchSize: 14,
        loss: 'crossentropy',
        optimizer: { kind: 'adam', rate: 0.01 },
      });
    });
    after(() => plx.dispose());

    it('continues the pattern past the end of the context', async () => {
      const seen = [];
      const ids = await model.generate([0, 1, 2], {
        count: 30,
        temperature: 0,
        onToken: (id) => void seen.push(id),
      });
      assert.ok(ids instanceof Int32Array);
      assert.deepEqual(
        [...ids],
        Array.from({ length: 30 }, (_, i) => at(i + 3)),
      );
      assert.deepEqual(seen, [...ids]);
    });

    it('returns the logits that the model predicts', async () => {
      const generator = await model.generator();
      const prompt = [0, 1, 2, 3, 3];
      await generator.feed(prompt);
      const logits = await generator.logits();
      const all = await model.predict([...prompt, ...new Array(7).fill(0)]);
      const expected = all.subarray(4 * 8, 5 * 8);
      /* Both round sums of 32 to 128 products, in another order: 2^-24 sqrt(128) of values below
       * 100, through a few layers. */
      for (let i = 0; i < 8; i++) {
        assert.ok(Math.abs(logits[i] - expected[i]) < 1e-3, `${logits[i]} for ${expected[i]}`);
      }
      await generator.dispose();
      await assert.rejects(generator.logits(), /disposed/);
    });

    it('samples by its seed', async () => {
      const draw = (seed) =>
        model.generate([0], { count: 40, temperature: 5, seed }).then((ids) => [...ids]);
      assert.deepEqual(await draw(7), await draw(7));
      assert.notDeepEqual(await draw(7), await draw(8));
      /* Only the likeliest id, however high the temperature. */
      const best = await model.generate([0], { count: 12, temperature: 5, topK: 1 });
      assert.deepEqual(
        [...best],
        Array.from({ length: 12 }, (_, i) => at(i + 1)),
      );
    });

    it('yields ids one at a time, and restarts after reset', async () => {
      const generator = await model.generator({ seed: 1 });
      await generator.feed([0, 1]);
      const seen = [];
      for await (const id of generator.generate({ temperature: 0 })) {
        seen.push(id);
        if (seen.length === 3) break;
      }
      /* The generator was fed the ids that the loop saw, and no more. */
      seen.push(await generator.next({ temperature: 0 }));
      assert.deepEqual(seen, [2, 3, 3, 2]);
      await generator.reset();
      await assert.rejects(generator.next(), { codeName: 'PLX_ERR_STATE' });
      await generator.feed(Int32Array.of(2, 3));
      assert.equal(await generator.next({ temperature: 0 }), 3);
    });

    it('stops when its signal aborts', async () => {
      const controller = new AbortController();
      const seen = [];
      await assert.rejects(
        model.generate([0], {
          count: 1000,
          signal: controller.signal,
          onToken: (id) => {
            if (seen.push(id) === 5) controller.abort();
          },
        }),
        { name: 'AbortError', codeName: 'PLX_ERR_CANCELLED' },
      );
      assert.equal(seen.length, 5);
    });

    it('uses weights that change between two ids', async () => {
      const other = plx.model('gpt2-nano', { seed: 9, config: CONFIG });
      const generator = await other.generator();
      await other.setWeights(await model.getWeights());
      await generator.feed([0, 1, 2]);
      assert.equal(await generator.next({ temperature: 0 }), 3);
      await other.dispose();
      await assert.rejects(generator.next(), /disposed/);
    });

    const refusals = {
      'an id outside the vocabulary': [
        (g) => g.feed([1, 8]),
        'PLX_ERR_ARGUMENT',
        /^feed: .*8.*(0\.\.7|outside|vocabulary)/,
      ],
      'half an id': [(g) => g.feed([0.5]), 'PLX_ERR_ARGUMENT', /value 0 is 0.5/],
      'a string': [(g) => g.feed('abc'), 'PLX_ERR_ARGUMENT', /array of ids/],
      'sampling before the first id': [(g) => g.next(), 'PLX_ERR_STATE', /^next: /],
      'logits before the first id': [(g) => g.logits(), 'PLX_ERR_STATE', /at least one id/],
      'a temperature below 0': [
        (g) => g.next({ temperature: -1 }),
        'PLX_ERR_ARGUMENT',
        /temperature is -1/,
      ],
      'half a topK': [(g) => g.next({ topK: 0.5 }), 'PLX_ERR_ARGUMENT', /topK is 0.5/],
      'a model that cannot generate': [
        () => plx.model('mlp:2-3').generator(),
        'PLX_ERR_UNSUPPORTED',
        /^generator: .*cannot generate/,
      ],
    };
    for (const [what, [call, codeName, message]] of Object.entries(refusals)) {
      it(`rejects ${what}, and keeps working`, async () => {
        const generator = await model.generator();
        await assert.rejects(call(generator), (error) => {
          assert.equal(error.codeName, codeName, error.message);
          assert.match(error.message, message);
          return true;
        });
        await generator.feed([0, 1]);
        assert.equal(await generator.next({ temperature: 0 }), 2);
        await generator.dispose();
      });
    }
  });
}
