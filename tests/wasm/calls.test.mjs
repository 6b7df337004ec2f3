/**
 * Arguments that callers pass: that they may be changed at once, and the names and forms they take.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { load } from 'parallax-nn';
import { load as loadBench } from 'parallax-nn/bench';
import { load as loadInline } from 'parallax-nn/inline';
import { interp5d, uniform, XOR } from './support/data.mjs';

/** An IDX file of bytes. */
const idx = (shape, values) =>
  Uint8Array.from([
    0,
    0,
    8,
    shape.length,
    ...shape.flatMap((n) => [0, 0, n >> 8, n & 255]),
    ...values,
  ]);

const next = uniform(5);
const bytes = (n, most) => Uint8Array.from({ length: n }, () => ((next() + 1) / 2) * most);
const digits = () => ({
  images: idx([40, 28, 28], bytes(40 * 784, 256)),
  labels: idx([40], bytes(40, 10)),
});
const text = () => bytes(4000, 26).map((letter) => 97 + letter);
const ordered = (n) => Float32Array.from({ length: n }, (_, i) => i / n);

/*
 * Name: an engine => [the arrays passed to a call, the call, its result]. Every call that takes
 * data is here; its result must stay the same if the arrays are overwritten as soon as it has
 * returned.
 */
const CALLS = {
  predict: (plx) => {
    const x = ordered(6);
    return [[x], () => plx.model('mlp:2-3-1').predict(x)];
  },
  'predict in double precision': (plx) => {
    const x = Float64Array.from(ordered(6));
    return [[x], () => plx.model('mlp:2-3-1').predict(x)];
  },
  'predict from a Buffer': (plx) => {
    const x = Buffer.from([1, 2, 3, 4]);
    return [[x], () => plx.model('mlp:2-3-1').predict(x)];
  },
  'predict by names': (plx) => {
    const x = ordered(6);
    return [[x], () => plx.model('mlp:2-3-1').predict({ x })];
  },
  'predict from rows': (plx) => {
    const rows = [
      [1, 2],
      [3, 4],
    ];
    return [rows, () => plx.model('mlp:2-3-1').predict(rows)];
  },
  predictAll: (plx) => {
    const x = ordered(6);
    return [[x], () => plx.model('mlp:2-3-1').predictAll(x)];
  },
  fit: (plx) => {
    const [x, y, vx, vy] = [ordered(40), ordered(20), ordered(8), ordered(4)];
    const train = async () => {
      const options = { epochs: 2, validation: { x: vx, y: vy } };
      const { loss, epochs } = await plx.model('mlp:2-3-1').fit(x, y, options);
      return [loss, epochs.map(({ validation }) => validation.loss)];
    };
    return [[x, y, vx, vy], train];
  },
  'fit on labels': (plx) => {
    const [x, y] = [ordered(40), Int32Array.from({ length: 20 }, (_, i) => i % 3)];
    const train = async () =>
      (await plx.model('mlp:2-3-3').fit(x, y, { loss: 'crossentropy', epochs: 2 })).loss;
    return [[x, y], train];
  },
  evaluate: (plx) => {
    const [x, y] = [ordered(6), ordered(3)];
    return [[x, y], () => plx.model('mlp:2-3-1').evaluate(x, y)];
  },
  setWeights: (plx) => {
    const model = plx.model('mlp:2-1');
    const [weight, bias] = [ordered(2), Float32Array.of(3)];
    const set = async () => {
      await model.setWeights([{ data: weight }, bias]);
      return model.getWeights();
    };
    return [[weight, bias], set];
  },
  generate: (plx) => {
    const ids = Int32Array.of(1, 2, 3);
    const config = { layers: 1, heads: 2, width: 16, vocabulary: 12, context: 8 };
    return [
      [ids],
      () => plx.model('gpt2-nano', { config }).generate(ids, { count: 3, temperature: 0 }),
    ];
  },
  feed: async (plx) => {
    const ids = Int32Array.of(1, 2, 3);
    const config = { layers: 1, heads: 2, width: 16, vocabulary: 12, context: 8 };
    const generator = await plx.model('gpt2-nano', { config }).generator();
    const feed = async () => {
      generator.reset();
      await generator.feed(ids);
      return generator.logits();
    };
    return [[ids], feed];
  },
  parameter: (plx) => {
    const [g, values] = [plx.graph(), ordered(4)];
    const read = async () => {
      const parameter = g.parameter('w', [4], values);
      await Promise.resolve();
      return g.read(parameter);
    };
    return [[values], read];
  },
  write: (plx) => {
    const [g, values] = [plx.graph(), ordered(4)];
    const w = g.parameter('w', [4]);
    const write = async () => {
      await g.write(w, values);
      return g.read(w);
    };
    return [[values], write];
  },
  run: async (plx) => {
    const [g, x, ids] = [plx.graph(), ordered(4), Int32Array.of(3, 1)];
    const input = g.input('x', [4]);
    const f = await g.compile([g.gather(input, g.input('ids', [2], { dtype: 'int32' }))]);
    return [[x, ids], () => f.run({ x, ids })];
  },
  'data.idx': (plx) => {
    const file = idx([3], [1, 2, 3]);
    return [[file], () => plx.data.idx(file.buffer)];
  },
  'data.idx, compressed': (plx) => {
    const file = new Uint8Array(gzipSync(idx([3], [1, 2, 3])));
    return [[file], () => plx.data.idx(file)];
  },
  'data.csv': (plx) => {
    const file = new TextEncoder().encode('1,2\n3,4\n');
    return [[file], () => plx.data.csv(file.buffer)];
  },
};

/* The same of `parallax-nn/bench` alone. */
const BENCH_CALLS = {
  'learn from text': (plx) => {
    const given = text();
    return [[given], () => losses(plx.learn({ task: 'gpt2-nano', ...SHORT, text: given.buffer }))];
  },
  'learn from a table': (plx) => {
    const { x, y } = interp5d(64);
    const row = (i) => [...x.slice(5 * i, 5 * i + 5), y[i]].join(',');
    const table = new TextEncoder().encode(Array.from(y, (_, i) => row(i)).join('\n'));
    const data = { csv: { text: table } };
    return [[table], () => losses(plx.learn({ task: 'interp5d', ...SHORT, data }))];
  },
  'learn from digits': (plx) => {
    const mnist = digits();
    return [
      Object.values(mnist),
      () => losses(plx.learn({ task: 'mnist', ...SHORT, data: { mnist } })),
    ];
  },
};

const wrong = () => assert.fail('given after the call');
const signal = AbortSignal.abort();
const gpt = (plx) => {
  const config = { layers: 1, heads: 2, width: 16, vocabulary: 12, context: 8 };
  return plx.model('gpt2-nano', { config });
};

/* Name: an engine => [options, their values after the call, the call], which must not see these. */
const LATE = {
  fit: (plx) => [
    { optimizer: { kind: 'sgd', rate: 0.5 }, epochs: 3, schedule: { kind: 'linear' } },
    { epochs: 1, seed: 4, batchSize: 1, clipNorm: 1e-3, optimizer: 'lion', loss: 'own' },
    async (o) => (await plx.model('mlp:2-3-1').fit(XOR.x, XOR.y, o)).loss,
  ],
  "fit's validation and callbacks": (plx) => [
    { earlyStopping: { patience: 2 }, validation: 0.5, epochs: 9 },
    { earlyStopping: { patience: 0 }, validation: 2, signal, onEpoch: wrong, onBatch: wrong },
    async (o) => (await plx.model('mlp:2-3-1').fit(XOR.x, XOR.y, o)).loss,
  ],
  evaluate: (plx) => [
    { loss: 'mse' },
    { loss: 'own', output: 'none' },
    (o) => plx.model('mlp:2-3-1').evaluate(XOR.x, XOR.y, o),
  ],
  generate: (plx) => [
    { count: 3, temperature: 0 },
    { count: 1, temperature: 9, signal, onToken: wrong },
    (o) => gpt(plx).generate([1], o),
  ],
  "a generator's generate": async (plx) => {
    const generator = await gpt(plx).generator();
    await generator.feed([1]);
    const draw = async (o) => {
      const drawn = generator.generate(o);
      await Promise.resolve();
      let count = 0;
      for await (const _ of drawn) count++;
      return count;
    };
    return [{ count: 3 }, { count: 1, signal }, draw];
  },
  weights: (plx) => {
    const g = plx.graph();
    g.layer(plx.layers.dense({ units: 2 }), g.input('x', [1, 2]));
    return [{ state: false }, { state: true }, async (o) => (await g.weights(o)).length];
  },
};

/* The same of `parallax-nn/bench` alone. */
const BENCH_LATE = {
  train: async (plx) => {
    const run = await plx.learn({ task: 'gpt2-nano', ...SHORT, steps: 9 });
    return [
      { steps: 2, onProgress() {} },
      { steps: 1, onProgress: wrong, signal },
      async (o) => (await run.train(o)).reason,
    ];
  },
  bench: (plx) => [
    { suites: ['gemm'], cases: ['128 x'], size: 'quick', seconds: 0.01, rounds: 1 },
    { seed: -1, cases: ['none'], onRow: wrong, onProgress: wrong, signal },
    async (o) => (await plx.bench(o)).length,
  ],
};

const SHORT = { steps: 2, batchSize: 4, size: 'quick' };

async function losses(opening) {
  const run = await opening;
  await run.train();
  const all = await run.losses();
  await run.dispose();
  return all;
}

for (const [where, start, own] of [
  ['a worker', () => loadBench({ tier: 'simd' }), { calls: BENCH_CALLS, late: BENCH_LATE }],
  ['this thread', () => loadInline(), { calls: {}, late: {} }],
]) {
  describe(`data given to an engine in ${where} is the caller's again at once:`, () => {
    let plx;
    before(async () => {
      plx = await start();
    });
    after(() => plx.dispose());
    for (const [name, makeCall] of Object.entries({ ...CALLS, ...own.calls })) {
      it(name, async () => {
        const [arrays, call] = await makeCall(plx);
        const kept = arrays.map((array) => [...array]);
        const expected = await call();
        assert.deepEqual(
          arrays.map((array) => [...array]),
          kept,
          'the call left its arguments alone',
        );
        const running = call();
        for (const array of arrays) array.fill(0);
        assert.deepEqual(await running, expected);
        /* The data must affect the result, or this would test nothing. */
        const other = await call().catch((error) => error);
        assert.notDeepEqual(other, expected);
      });
    }

    it('calls of a graph arrive in the order in which they were made', async () => {
      const g = plx.graph();
      const [x, p] = [g.input('x', []), g.parameter('p', [], 1)];
      const loss = g.add(x, p);
      const descent = g.update({ kind: 'sgd', rate: 1 }, [p], g.gradients(loss, [p]));
      const values = [g.write(p, 5)];
      const f = await g.compile([loss]);
      const step = await g.compile([loss], { updates: [descent] });
      const run = async (fn) => (await fn.run({ x: 0 }))[0].data[0];
      for (const value of [1, 2, 3]) {
        values.push(g.write(p, value), run(f), f.write(p, value + 10), run(f));
      }
      values.push(g.read(p).then(({ data }) => data[0]));
      /* With a recorded call that the write has to send first. */
      const more = g.mul(p, 2);
      values.push(more.shape(), g.write(p, 7), run(f), run(step), run(f));
      values.push(descent.setRate(0), run(step), run(f));
      const got = (await Promise.all(values)).filter((value) => typeof value === 'number');
      assert.deepEqual(got, [1, 11, 2, 12, 3, 13, 13, 7, 7, 6, 6, 6]);
      /* Calls before the disposal are answered, calls after it are rejected. */
      const before = [run(f), g.read(p), g.compile([more])];
      const disposing = f.dispose();
      const late = [assert.rejects(run(f), { codeName: 'PLX_ERR_STATE' })];
      before.push(run(step));
      await Promise.all([...before, disposing, ...late]);
      const last = [run(step), g.compile([g.square(p)]), g.dispose()];
      await assert.rejects(g.read(p), { codeName: 'PLX_ERR_STATE' });
      await Promise.all(last);
    });

    it('calls of a model are answered before its disposal', async () => {
      const config = { layers: 1, heads: 2, width: 16, vocabulary: 12, context: 8 };
      for (const made of [false, true]) {
        const model = plx.model('gpt2-nano', { config });
        if (made) await model.summary();
        const ids = Int32Array.from({ length: 8 }, (_, i) => i);
        const before = [model.predict(ids), model.summary(), model.getWeights(), model.generator()];
        const disposing = model.dispose();
        const after = assert.rejects(model.predict(ids), /this model was disposed/);
        await Promise.all([...before, disposing, after]);
      }
    });

    it('a model and an optimizer cannot be disposed of right after the call of a fit', async () => {
      for (const made of [false, true]) {
        const [model, optimizer] = [plx.model('mlp:2-3-1'), plx.optimizer('adam')];
        if (made) await model.summary();
        const controller = new AbortController();
        const { signal } = controller;
        const fitting = model.fit(XOR.x, XOR.y, { epochs: 1_000_000, optimizer, signal });
        const refused = { codeName: 'PLX_ERR_STATE', message: /this model is being trained/ };
        const refusals = [model, optimizer].map((used) => assert.rejects(used.dispose(), refused));
        await Promise.all(refusals);
        controller.abort();
        await assert.rejects(fitting, { name: 'AbortError' });
        await optimizer.dispose();
        await model.dispose();
      }
    });

    for (const [name, makeCall] of Object.entries({ ...LATE, ...own.late })) {
      it(`options are those at the call: ${name}`, async () => {
        const [options, changes, call] = await makeCall(plx);
        const expected = await call({ ...options });
        const running = call(options);
        Object.assign(options, changes);
        assert.deepEqual(await running, expected);
      });
    }

    it("a fit has the optimizer's rate at the call", async () => {
      const [model, optimizer] = [plx.model('mlp:2-3-1'), plx.optimizer({ kind: 'sgd', rate: 0 })];
      const before = await model.getWeights();
      const fitting = model.fit(XOR.x, XOR.y, { optimizer });
      optimizer.setRate(1);
      await fitting;
      assert.deepEqual(await model.getWeights(), before);
    });

    it('five calls with one array have five results', async () => {
      const model = plx.model('mlp:2-3-1');
      const frame = new Float32Array(2);
      const one = (i) => model.predict(frame.fill(i + 1));
      const apart = [];
      for (let i = 0; i < 5; i++) apart.push(await one(i));
      assert.deepEqual(await Promise.all([0, 1, 2, 3, 4].map(one)), apart);
    });
  });
}

describe('data given to load and bench', () => {
  it('is the bytes of a module', async () => {
    const file = readFileSync(new URL(import.meta.resolve('parallax-nn/wasm/engine-simd.wasm')));
    const wasmBinary = new Uint8Array(file).buffer;
    const loading = load({ tier: 'simd', wasmBinary });
    new Uint8Array(wasmBinary).fill(0);
    (await loading).dispose();
  });
});

describe('data by name', () => {
  it('is also an object of another realm', async () => {
    const plx = await load({ tier: 'simd' });
    const model = plx.model('mlp:2-3');
    const [{ name }] = await model.inputs();
    const x = runInNewContext(`({ ${name}: new Float32Array([1, 2]) })`);
    assert.deepEqual(await model.predict(x), await model.predict([[1, 2]]));
    plx.dispose();
  });
});

describe('names', () => {
  let plx;
  before(async () => {
    plx = await load({ tier: 'simd' });
  });
  after(() => plx.dispose());

  const lossOf = async (options, activation = 'relu') => {
    const { dense } = plx.layers;
    const first = dense({ units: 4, activation, inputShape: [2] });
    const model = plx.sequential([first, dense({ units: 2 })]);
    const y = /^(?!binary|BCE).*ropy/i.test(options.loss ?? '')
      ? [0, 1, 1, 0]
      : new Float32Array(8).fill(0.5);
    return (await model.fit(XOR.x, y, { epochs: 3, ...options })).loss;
  };
  const same = {
    loss: [
      ['mse', 'meanSquaredError', 'mean_squared_error', 'MSELoss', 'MSE'],
      ['mae', 'meanAbsoluteError', 'mean_absolute_error', 'L1Loss'],
      ['huber', 'Huber', 'HuberLoss', 'SmoothL1Loss'],
      ['binarycrossentropy', 'binaryCrossentropy', 'binary_crossentropy', 'BCEWithLogitsLoss'],
      ['crossentropy', 'sparseCategoricalCrossentropy', 'sparse_categorical_crossentropy'].concat([
        'CrossEntropyLoss',
        'cross_entropy',
        'crossEntropy',
      ]),
    ],
    optimizer: [
      ['adam', 'Adam'],
      ['adamw', 'AdamW'],
      ['sgd', 'SGD'],
      ['rmsprop', 'RMSprop', 'RMSProp'],
      ['lion', 'Lion'],
    ],
  };
  for (const [option, groups] of Object.entries(same)) {
    for (const [own, ...others] of groups) {
      it(`${option}: ${own} is also ${others.join(', ')}`, async () => {
        const expected = await lossOf({ [option]: own });
        for (const other of others) assert.deepEqual(await lossOf({ [option]: other }), expected);
      });
    }
  }

  const activations = [
    ['linear', 'identity', 'Identity'],
    ['silu', 'swish', 'SiLU'],
    ['leaky_relu', 'leakyRelu', 'LeakyReLU'],
    ['gelu_tanh', 'geluTanh'],
    ['hardswish', 'hardSwish', 'hard_silu', 'Hardswish'],
    ['hardsigmoid', 'hard_sigmoid'],
    ...'relu elu gelu sigmoid tanh relu6 celu selu mish softplus softsign'
      .split(' ')
      .map((own) => [own, own.toUpperCase()]),
  ];
  for (const [own, ...others] of activations) {
    it(`activation: ${own} is also ${others.join(', ')}`, async () => {
      const expected = await lossOf({}, own);
      for (const other of others) assert.deepEqual(await lossOf({}, other), expected);
    });
  }
});

describe('what Keras accepts', () => {
  let plx;
  before(async () => {
    plx = await load({ tier: 'simd' });
  });
  after(() => plx.dispose());
  const fit = (options) => plx.model('mlp:2-4-1').fit(XOR.x, XOR.y, { epochs: 2, ...options });

  it('is a batch larger than the data: all of them', async () => {
    assert.deepEqual((await fit({ batchSize: 1000 })).loss, (await fit({ batchSize: 4 })).loss);
  });

  it('is a validation share of 0: none', async () => {
    const { loss, epochs, bestEpoch } = await fit({ validation: 0 });
    assert.deepEqual(loss, (await fit({})).loss);
    assert.equal(epochs[0].validation, undefined);
    assert.equal(bestEpoch, undefined);
    await assert.rejects(fit({ validation: Number.NaN }), /validation NaN/);
  });
});

describe('weights', () => {
  it('go through JSON and back, each value exactly', async () => {
    const plx = await load({ tier: 'simd' });
    const from = plx.model('mlp:5-16-3', { seed: 3 });
    const next = uniform(8);
    /* Values of all magnitudes in single precision, from the smallest on. */
    const weights = (await from.getWeights()).map((weight) => ({
      ...weight,
      data: weight.data.map(() => next() * 2 ** (138 * next() - 11)),
    }));
    weights[0].data.set([2 ** -149, 3.4028234663852886e38, 0.1]);
    await from.setWeights(weights);
    const to = plx.model('mlp:5-16-3', { seed: 4 });
    await to.setWeights(JSON.parse(JSON.stringify(await from.getWeights())));
    assert.deepEqual(await to.getWeights(), weights);
    /* The values alone, in any form. */
    const alone = plx.model('mlp:5-16-3', { seed: 5 });
    await alone.setWeights(weights.map(({ data }, i) => (i % 2 ? data : [...data])));
    assert.deepEqual(await alone.getWeights(), weights);
    const parsed = plx.model('mlp:5-16-3', { seed: 6 });
    await parsed.setWeights(JSON.parse(JSON.stringify(weights.map(({ data }) => data))));
    assert.deepEqual(await parsed.getWeights(), weights);
    plx.dispose();
  });

  it('do so in a graph, too', async () => {
    const plx = await load({ tier: 'simd' });
    const g = plx.graph();
    const w = g.parameter('w', [2], [0.1, -3e-30]);
    const { data } = JSON.parse(JSON.stringify(await g.read(w)));
    await g.write(w, [0, 0]);
    await g.write(w, data);
    assert.deepEqual((await g.read(w)).data, Float32Array.of(0.1, -3e-30));
    plx.dispose();
  });
});
