/** Graphs in Node: building, compiling, running, training, and rejected calls. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { load, PlxError } from 'parallax-nn';
import { XOR } from './support/data.mjs';
import { withEngine } from './support/engine.mjs';

const TIERS = ['simd', 'simd-threads'];

/** Awaits a failure with this code and exactly this sentence, or one that matches. */
async function fails(promise, codeName, message) {
  let failure;
  await assert.rejects(promise, (error) => {
    failure = error;
    assert.ok(error instanceof PlxError, `a PlxError, not ${error}`);
    assert.equal(error.codeName, codeName);
    if (typeof message === 'string') assert.equal(error.message, message);
    else assert.match(error.message, message);
    return true;
  });
  return failure;
}

/** Returns the line of this file that is executing, for comparison with stacks. */
const thisLine = () => Number(/graph\.test\.mjs:(\d+)/.exec(new Error().stack.split('\n')[2])[1]);

function assertClose(actual, expected, tolerance) {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) => {
    const error = Math.abs(value - expected[i]);
    assert.ok(error <= tolerance, `value ${i}: ${value} instead of ${expected[i]}`);
  });
}

for (const tier of TIERS) {
  describe(`graphs in the tier ${tier}`, () => {
    let plx;
    before(async () => {
      plx = await load({ tier, threads: tier === 'simd' ? 1 : 2 });
    });
    after(() => plx.dispose());

    it('run forwards and backwards', async () => {
      const g = plx.graph();
      const x = g.input('x', [2, 3]);
      const w = g.parameter(
        'w',
        [3, 2],
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
      );
      const y = g.relu(g.matmul(x, w));
      const loss = g.mean(g.square(y));
      const [gw] = g.gradients(loss, [w]);
      const f = await g.compile([y, loss, gw]);
      /* x w = [[1, 2], [-2, -2]]; d loss / d y = y / 2. */
      const results = await f.run({
        x: [
          [1, 0, 0],
          [0, 1, -1],
        ],
      });
      assert.deepEqual(results, [
        { data: Float32Array.of(1, 2, 0, 0), shape: [2, 2] },
        { data: Float32Array.of(1.25), shape: [] },
        { data: Float32Array.of(0.5, 1, 0, 0, 0, 0), shape: [3, 2] },
      ]);
      await g.dispose();
    });

    it('accept integers, and differentiate the cross-entropy', async () => {
      const g = plx.graph();
      const logits = g.parameter('logits', [2, 3], [1, 2, 3, 0, 0, 0]);
      const labels = g.input('labels', [2], { dtype: 'int32' });
      assert.equal(labels.dtype, 'int32');
      const loss = g.crossEntropy(logits, labels);
      const probabilities = g.softmax(logits);
      const [gradient] = g.gradients(loss, [logits]);
      const f = await g.compile([probabilities, gradient, labels]);
      const [p, d, same] = await f.run({ labels: [2, 0] });
      const sum = Math.exp(1) + Math.exp(2) + Math.exp(3);
      const expected = [1, 2, 3].map((v) => Math.exp(v) / sum).concat([1 / 3, 1 / 3, 1 / 3]);
      /* A handful of operations on numbers up to 1, in single precision. */
      assertClose([...p.data], expected, 1e-6);
      const onehot = [0, 0, 1, 1, 0, 0];
      assertClose(
        [...d.data],
        expected.map((v, i) => (v - onehot[i]) / 2),
        1e-6,
      );
      assert.deepEqual(same, { data: Int32Array.of(2, 0), shape: [2] });
      await fails(
        f.run({ labels: [2, 3] }),
        'PLX_ERR_ARGUMENT',
        /label 3 in row 1 is outside 0 to 2/,
      );
      await fails(
        f.run({ labels: [2, 0.5] }),
        'PLX_ERR_ARGUMENT',
        'run: labels: value 1 is 0.5, not a 32-bit whole number',
      );
      await g.dispose();
    });

    it('train exactly as a model does', async () => {
      const model = plx.model('mlp:2-8-1:tanh', { seed: 1 });
      const weights = await model.getWeights();
      const optimizer = { kind: 'adam', rate: 0.05 };
      const g = plx.graph();
      const [w1, b1, w2, b2] = weights.map(({ name, shape, data }) =>
        g.parameter(name, shape, data),
      );
      const parameters = [w1, b1, w2, b2];
      const hidden = g.tanh(g.dense(g.input('x', [4, 2]), w1, b1));
      const loss = g.mse(g.dense(hidden, w2, b2), g.input('y', [4, 1]));
      const step = g.update(optimizer, parameters, g.gradients(loss, parameters));
      const train = await g.compile([loss], { updates: [step] });
      const losses = [];
      for (let i = 0; i < 300; i++) {
        const [{ data }] = await train.run(XOR);
        losses.push(data[0]);
      }
      const history = await model.fit(XOR.x, XOR.y, {
        epochs: 300,
        batchSize: 4,
        shuffle: false,
        optimizer,
      });
      assert.deepEqual(losses, [...history.loss]);
      assert.ok(losses.at(-1) < 0.01, `loss ${losses.at(-1)}`);
      const trained = await model.getWeights();
      for (const [i, parameter] of parameters.entries()) {
        const { data, shape } = trained[i];
        assert.deepEqual(await train.read(parameter), { data, shape });
      }
      await step.setRate(0);
      await train.run(XOR);
      assert.deepEqual((await g.read(w1)).data, trained[0].data, 'a rate of 0 changes nothing');
      await g.dispose();
    });

    it('keep parameters between functions, which can also be written', async () => {
      const g = plx.graph();
      const w = g.parameter('w', [2]);
      const double = await g.compile([g.mul(w, 2)]);
      const square = await g.compile([g.mul(w, w)]);
      assert.deepEqual((await double.run())[0].data, Float32Array.of(0, 0));
      await double.write(w, [3, 5]);
      assert.deepEqual((await double.run())[0].data, Float32Array.of(6, 10));
      assert.deepEqual((await square.run())[0].data, Float32Array.of(9, 25));
      await fails(
        g.write(w, [1, 2, 3]),
        'PLX_ERR_SHAPE',
        'write: w: the values are [3], but [2] is expected',
      );
      await double.dispose();
      await double.dispose();
      await fails(double.run(), 'PLX_ERR_STATE', 'this function was disposed');
      assert.deepEqual((await square.run())[0].data, Float32Array.of(9, 25));
      await g.dispose();
    });

    it('draw new dropout masks in every run, the same ones in every graph', async () => {
      const runs = async () => {
        const g = plx.graph();
        const f = await g.compile([g.dropout(g.parameter('x', [1000], Array(1000).fill(1)), 0.5)]);
        const first = (await f.run())[0].data;
        const second = (await f.run())[0].data;
        await g.dispose();
        return [first, second];
      };
      const [first, second] = await runs();
      assert.notDeepEqual(first, second);
      assert.deepEqual(new Set(first), new Set([0, 2]));
      assert.deepEqual(await runs(), [first, second]);
    });

    it('explain their plans', async () => {
      const g = plx.graph();
      const x = g.input('x', [4, 8]);
      const w = g.parameter('w', [8, 16]);
      const f = await g.compile([g.relu(g.dense(x, w, g.parameter('b', [16])))]);
      const { steps, flops, memory } = await f.explain();
      assert.deepEqual(
        steps.map(({ op, fused, shape }) => [op, fused, shape]),
        [['dense', 'matmul+bias+relu', [4, 16]]],
      );
      assert.ok(flops >= 2 * 4 * 8 * 16);
      assert.equal(memory.parameters, 4 * (8 * 16 + 16));
      await g.dispose();
    });
  });
}

describe('a wrong call', () => {
  let plx;
  before(async () => {
    plx = await load({ tier: 'simd' });
  });
  after(() => plx.dispose());

  it('is reported with the sentence, the method and the line that made it', async () => {
    const g = plx.graph();
    const a = g.input('a', [2, 3]);
    const b = g.tanh(a);
    let line;
    const wrong = () => {
      line = thisLine() + 1;
      return g.matmul(b, g.add(a, 1));
    };
    const y = wrong();
    g.sum(y, 5);
    const failure = await fails(
      g.compile([y]),
      'PLX_ERR_SHAPE',
      'matmul: inner sizes differ, 3 vs 2; they must be equal',
    );
    assert.equal(failure.code, -2);
    assert.deepEqual(failure.call, { method: 'matmul', index: 3 });
    const [head, where] = failure.stack.split('\n');
    assert.equal(head, 'PlxError: matmul: inner sizes differ, 3 vs 2; they must be equal');
    assert.match(where, new RegExp(`wrong.*graph\\.test\\.mjs:${line}:`));
  });

  it('is reported by every later call, and by none of another graph', async () => {
    const g = plx.graph();
    const x = g.input('x', [2, 3]);
    const w = g.parameter('w', [4]);
    g.bias(x, w);
    const message = 'bias: b has 4 values for 3 columns';
    await fails(g.check(), 'PLX_ERR_SHAPE', message);
    await fails(x.shape(), 'PLX_ERR_SHAPE', message);
    await fails(g.read(w), 'PLX_ERR_SHAPE', message);
    g.relu(x);
    await fails(g.compile([x]), 'PLX_ERR_SHAPE', message);
    const other = plx.graph();
    assert.deepEqual(await other.input('x', [2, 3]).shape(), [2, 3]);
  });

  const ofC = {
    'sizes that do not broadcast': [
      (g, x) => g.add(x, g.parameter('b', [4])),
      'PLX_ERR_SHAPE',
      /^add: .*\[2, 3\].*\[4\]/,
    ],
    'a dense layer of another width': [
      (g, x) => g.dense(x, g.parameter('w', [4, 5])),
      'PLX_ERR_SHAPE',
      'dense: inner sizes differ, 3 vs 4; they must be equal',
    ],
    'an axis out of range': [
      (g, x) => g.mean(x, 2),
      'PLX_ERR_SHAPE',
      'mean: there is no axis 2 in an array of rank 2',
    ],
    'a loss that the library names differently': [
      (g, x) => g.binaryCrossEntropy(x, g.transpose(x, [1, 0])),
      'PLX_ERR_SHAPE',
      'binaryCrossEntropy: prediction [2, 3] and target [3, 2] must have the same shape',
    ],
    'a bias of another length': [
      (g) =>
        g.conv2d(g.input('image', [1, 4, 4, 2]), g.parameter('kernel', [3, 3, 2, 8]), {
          bias: g.parameter('bias', [3]),
        }),
      'PLX_ERR_SHAPE',
      'conv2d: bias has 3 values for 8 columns',
    ],
    'a running mean of another length': [
      (g, x) =>
        g.batchNorm(x, {
          mean: g.parameter('mean', [5]),
          variance: g.parameter('variance', [3]),
          training: true,
        }),
      'PLX_ERR_SHAPE',
      'batchNorm: mean has 5 values for 3 channels',
    ],
    'a slope below 0': [
      (g, x) => g.leakyRelu(x, -1),
      'PLX_ERR_ARGUMENT',
      'leakyRelu: slope -1 must be above 0 and finite',
    ],
    'a sum of integers': [
      (g) => g.sum(g.input('ids', [4], { dtype: 'int32' })),
      'PLX_ERR_ARGUMENT',
      'sum: x must hold float32, not int32',
    ],
    'a function of moved integers': [
      (g) => g.leakyRelu(g.slice(g.input('ids', [4], { dtype: 'int32' }), 0, 0, 4, 2)),
      'PLX_ERR_ARGUMENT',
      'leakyRelu: x must hold float32, not int32',
    ],
    'integers among reals': [
      (g, x) => g.concat([x, g.input('ids', [2, 3], { dtype: 'int32' })], 0),
      'PLX_ERR_ARGUMENT',
      'concat: x (ids) must hold float32 as the first does, not int32',
    ],
    'half an integer': [
      (g) => g.pad(g.input('ids', [4], { dtype: 'int32' }), [1], [0], 0.5),
      'PLX_ERR_ARGUMENT',
      'pad: the value 0.5 cannot be stored as int32; it must be a whole number in its range',
    ],
    'nothing to join': [
      (g) => g.concat([], 0),
      'PLX_ERR_ARGUMENT',
      /^concat: needs at least one array/,
    ],
    'a negative part': [
      (g, x) => g.split(x, 1, [-1, 4])[0],
      'PLX_ERR_SHAPE',
      'split: part 0 is -1; it must be 0 or more',
    ],
    'heads that do not divide': [
      (g) => {
        const q = g.input('q', [1, 2, 8]);
        return g.attention(q, q, q, { heads: 4, kvHeads: 3 });
      },
      'PLX_ERR_SHAPE',
      'attention: 3 key heads do not divide 4 query heads',
    ],
    'a gradient by integers': [
      (g, x) => {
        const ids = g.input('ids', [2], { dtype: 'int32' });
        return g.gradients(g.sum(g.gather(x, ids)), [ids])[0];
      },
      'PLX_ERR_ARGUMENT',
      'gradients: variable 0 must hold float32, not int32',
    ],
    'a gradient of integers': [
      (g, x) => g.gradients(g.argmax(g.reshape(x, [6]), 0), [x])[0],
      'PLX_ERR_ARGUMENT',
      'gradients: the loss must hold float32, not int32',
    ],
    'a second derivative that does not exist': [
      (g, x) => g.gradients(g.sum(g.gradients(g.sum(g.max(x, 1)), [x])[0]), [x])[0],
      'PLX_ERR_UNSUPPORTED',
      'gradients: the gradient of max has no gradient rule',
    ],
    'reals for labels': [
      (g, x) => g.crossEntropy(x, g.sum(x, 1)),
      'PLX_ERR_ARGUMENT',
      'crossEntropy: labels must hold int32, not float32',
    ],
    'reals for a condition': [
      (g, x) => g.where(x, x, 0),
      'PLX_ERR_ARGUMENT',
      'where: condition (x) must hold int32 or uint8, not float32',
    ],
    'arithmetic on storage': [
      (g, x) => g.add(g.cast(x, 'float16'), 1),
      'PLX_ERR_ARGUMENT',
      'add: a must hold float32, not float16',
    ],
    'an invalid dropout rate': [
      (g, x) => g.dropout(x, 1),
      'PLX_ERR_ARGUMENT',
      'dropout: rate 1 must be 0 to below 1',
    ],
    'a slope of 0': [(g, x) => g.leakyRelu(x, 0), 'PLX_ERR_ARGUMENT', /slope 0 must be above 0/],
    'a loss that is not a scalar': [
      (g, x) => g.gradients(x, [x])[0],
      'PLX_ERR_SHAPE',
      'gradients: the loss must hold one real; it is [2, 3]',
    ],
    'a variable that the loss does not depend on': [
      (g, x) => g.gradients(g.sum(x), [x, g.parameter('w', [2])])[0],
      'PLX_ERR_ARGUMENT',
      'gradients: the loss does not depend on variable 1',
    ],
    'a negative size': [(g) => g.input('y', [2, -1]), 'PLX_ERR_SHAPE', /dimension 1.*negative/],
    'too many axes': [
      (g) => g.input('y', Array(9).fill(1)),
      'PLX_ERR_SHAPE',
      /rank is 9; it must be 0 to 6/,
    ],
    'an invalid learning rate': [
      (g, x) => {
        const w = g.parameter('w', [3, 1]);
        const [d] = g.gradients(g.mean(g.matmul(x, w)), [w]);
        g.update({ kind: 'sgd', rate: -1 }, [w], [d]);
        return d;
      },
      'PLX_ERR_ARGUMENT',
      /sgd: learning rate -1/,
    ],
  };
  for (const [what, [call, codeName, message]] of Object.entries(ofC)) {
    it(`is ${what}, as in C`, async () => {
      const g = plx.graph();
      const node = call(g, g.input('x', [2, 3]));
      await fails(g.compile([node]), codeName, message);
    });
  }

  const atOnce = {
    'a node of another graph': [
      (g) => g.relu(plx.graph().input('x', [1])),
      'relu: input 0 is a node of another graph',
    ],
    'a missing input': [
      (g, x) => g.matmul(x),
      'matmul: input 1 must be a node of a graph, not undefined',
    ],
    'a node instead of a list': [(g, x) => g.concat(x, 0), 'concat: expected an array of nodes'],
    'a string instead of a node': [
      (g) => g.relu('x'),
      'relu: input 0 must be a node of a graph, not a string',
    ],
    'half an axis': [(g, x) => g.sum(x, 0.5), 'sum: axis is 0.5: it must be a whole number'],
    'an axis out of range of every array': [
      (g, x) => g.softmax(x, 1000),
      'softmax: axis is 1000: arrays have at most 6 dimensions',
    ],
    'more parts than handles': [
      (g, x) => g.split(x, 0, 1e9),
      'split: parts is 1000000000: it must be 1 to 4096',
    ],
    'a pool that is "same"': [
      (g, x) => g.maxPool2d(x, { size: 2, padding: 'same' }),
      'maxPool2d: padding is "same": give "valid", one number, [rows, columns] or [top, bottom, left, right]',
    ],
    'a pool without a size': [(g, x) => g.avgPool2d(x), 'avgPool2d: its options must include size'],
    'attention without heads': [
      (g, x) => g.attention(x, x, x),
      'attention: its options must include heads',
    ],
    'a stride in the name of layers': [
      (g, x) => g.conv2d(x, x, { strides: 2 }),
      'conv2d has no option "strides": it has bias, stride, padding, dilation, groups',
    ],
    'a padding in capitals': [
      (g, x) => g.conv2d(x, x, { padding: 'SAME' }),
      'conv2d: padding is "SAME": give "valid", "same", one number, [rows, columns] or [top, bottom, left, right]',
    ],
    'a padding of three numbers': [
      (g, x) => g.conv2d(x, x, { padding: [1, 2, 3] }),
      'conv2d: padding has 3 numbers: give "valid", "same", one number, [rows, columns] or [top, bottom, left, right]',
    ],
    'a stride of three numbers': [
      (g, x) => g.conv2d(x, x, { stride: [1, 2, 3] }),
      'conv2d: stride must be one number, or [rows, columns]',
    ],
    'a batch norm that does not say whether it trains': [
      (g, x) => g.batchNorm(x, { mean: x, variance: x }),
      'batchNorm: its options must include training',
    ],
    'a string instead of a boolean': [
      (g, x) => g.attention(x, x, x, { heads: 1, causal: 'no' }),
      'attention: causal must be true or false, not a string',
    ],
    'invalid factors': [
      (g, x) => g.upsample2d(x, null),
      'upsample2d: factors must be one number, or [rows, columns]',
    ],
    'an update of one parameter, not a list': [
      (g, x) => g.update('adam', x, x),
      'update: expected a list of parameters',
    ],
    'gradients that are not a list': [
      (g, x) => g.clipByNorm(x, 1),
      'clipByNorm: expected a list of gradients',
    ],
    'losses without nodes': [
      (g, x) => g.hypercausalLoss([], x),
      'hypercausalLoss: expected a list of at least one node',
    ],
    'gradients without variables': [
      (g, x) => g.gradients(x),
      'gradients: expected a list of variables',
    ],
    'half a size': [
      (g) => g.input('y', [0.5]),
      'input: shape[0] is 0.5: it must be a whole number',
    ],
    'an input twice': [
      (g) => g.input('x', [1]),
      'input: "x" is already used: give each input a name of its own',
    ],
    'an unknown type': [
      (g) => g.input('y', [1], { dtype: 'float64' }),
      'input: dtype is "float64": it must be one of float32, int32',
    ],
    'an unknown optimizer': [
      (g) => g.update('magic', [], []),
      'update: optimizer is "magic": it must be one of sgd, adam, adamw, lion, rmsprop',
    ],
    'an optimizer that keeps its state for fit': [
      (g) => g.update(plx.optimizer('adam'), [], []),
      'update: optimizer: what plx.optimizer makes is for fit only: give a name or options',
    ],
    'an argument too many': [
      (g, x) => g.relu(x, { slope: 2 }),
      'relu: 2 arguments were given: it has 1',
    ],
    'an argument after the options': [
      (g, x) => g.matmul(x, x, {}, 7),
      'matmul: 4 arguments were given: it has 3',
    ],
    'a layer with an inputShape': [
      (g, x) => g.layer(plx.layers.dense({ units: 2, inputShape: [7] }), x),
      'layer: inputShape is for the first layer of plx.sequential: leave it out here',
    ],
    'a gradient for a node that is not a parameter': [
      (g, x) => g.update('sgd', [x], [x]),
      'update: parameter 0 must be created by parameter()',
    ],
    'values of another shape': [
      (g) => g.parameter('w', [2, 2], [1, 2, 3]),
      'parameter: the values are [3], but [2, 2] is expected',
    ],
  };
  /* What each method says about an unknown option, and about options that are not an object. */
  const optional = {
    conv2d: (g, x, o) => g.conv2d(x, x, o),
    conv2dTranspose: (g, x, o) => g.conv2dTranspose(x, x, o),
    maxPool2d: (g, x, o) => g.maxPool2d(x, o),
    avgPool2d: (g, x, o) => g.avgPool2d(x, o),
    matmul: (g, x, o) => g.matmul(x, x, o),
    attention: (g, x, o) => g.attention(x, x, x, o),
    rope: (g, x, o) => g.rope(x, o),
    layerNorm: (g, x, o) => g.layerNorm(x, o),
    rmsNorm: (g, x, o) => g.rmsNorm(x, o),
    groupNorm: (g, x, o) => g.groupNorm(x, 1, o),
    batchNorm: (g, x, o) => g.batchNorm(x, o),
    hypercausal: (g, x, o) => g.hypercausal(x, x, x, o),
    layer: (g, x, o) => g.layer(plx.layers.flatten(), x, o),
    input: (g, _, o) => g.input('other', [1], o),
    weights: (g, _, o) => g.weights(o),
    compile: (g, x, o) => g.compile([x], o),
  };
  for (const [method, call] of Object.entries(optional)) {
    it(`is an unknown option of ${method}, or options that are not an object`, async () => {
      const g = plx.graph();
      const x = g.input('x', [2, 3]);
      const misspelt = `${method} has no option "foo": it has `;
      const isTold = (error) => error.name === 'PlxError' && error.message.startsWith(misspelt);
      await assert.rejects(async () => call(g, x, { foo: 1 }), isTold);
      for (const [none, kind] of [
        [null, 'null'],
        [2, 'a number'],
        [[], 'an array'],
      ]) {
        const message = `${method}: options must be an object, not ${kind}`;
        await assert.rejects(async () => call(g, x, none), { name: 'PlxError', message });
      }
    });
  }

  for (const [what, [call, message]] of Object.entries(atOnce)) {
    it(`is ${what}, at once`, () => {
      const g = plx.graph();
      const x = g.input('x', [2, 3]);
      assert.throws(() => call(g, x), { name: 'PlxError', message });
    });
  }

  it('is an empty compile', () =>
    fails(plx.graph().compile([]), 'PLX_ERR_ARGUMENT', /at least one output/));

  it('is a compile of something that is not a list', async () => {
    const g = plx.graph();
    const x = g.input('x', [1]);
    const compiles = [() => g.compile(), () => g.compile(x), () => g.compile(null)];
    for (const compile of compiles) {
      await fails(compile(), 'PLX_ERR_ARGUMENT', 'compile: expected a list of outputs');
    }
    const updates = g.compile([x], { updates: x });
    await fails(updates, 'PLX_ERR_ARGUMENT', 'compile: expected a list of updates');
  });
});

describe('a run rejects', () => {
  it('inputs that are missing, unknown or of another size, and works afterwards', () =>
    withEngine({ tier: 'simd' }, async (plx) => {
      const g = plx.graph();
      const x = g.input('x', [2, 2]);
      const f = await g.compile([g.add(x, g.input('y', []))]);
      const run = () => f.run({ x: [1, 2, 3, 4], y: 10 });
      const missing = 'run: input "y" has no data bound';
      await fails(f.run({ x: [1, 2, 3, 4] }), 'PLX_ERR_STATE', missing);
      assert.deepEqual((await run())[0].data, Float32Array.of(11, 12, 13, 14));
      const line = thisLine() + 1;
      const failure = await fails(f.run({ x: [1, 2, 3, 4] }), 'PLX_ERR_STATE', missing);
      assert.match(failure.stack.split('\n')[1], new RegExp(`graph\\.test\\.mjs:${line}:`));
      await fails(f.run({ z: 1 }), 'PLX_ERR_ARGUMENT', 'run: no input "z": the graph has "x", "y"');
      await fails(
        f.run({ x: [[1, 2, 3]], y: 1 }),
        'PLX_ERR_SHAPE',
        'run: x: the values are [1, 3], but [2, 2] is expected',
      );
      await fails(f.run({ x: new Float32Array(5), y: 1 }), 'PLX_ERR_SHAPE', /\[5\].*\[2, 2\]/);
      const labels = g.input('labels', [2], { dtype: 'int32' });
      const entropy = await g.compile([g.crossEntropy(x, labels)]);
      await fails(
        entropy.run({ x: [1, 2, 3, 4], labels: [1, 2] }),
        'PLX_ERR_ARGUMENT',
        'crossEntropy: label 2 in row 1 is outside 0 to 1 (-100: not counted)',
      );
      const ids = g.input('ids', [2], { dtype: 'int32' });
      const rows = await g.compile([g.embedding(x, ids)]);
      await fails(
        rows.run({ x: [1, 2, 3, 4], ids: [0, 5] }),
        'PLX_ERR_ARGUMENT',
        'gather or embedding: index 5 at position 1 is outside 0 to 1',
      );
      assert.deepEqual((await run())[0].data, Float32Array.of(11, 12, 13, 14));
    }));
});

describe('integers', () => {
  /* Beyond what single precision holds, and one that is a signaling NaN as a float. */
  const VALUES = [2147483647, -2147483648, 16777217, -16777219, 0x7f800001, 3];

  it('pass through all operations that move elements, bit for bit', () =>
    withEngine({ tier: 'simd' }, async (plx) => {
      const g = plx.graph();
      const x = g.input('x', [2, 3], { dtype: 'int32' });
      const [a, b, c, d, e, f] = VALUES;
      const outputs = [
        [g.reshape(x, [3, -1]), [3, 2], VALUES],
        [g.transpose(x, [1, 0]), [3, 2], [a, d, b, e, c, f]],
        [g.slice(x, 1, 1, 3), [2, 2], [b, c, e, f]],
        [g.slice(x, 1, 2, -4, -2), [2, 2], [c, a, f, d]],
        [g.concat([x, g.slice(x, 1, 0, 1)], 1), [2, 4], [a, b, c, a, d, e, f, d]],
        ...g.split(x, 1, [1, 2]).map((part, i) => [part, [2, i + 1], i ? [b, c, e, f] : [a, d]]),
        [
          g.pad(x, [0, 1], [1, 0], -16777217),
          [3, 4],
          [-16777217, a, b, c, -16777217, d, e, f].concat(Array(4).fill(-16777217)),
        ],
        [g.broadcast(g.slice(x, 0, 1, 2), [2, 3]), [2, 3], [d, e, f, d, e, f]],
        [
          g.gather(x, g.argmax(g.parameter('w', [3, 2], [0, 1, 2, 0, 0, 0]), 0), 1),
          [2, 2],
          [b, a, e, d],
        ],
      ];
      const moved = await g.compile(outputs.map(([node]) => node));
      for (const [i, { data, shape }] of (await moved.run({ x: VALUES })).entries()) {
        assert.equal(outputs[i][0].dtype, 'int32');
        assert.deepEqual(shape, outputs[i][1], `output ${i}`);
        assert.deepEqual(data, Int32Array.from(outputs[i][2]), `output ${i}`);
      }
    }));
});

describe('dispose', () => {
  it('disposes of a graph with everything created from it, and nothing else', () =>
    withEngine({ tier: 'simd' }, async (plx) => {
      const g = plx.graph();
      const w = g.parameter('w', [2], [1, 2]);
      const f = await g.compile([w]);
      const other = plx.graph();
      const kept = await other.compile([other.parameter('w', [1], [7])]);
      await g.dispose();
      await g.dispose();
      const disposed = /this graph was disposed/;
      await fails(f.run(), 'PLX_ERR_STATE', disposed);
      await fails(f.explain(), 'PLX_ERR_STATE', disposed);
      await fails(g.check(), 'PLX_ERR_STATE', 'check: this graph was disposed');
      await fails(g.read(w), 'PLX_ERR_STATE', disposed);
      assert.throws(() => g.relu(w), { message: 'relu: this graph was disposed' });
      await f.dispose();
      assert.deepEqual((await kept.run())[0].data, Float32Array.of(7));
      plx.dispose();
      await fails(kept.run(), 'PLX_ERR_STATE', 'this engine was disposed');
    }));

  it('frees all memory', () =>
    withEngine({ tier: 'simd-threads', threads: 1, memoryMB: 64 }, async (plx) => {
      for (let i = 0; i < 20; i++) {
        /* 8 MB of weights and 16 of Adam's moments, and a plan of at least 8 for the gradient. */
        const g = plx.graph();
        const w = g.parameter('w', [1000, 2000]);
        const loss = g.mean(g.square(g.matmul(g.input('x', [1, 1000]), w)));
        const step = g.update('adam', [w], g.gradients(loss, [w]));
        const f = await g.compile([loss], { updates: [step] });
        await f.run({ x: new Float32Array(1000) });
        await g.dispose();
      }
    }));
});

describe('too little memory', () => {
  it('is reported with the bytes needed and available, and the engine keeps working', () =>
    withEngine({ tier: 'simd-threads', threads: 1, memoryMB: 64 }, async (plx) => {
      const all = 64 * 2 ** 20;
      const numbers = async (promise, start) => {
        const { message, stack } = await fails(promise, 'PLX_ERR_MEMORY', start);
        const [needed, there, left] = message.match(/\d{3,}/g).map(Number);
        assert.equal(there, all);
        assert.ok(left < all && left < needed, message);
        assert.match(stack, /graph\.test\.mjs/);
        return needed;
      };
      const tensor = plx.graph();
      tensor.parameter('w', [5000, 5000]);
      assert.equal(await numbers(tensor.check(), /^tensor: /), 4 * 5000 * 5000);
      const plan = plx.graph();
      const x = plan.input('x', [5000, 5000]);
      assert.ok((await numbers(plan.compile([plan.exp(x)]), /^compile: /)) >= 4 * 5000 * 5000);
      const huge = plx.graph();
      huge.parameter('w', [100_000, 100_000, 100_000]);
      await fails(huge.check(), 'PLX_ERR_MEMORY', /\[100000, 100000, 100000\].*memory can hold/);
      const small = plx.graph();
      const f = await small.compile([small.exp(small.input('x', []))]);
      assert.deepEqual((await f.run({ x: 0 }))[0].data, Float32Array.of(1));
    }));

  it('is reported if the size exceeds 32 bits', () =>
    withEngine({ tier: 'simd' }, async (plx) => {
      const g = plx.graph();
      const x = g.input('x', [16_000, 16_000]);
      const outputs = [g.exp(x), g.log(x), g.sqrt(x), g.square(x), g.abs(x)];
      const { message } = await fails(g.compile(outputs), 'PLX_ERR_MEMORY', /^compile: /);
      const [needed, there] = message.match(/\d{3,}/g).map(Number);
      assert.ok(needed >= 5 * 4 * 16_000 ** 2 && there === 2 ** 31, message);
    }));
});
