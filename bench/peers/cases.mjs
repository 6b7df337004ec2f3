// What is measured: the same products, predictions and training steps on every engine.

const gemm = (n) => ({
  suite: 'gemm',
  name: `${n} x ${n} x ${n}`,
  kind: 'gemm',
  m: n,
  n,
  k: n,
  flops: 2 * n ** 3,
});

const network = (kind, model, batch, loss) => ({
  suite: 'mlp',
  name: `${kind} ${model}, batch ${batch}`,
  kind,
  model,
  layers: model.split('-').map(Number),
  batch,
  loss,
});

const predict = (model, batch) => network('predict', model, batch);
const train = (model, batch, loss) => network('train', model, batch, loss);

const small = '784-200-10';
const large = '512-1024-1024-512-10';

export const cases = [
  gemm(256),
  gemm(512),
  gemm(1024),
  predict(small, 1),
  predict(small, 64),
  predict(large, 1),
  predict(large, 8),
  predict(large, 32),
  predict(large, 128),
  train(small, 64, 'crossentropy'),
  train('5-64-64-64-64-1', 1000, 'mse'),
  train(large, 32, 'crossentropy'),
];

/** Training steps from the same weights whose losses are compared. */
export const COMPARED_STEPS = 10;

/** Adam (Kingma and Ba, 2015), as every engine runs it. */
export const adam = { rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** How a row tells a case from others. */
export function parameters(item) {
  if (item.kind === 'gemm') return { m: item.m, n: item.n, k: item.k, transposed: 'none' };
  const same = { model: item.model, batch: item.batch };
  return item.kind === 'train' ? { ...same, optimizer: 'adam' } : same;
}

/** The case's figure of speed, from nanoseconds per iteration. */
export function metric(item) {
  if (item.kind === 'gemm')
    return { metric: 'rate', unit: 'GFLOP/s', better: 'higher', of: (ns) => item.flops / ns };
  const name = item.kind === 'train' ? 'step time' : 'prediction time';
  return { metric: name, unit: 'us', better: 'lower', of: (ns) => ns / 1e3 };
}
