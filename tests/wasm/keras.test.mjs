/** What people who come from Keras and TensorFlow.js look for. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { interp5d, XOR } from './support/data.mjs';
import { withEngine } from './support/engine.mjs';

const OPTIONS = { threads: 1, reproducible: true };
const run = (body) => () => withEngine(OPTIONS, body);
const fails = (promise, message) =>
  assert.rejects(promise, (error) => {
    assert.match(error.message, message);
    return true;
  });
const near = (actual, expected, bound = 1e-5) =>
  assert.ok(Math.abs(actual - expected) <= bound, `${actual}, not ${expected}`);

/** One step that moves nothing, so that its loss is that of the weights. */
const STILL = { optimizer: { kind: 'sgd', rate: 0 }, batchSize: 100 };
const lossOf = async (model, x, y, options) =>
  (await model.fit(x, y, { ...STILL, ...options })).loss[0];
const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;

const x = [
  [0.5, -1],
  [1, 2],
  [-0.25, 0.75],
];
const y = [[0.2], [0.9], [0.4]];
const flat = y.flat();

describe('losses of fit', () => {
  const terms = {
    mse: (p, t) => (p - t) ** 2,
    mae: (p, t) => Math.abs(p - t),
    huber: (p, t) => (Math.abs(p - t) < 1 ? (p - t) ** 2 / 2 : Math.abs(p - t) - 0.5),
    binarycrossentropy: (p, t) => Math.log(1 + Math.exp(p)) - t * p,
  };
  for (const [loss, term] of Object.entries(terms))
    it(`${loss} follows its formula, in training and in evaluation, also with weights`, () =>
      withEngine(OPTIONS, async (plx) => {
        const model = plx.model('mlp:2-3-1:tanh', { seed: 3 });
        const predicted = await model.predict(x);
        const all = flat.map((t, i) => term(predicted[i], t));
        near(await lossOf(model, x, y, { loss }), mean(all));
        near((await model.evaluate(x, y, { loss })).loss, mean(all));
        /* As in Keras: divided by the number of samples, not by the sum of weights. */
        const sampleWeight = [2, 0, 0.5];
        const weighted = mean(all.map((value, i) => value * sampleWeight[i]));
        near(await lossOf(model, x, y, { loss, sampleWeight }), weighted);
        near((await model.evaluate(x, y, { loss, sampleWeight })).loss, weighted);
        const validation = { x, y, sampleWeight };
        const { epochs } = await model.fit(x, y, { ...STILL, loss, validation });
        near(epochs[0].validation.loss, weighted);
      }));

  it(
    'Huber has a delta',
    run(async (plx) => {
      const model = plx.model('mlp:2-3-1:tanh', { seed: 3 });
      const predicted = await model.predict(x);
      const loss = { kind: 'huber', delta: 0.2 };
      const expected = mean(
        flat.map((t, i) => {
          const error = Math.abs(predicted[i] - t);
          return error < 0.2 ? error ** 2 / 2 : 0.2 * (error - 0.1);
        }),
      );
      near(await lossOf(model, x, y, { loss }), expected);
      near((await model.evaluate(x, y, { loss })).loss, expected);
      await fails(model.fit(x, y, { loss: { kind: 'mse', delta: 1 } }), /mse has no options/);
      await fails(model.fit(x, y, { loss: { kind: 'huber', delta: 0 } }), /delta is 0/);
    }),
  );

  it(
    'have the names of other libraries',
    run(async (plx) => {
      const model = plx.model('mlp:2-3-1:tanh', { seed: 3 });
      for (const [loss, ...others] of [
        ['mae', 'meanAbsoluteError', 'mean_absolute_error', 'L1Loss', 'MAE'],
        ['huber', 'Huber', 'HuberLoss', 'SmoothL1Loss'],
        ['binarycrossentropy', 'binaryCrossentropy', 'binary_crossentropy', 'BCEWithLogitsLoss'],
      ])
        for (const other of others)
          assert.equal(
            await lossOf(model, x, y, { loss: other }),
            await lossOf(model, x, y, { loss }),
          );
    }),
  );

  it(
    'a function of graph nodes trains like the loss that it builds',
    run(async (plx) => {
      const train = async (loss, more = {}) => {
        const model = plx.model('mlp:2-4-1:tanh', { seed: 5 });
        const { loss: losses, epochs } = await model.fit(XOR.x, XOR.y, {
          ...{ epochs: 3, batchSize: 3, validation: { x, y }, loss },
          ...more,
        });
        return { losses: [...losses], validation: epochs.at(-1).validation.loss };
      };
      const squares = (g, prediction, target) => g.mean(g.square(g.sub(prediction, target)));
      const [own, named] = [await train(squares), await train('mse')];
      for (const [i, loss] of own.losses.entries()) near(loss, named.losses[i], 1e-6);
      near(own.validation, named.validation, 1e-6);
      await fails(
        train((_, p) => p),
        /fit: the function of the loss gave float32 \[3, 1\]/,
      );
      await fails(
        train(() => 1),
        /fit: loss: what the function returns must be a node of a graph/,
      );
      await fails(
        train((g, p) => g.matmul(p, p)),
        /inner sizes differ/,
      );
      await fails(
        train((g, p) => g.layer(plx.layers.softmax(), p)),
        /loss: layer is not for functions/,
      );
      await fails(train(squares, { sampleWeight: [1, 1, 1, 1] }), /takes no weights of samples/);
    }),
  );

  it(
    'cross-entropies take what is below the softmax or sigmoid of a model',
    run(async (plx) => {
      const { dense } = plx.layers;
      for (const [activation, loss, units, targets] of [
        ['softmax', 'crossentropy', 3, [0, 2, 1]],
        ['sigmoid', 'binarycrossentropy', 1, y],
      ]) {
        const make = (last) =>
          plx.sequential(
            [dense({ units: 4, activation: 'tanh', inputShape: [2] }), dense({ units, ...last })],
            { seed: 2 },
          );
        const [ended, plain] = [make({ activation }), make({})];
        assert.equal(
          await lossOf(ended, x, targets, { loss }),
          await lossOf(plain, x, targets, { loss }),
        );
        const metrics = await ended.evaluate(x, targets, { loss });
        assert.deepEqual(metrics, await plain.evaluate(x, targets, { loss }));
        const row = (await ended.predict(x)).subarray(0, units);
        assert.ok(row.every((p) => p > 0 && p < 1));
        if (units > 1)
          near(
            [...row].reduce((a, b) => a + b),
            1,
          );
      }
    }),
  );

  it(
    'hints at a loss that was forgotten',
    run(async (plx) => {
      const model = plx.model('mlp:2-4', { seed: 1 });
      const hint = /y looks like class labels.*give loss: "crossentropy"/;
      await fails(model.fit(x, [0, 3, 1]), hint);
      await fails(model.evaluate(x, [0, 3, 1]), hint);
      await fails(model.fit(x, [0, 3, 1], { loss: 'mse' }), /y/);
    }),
  );
});

describe('metrics of fit', () => {
  it(
    'are reported for training and validation, names and functions',
    run(async (plx) => {
      const labels = [0, 2, 1];
      const model = plx.model('mlp:2-3', { seed: 4 });
      const total = (g, prediction) => g.sum(prediction);
      const { epochs } = await model.fit(x, labels, {
        ...STILL,
        loss: 'crossentropy',
        metrics: ['accuracy', 'top5', total],
        validation: { x: x.slice(0, 2), y: labels.slice(0, 2) },
      });
      const [{ metrics, validationMetrics, validation }] = epochs;
      const { accuracy } = await model.evaluate(x, labels, { loss: 'crossentropy' });
      const predicted = await model.predict(x);
      assert.deepEqual(Object.keys(metrics), ['accuracy', 'top5', 'total']);
      near(metrics.accuracy, accuracy);
      assert.equal(metrics.top5, 1);
      near(
        metrics.total,
        [...predicted].reduce((a, b) => a + b),
      );
      assert.equal(validationMetrics.accuracy, validation.accuracy);
      near(
        validationMetrics.total,
        [...predicted.slice(0, 6)].reduce((a, b) => a + b),
      );
      const without = await model.fit(x, labels, { ...STILL, loss: 'crossentropy' });
      assert.ok(!('metrics' in without.epochs[0]));
    }),
  );

  it(
    'binary accuracy counts the right side of one half',
    run(async (plx) => {
      const model = plx.model('mlp:2-1', { seed: 4 });
      const predicted = await model.predict(x);
      const targets = [...predicted].map((p, i) => [Number(i === 0 ? p <= 0 : p > 0)]);
      const options = { ...STILL, loss: 'binarycrossentropy', metrics: ['accuracy'] };
      const { epochs } = await model.fit(x, targets, options);
      near(epochs[0].metrics.accuracy, 2 / 3);
    }),
  );

  it(
    'are checked',
    run(async (plx) => {
      const model = plx.model('mlp:2-1');
      await fails(
        model.fit(x, y, { metrics: ['precision'] }),
        /metrics is "precision": it must be/,
      );
      await fails(model.fit(x, y, { metrics: [() => 0] }), /a function needs a name/);
      await fails(model.fit(x, y, { metrics: ['mae', 'mae'] }), /"mae" is there twice/);
      await fails(model.fit(x, y, { metrics: 'mae' }), /must be a list/);
    }),
  );
});

describe('weights of classes and samples', () => {
  it(
    'classes weigh like samples of their labels, in training alone',
    run(async (plx) => {
      const labels = [0, 2, 1];
      const model = plx.model('mlp:2-3', { seed: 4 });
      const loss = 'crossentropy';
      const classWeight = { 0: 3, 1: 0.5 };
      const by = await lossOf(model, x, labels, { loss, sampleWeight: [3, 1, 0.5] });
      near(await lossOf(model, x, labels, { loss, classWeight }), by);
      const both = await lossOf(model, x, labels, { loss, sampleWeight: [6, 1, 0.5] });
      near(await lossOf(model, x, labels, { loss, classWeight, sampleWeight: [2, 1, 1] }), both);
      const { epochs } = await model.fit(x, labels, {
        ...STILL,
        loss,
        classWeight,
        validation: 0.5,
      });
      near(epochs[0].validation.loss, (await model.evaluate(x.slice(2), [1], { loss })).loss);
      const binary = plx.model('mlp:2-1', { seed: 4 });
      const ones = [[1], [0], [1]];
      near(
        await lossOf(binary, x, ones, { loss: 'binarycrossentropy', classWeight: [1, 4] }),
        await lossOf(binary, x, ones, { loss: 'binarycrossentropy', sampleWeight: [4, 1, 4] }),
      );
    }),
  );

  it(
    'a share held out keeps its weights',
    run(async (plx) => {
      const model = plx.model('mlp:2-1', { seed: 4 });
      const { epochs } = await model.fit(x, y, {
        ...STILL,
        sampleWeight: [1, 1, 7],
        validation: 0.34,
      });
      const { loss } = await model.evaluate(x.slice(2), y.slice(2));
      near(epochs[0].validation.loss, 7 * loss);
    }),
  );

  it(
    'are checked',
    run(async (plx) => {
      const model = plx.model('mlp:2-1');
      await fails(
        model.fit(x, y, { sampleWeight: [1, 2] }),
        /sampleWeight has 2 values.*3 samples/,
      );
      await fails(model.fit(x, y, { sampleWeight: [1, -2, 1] }), /sampleWeight: value 1 is -2/);
      await fails(model.fit(x, y, { classWeight: { 0: 2 } }), /classWeight needs one class label/);
      const options = { loss: 'binarycrossentropy' };
      await fails(model.fit(x, y, { ...options, classWeight: { a: 2 } }), /classWeight has "a"/);
      await fails(model.fit(x, y, { ...options, classWeight: { 0: -1 } }), /classWeight: 0 is -1/);
    }),
  );
});

describe('callbacks', () => {
  it(
    'end training with its history by returning "stop"',
    run(async (plx) => {
      const model = plx.model('mlp:2-4-1:tanh', { seed: 1 });
      const common = { epochs: 50_000, batchSize: 2 };
      const history = await model.fit(XOR.x, XOR.y, {
        ...common,
        onEpoch: async ({ epoch }) => (epoch === 3 ? 'stop' : undefined),
      });
      assert.deepEqual([history.stopped, history.stoppedEarly], [true, false]);
      assert.deepEqual([history.steps, history.epochs.length, history.loss.length], [6, 3, 6]);
      const second = await model.fit(XOR.x, XOR.y, { ...common, onBatch: () => 'stop' });
      assert.ok(second.stopped && second.steps < 100_000);
      const third = await model.fit(XOR.x, XOR.y, { epochs: 2, onEpoch: () => false });
      assert.deepEqual([third.stopped, third.epochs.length], [false, 2]);
    }),
  );

  it(
    'save checkpoints, of every epoch or of the best',
    run(async (plx) => {
      const { x: inputs, y: targets } = interp5d(40);
      const saved = [];
      const model = plx.model('mlp:5-8-1:tanh', { seed: 1 });
      const history = await model.fit(inputs, targets, {
        epochs: 6,
        optimizer: { kind: 'sgd', rate: 0.2 },
        batchSize: 8,
        validation: 0.25,
        checkpoint: { best: true, save: async (weights, log) => saved.push({ weights, log }) },
      });
      const losses = history.epochs.map(({ validation }) => validation.loss);
      const records = losses.flatMap((loss, i) =>
        loss < Math.min(Number.POSITIVE_INFINITY, ...losses.slice(0, i)) ? [i + 1] : [],
      );
      assert.deepEqual(
        saved.map(({ log }) => log.epoch),
        records,
      );
      await model.setWeights(saved.at(-1).weights);
      const held = { x: inputs.slice(-10 * 5), y: targets.slice(-10) };
      near((await model.evaluate(held.x, held.y)).loss, Math.min(...losses), 1e-6);
      const every = [];
      const save = (_, { epoch }) => every.push(epoch);
      await model.fit(inputs, targets, { epochs: 5, checkpoint: { every: 2, save } });
      assert.deepEqual(every, [2, 4]);
      await fails(model.fit(inputs, targets, { checkpoint: {} }), /checkpoint needs save/);
    }),
  );
});

describe('batches', () => {
  const options = { optimizer: { kind: 'adam', rate: 0.05 }, loss: 'mse' };
  const parts = [
    { x: XOR.x.slice(0, 2), y: XOR.y.slice(0, 2) },
    { x: XOR.x.slice(2), y: XOR.y.slice(2) },
  ];
  const weightsOf = async (model) => (await model.getWeights()).map(({ data }) => data);
  const byFit = async (plx, epochs) => {
    const model = plx.model('mlp:2-4-1:tanh', { seed: 7 });
    const { loss } = await model.fit(XOR.x, XOR.y, {
      ...options,
      ...{ batchSize: 2, shuffle: false, epochs },
    });
    return { losses: [...loss], weights: await weightsOf(model) };
  };

  it(
    'trainOnBatch takes the steps of fit, and the optimizer carries on',
    run(async (plx) => {
      const model = plx.model('mlp:2-4-1:tanh', { seed: 7 });
      const losses = [];
      for (let epoch = 0; epoch < 3; epoch++)
        for (const part of parts)
          losses.push((await model.trainOnBatch(part.x, part.y, options)).loss);
      const expected = await byFit(plx, 3);
      assert.deepEqual(losses, expected.losses);
      assert.deepEqual(await weightsOf(model), expected.weights);
      const { metrics } = await model.trainOnBatch(parts[0].x, parts[0].y, { metrics: ['mae'] });
      assert.ok(metrics.mae > 0);
      await fails(model.trainOnBatch(parts[0].x, parts[0].y, { epochs: 2 }), /no option "epochs"/);
      await fails(model.trainOnBatch([[1]], [[1]]), /trainOnBatch: x/);
    }),
  );

  it(
    'trainOnBatch copies its data before it returns',
    run(async (plx) => {
      const train = async (disturb) => {
        const model = plx.model('mlp:2-1', { seed: 7 });
        const data = Float32Array.from([1, 2]);
        const step = model.trainOnBatch(data, [[1]], options);
        if (disturb) data.fill(9);
        return (await step).loss;
      };
      assert.equal(await train(true), await train(false));
    }),
  );

  it(
    'fitDataset trains on what an async generator makes',
    run(async (plx) => {
      const model = plx.model('mlp:2-4-1:tanh', { seed: 7 });
      let closed = 0;
      async function* batches() {
        try {
          for (const part of parts) {
            await new Promise((resolve) => setTimeout(resolve, 1));
            yield part;
          }
        } finally {
          closed++;
        }
      }
      const seen = [];
      const validation = { x: XOR.x, y: XOR.y };
      const history = await model.fitDataset(batches, {
        ...options,
        ...{ epochs: 3, validation, metrics: ['mae'] },
        onBatch: ({ step, epoch }) => seen.push([step, epoch]),
      });
      const expected = await byFit(plx, 3);
      assert.deepEqual([...history.loss], expected.losses.map(Math.fround));
      assert.deepEqual(await weightsOf(model), expected.weights);
      assert.deepEqual(seen, [
        [1, 1],
        [2, 1],
        [3, 2],
        [4, 2],
        [5, 3],
        [6, 3],
      ]);
      assert.equal(closed, 3);
      const [first] = history.epochs;
      near(first.loss, mean(expected.losses.slice(0, 2)));
      assert.ok(first.metrics.mae > 0 && first.validation.rmse > 0);
      near(history.epochs.at(-1).validation.loss, (await model.evaluate(XOR.x, XOR.y)).loss);
    }),
  );

  it(
    'fitDataset stops, limits its epochs, and closes what it reads',
    run(async (plx) => {
      const model = plx.model('mlp:2-4-1:tanh', { seed: 7 });
      let closed = 0;
      function* endless() {
        try {
          for (let i = 0; ; i++) yield parts[i % 2];
        } finally {
          closed++;
        }
      }
      const limited = { ...options, epochs: 2, batchesPerEpoch: 3 };
      const history = await model.fitDataset(endless(), limited);
      assert.deepEqual(
        history.epochs.map(({ steps }) => steps),
        [3, 3],
      );
      assert.deepEqual([history.steps, history.stopped, closed], [6, false, 1]);
      const onBatch = ({ step }) => (step === 2 ? 'stop' : undefined);
      const stopped = await model.fitDataset(parts, { ...options, epochs: 9, onBatch });
      assert.deepEqual([stopped.steps, stopped.stopped], [2, true]);
      const again = await model.fitDataset(parts, { ...options, epochs: 4 });
      assert.equal(again.steps, 8);
    }),
  );

  it(
    'fitDataset says what is wrong with its data',
    run(async (plx) => {
      const model = plx.model('mlp:2-4-1:tanh', { seed: 7 });
      await fails(model.fitDataset([], options), /there are no batches/);
      await fails(model.fitDataset(3, options), /batches must be iterable/);
      await fails(model.fitDataset([{ x, y, z: 1 }], options), /batch has no option "z"/);
      const once = (function* () {
        yield parts[0];
      })();
      await fails(model.fitDataset(once, { ...options, epochs: 2 }), /no batches for epoch 2/);
      const broken = (async function* () {
        yield parts[0];
        throw new Error('the disk is full');
      })();
      await fails(model.fitDataset(broken, options), /the disk is full/);
      const signal = AbortSignal.abort();
      await assert.rejects(model.fitDataset(parts, { ...options, signal }), { name: 'AbortError' });
      const share = { ...options, validation: 0.2 };
      await fails(model.fitDataset(parts, share), /fitDataset: validation needs \{ x, y \}/);
    }),
  );

  it(
    'an abort ends the wait for a batch that is never ready',
    run(async (plx) => {
      const model = plx.model('mlp:2-4-1:tanh', { seed: 7 });
      for (const before of [0, 1]) {
        const controller = new AbortController();
        const stuck = (async function* () {
          yield* parts.slice(0, before);
          setTimeout(() => controller.abort(), 20);
          await new Promise(() => {});
        })();
        const { signal } = controller;
        const waits = model.fitDataset(stuck, { ...options, signal });
        await assert.rejects(waits, { name: 'AbortError' });
      }
      assert.equal((await model.fitDataset(parts, options)).steps, parts.length);
    }),
  );

  it(
    'a flat array is not listed key by key, which takes seconds where it is long',
    run(async (plx) => {
      const flat = new Proxy(Array.from(x).flat(2), {
        ownKeys: () => assert.fail('its keys are listed'),
      });
      const model = plx.model('mlp:2-4-1:tanh', { seed: 7 });
      const expected = await model.predict(x);
      assert.deepEqual(await model.predict(flat), expected);
    }),
  );
});

describe('layers', () => {
  it(
    'softmax is an activation',
    run(async (plx) => {
      const { dense, activation, softmax, residual } = plx.layers;
      const inputShape = [4];
      for (const list of [
        [dense({ units: 4, activation: 'softmax', inputShape })],
        [dense({ units: 4, inputShape }), activation({ activation: 'Softmax' })],
        [dense({ units: 4, inputShape }), softmax()],
      ]) {
        const model = plx.sequential(list, { seed: 1 });
        const predicted = await model.predict([[1, 2, 3, 4]]);
        near(
          [...predicted].reduce((a, b) => a + b),
          1,
        );
        assert.deepEqual(
          (await model.summary()).layers.map(({ name }) => name),
          ['dense_1', 'softmax_1'],
        );
      }
      const inner = [dense({ units: 4, activation: 'softmax' })];
      const skip = plx.sequential([residual({ layers: inner, inputShape })], { seed: 1 });
      near(
        [...(await skip.predict([[1, 2, 3, 4]]))].reduce((a, b) => a + b),
        11,
      );
      const g = plx.graph({ seed: 1 });
      const node = g.layer(dense({ units: 4, activation: 'softmax' }), g.input('x', [1, 4]));
      const f = await g.compile([node]);
      const [{ data }] = await f.run({ x: [[1, 2, 3, 4]] });
      near(
        [...data].reduce((a, b) => a + b),
        1,
      );
      assert.throws(
        () =>
          plx.sequential([plx.layers.encoderBlock({ activation: 'softmax', inputShape: [2, 4] })]),
        /a block needs one that takes each value alone/,
      );
    }),
  );

  it(
    'merge branches, and chains count as one',
    run(async (plx) => {
      const { dense, chain, add, concatenate } = plx.layers;
      const inputShape = [3];
      const two = [dense({ units: 4, activation: 'relu' }), dense({ units: 3 })];
      const predict = async (layer) => {
        const model = plx.sequential([layer], { seed: 1 });
        return { values: [...(await model.predict([[1, 2, 3]]))], model };
      };
      const sum = await predict(add({ branches: [[], []], inputShape }));
      assert.deepEqual(sum.values, [2, 4, 6]);
      const joined = await predict(
        concatenate({ branches: [two, [], dense({ units: 2 })], inputShape }),
      );
      assert.equal(joined.values.length, 8);
      assert.deepEqual(joined.values.slice(3, 6), [1, 2, 3]);
      assert.deepEqual(
        (await joined.model.getWeights())
          .map(({ name }) => name)
          .filter((name) => name.endsWith('weight')),
        [
          'concatenate_1.chain_1.dense_1.weight',
          'concatenate_1.chain_1.dense_2.weight',
          'concatenate_1.dense_1.weight',
        ],
      );
      const { model } = await predict(chain({ layers: two, inputShape }));
      assert.equal((await model.summary()).layers.length, 1);
      await fails(
        plx
          .sequential([add({ name: 'merge', branches: [dense({ units: 2 }), []], inputShape })])
          .summary(),
        /merge: branch 0 gives \[2\], but branch 1 gives \[3\]/,
      );
      assert.throws(
        () => plx.sequential([add({ branches: [], inputShape })]),
        /branches: expected a list/,
      );
      assert.throws(
        () => plx.sequential([concatenate({ branches: [[dense({ units: 0 })]], inputShape })]),
        /branch 0: layer 0: units is 0/,
      );
    }),
  );

  it(
    'maskZero leaves padding out of attention and of the mean',
    run(async (plx) => {
      const { embedding, encoderBlock, globalAvgPool1d } = plx.layers;
      const make = (length, maskZero) => {
        const first = embedding({ vocabulary: 5, units: 4, maskZero, inputShape: [length] });
        return plx.sequential([first, encoderBlock({ heads: 2 }), globalAvgPool1d()], { seed: 1 });
      };
      const ids = Int32Array.from([3, 1, 4]);
      const whole = await make(3, false).predict(ids);
      const padded = Int32Array.from([3, 1, 4, 0, 0]);
      const masked = await make(5, true).predict(padded);
      for (const [i, value] of masked.entries()) near(value, whole[i]);
      const seen = await make(5, false).predict(padded);
      assert.ok(seen.some((value, i) => Math.abs(value - whole[i]) > 1e-3));
      const none = await make(5, true).predict(new Int32Array(5));
      assert.ok(none.every((value) => value === 0));
      const g = plx.graph();
      const node = g.input('ids', [1, 2], { dtype: 'int32' });
      g.layer(embedding({ vocabulary: 5, units: 4, maskZero: true }), node);
      await fails(g.check(), /mask_zero is for the first layer of a model/);
    }),
  );

  it(
    'trainable: false keeps the weights of a layer',
    run(async (plx) => {
      const { dense, batchNorm } = plx.layers;
      const model = plx.sequential(
        [
          dense({ units: 4, name: 'base', trainable: false, inputShape: [2] }),
          batchNorm({ trainable: false }),
          dense({ units: 1 }),
        ],
        { seed: 1 },
      );
      const before = await model.getWeights();
      await model.fit(XOR.x, XOR.y, { epochs: 5 });
      const after = await model.getWeights();
      for (const [i, { name, data }] of after.entries()) {
        const changes = name.startsWith('dense_2.');
        (changes ? assert.notDeepEqual : assert.deepEqual)(data, before[i].data, name);
      }
      const all = plx.sequential([dense({ units: 1, trainable: false, inputShape: [2] })]);
      await fails(all.fit(XOR.x, XOR.y), /fit: no layer is trained/);
    }),
  );

  it(
    'kernels start and are penalised as asked',
    run(async (plx) => {
      const { dense } = plx.layers;
      const kernelOf = async (kernelInitializer, seed = 1) => {
        const layer = dense({ units: 300, inputShape: [200], kernelInitializer });
        const [{ data }] = await plx.sequential([layer], { seed }).getWeights();
        return data;
      };
      assert.ok((await kernelOf('zeros')).every((value) => value === 0));
      assert.ok((await kernelOf('ones')).every((value) => value === 1));
      assert.ok(
        (await kernelOf({ kind: 'constant', value: 0.25 })).every((value) => value === 0.25),
      );
      for (const [given, deviation] of [
        ['heNormal', Math.sqrt(2 / 200)],
        ['lecun_normal', Math.sqrt(1 / 200)],
        ['glorotUniform', Math.sqrt(2 / 500)],
        ['GlorotNormal', Math.sqrt(2 / 500)],
        ['randomNormal', 0.05],
        [{ kind: 'randomNormal', deviation: 0.5 }, 0.5],
      ])
        near(Math.sqrt(mean([...(await kernelOf(given))].map((v) => v * v))) / deviation, 1, 0.02);
      assert.deepEqual(await kernelOf('heNormal'), await kernelOf('heNormal'));
      assert.notDeepEqual(await kernelOf('heNormal'), await kernelOf('heNormal', 2));
      for (const [wrong, message] of [
        ['orthogonal', /kernelInitializer is "orthogonal": it must be one of glorotUniform/],
        ['constant', /a constant needs its value/],
        [{ kind: 'constant' }, /a constant needs its value/],
        [{ kind: 'zeros', value: 1 }, /zeros has no option "value"/],
      ])
        await fails(kernelOf(wrong), message);
      const model = (kernelRegularizer) =>
        plx.sequential([dense({ units: 1, inputShape: [2], kernelRegularizer })], { seed: 3 });
      const [{ data }] = await model().getWeights();
      const plain = await lossOf(model(), x, y, {});
      const expected =
        plain + 0.1 * (Math.abs(data[0]) + Math.abs(data[1])) + 0.2 * (data[0] ** 2 + data[1] ** 2);
      near(await lossOf(model({ l1: 0.1, l2: 0.2 }), x, y, {}), expected);
      near((await model({ l1: 0.1, l2: 0.2 }).evaluate(x, y)).loss, expected);
      assert.throws(() => model({ l2: -1 }), /kernelRegularizer: l2 is -1: it must be 0 or more/);
      assert.throws(() => model({ l3: 1 }), /kernelRegularizer has no option "l3"/);
    }),
  );
});

describe('data and results', () => {
  it(
    'predictions have their shape',
    run(async (plx) => {
      const model = plx.model('mlp:2-3');
      const predicted = await model.predict(x);
      assert.deepEqual(predicted.shape, [3, 3]);
      assert.ok(predicted instanceof Float32Array);
      assert.deepEqual(Object.keys(predicted), [...predicted.keys()].map(String));
    }),
  );

  it(
    'rows may be typed arrays',
    run(async (plx) => {
      const model = plx.model('mlp:2-3', { seed: 1 });
      const rows = x.map((row) => Float32Array.from(row));
      assert.deepEqual(await model.predict(rows), await model.predict(x));
      await fails(
        model.predict([new Float32Array(2), new Float32Array(3)]),
        /rows differ in length/,
      );
      const frozen = Object.freeze(x.map((row) => Object.freeze([...row])));
      assert.deepEqual(await model.predict(frozen), await model.predict(x));
    }),
  );

  it(
    'a batch larger than the data is all of it, and validation 0 is none',
    run(async (plx) => {
      const model = plx.model('mlp:2-1');
      const { steps, epochs } = await model.fit(x, y, {
        batchSize: 1000,
        validation: 0,
        epochs: 2,
      });
      assert.equal(steps, 2);
      assert.ok(!('validation' in epochs[0]));
      assert.equal((await model.predict(x, { batchSize: 1000 })).length, 3);
    }),
  );

  it(
    'errors of a model have the stack of the line that called it, and the layer',
    run(async (plx) => {
      const { dense, dropout } = plx.layers;
      const stackOf = async (call) => {
        const error = await call().catch((e) => e);
        return error.stack;
      };
      const model = plx.model('mlp:2-1');
      const own = /keras\.test\.mjs:\d+:\d+/;
      for (const call of [
        () => model.fit(x, [1, 2]),
        () => model.fit(x, y, { labelSmoothing: 3 }),
        () => model.predict([[1, Number.NaN, 2]]),
        () => model.evaluate(x, y, { loss: 'own' }),
        () => model.setWeights([]),
      ]) {
        const stack = await stackOf(call);
        assert.match(stack.split('\n')[1], own, stack);
      }
      const wrong = plx.sequential([
        dense({ units: 2, inputShape: [3] }),
        dropout({ rate: 2, name: 'drop' }),
      ]);
      const stack = await stackOf(() => wrong.summary());
      assert.match(stack, /drop: rate must be 0 to below 1/);
      assert.match(stack.split('\n')[1], own, stack);
      assert.throws(
        () =>
          plx.sequential([dense({ units: 2, inputShape: [3] }), dense({ units: 0, name: 'head' })]),
        /layer 1 \("head"\): units is 0/,
      );
    }),
  );
});
