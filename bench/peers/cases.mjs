// The cases: the same products, predictions, training steps and operations on every engine.
import { operation } from './operations.mjs';

/** A product of m x k and k x n; transposed: the operand that lies in memory as its transpose. */
const gemm = (m, n, k, transposed = 'none') => ({
  suite: 'gemm',
  name: `${m} x ${n} x ${k}${transposed === 'none' ? '' : `, ${transposed} transposed`}`,
  kind: 'gemm',
  m,
  n,
  k,
  transposed,
  flops: 2 * m * n * k,
});

const square = (n) => gemm(n, n, n);
/** Only natively: browsers take long, and the suite of the page lacks these sizes. */
const natively = (item) => ({ ...item, onlyNative: true });

/**
 * A layer of 1,024 in a batch of 32, forward and the gradients of its inputs and its weights; the logits
 * of 1,024 positions over 8,192 words, with a table that is tied to the embedding, too; and sizes that
 * neither vectors nor tiles divide.
 */
const products = [
  square(2048),
  gemm(32, 1024, 1024),
  gemm(32, 1024, 1024, 'b'),
  gemm(1024, 1024, 32, 'a'),
  gemm(1024, 8192, 128),
  gemm(1024, 8192, 128, 'b'),
  square(257),
  gemm(1000, 37, 513),
].map(natively);

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

/** A training step of a model by name; the native engine is asked for the model's structure. */
const trainModel = (model, batch, loss = 'crossentropy') => ({
  suite: 'models',
  name: `train ${model}, batch ${batch}`,
  kind: 'train',
  model,
  batch,
  loss,
});

const small = '784-200-10';
const large = '512-1024-1024-512-10';

const conv = (name, n, h, channels, k, out, { stride = 1, groups = 1 } = {}) =>
  operation('conv2d', name, {
    n,
    h,
    w: h,
    in: channels,
    k,
    out,
    stride,
    pad: Math.floor(k / 2),
    groups,
  });
const attention = (length) =>
  operation('attention', `${length}, 8 heads of 64`, { batch: 1, length, heads: 8, width: 64 });
const rowwise = (op, rows, width) => operation(op, `${rows} x ${width}`, { rows, width });

const operations = [
  conv('3x3 8x32x32x64 -> 64', 8, 32, 64, 3, 64),
  conv('3x3 1x56x56x64 -> 64', 1, 56, 64, 3, 64),
  conv('1x1 1x56x56x64 -> 256', 1, 56, 64, 1, 256),
  conv('3x3 depthwise 1x56x56x128', 1, 56, 128, 3, 128, { groups: 128 }),
  conv('3x3 stride 2 1x56x56x64 -> 128', 1, 56, 64, 3, 128, { stride: 2 }),
  conv('7x7 stride 2 1x224x224x3 -> 64', 1, 224, 3, 7, 64, { stride: 2 }),
  attention(64),
  attention(256),
  attention(1024),
  rowwise('layer_norm', 1024, 768),
  rowwise('softmax', 1024, 1024),
  rowwise('gelu', 1024, 768),
  operation('embedding', '1024 of 8192 x 512', { vocabulary: 8192, width: 512, ids: 1024 }),
];

export const cases = [
  square(256),
  square(512),
  square(1024),
  ...products,
  predict(small, 1),
  predict(small, 64),
  predict(large, 1),
  predict(large, 8),
  predict(large, 32),
  predict(large, 128),
  train(small, 64, 'crossentropy'),
  train('5-64-64-64-64-1', 1000, 'mse'),
  train(large, 32, 'crossentropy'),
  trainModel('gpt2-nano', 16),
  trainModel('transformer-nano', 16),
  trainModel('bert-nano', 16),
  trainModel('vit-nano', 32),
  trainModel('clip-nano', 32, 'own'),
  trainModel('resnet-nano', 32),
  ...operations,
];

/** Number of training steps, from the same weights, whose losses are compared. */
export const COMPARED_STEPS = 10;

/** Adam (Kingma and Ba, 2015), as every engine runs it. */
export const adam = { rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** Whether our method needs fewer operations than the rate counts (Winograd's convolution). */
const needsFewer = ({ op, sizes }) =>
  op === 'conv2d' && sizes.k === 3 && sizes.stride === 1 && sizes.groups === 1;

/**
 * Operations of one iteration, to compare with the ceiling of arithmetic; undefined where that would
 * say nothing. Of models and networks our engine tells them.
 */
export const work = (item) => item.work ?? (needsFewer(item) ? undefined : item.flops);

/** The parameters that identify a case in its rows. */
export function parameters(item) {
  if (item.kind === 'gemm') return { m: item.m, n: item.n, k: item.k, transposed: item.transposed };
  if (item.kind === 'op') return { op: item.op, ...item.sizes };
  const same = { model: item.model, batch: item.batch };
  return item.kind === 'train' ? { ...same, optimizer: 'adam' } : same;
}

/** The case's figure of speed, from nanoseconds per iteration. */
export function metric(item) {
  if (item.flops)
    return { metric: 'rate', unit: 'GFLOP/s', better: 'higher', of: (ns) => item.flops / ns };
  const name = { train: 'step time', predict: 'prediction time', op: 'time' }[item.kind];
  return { metric: name, unit: 'us', better: 'lower', of: (ns) => ns / 1e3 };
}
