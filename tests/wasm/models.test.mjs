/** Models by name: configuration, ports, several inputs and outputs. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { load } from 'parallax-nn';
import { uniform } from './support/data.mjs';

let plx;
let known;
before(async () => {
  plx = await load({ tier: 'simd' });
  known = await plx.models();
});
after(() => plx.dispose());

const TINY = { layers: 1, heads: 2, width: 16, vocabulary: 12, context: 8 };

describe('models', () => {
  it('have names', async () => {
    assert.ok(known.includes('gpt2-nano'), known.join(', '));
    assert.equal(new Set(known).size, known.length);
  });

  it('of every small name predict outputs of the shapes they announce', async () => {
    for (const name of known.filter((one) => one.endsWith('-nano'))) {
      const model = plx.model(name, { seed: 1 });
      const inputs = await model.inputs();
      const outputs = await model.outputs();
      const size = (shape) => shape.reduce((a, b) => a * b, 1);
      const x = Object.fromEntries(
        inputs.map(({ name: port, dtype, shape }) => [
          port,
          dtype === 'int32'
            ? new Int32Array(2 * size(shape))
            : new Float32Array(2 * size(shape)).fill(0.5),
        ]),
      );
      const all = await model.predictAll(x);
      assert.deepEqual(
        Object.entries(all).map(([port, { shape }]) => [port, shape]),
        outputs.map(({ name: port, shape }) => [port, [2, ...shape]]),
        name,
      );
      for (const { data, shape } of Object.values(all)) {
        assert.equal(data.length, size(shape));
        assert.ok(data.every(Number.isFinite), name);
      }
      assert.ok((await model.summary()).parameters > 0);
      await model.dispose();
    }
  });

  it('take a configuration', async () => {
    const model = plx.model('gpt2-nano', { seed: 1, config: TINY });
    assert.equal(await model.setting('width'), 16);
    assert.equal(await model.setting('kernel'), undefined);
    assert.deepEqual(await model.inputs(), [
      { name: 'ids', dtype: 'int32', shape: [8], classes: 12 },
    ]);
    assert.deepEqual(await model.outputs(), [
      { name: 'logits', dtype: 'float32', shape: [8, 12], classes: 0 },
    ]);
    const { layers, parameters } = await model.summary();
    const block = 4 * (16 * 16 + 16) + 16 * 64 + 64 + 64 * 16 + 16 + 4 * 16;
    assert.equal(parameters, 12 * 16 + 8 * 16 + block + 2 * 16);
    assert.ok(layers.length >= 4, `${layers.length} layers`);
    assert.match(String(await model.summary()), /tokens +\[8, 16\] +192/);
    /* A setting after the colon of the name does the same. */
    const same = plx.model('gpt2-nano:layers=1,heads=2,width=16', {
      seed: 1,
      config: { vocabulary: 12, context: 8 },
    });
    assert.deepEqual(await same.getWeights(), await model.getWeights());
  });

  it('accept every number as a setting', async () => {
    for (const dropout of [1e-7, 0.1 + 0.2, Number.MIN_VALUE, 0]) {
      const model = plx.model('gpt2-nano', { config: { ...TINY, dropout } });
      assert.equal(await model.setting('dropout'), dropout);
    }
  });

  it('explain their plans', async () => {
    const model = plx.model('gpt2-nano', { config: TINY });
    const predicting = await model.explain({ batchSize: 4 });
    const training = await model.explain({ batchSize: 4, training: true, loss: 'crossentropy' });
    assert.ok(training.steps.length > predicting.steps.length);
    assert.ok(training.memory.gradients > 0);
  });

  it('train with named data, and with some labels ignored', async () => {
    const model = plx.model('gpt2-nano', { seed: 2, config: TINY });
    const next = uniform(3);
    const ids = Int32Array.from({ length: 8 * 40 }, () => Math.floor(6 * (next() + 1)));
    /* Each label is its id, except for the first ones, which are ignored. */
    const labels = ids.map((id, i) => (i % 8 ? id : -100));
    const history = await model.fit(
      { ids },
      { logits: labels },
      {
        epochs: 30,
        batchSize: 20,
        loss: 'crossentropy',
        optimizer: { kind: 'adam', rate: 0.01 },
        validation: 0.2,
      },
    );
    assert.ok(history.loss.at(-1) < 0.2, `loss ${history.loss.at(-1)}`);
    const { accuracy, perplexity, top5, loss } = await model.evaluate(
      { ids },
      { logits: labels },
      {
        loss: 'crossentropy',
        output: 'logits',
      },
    );
    assert.ok(accuracy > 0.98 && top5 >= accuracy, `accuracy ${accuracy}, top 5 ${top5}`);
    assert.ok(Math.abs(perplexity - Math.exp(loss)) < 1e-5);
  });

  it('with their own loss train without targets', async (t) => {
    if (!known.includes('clip-nano')) {
      t.skip('no clip-nano in this build');
      return;
    }
    const model = plx.model('clip-nano', { seed: 1 });
    const inputs = await model.inputs();
    const next = uniform(5);
    const n = 8;
    const x = Object.fromEntries(
      inputs.map(({ name, dtype, shape, classes }) => {
        const length = n * shape.reduce((a, b) => a * b, 1);
        const value = () => (dtype === 'int32' ? Math.floor(((next() + 1) / 2) * classes) : next());
        const Values = dtype === 'int32' ? Int32Array : Float32Array;
        return [name, Values.from({ length }, value)];
      }),
    );
    const { loss } = await model.fit(x, undefined, {
      epochs: 20,
      batchSize: n,
      loss: 'own',
      optimizer: { kind: 'adam', rate: 1e-3 },
    });
    assert.ok(loss.at(-1) < loss[0] / 2, `${loss[0]} to ${loss.at(-1)}`);
    const [first] = inputs;
    await assert.rejects(model.predict(x[first.name]), /inputs, .*: give \{/);
  });
});

describe('models reject', () => {
  const tiny = (config) => plx.model('gpt2-nano', { config: { ...TINY, ...config } });
  const ids = new Int32Array(16);
  const cases = {
    'an unknown name': [
      () => plx.model('gpt2-huge').summary(),
      'PLX_ERR_ARGUMENT',
      /"gpt2-huge": there is no such model; there are gpt2-nano/,
    ],
    'an unknown dimension': [
      () => tiny({ depth: 3 }).summary(),
      'PLX_ERR_ARGUMENT',
      /no setting "depth"; there are layers, heads/,
    ],
    'a dimension out of range': [
      () => tiny({ layers: 0 }).summary(),
      'PLX_ERR_ARGUMENT',
      /layers is "0"; it must be a whole number from 1/,
    ],
    'half a dimension': [
      () => tiny({ width: 16.5 }).summary(),
      'PLX_ERR_ARGUMENT',
      /width is "16.5"/,
    ],
    'a dimension that is not a number': [
      async () => tiny({ width: '16' }),
      'PLX_ERR_ARGUMENT',
      /config: width is "16": it must be a finite number/,
    ],
    'heads that do not divide the width': [
      () => tiny({ heads: 3 }).summary(),
      'PLX_ERR_ARGUMENT',
      /3 heads do not divide width 16; use width 15 or 18, or 2 heads/,
    ],
    'dimensions besides those of an mlp': [
      async () => plx.model('mlp:2-3', { config: { width: 3 } }),
      'PLX_ERR_ARGUMENT',
      /dimensions of an mlp are in its name/,
    ],
    'an id that is not in the vocabulary': [
      () => tiny().predict(ids.with(9, 12)),
      'PLX_ERR_ARGUMENT',
      /predict: x: id 9 is 12, not a whole number from 0 to 11/,
    ],
    'an id below 0, even the ignored label': [
      () => tiny().predict(ids.with(9, -100)),
      'PLX_ERR_ARGUMENT',
      /id 9 is -100/,
    ],
    'half an id': [
      () => tiny().predict(Array.from(ids).with(3, 1.5)),
      'PLX_ERR_ARGUMENT',
      /id 3 is 1.5/,
    ],
    'half a sequence': [
      () => tiny().predict(ids.slice(0, 12)),
      'PLX_ERR_SHAPE',
      /12 values are not a whole number of samples of \[8\]/,
    ],
    'an unknown input': [
      () => tiny().predict({ tokens: ids }),
      'PLX_ERR_ARGUMENT',
      /no input "tokens": it has "ids"/,
    ],
    'no data for an input': [
      () => tiny().predict({}),
      'PLX_ERR_ARGUMENT',
      /no data for input "ids"/,
    ],
    'an unknown output': [
      () => tiny().predict(ids, { output: 'y' }),
      'PLX_ERR_ARGUMENT',
      /no output "y": the model has "logits"/,
    ],
    'targets that are missing': [
      () => tiny().fit(ids, undefined, { loss: 'crossentropy' }),
      'PLX_ERR_ARGUMENT',
      /y is missing: the loss "crossentropy" needs targets/,
    ],
    'the loss "own" if the model has none': [
      () => tiny().fit(ids, undefined, { loss: 'own' }),
      'PLX_ERR_ARGUMENT',
      /this model has no loss of its own/,
    ],
    'targets for a loss that takes none': [
      () => tiny().fit(ids, ids, { loss: 'own' }),
      'PLX_ERR_ARGUMENT',
      /"own" takes no targets/,
    ],
    'a name that is not a string': [
      async () => plx.model(5),
      'PLX_ERR_ARGUMENT',
      /expected a name/,
    ],
  };
  for (const [what, [call, codeName, message]] of Object.entries(cases)) {
    it(`${what}, and the engine keeps working`, async () => {
      await assert.rejects(call, (error) => {
        assert.equal(error.codeName, codeName, error.message);
        assert.match(error.message, message);
        return true;
      });
      assert.equal((await tiny().predict(ids)).length, 2 * 8 * 12);
    });
  }
});
