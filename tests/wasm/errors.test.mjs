/** Invalid input: one clear sentence, the right code, and nothing changed. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { load, PlxError } from 'parallax-nn';
import { XOR } from './support/data.mjs';
import { withEngine } from './support/engine.mjs';

/** Awaits a failure with this code and a matching sentence. */
async function fails(promise, codeName, message) {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof PlxError, `a PlxError, not ${error}`);
    assert.equal(error.codeName, codeName);
    assert.ok(error.code < 0);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  });
}

/** The shortest module. */
const EMPTY_MODULE = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

describe('load rejects', () => {
  const cases = [
    [
      'an unknown tier',
      { tier: 'turbo' },
      'PLX_ERR_ARGUMENT',
      /tier is "turbo": it must be one of .*simd-threads/,
    ],
    ['null', null, 'PLX_ERR_ARGUMENT', /load: options must be an object, not null/],
    ['an unknown option', { foo: 1 }, 'PLX_ERR_ARGUMENT', /load has no option "foo".*threads/],
    [
      'a misspelt option',
      { reproducable: true },
      'PLX_ERR_ARGUMENT',
      /"reproducable".*reproducible/,
    ],
    [
      'a number for true',
      { reproducible: 1 },
      'PLX_ERR_ARGUMENT',
      /load: reproducible must be true or false, not a number/,
    ],
    [
      'a number for a signal',
      { signal: 1 },
      'PLX_ERR_ARGUMENT',
      /load: signal must be an AbortSignal, not a number/,
    ],
    [
      'a text for a flag',
      { debug: 'yes' },
      'PLX_ERR_ARGUMENT',
      /load: debug must be true or false, not a string/,
    ],
    ['no threads', { threads: 0 }, 'PLX_ERR_ARGUMENT', /threads is 0/],
    ['half a thread', { threads: 1.5 }, 'PLX_ERR_ARGUMENT', /threads is 1.5/],
    ['too little memory', { memoryMB: 1 }, 'PLX_ERR_ARGUMENT', /memoryMB is 1.*64/],
    ['too much memory', { memoryMB: 9999 }, 'PLX_ERR_ARGUMENT', /9999.*2048/],
    [
      'bytes without a tier',
      { wasmBinary: new Uint8Array(8) },
      'PLX_ERR_ARGUMENT',
      /need the option tier/,
    ],
    [
      'bytes without one tier',
      { tier: 'fastest', wasmBinary: new Uint8Array(8) },
      'PLX_ERR_ARGUMENT',
      /need the option tier/,
    ],
    [
      'one address for several tiers',
      { tier: 'fastest', wasmURL: 'https://example.org/engine.wasm' },
      'PLX_ERR_ARGUMENT',
      /with the tier fastest, wasmURL must be a function of the tier/,
    ],
    [
      'an invalid URL',
      { wasmURL: 'no url' },
      'PLX_ERR_ARGUMENT',
      /load: wasmURL: "no url" is not a URL/,
    ],
    [
      'what is not a module',
      { tier: 'simd', wasmModule: {} },
      'PLX_ERR_ARGUMENT',
      /wasmModule must be a WebAssembly.Module, not an object/,
    ],
    [
      'another module',
      { tier: 'simd', wasmModule: new WebAssembly.Module(EMPTY_MODULE) },
      'PLX_ERR_FORMAT',
      /load: this module is not that of an engine of this version/,
    ],
    [
      'a module and bytes',
      {
        tier: 'simd',
        wasmModule: new WebAssembly.Module(EMPTY_MODULE),
        wasmBinary: EMPTY_MODULE,
      },
      'PLX_ERR_ARGUMENT',
      /both wasmBinary and wasmModule are given/,
    ],
    [
      'a missing file',
      { wasmURL: pathToFileURL('/nowhere/engine.wasm') },
      'PLX_ERR_IO',
      /cannot read file:.*nowhere/,
    ],
    [
      'bytes that are not WebAssembly',
      { tier: 'simd', wasmBinary: new TextEncoder().encode('<!DOCTYPE html><html>') },
      'PLX_ERR_FORMAT',
      /an HTML page instead of WebAssembly: give it the bytes/,
    ],
    [
      'a missing worker',
      { workerURL: pathToFileURL('/nowhere/engine.mjs') },
      'PLX_ERR_IO',
      /worker failed.*nowhere/,
    ],
  ];
  for (const [what, options, codeName, message] of cases) {
    it(what, () => fails(load(options), codeName, message));
  }

  it('a damaged module', async () => {
    const wasmBinary = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 99]);
    await fails(load({ tier: 'simd', wasmBinary }), 'PLX_ERR_UNSUPPORTED', /simd did not start/);
  });

  it('a worker that never answers, after the timeout', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'parallax-nn-'));
    try {
      const file = join(folder, 'silent.mjs');
      writeFileSync(file, 'setInterval(() => {}, 1000);');
      const workerURL = pathToFileURL(file);
      await fails(load({ workerURL, timeout: 300 }), 'PLX_ERR_IO', /within 300 ms/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('a model rejects', () => {
  let plx;
  before(async () => {
    plx = await load({ tier: 'simd' });
  });
  after(() => plx.dispose());

  const layered = (...layers) => plx.sequential(layers).summary();
  const dense = (options) => plx.layers.dense({ inputShape: [2], units: 4, ...options });
  const fit = (x, y, options) => plx.model('mlp:2-4-3').fit(x, y, options);
  const transferred = () => {
    const values = new Float32Array(2);
    structuredClone(values, { transfer: [values.buffer] });
    return values;
  };
  const ones = (n) => new Float32Array(n).fill(1);
  const weightsOf = (name) => plx.model(name).getWeights();

  const cases = {
    'an empty list': [async () => plx.sequential([]), 'PLX_ERR_ARGUMENT', /at least one layer/],
    'no inputShape': [
      async () => plx.sequential([plx.layers.dense({ units: 1 })]),
      'PLX_ERR_ARGUMENT',
      /inputShape/,
    ],
    'no layer': [
      async () => plx.sequential(['dense']),
      'PLX_ERR_ARGUMENT',
      /layer 0 is not a layer/,
    ],
    'neither options nor inputShape': [
      async () => plx.sequential([plx.layers.dense()]),
      'PLX_ERR_ARGUMENT',
      /layer 0: dense needs units/,
    ],
    'an inputShape of a later layer': [
      async () => layered(dense(), dense({ inputShape: [7] })),
      'PLX_ERR_ARGUMENT',
      /^sequential: layer 1: inputShape is for the first layer/,
    ],
    'an inputShape inside a residual': [
      async () => layered(dense(), plx.layers.residual({ layers: [dense()] })),
      'PLX_ERR_ARGUMENT',
      /layer 1: layer 0: inputShape is for the first layer/,
    ],
    'an empty name': [
      async () => layered(dense({ name: '' })),
      'PLX_ERR_ARGUMENT',
      /layer 0: name is empty/,
    ],
    'a loss without targets to evaluate': [
      () => plx.model('mlp:2-1').evaluate(ones(2), ones(1), { loss: 'own' }),
      'PLX_ERR_ARGUMENT',
      /evaluate: loss is "own": it needs one that has targets/,
    ],
    'an optimizer with state to explain': [
      () => plx.model('mlp:2-1').explain({ optimizer: plx.optimizer('adam') }),
      'PLX_ERR_ARGUMENT',
      /explain: optimizer: what plx.optimizer makes is for fit only/,
    ],
    'a loss that the model does not have, to explain': [
      () => plx.model('mlp:2-1').explain({ training: true, loss: 'own' }),
      'PLX_ERR_ARGUMENT',
      /^explain: this model has no loss of its own/,
    ],
    'a number instead of a table': [
      () => plx.data.csv(5),
      'PLX_ERR_ARGUMENT',
      /data.csv: expected a string, an ArrayBuffer or a Uint8Array, not a number/,
    ],
    'no units': [async () => layered(dense({ units: 0 })), 'PLX_ERR_ARGUMENT', /units is 0/],
    'half a unit': [async () => layered(dense({ units: 1.5 })), 'PLX_ERR_ARGUMENT', /units is 1.5/],
    'an unknown activation': [
      async () => layered(dense({ activation: 'swoosh' })),
      'PLX_ERR_ARGUMENT',
      /layer 0: activation is "swoosh": it must be one of .*relu/,
    ],
    'a dropout rate of 1': [
      () => layered(dense(), plx.layers.dropout({ rate: 1 })),
      'PLX_ERR_ARGUMENT',
      /rate/,
    ],
    'an unknown name': [() => plx.model('gpt:9').summary(), 'PLX_ERR_ARGUMENT', /gpt:9.*mlp/],
    'an invalid seed': [
      async () => plx.model('mlp:2-1', { seed: -1 }),
      'PLX_ERR_ARGUMENT',
      /^model: seed is -1/,
    ],
    'samples of another size': [() => fit(ones(3), ones(3)), 'PLX_ERR_SHAPE', /3 values.*\[2\]/],
    'samples of another shape': [
      () => fit([[1, 2, 3]], [[1, 2, 3]]),
      'PLX_ERR_SHAPE',
      /\[3\].*\[2\]/,
    ],
    'rows of differing lengths': [
      () => fit([[1, 2], [3]], ones(6)),
      'PLX_ERR_SHAPE',
      /rows differ/,
    ],
    'more samples than targets': [
      () => fit(ones(4), ones(3)),
      'PLX_ERR_SHAPE',
      /x has 2 samples, but y has 1/,
    ],
    'no samples': [() => fit(ones(0), ones(0)), 'PLX_ERR_SHAPE', /no samples/],
    text: [() => fit('abc', ones(3)), 'PLX_ERR_ARGUMENT', /typed array.*string/],
    'text in rows': [() => fit([['a', 'b']], ones(3)), 'PLX_ERR_ARGUMENT', /number, got a string/],
    'big integers': [() => fit(new BigInt64Array(2), ones(3)), 'PLX_ERR_ARGUMENT', /64-bit/],
    'NaN in x': [
      () =>
        fit(
          [
            [1, 2],
            [3, Number.NaN],
          ],
          ones(6),
        ),
      'PLX_ERR_ARGUMENT',
      /x: value 1 of sample 1 is NaN/,
    ],
    'infinity in y': [
      () => fit([[1, 2]], [[1, Number.POSITIVE_INFINITY, 2]]),
      'PLX_ERR_ARGUMENT',
      /y: value 1 of sample 0 is Infinity/,
    ],
    'numbers too large for single precision': [
      () => fit([[1, 1e300]], ones(3)),
      'PLX_ERR_ARGUMENT',
      /x: value 1 of sample 0 is 1e\+300: single precision ends at 3\.4e38/,
    ],
    'an array whose memory was transferred': [
      () => plx.model('mlp:2-3').predict(transferred()),
      'PLX_ERR_ARGUMENT',
      /^predict: x: its buffer was transferred elsewhere/,
    ],
    'weights whose memory was transferred': [
      () => plx.model('mlp:2-3').setWeights([transferred(), ones(3)]),
      'PLX_ERR_ARGUMENT',
      /^setWeights: array 0: its buffer was transferred elsewhere/,
    ],
    'a prompt whose memory was transferred': [
      () => plx.model('gpt2-nano').generate(transferred()),
      'PLX_ERR_ARGUMENT',
      /^generate: prompt: its buffer was transferred elsewhere/,
    ],
    'a file whose memory was transferred': [
      () => plx.data.idx(transferred().buffer),
      'PLX_ERR_ARGUMENT',
      /^data\.idx: its buffer was transferred elsewhere/,
    ],
    'a batch size above the largest safe integer': [
      () => fit(ones(2), ones(3), { batchSize: 1e18 }),
      'PLX_ERR_ARGUMENT',
      /batchSize is 1000000000000000000: .* at least 1, at most 9007199254740991$/,
    ],
    'weights that are not finite, by their name': [
      async () => {
        const [weight, bias] = await weightsOf('mlp:2-1');
        await plx.model('mlp:2-1').setWeights([weight, { ...bias, data: [Number.NaN] }]);
      },
      'PLX_ERR_ARGUMENT',
      /^setWeights: array 1 \("dense_1\.bias"\): value 0 is NaN: replace or drop it$/,
    ],
    'a batch size of 0': [
      () => fit(ones(2), ones(3), { batchSize: 0 }),
      'PLX_ERR_ARGUMENT',
      /batchSize is 0.*at least 1/,
    ],
    'no epochs': [() => fit(ones(2), ones(3), { epochs: 0 }), 'PLX_ERR_ARGUMENT', /epochs is 0/],
    'an unknown loss': [
      () => fit(ones(2), ones(3), { loss: 'hinge' }),
      'PLX_ERR_ARGUMENT',
      /loss is "hinge".*crossentropy/,
    ],
    'a loss for rows of probabilities': [
      () => fit(ones(2), ones(3), { loss: 'categoricalCrossentropy' }),
      'PLX_ERR_ARGUMENT',
      /"categoricalCrossentropy": use "crossentropy" with class labels instead of rows/,
    ],
    'targets of a binary cross-entropy': [
      () => fit(ones(2), [[0, 1, 2]], { loss: 'binary_crossentropy' }),
      'PLX_ERR_ARGUMENT',
      /fit: y holds 2 in row 0; it must be 0 to 1 for binary cross-entropy/,
    ],
    ...Object.fromEntries(
      [
        ['NLLLoss', /use "crossentropy"/],
        ['constructor', /"constructor": it must be one of mse/],
      ].map(([loss, message]) => [
        `the loss ${loss}`,
        [() => fit(ones(2), ones(3), { loss }), 'PLX_ERR_ARGUMENT', message],
      ]),
    ),
    ...Object.fromEntries(
      [
        ['relu', /^layers\.relu: use layers\.activation\(\{ activation: "relu" \}\)$/],
        ['ReLU', /activation: "relu"/],
        ['elu', /activation: "elu"/],
        ['leakyReLU', /activation: "leaky_relu"/],
        ['prelu', /leaky_relu.*prelu in a plx\.graph\(\)/],
        ['logSoftmax', /^layers\.logSoftmax: use layers\.softmax/],
        ['Sequential', /^layers\.Sequential: use layers\.chain/],
        ['depthwiseConv2d', /use layers\.conv2d with as many groups/],
        ['Conv1D', /use layers\.conv1d/],
        ['MaxPooling1D', /use layers\.maxPool1d/],
        ['LSTM', /use layers\.lstm/],
        ['simpleRNN', /use layers\.gru or layers\.lstm/],
        ['input', /give the first layer an inputShape/],
      ].map(([kind, message]) => [
        `the layer ${kind}`,
        [async () => plx.layers[kind]({}), 'PLX_ERR_ARGUMENT', message],
      ]),
    ),
    'a kind that is the name of an activation': [
      async () => plx.sequential([{ kind: 'ReLU', inputShape: [2] }]),
      'PLX_ERR_ARGUMENT',
      /layer 0: kind is "ReLU": use layers\.activation\(\{ activation: "relu" \}\)/,
    ],
    'an unknown activation, in the spelling of the caller': [
      async () => layered(dense({ activation: 'HardTanh' })),
      'PLX_ERR_ARGUMENT',
      /activation is "HardTanh"/,
    ],
    'an optimizer that is an option': [
      () => fit(ones(2), ones(3), { optimizer: 'momentum' }),
      'PLX_ERR_ARGUMENT',
      /"momentum": use \{ kind: "sgd", momentum: 0\.9 \}/,
    ],
    'a log-softmax as an activation': [
      async () => layered(dense({ activation: 'logSoftmax' })),
      'PLX_ERR_ARGUMENT',
      /layer 0: activation is "logSoftmax": use "softmax"/,
    ],
    "a layer by another library's name": [
      async () => plx.layers.MaxPooling2D({ poolSize: 2 }),
      'PLX_ERR_ARGUMENT',
      /layers\.MaxPooling2D: use layers\.maxPool2d/,
    ],
    "a kind by another library's name": [
      async () => plx.sequential([{ kind: 'Linear', units: 3, inputShape: [2] }]),
      'PLX_ERR_ARGUMENT',
      /layer 0: kind is "Linear": use "dense"/,
    ],
    'an unknown kind': [
      async () => plx.sequential([{ kind: 'toString', inputShape: [2] }]),
      'PLX_ERR_ARGUMENT',
      /layer 0 is not a layer/,
    ],
    'an unknown optimizer': [
      () => fit(ones(2), ones(3), { optimizer: 'magic' }),
      'PLX_ERR_ARGUMENT',
      /optimizer is "magic".*adamw/,
    ],
    'a rate that is NaN': [
      () => fit(ones(2), ones(3), { optimizer: { kind: 'sgd', rate: Number.NaN } }),
      'PLX_ERR_ARGUMENT',
      /rate is NaN/,
    ],
    'validation on nothing': [
      () => fit(ones(2), ones(3), { validation: 0.1 }),
      'PLX_ERR_ARGUMENT',
      /validation 0.1 of 1/,
    ],
    'a label outside the classes': [
      () => fit(ones(4), [0, 3], { loss: 'crossentropy' }),
      'PLX_ERR_ARGUMENT',
      /label 1 is 3, not.*0 to 2/,
    ],
    'half a label': [
      () => fit(ones(4), [0, 0.5], { loss: 'crossentropy' }),
      'PLX_ERR_ARGUMENT',
      /label 1 is 0.5/,
    ],
    'rows instead of labels': [
      () =>
        fit(
          ones(4),
          [
            [0, 1, 0],
            [1, 0, 0],
          ],
          { loss: 'crossentropy' },
        ),
      'PLX_ERR_SHAPE',
      /class labels/,
    ],
    'NaN in data to predict': [
      () => plx.model('mlp:2-4-3').predict([[Number.NaN, 1]]),
      'PLX_ERR_ARGUMENT',
      /is NaN/,
    ],
    'weights of another model': [
      async () => plx.model('mlp:2-1').setWeights(await plx.model('mlp:2-4-3').getWeights()),
      'PLX_ERR_SHAPE',
      /2 arrays, not 4/,
    ],
    'weights of another name': [
      async () => plx.model('mlp:3-3-3').setWeights((await weightsOf('mlp:3-3-3')).reverse()),
      'PLX_ERR_ARGUMENT',
      /array 0 is "dense_2\.bias", but "dense_1\.weight" is expected/,
    ],
    'weights of another shape': [
      async () => {
        const [weight, bias] = await weightsOf('mlp:2-3');
        await plx.model('mlp:2-3').setWeights([{ ...weight, shape: [3, 2] }, bias]);
      },
      'PLX_ERR_SHAPE',
      /dense_1\.weight is \[2, 3\], not \[3, 2\]/,
    ],
    'nested weights of another shape': [
      () => plx.model('mlp:2-1').setWeights([[[1, 2]], [3]]),
      'PLX_ERR_SHAPE',
      /dense_1\.weight is \[2, 1\], not \[1, 2\]/,
    ],
    'weights whose shape is a number': [
      () => plx.model('mlp:2-1').setWeights([{ data: ones(2), shape: 2 }, ones(1)]),
      'PLX_ERR_ARGUMENT',
      /array 0: its shape is a number, not an array/,
    ],
    'weights that JSON could not keep': [
      () => plx.model('mlp:2-1').setWeights([{ data: { 0: 1, 1: null } }, ones(1)]),
      'PLX_ERR_ARGUMENT',
      /array 0: expected a number, got null/,
    ],
    'weights of another size': [
      () => plx.model('mlp:2-1').setWeights([ones(3), ones(1)]),
      'PLX_ERR_SHAPE',
      /2 values, not 3/,
    ],
    'weights that are NaN': [
      () => plx.model('mlp:2-1').setWeights([ones(2), ones(1).fill(Number.NaN)]),
      'PLX_ERR_ARGUMENT',
      /NaN/,
    ],
  };
  for (const [what, [call, codeName, message]] of Object.entries(cases)) {
    it(what, () => fails(call(), codeName, message));
  }

  it('and keeps the weights unchanged', async () => {
    const model = plx.model('mlp:2-4-1', { seed: 4 });
    const weights = await model.getWeights();
    const others = await plx.model('mlp:2-4-1', { seed: 5 }).getWeights();
    await assert.rejects(model.setWeights([...others.slice(0, 3), { ...others[3], name: 'b' }]));
    await assert.rejects(model.fit(XOR.x, [[1], [0], [Number.NaN], [0]]));
    await assert.rejects(model.fit(XOR.x, XOR.y, { batchSize: 0 }));
    await assert.rejects(model.setWeights([...weights.slice(0, 3), new Float32Array(7)]));
    assert.deepEqual(await model.getWeights(), weights);
  });

  it('training on when the loss is not finite', async () => {
    const model = plx.model('mlp:2-8-1:relu');
    const running = model.fit(XOR.x, [[1e18], [-1e18], [1e18], [0]], {
      epochs: 200,
      optimizer: { kind: 'sgd', rate: 1e6 },
    });
    await fails(running, 'PLX_ERR_DIVERGED', /step/);
  });
});

describe('options reject', () => {
  let plx;
  let model;
  before(async () => {
    plx = await load({ tier: 'simd' });
    model = plx.model('mlp:2-4-1');
  });
  after(() => plx.dispose());

  const fits = {
    'a misspelt name': [
      { batch_size: 2 },
      /fit has no option "batch_size": it has epochs, batchSize/,
    ],
    'a misspelt name of an optimizer': [
      { optimizer: { kind: 'sgd', lr: 1 } },
      /optimizer has no option "lr": it has kind, rate/,
    ],
    'a rate that is a string': [
      { optimizer: { kind: 'sgd', rate: '0.5' } },
      /rate is "0.5": .* number/,
    ],
    'an optimizer that is null': [
      { optimizer: null },
      /optimizer must be a name or options, not null/,
    ],
    'a string instead of a boolean': [
      { shuffle: 'no' },
      /shuffle must be true or false, not a string/,
    ],
    'a schedule that is null': [{ schedule: null }, /schedule must be a name or options, not null/],
    'a misspelt name of a schedule': [{ schedule: { kind: 'step', steps: 3 } }, /"steps".*every/],
    'a misspelt name of early stopping': [{ earlyStopping: { wait: 3 } }, /"wait".*patience/],
    'a number instead of a signal': [{ signal: 5 }, /signal must be an AbortSignal, not a number/],
    'a number instead of a function': [{ onEpoch: 5 }, /onEpoch must be a function, not a number/],
    null: [null, /fit: options must be an object, not null/],
    'an array': [[], /fit: options must be an object, not an array/],
    'a function': [() => {}, /fit: options must be an object, not a function/],
    'a typed array': [new Float32Array(1), /must be an object, not a Float32Array/],
    'a map': [new Map([['epochs', 2]]), /must be an object, not a Map/],
    'a promise': [Promise.resolve({}), /must be an object, not a Promise/],
    'an array instead of a number': [{ epochs: [] }, /epochs must be a number, not an array/],
    'a big integer': [{ seed: 1n }, /seed must be a number, not a bigint/],
  };
  for (const [what, [options, message]] of Object.entries(fits)) {
    it(what, () => fails(model.fit(XOR.x, XOR.y, options), 'PLX_ERR_ARGUMENT', message));
  }

  const others = {
    'generate: a misspelt name': [() => model.generate([1], { top_k: 3 }), /"top_k".*topK/],
    'generate: null': [() => model.generate([1], null), /generate: options .* not null/],
    'predict: a misspelt name': [() => model.predict(XOR.x, { batch: 3 }), /"batch".*batchSize/],
    'model: a misspelt name': [
      async () => plx.model('mlp:2-1', { confg: {} }),
      /model has no option "confg": it has seed, config/,
    ],
    'weights that are missing': [() => model.setWeights(), /setWeights: expected an array/],
    'an object instead of weights': [() => model.setWeights({}), /setWeights: expected an array/],
    'weights that are null': [() => model.setWeights([null]), /array 0: expected a typed array/],
    'a layer that is null': [
      async () => plx.sequential([null]),
      /layer 0 is not a layer.*plx\.layers/,
    ],
    'a layer without its options': [
      async () =>
        plx.sequential([plx.layers.dense({ inputShape: [2], units: 1 }), plx.layers.dense()]),
      /layer 1: dense needs units/,
    ],
    'a layer whose options are null': [
      async () => plx.layers.dense(null),
      /dense: options .* null/,
    ],
    'a rate below 0': [() => model.setRate(-0.5), /setRate: rate is -0.5: it must be 0 or more/],
  };
  for (const [what, [call, message]] of Object.entries(others)) {
    it(what, () => fails(call(), 'PLX_ERR_ARGUMENT', message));
  }

  it('but not a rate of 0', async () => {
    await model.fit(XOR.x, XOR.y, {
      epochs: 20,
      onEpoch: ({ epoch }) => {
        if (epoch === 1) model.setRate(0);
      },
    });
  });
});

describe('a reader rejects', () => {
  let plx;
  before(async () => {
    plx = await load({ tier: 'simd' });
  });
  after(() => plx.dispose());
  const idx = Uint8Array.from([0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3]);

  it('a truncated IDX file', () => fails(plx.data.idx(idx.subarray(0, 10)), 'PLX_ERR_FORMAT', /./));
  it('an IDX file that lies about its size', () =>
    fails(
      plx.data.idx(Uint8Array.from([0, 0, 8, 1, 255, 255, 255, 255, 1])),
      'PLX_ERR_FORMAT',
      /./,
    ));
  it('something else', () =>
    fails(plx.data.idx(new TextEncoder().encode('hello')), 'PLX_ERR_FORMAT', /./));
  it('truncated gzip', () =>
    fails(plx.data.idx(gzipSync(idx).subarray(0, 20)), 'PLX_ERR_FORMAT', /gzip/));
  it('no bytes at all', () => fails(plx.data.idx('text'), 'PLX_ERR_ARGUMENT', /Uint8Array/));
  it('a CSV with a bad cell, with its line', () =>
    fails(plx.data.csv('a,b\n1,2\n3,x\n'), 'PLX_ERR_FORMAT', /line 3/));
  it('a CSV in UTF-16', () => {
    const bytes = Uint8Array.of(0xff, 0xfe, 0x31, 0, 0x0a, 0);
    return fails(plx.data.csv(bytes), 'PLX_ERR_FORMAT', /mark of UTF-16 .little-endian.; save/);
  });
  it('a CSV with a comma within a number', () =>
    fails(plx.data.csv('"1,5","2,5"\n'), 'PLX_ERR_FORMAT', /line 1, column 1: "1,5" has a comma/));
  it('a CSV with a short row', () => fails(plx.data.csv('1,2\n3\n'), 'PLX_ERR_FORMAT', /line 2/));
});

describe('too little memory', () => {
  it('is reported with the numbers, and the engine keeps working', () =>
    withEngine({ tier: 'simd-threads', threads: 1, memoryMB: 64 }, async (plx) => {
      const small = plx.model('mlp:2-4-1', { seed: 1 });
      const expected = await small.predict(XOR.x);
      await fails(
        small.predict(new Float32Array(40 * 2 ** 20)),
        'PLX_ERR_MEMORY',
        /80 MiB.*64 MiB.*memoryMB/,
      );
      await fails(plx.model('mlp:10000-10000-10').summary(), 'PLX_ERR_MEMORY', /./);
      assert.deepEqual(await small.predict(XOR.x), expected);
    }));
});
