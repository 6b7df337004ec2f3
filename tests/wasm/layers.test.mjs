/** Layers in sequential models and in graphs, and invalid layers. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { load } from 'parallax-nn';
import { LAYER_ROWS, layerDefaults, TABLE_ROWS } from '../../wasm/generate_layers.mjs';
import { rowsOf } from '../../wasm/tables.mjs';
import { uniform } from './support/data.mjs';

let plx;
before(async () => {
  plx = await load({ tier: 'simd' });
});
after(() => plx.dispose());

/** n images [8, 8, 1] with a bright bar, and whether it is vertical (1) or horizontal (0). */
function bars(n, seed) {
  const next = uniform(seed);
  const pixels = new Float32Array(64 * n);
  const labels = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const stands = next() > 0;
    const place = Math.floor(4 * (next() + 1));
    labels[i] = Number(stands);
    for (let p = 0; p < 64; p++) {
      const at = stands ? p % 8 : Math.floor(p / 8);
      pixels[64 * i + p] = (at === place ? 1 : 0) + 0.2 * next();
    }
  }
  return { pixels, labels };
}

/** n sequences of 8 ids below 6, and whether 5 is among them. */
function searches(n, seed) {
  const next = uniform(seed);
  const ids = new Int32Array(8 * n);
  const labels = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    for (let p = 0; p < 8; p++) ids[8 * i + p] = Math.floor(2.5 * (next() + 1));
    labels[i] = Number(next() > 0);
    if (labels[i]) ids[8 * i + Math.floor(4 * (next() + 1))] = 5;
  }
  return { ids, labels };
}

/** A layer of each kind, the shape it takes, and its results: [kinds, shapes, parameters]. */
const KINDS = {
  dense: [{ units: 5, activation: 'tanh' }, [4], [5], 25],
  activation: [{ activation: 'leaky_relu', parameter: 0.2 }, [2, 3], [2, 3], 0],
  softmax: [{}, [2, 3], [2, 3], 0],
  dropout: [{ rate: 0.5 }, [4], [4], 0],
  flatten: [{}, [2, 3, 4], [24], 0],
  reshape: [{ shape: [-1, 3] }, [12], [4, 3], 0],
  conv2d: [
    { filters: 4, kernelSize: [3, 2], strides: [2, 1], padding: 'same' },
    [5, 4, 2],
    [3, 4, 4],
    3 * 2 * 2 * 4 + 4,
  ],
  conv2dTranspose: [
    { filters: 3, kernelSize: 3, strides: 2, padding: 'same', useBias: false },
    [3, 4, 2],
    [6, 8, 3],
    54,
  ],
  conv1d: [
    { filters: 4, kernelSize: 3, padding: 'causal', dilation: 2 },
    [7, 3],
    [7, 4],
    3 * 3 * 4 + 4,
  ],
  maxPool2d: [{ padding: 'same' }, [5, 4, 2], [3, 2, 2], 0],
  avgPool2d: [{ poolSize: [3, 2] }, [6, 5, 2], [2, 2, 2], 0],
  maxPool1d: [{ padding: 'same' }, [7, 3], [4, 3], 0],
  avgPool1d: [{ poolSize: 3, strides: 2 }, [7, 3], [3, 3], 0],
  globalMaxPool2d: [{}, [4, 3, 5], [5], 0],
  globalAvgPool2d: [{}, [4, 3, 5], [5], 0],
  globalMaxPool1d: [{}, [7, 5], [5], 0],
  globalAvgPool1d: [{}, [7, 5], [5], 0],
  upsample2d: [{ size: [2, 3], method: 'bilinear' }, [3, 2, 2], [6, 6, 2], 0],
  layerNorm: [{ epsilon: 1e-6 }, [3, 6], [3, 6], 12],
  rmsNorm: [{}, [3, 6], [3, 6], 6],
  groupNorm: [{ groups: 3 }, [2, 3, 6], [2, 3, 6], 12],
  batchNorm: [{ momentum: 0.2 }, [2, 3, 4], [2, 3, 4], 8],
  embedding: [{ vocabulary: 7, units: 4 }, [5], [5, 4], 28],
  positions: [{}, [5, 4], [5, 4], 20],
  lstm: [{ units: 5 }, [4, 3], [5], 4 * (3 + 5 + 1) * 5],
  gru: [{ units: 5, returnSequences: true }, [4, 3], [4, 5], 3 * (3 + 5 + 2) * 5],
  bidirectional: [{ mergeMode: 'sum' }, [4, 3], [5], 2 * 4 * (3 + 5 + 1) * 5],
  attention: [{ heads: 4, kvHeads: 2, causal: true, useBias: false }, [3, 8], [3, 8], 192],
  encoderBlock: [{ heads: 2, postNorm: true, activation: 'relu' }, [5, 8], [5, 8], 872],
  decoderBlock: [
    { heads: 4, kvHeads: 2, hidden: 6, gated: true, rmsNorm: true, rope: true, useBias: false },
    [5, 8],
    [5, 8],
    2 * 64 + 2 * 8 * 4 + 3 * 8 * 6 + 2 * 8,
  ],
  residual: [{ layers: [] }, [6], [6], 6 * 6 + 6],
  chain: [{ layers: [] }, [6], [6], 6 * 6 + 6],
  add: [{ branches: [] }, [6], [6], 6 * 6 + 6],
  concatenate: [{ branches: [] }, [2, 6], [2, 12], 6 * 6 + 6],
};

/** The layers inside a layer of some kinds, in place of their empty lists. */
function insideOf(kind) {
  const layers = [plx.layers.dense({ units: 6 })];
  if (kind === 'residual' || kind === 'chain') return { layers };
  if (kind === 'bidirectional') return { layer: plx.layers.lstm({ units: 5 }) };
  return kind === 'add' || kind === 'concatenate' ? { branches: [layers, []] } : {};
}

describe('a layer of kind', () => {
  it('any is in this test', () => {
    assert.deepEqual(Object.keys(plx.layers), Object.keys(KINDS));
  });

  for (const [kind, [options, inputShape, outputShape, parameters]] of Object.entries(KINDS)) {
    it(kind, async () => {
      const given = { ...options, ...insideOf(kind) };
      const model = plx.sequential([plx.layers[kind]({ ...given, inputShape, name: 'own' })]);
      const { layers } = await model.summary();
      const library = kind.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      assert.deepEqual(
        layers.map(({ kind, name, outputShape, parameters }) => ({
          kind,
          name,
          outputShape,
          parameters,
        })),
        [{ kind: library, name: 'own', outputShape, parameters }],
      );
      const n = 2 * inputShape.reduce((a, b) => a * b, 1);
      const y = await model.predict(new Float32Array(n).fill(1));
      assert.equal(y.length, 2 * outputShape.reduce((a, b) => a * b, 1));
      assert.ok(y.every(Number.isFinite));
      await model.dispose();
    });
  }
});

const read = (file) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const rows = rowsOf('parallax.def', read('src/parallax.def'), TABLE_ROWS).filter(({ macro }) =>
  LAYER_ROWS.includes(macro),
);

/* Of more channels than one group, whose default is 32, and of few pixels. */
const SHAPES = { groupNorm: [2, 2, 64], batchNorm: [2, 2, 3] };

describe('the stated default of', () => {
  /** What a layer predicts, and the running statistics that one step of training leaves. */
  async function resultsOf(kind, options) {
    const [own, shape, , parameters] = KINDS[kind];
    const needed = Object.fromEntries(
      Object.entries(own).filter(([name]) => rule[kind].needed.includes(name)),
    );
    const inputShape = SHAPES[kind] ?? shape;
    const inside = insideOf(kind);
    const layer = plx.layers[kind]({ ...needed, ...inside, ...options, inputShape });
    const model = plx.sequential([layer], { seed: 2 });
    const next = uniform(5);
    const size = 3 * inputShape.reduce((a, b) => a * b, 1);
    const ids = kind === 'embedding';
    const x = ids
      ? new Int32Array(size).fill(1)
      : Float32Array.from({ length: size }, () => next());
    const y = await model.predict(x);
    if (parameters > 0)
      await model.fit(x, new Float32Array(y.length).fill(0.1), { epochs: 1, batchSize: 3 });
    const after = await model.predict(x);
    await model.dispose();
    return [[...y], [...after]];
  }

  const rule = layerDefaults(rows, read('wasm/layers.def'));
  for (const [kind, { defaults }] of Object.entries(rule)) {
    for (const [name, value] of Object.entries(defaults)) {
      it(`${name} of ${kind} is what the engine does without it`, async () => {
        assert.deepEqual(await resultsOf(kind, { [name]: value }), await resultsOf(kind, {}));
      });
    }
  }

  it('an option is not that of another value', async () => {
    const differ = async (kind, options) =>
      assert.notDeepEqual(await resultsOf(kind, options), await resultsOf(kind, {}));
    await differ('groupNorm', { groups: 16 });
    await differ('batchNorm', { momentum: 0.2 });
    await differ('encoderBlock', { activation: 'relu' });
    await differ('layerNorm', { epsilon: 1e-3 });
    await differ('lstm', { goBackwards: true });
    await differ('gru', { resetAfter: false });
    await differ('bidirectional', { mergeMode: 'sum' });
    await differ('conv1d', { padding: 'same' });
  });
});

describe('a sequential model', () => {
  it('of convolutions learns the direction of bars', async () => {
    const { conv2d, batchNorm, maxPool2d, residual, globalAvgPool2d, dense } = plx.layers;
    const model = plx.sequential(
      [
        conv2d({ filters: 8, kernelSize: 3, padding: 'same', inputShape: [8, 8, 1] }),
        batchNorm(),
        plx.layers.activation({ activation: 'relu' }),
        maxPool2d(),
        residual({
          layers: [conv2d({ filters: 16, kernelSize: 3, padding: 'same', activation: 'relu' })],
          project: true,
        }),
        globalAvgPool2d(),
        dense({ units: 2 }),
      ],
      { seed: 1 },
    );
    const { pixels, labels } = bars(256, 1);
    await model.fit(pixels, labels, {
      epochs: 12,
      loss: 'crossentropy',
      optimizer: { kind: 'adam', rate: 0.01 },
    });
    const held = bars(128, 2);
    const { accuracy } = await model.evaluate(held.pixels, held.labels, { loss: 'crossentropy' });
    assert.ok(accuracy > 0.95, `accuracy ${accuracy}`);
  });

  it('of encoder blocks finds an id in a sequence', async () => {
    const { embedding, positions, encoderBlock, globalAvgPool1d, dense } = plx.layers;
    const model = plx.sequential(
      [
        embedding({ vocabulary: 6, units: 16, inputShape: [8] }),
        positions(),
        encoderBlock({ heads: 2 }),
        encoderBlock({ heads: 4, rmsNorm: true, gated: true }),
        globalAvgPool1d(),
        dense({ units: 2 }),
      ],
      { seed: 1 },
    );
    assert.deepEqual(await model.inputs(), [{ name: 'x', dtype: 'int32', shape: [8], classes: 6 }]);
    const { ids, labels } = searches(256, 1);
    await model.fit(ids, labels, {
      epochs: 12,
      loss: 'crossentropy',
      optimizer: { kind: 'adam', rate: 0.005 },
    });
    const held = searches(128, 2);
    const { accuracy } = await model.evaluate(held.ids, held.labels, { loss: 'crossentropy' });
    assert.ok(accuracy > 0.95, `accuracy ${accuracy}`);
    await assert.rejects(model.predict([[0, 1, 2, 3, 4, 5, 6, 0]]), {
      codeName: 'PLX_ERR_ARGUMENT',
      message: 'predict: x: id 6 is 6, not a whole number from 0 to 5',
    });
  });

  it('of recurrent layers remembers an early id', async () => {
    const { embedding, conv1d, bidirectional, gru, lstm, dense } = plx.layers;
    const model = plx.sequential(
      [
        embedding({ vocabulary: 6, units: 8, maskZero: true, inputShape: [8] }),
        conv1d({ filters: 8, kernelSize: 3, padding: 'causal', activation: 'tanh' }),
        bidirectional({ layer: gru({ units: 8, returnSequences: true, dropout: 0.1 }) }),
        lstm({ units: 16 }),
        dense({ units: 2 }),
      ],
      { seed: 1 },
    );
    const { ids, labels } = searches(256, 1);
    await model.fit(ids, labels, {
      epochs: 12,
      loss: 'crossentropy',
      optimizer: { kind: 'adam', rate: 0.01 },
    });
    const held = searches(128, 2);
    const { accuracy } = await model.evaluate(held.ids, held.labels, { loss: 'crossentropy' });
    assert.ok(accuracy > 0.9, `accuracy ${accuracy}`);
    assert.deepEqual(
      (await model.getWeights()).slice(3, 7).map(({ name, shape }) => [name, shape]),
      [
        ['bidirectional_1.forward.weight', [8, 24]],
        ['bidirectional_1.forward.recurrent_weight', [8, 24]],
        ['bidirectional_1.forward.bias', [24]],
        ['bidirectional_1.forward.recurrent_bias', [24]],
      ],
    );
  });

  it('has the same weights only for the same seed', async () => {
    const weights = async (seed) => {
      const layer = plx.layers.conv2d({ filters: 3, kernelSize: 3, inputShape: [5, 5, 2] });
      return (await plx.sequential([layer], { seed }).getWeights())[0].data;
    };
    assert.deepEqual(await weights(4), await weights(4));
    assert.notDeepEqual(await weights(4), await weights(5));
  });
});

describe('layers in a graph', () => {
  it('learn, with their weights by name', async () => {
    const g = plx.graph({ seed: 3 });
    const { conv2d, flatten, dense, dropout } = plx.layers;
    const x = g.input('x', [32, 8, 8, 1]);
    const labels = g.input('labels', [32], { dtype: 'int32' });
    const layers = [
      conv2d({ filters: 8, kernelSize: 3, activation: 'relu' }),
      flatten(),
      dropout({ rate: 0.1 }),
      dense({ units: 2, name: 'logits' }),
    ];
    const apply = (options) =>
      layers.reduce((y, layer, i) => g.layer(layer, y, { name: `layer_${i}`, ...options }), x);
    const logits = apply({ training: true });
    const loss = g.crossEntropy(logits, labels);
    const weights = await g.weights();
    assert.deepEqual(
      weights.map(({ name }) => name),
      ['layer_0.weight', 'layer_0.bias', 'layer_3.weight', 'layer_3.bias'],
    );
    assert.deepEqual(await weights[2].shape(), [288, 2]);
    const step = g.update({ kind: 'adam', rate: 0.01 }, weights, g.gradients(loss, weights));
    const train = await g.compile([loss], { updates: [step] });
    for (let i = 0; i < 200; i++) {
      const { pixels, labels: truth } = bars(32, i + 1);
      await train.run({ x: pixels, labels: truth });
    }
    /* The same weights, without dropout. */
    const test = await g.compile([g.argmax(apply({ share: true }), 1)]);
    const held = bars(32, 100);
    const [found] = await test.run({ x: held.pixels });
    const right = found.data.filter((label, i) => label === held.labels[i]).length;
    assert.ok(right >= 30, `${right} of 32`);
    /* Weights are read and written like parameters. */
    await g.write(weights[3], [5, -5]);
    assert.deepEqual([...(await g.read(weights[3])).data], [5, -5]);
    await g.dispose();
  });

  it('keep running statistics separate', async () => {
    const g = plx.graph();
    const y = g.layer(plx.layers.batchNorm({ momentum: 1 }), g.input('x', [4, 1]), {
      training: true,
    });
    const run = await g.compile([y]);
    await run.run({ x: [1, 2, 3, 6] });
    const [mean] = await g.weights({ state: true });
    assert.equal(mean.name, 'batch_norm_1.mean');
    assert.deepEqual([...(await g.read(mean)).data], [3]);
    assert.deepEqual(
      (await g.weights()).map(({ name }) => name),
      ['batch_norm_1.scale', 'batch_norm_1.shift'],
    );
    await g.dispose();
  });

  it('are rejected with the stack of the call', async () => {
    const g = plx.graph();
    const x = g.input('x', [2, 6]);
    g.layer(plx.layers.attention({ heads: 2 }), x);
    await assert.rejects(g.check(), (error) => {
      assert.equal(error.codeName, 'PLX_ERR_SHAPE');
      assert.match(error.message, /attention_1: takes samples \[length, width\], not \[6\]/);
      assert.deepEqual(error.call, { method: 'layer', index: 1 });
      assert.match(error.stack, /layers\.test\.mjs/);
      return true;
    });
    await g.dispose();
  });

  it('with one name share weights only if asked to', async () => {
    const g = plx.graph();
    const x = g.input('x', [2, 6]);
    const layer = plx.layers.dense({ units: 6, name: 'a' });
    g.layer(layer, g.layer(layer, x), { share: true });
    assert.equal((await g.weights()).length, 2);
    assert.throws(() => g.layer(layer, x), /"a" is already used.*share: true/);
    const other = plx.layers.dense({ units: 3, name: 'a' });
    assert.throws(() => g.layer(other, x, { share: true }), /that layer has other options/);
    const missing = plx.layers.dense({ units: 3, name: 'b' });
    assert.throws(() => g.layer(missing, x, { share: true }), /no layer of that name/);
    await g.dispose();
  });
});

describe('layers reject', () => {
  const stack = (first, ...layers) =>
    plx.sequential([{ ...first, inputShape: [8, 8, 6] }, ...layers]).summary();
  const sequence = (layer) => plx.sequential([{ ...layer, inputShape: [5, 10] }]).summary();
  const cases = {
    'an option of another layer': [
      (l) => stack(l.conv2d({ units: 3, kernelSize: 3 })),
      'PLX_ERR_ARGUMENT',
      /layer 0: conv2d has no option "units": it has filters, kernelSize/,
    ],
    'a missing option': [
      (l) => stack(l.conv2d({ filters: 3 })),
      'PLX_ERR_ARGUMENT',
      /conv2d needs kernelSize/,
    ],
    'something that is not a layer': [
      () => stack({ kind: 'convLstm2d' }),
      'PLX_ERR_ARGUMENT',
      /layer 0 is not a layer: create it with plx.layers/,
    ],
    'half a kernel': [
      (l) => stack(l.conv2d({ filters: 3, kernelSize: [3] })),
      'PLX_ERR_ARGUMENT',
      /one number, or \[rows, columns\]/,
    ],
    'an unknown padding': [
      (l) => stack(l.maxPool2d({ padding: 'full' })),
      'PLX_ERR_ARGUMENT',
      /padding is "full".*valid, same/,
    ],
    'a causal convolution of images': [
      (l) => stack(l.conv2d({ filters: 3, kernelSize: 3, padding: 'causal' })),
      'PLX_ERR_ARGUMENT',
      /only a conv1d can be causal/,
    ],
    'two lengths of a kernel of sequences': [
      (l) => sequence(l.conv1d({ filters: 3, kernelSize: [3, 2] })),
      'PLX_ERR_SHAPE',
      /windows of sequences have one size, stride and dilation, not 3 and 2/,
    ],
    'a dense layer in both directions': [
      (l) => sequence(l.bidirectional({ layer: l.dense({ units: 2 }) })),
      'PLX_ERR_ARGUMENT',
      /it takes one layer, lstm or gru; it has 1, the first a dense/,
    ],
    'no layer in both directions': [
      (l) => sequence(l.bidirectional({ layer: 'lstm' })),
      'PLX_ERR_ARGUMENT',
      /layer 0: layer is not a layer/,
    ],
    'more units than there may be': [
      (l) => sequence(l.lstm({ units: 3000 })),
      'PLX_ERR_SHAPE',
      /lstm_1: units must be from 1 to 2048, not 3000/,
    ],
    'a kernel larger than the image': [
      (l) => stack(l.conv2d({ filters: 3, kernelSize: 9 })),
      'PLX_ERR_SHAPE',
      /conv2d/,
    ],
    'a linear hidden layer': [
      (l) => sequence(l.decoderBlock({ activation: 'linear' })),
      'PLX_ERR_ARGUMENT',
      /activation is "linear": a block needs a non-linear one/,
    ],
    'heads that do not divide the width': [
      (l) => sequence(l.encoderBlock({ heads: 4 })),
      'PLX_ERR_SHAPE',
      /4 heads do not divide the width 10/,
    ],
    'groups that do not divide the channels': [
      (l) => stack(l.groupNorm({ groups: 4 })),
      'PLX_ERR_SHAPE',
      /4 equal groups/,
    ],
    'two layers with one name': [
      (l) => stack(l.flatten({ name: 'a' }), l.dense({ units: 2, name: 'a' })),
      'PLX_ERR_ARGUMENT',
      /already a layer named "a"; names must be unique/,
    ],
    'a name with a dot': [
      (l) => stack(l.flatten({ name: 'a.b' })),
      'PLX_ERR_ARGUMENT',
      /"a\.b" is not a valid name.*without dots/,
    ],
    'a residual that changes the shape': [
      (l) => stack(l.residual({ layers: [l.conv2d({ filters: 4, kernelSize: 1 })] })),
      'PLX_ERR_SHAPE',
      /x is \[8, 8, 6\], but the layers turn it into \[8, 8, 4\].*project/,
    ],
    'a wrong layer inside': [
      (l) => stack(l.residual({ layers: [l.conv2d({ filters: 0, kernelSize: 1 })] })),
      'PLX_ERR_ARGUMENT',
      /layer 0: layer 0: filters is 0/,
    ],
    'an embedding of numbers': [
      (l) => stack(l.flatten(), l.embedding({ vocabulary: 4, units: 3 })),
      'PLX_ERR_ARGUMENT',
      /embedding_1: takes ids/,
    ],
    'more memory than is available': [
      (l) => stack(l.flatten(), l.dense({ units: 2_000_000_000 })),
      'PLX_ERR_MEMORY',
      /./,
    ],
  };
  for (const [what, [call, codeName, message]] of Object.entries(cases)) {
    it(`${what}, and the engine keeps working`, async () => {
      await assert.rejects(
        async () => call(plx.layers),
        (error) => {
          assert.equal(error.codeName, codeName, error.message);
          assert.match(error.message, message);
          return true;
        },
      );
      assert.equal((await plx.model('mlp:2-3').predict([[1, 2]])).length, 3);
    });
  }
});
