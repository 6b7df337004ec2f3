// jax-js on its WebAssembly device as an engine. Its arrays have owners: an argument is consumed
// unless .ref is passed instead.

import { adam, COMPARED_STEPS } from './cases.mjs';
import { jaxAdapter } from './jax_adapter.mjs';
import { lookUp, lossOfModel, trained } from './peer_models.mjs';

const WARM_UP = 2;

/**
 * jax: the package, and its version, which it does not tell itself. It uses as many threads as the
 * page reports processors.
 */
export async function jaxEngine(jax, version, threads) {
  if (!(await jax.init()).includes('wasm')) throw new Error('jax-js has no wasm device here');
  jax.defaultDevice('wasm');
  const make = { gemm: product, predict: prediction, train: training };
  let work;
  return {
    about: { version, threads },
    async open(item, data) {
      work = make[item.kind](jax, item, data);
      await work.restart?.();
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

const array = ({ numpy: np }, values, shape) => np.array(values.slice()).reshape(shape);

/** Work that returns an array. */
function repeated({ blockUntilReady, tree }, compute, inputs) {
  return {
    results: () => compute().data(),
    async run(count) {
      for (let i = 0; i < count; ++i) {
        const output = await blockUntilReady(compute());
        output.dispose();
      }
    },
    dispose: () => tree.dispose(inputs),
  };
}

function product(jax, { m, n, k }, data) {
  const a = array(jax, data.a, [m, k]);
  const b = array(jax, data.b, [k, n]);
  const compute = jax.jit((p, q) => jax.numpy.matmul(p, q));
  return repeated(jax, () => compute(a.ref, b.ref), [a, b]);
}

function forward({ numpy: np, nn }, weights, x) {
  return weights.reduce((input, { w, b }, i) => {
    const sum = np.matmul(input, w).add(b);
    return i + 1 < weights.length ? nn.relu(sum) : sum;
  }, x);
}

const weightsOf = (jax, data) => (data.named ? namedWeights(jax, data) : layersOf(jax, data));

const namedWeights = (jax, data) =>
  Object.fromEntries(trained(data).map(({ name, w, dims }) => [name, array(jax, w, dims)]));

const layersOf = (jax, data) =>
  data.weights.map((layer) => ({
    w: array(jax, layer.w, [layer.in, layer.out]),
    b: array(jax, layer.b, [layer.out]),
  }));

function prediction(jax, item, data) {
  const x = array(jax, data.x, [item.batch, item.layers[0]]);
  const weights = weightsOf(jax, data);
  const compute = jax.jit((w, rows) => forward(jax, w, rows));
  return repeated(jax, () => compute(jax.tree.ref(weights), x.ref), [weights, x]);
}

function lossOf(jax, item) {
  const { numpy: np, nn, tree } = jax;
  if (item.manifest)
    return (weights, x, y) => {
      const { o, finish } = jaxAdapter(jax);
      const loss = finish(lossOfModel(item.model)(o, lookUp(weights), x, y));
      tree.dispose([weights, x, y]);
      return loss;
    };
  if (item.loss === 'mse')
    return (weights, x, y) => np.mean(np.square(forward(jax, weights, x).sub(y)));
  return (weights, x, y) => {
    const logs = nn.logSoftmax(forward(jax, weights, x), -1);
    return np.sum(logs.mul(y)).mul(-1 / item.batch);
  };
}

/** One step; Adam's moments are divided by c1 and c2 at this step. */
function adamStep(jax, item) {
  const { numpy: np, tree } = jax;
  const gradient = jax.valueAndGrad(lossOf(jax, item));
  return jax.jit((state, x, y, c1, c2) => {
    const [loss, gradients] = gradient(tree.ref(state.weights), x, y);
    const first = tree.map(
      (m, g) => m.mul(adam.beta1).add(g.mul(1 - adam.beta1)),
      state.first,
      tree.ref(gradients),
    );
    const second = tree.map(
      (v, g) => v.mul(adam.beta2).add(np.square(g).mul(1 - adam.beta2)),
      state.second,
      gradients,
    );
    const weights = tree.map(
      (w, m, v) =>
        w.sub(
          m
            .div(c1.ref)
            .mul(adam.rate)
            .div(np.sqrt(v.div(c2.ref)).add(adam.epsilon)),
        ),
      state.weights,
      tree.ref(first),
      tree.ref(second),
    );
    c1.dispose();
    c2.dispose();
    return [{ weights, first, second }, loss];
  });
}

function samplesOf(jax, item, data) {
  const { numpy: np, nn } = jax;
  if (item.manifest) return namedSamples(jax, item, data);
  const outputs = item.layers.at(-1);
  return {
    x: array(jax, data.x, [item.batch, item.layers[0]]),
    y:
      item.loss === 'mse'
        ? array(jax, data.y, [item.batch, outputs])
        : nn.oneHot(np.array(data.y.slice(), { dtype: np.int32 }), outputs),
  };
}

function namedSamples(jax, { manifest, batch }, data) {
  const { numpy: np, nn } = jax;
  const x = {};
  for (const { name, dims, dtype } of manifest.inputs)
    x[name] =
      dtype === 'int32'
        ? np.array(data.x[name].slice(), { dtype: np.int32 }).reshape([batch, ...dims])
        : array(jax, data.x[name], [batch, ...dims]);
  const y = {};
  for (const { name, dims } of manifest.outputs.filter((port) => port.name in data.y)) {
    const labels = np.array(data.y[name].slice(), { dtype: np.int32 });
    y[name] = nn.oneHot(labels, dims.at(-1)).reshape([batch, ...dims]);
  }
  return { x, y };
}

function training(jax, item, data) {
  const { numpy: np, tree, blockUntilReady } = jax;
  const { x, y } = samplesOf(jax, item, data);
  const compute = adamStep(jax, item);
  let state;
  let steps;
  const step = () => {
    steps += 1;
    const c1 = np.array(1 - adam.beta1 ** steps);
    const c2 = np.array(1 - adam.beta2 ** steps);
    const [next, loss] = compute(state, tree.ref(x), tree.ref(y), c1, c2);
    state = next;
    return loss;
  };
  const free = () => {
    if (state) tree.dispose(state);
    state = undefined;
  };
  return {
    restart() {
      free();
      const zeros = () => tree.map((w) => np.zeros(w.shape), weightsOf(jax, data));
      state = { weights: weightsOf(jax, data), first: zeros(), second: zeros() };
      steps = 0;
    },
    async results() {
      this.restart();
      const losses = [];
      for (let i = 0; i < COMPARED_STEPS; ++i) losses.push((await step().data())[0]);
      return losses;
    },
    async run(count) {
      for (let i = 0; i < count; ++i) {
        const loss = await blockUntilReady(step());
        loss.dispose();
      }
      await blockUntilReady(tree.ref(state)).then(tree.dispose);
    },
    dispose() {
      free();
      tree.dispose([x, y]);
    },
  };
}
