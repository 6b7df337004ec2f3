// TensorFlow.js with its WebAssembly backend as an engine.
import { adam, COMPARED_STEPS } from './cases.mjs';
import { lookUp, lossOfModel, trained } from './peer_models.mjs';
import { tfjsAdapter } from './tfjs_adapter.mjs';
import { tfjsOperation } from './tfjs_operations.mjs';

const WARM_UP = 2;

/** tf: the global object that its scripts define; folder: the address of its modules. */
export async function tfjsEngine(tf, folder, threads) {
  tf.wasm.setWasmPaths(folder);
  tf.wasm.setThreadsCount(threads);
  await tf.setBackend('wasm');
  await tf.ready();
  const make = { gemm: product, predict: prediction, train: training, op: single };
  let work;
  return {
    about: { version: tf.version_wasm ?? tf.version.tfjs, threads: tf.wasm.getThreadsCount() },
    async open(item, data) {
      work = make[item.kind](tf, item, data);
    },
    results: () => work.results(),
    async restart() {
      work.restart();
      await work.run(WARM_UP);
    },
    async run(count) {
      const start = performance.now();
      await work.run(count);
      return (performance.now() - start) * 1e6;
    },
    async close() {
      work.dispose();
    },
  };
}

/** Work that returns a tensor: the backend computes it at the call, and data() waits for it. */
function repeated(tf, inputs, compute) {
  return {
    async results() {
      const output = compute();
      const values = await output.data();
      output.dispose();
      return values;
    },
    async run(count) {
      for (let i = 1; i < count; ++i) compute().dispose();
      const output = compute();
      await output.data();
      output.dispose();
    },
    dispose: () => tf.dispose(inputs),
  };
}

function product(tf, { m, n, k }, data) {
  const a = tf.tensor2d(data.a, [m, k]);
  const b = tf.tensor2d(data.b, [k, n]);
  return repeated(tf, [a, b], () => tf.matMul(a, b));
}

function single(tf, item, data) {
  const { inputs, compute, result } = tfjsOperation(tf, item, data);
  const work = repeated(tf, inputs, () => tf.tidy(compute));
  return { ...work, results: async () => result(await work.results()) };
}

/** The computation of dense layers in its layers API, without their bookkeeping. */
function forward(tf, x, weights) {
  return weights.reduce(
    (input, { w, b }, i) =>
      tf.fused.matMul({
        a: input,
        b: w,
        bias: b,
        activation: i + 1 < weights.length ? 'relu' : 'linear',
      }),
    x,
  );
}

const weightsOf = (data, make) =>
  data.weights.map((layer) => ({
    w: make(layer.w, [layer.in, layer.out]),
    b: make(layer.b, [layer.out]),
  }));

function prediction(tf, item, data) {
  const x = tf.tensor2d(data.x, [item.batch, item.layers[0]]);
  const weights = weightsOf(data, tf.tensor);
  return repeated(tf, [x, weights], () => tf.tidy(() => forward(tf, x, weights)));
}

const oneHot = (tf, labels, classes, shape) =>
  tf.tidy(() => tf.oneHot(tf.tensor1d(labels, 'int32'), classes).toFloat().reshape(shape));

/**
 * Returns {x, y, make, loss}: samples, the variables' initial values, and the loss of the
 * variables.
 */
function stackOf(tf, item, data) {
  const x = tf.tensor2d(data.x, [item.batch, item.layers[0]]);
  const outputs = item.layers.at(-1);
  const shape = [item.batch, outputs];
  const mse = item.loss === 'mse';
  const y = mse ? tf.tensor2d(data.y, shape) : oneHot(tf, data.y, outputs, shape);
  const loss = mse ? tf.losses.meanSquaredError : tf.losses.softmaxCrossEntropy;
  return {
    samples: [x, y],
    make: (variable) => weightsOf(data, variable),
    loss: (weights) => loss(y, forward(tf, x, weights)),
    some: (weights) => weights[0].b,
  };
}

function modelOf(tf, { manifest, batch, model }, data) {
  const x = {};
  for (const { name, dims, dtype } of manifest.inputs)
    x[name] = tf.tensor(data.x[name], [batch, ...dims], dtype);
  const y = {};
  for (const { name, dims } of manifest.outputs.filter((port) => port.name in data.y))
    y[name] = oneHot(tf, data.y[name], dims.at(-1), [batch, ...dims]);
  const family = lossOfModel(model);
  const o = tfjsAdapter(tf);
  return {
    samples: [x, y],
    make: (variable) =>
      Object.fromEntries(trained(data).map(({ name, w, dims }) => [name, variable(w, dims)])),
    loss: (weights) => family(o, lookUp(weights), x, y),
    some: (weights) => Object.values(weights).at(-1),
  };
}

function training(tf, item, data) {
  const { samples, make, loss, some } = (item.manifest ? modelOf : stackOf)(tf, item, data);
  let weights = [];
  let optimizer;
  const step = (wanted) => optimizer.minimize(() => loss(weights), wanted);
  const free = () => {
    tf.dispose(weights);
    optimizer?.dispose();
  };
  return {
    restart() {
      free();
      weights = make((values, shape) => tf.variable(tf.tensor(values.slice(), shape)));
      optimizer = tf.train.adam(adam.rate, adam.beta1, adam.beta2, adam.epsilon);
    },
    async results() {
      this.restart();
      const losses = [];
      for (let i = 0; i < COMPARED_STEPS; ++i) {
        const cost = step(true);
        losses.push((await cost.data())[0]);
        cost.dispose();
      }
      return losses;
    },
    async run(count) {
      for (let i = 0; i < count; ++i) step(false);
      await some(weights).data();
    },
    dispose() {
      free();
      tf.dispose(samples);
      weights = [];
      optimizer = undefined;
    },
  };
}
