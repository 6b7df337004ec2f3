// The speeds that Parallax should reach relative to the peers, and whether a measurement reached
// them.

const lowest = (entries) =>
  entries.reduce((best, entry) => (!best || entry.median < best.median ? entry : best), undefined);

const named = (peers, names) => peers.filter((peer) => names.includes(peer.engine.name));

const TFJS = 'tfjs-backend-wasm';
const ORT_WEB = 'onnxruntime-web';

/** The factors of predictions of 512-1024-1024-512-10 and 784-200-10, by batch. */
const PREDICTIONS = {
  native: { '512-1024-1024-512-10': { 1: 1.2, 8: 1.2, 32: 1.1, 128: 1.1 } },
  browser: {
    '512-1024-1024-512-10': { 1: 1.1, 8: 1.3, 32: 1.3, 128: 1.4 },
    '784-200-10': { 64: 1.4 },
  },
};

const strided = ({ sizes }) => sizes.stride > 1;
const plain3x3 = ({ sizes }) => sizes.k === 3 && sizes.stride === 1 && sizes.groups === 1;

function ofNativeOperation(item) {
  const ort = { what: 'onnxruntime', among: ['onnxruntime-node'] };
  if (item.op === 'gelu')
    return [
      { ...ort, factor: 1, above: true },
      { what: 'PyTorch', factor: 0.9, among: ['PyTorch'] },
    ];
  if (item.op !== 'conv2d') return [{ ...ort, factor: 1, above: true }];
  if (strided(item)) {
    const among = ['PyTorch', 'onnxruntime-node'];
    return [{ what: 'better of PyTorch and onnxruntime', factor: 1.15, among }];
  }
  return [{ ...ort, factor: plain3x3(item) ? 1.2 : 1 }];
}

function ofBrowserOperation(item) {
  const side = { what: 'better of onnxruntime-web and tfjs', among: [ORT_WEB, TFJS] };
  if (item.op === 'softmax') return [{ ...side, factor: 1.2 }];
  if (item.op !== 'conv2d') return [{ ...side, factor: 1, above: true }];
  return [{ ...side, factor: plain3x3(item) ? 2 : 1.2 }];
}

function ofNativeModel({ model }) {
  if (model.startsWith('resnet')) return [{ what: 'PyTorch', factor: 2, among: ['PyTorch'] }];
  const among = ['PyTorch', 'JAX'];
  return [{ what: 'better of PyTorch and JAX', factor: 1.5, among }];
}

/** Training steps of models by name and of layers, predictions, and products. */
const native = {
  op: ofNativeOperation,
  model: ofNativeModel,
  train: () => [
    { what: 'JAX', factor: 1.5, among: ['JAX'] },
    { what: 'PyTorch', factor: 1.5, among: ['PyTorch'] },
  ],
  predict(item) {
    const factor = PREDICTIONS.native[item.model]?.[item.batch];
    return factor ? [{ what: 'onnxruntime', factor, among: ['onnxruntime-node'] }] : [];
  },
  gemm() {
    const among = ['OpenBLAS', 'onnxruntime-node', 'JAX'];
    return [{ what: 'best of OpenBLAS, onnxruntime and JAX', factor: 1, among }];
  },
};

const browser = {
  op: ofBrowserOperation,
  model: () => [{ what: 'jax-js', factor: 2.2, among: ['jax-js'] }],
  train: () => [
    { what: 'tfjs', factor: 8, among: [TFJS] },
    { what: 'jax-js', factor: 2, among: ['jax-js'] },
  ],
  predict(item) {
    const factor = PREDICTIONS.browser[item.model]?.[item.batch];
    return factor ? [{ what: 'best browser peer', factor, among: [ORT_WEB, TFJS, 'jax-js'] }] : [];
  },
  gemm: () => [{ what: 'best browser peer', factor: 1.5, among: [ORT_WEB, TFJS, 'jax-js'] }],
};

/**
 * Returns [{what, factor, among, above}]: our speed should be factor times that of the fastest of
 * `among`, or more than that if above is set.
 */
const lines = (item, where) =>
  (where === 'native' ? native : browser)[item.manifest ? 'model' : item.kind](item);

const verdict = (what, wanted, got, above) => {
  const reached = above ? got > wanted : got >= wanted;
  const by = reached ? 'reached' : `missed by ${(100 * (1 - got / wanted)).toFixed(0)}%`;
  return `${what}: ${got.toFixed(2)} of ${above ? 'more than ' : ''}${wanted}, ${by}`;
};

/**
 * Sentences that compare our entry with the peers measured with it. Entries are {engine, median} in
 * nanoseconds; speed(peer) is the peer's time as a multiple of ours.
 */
export function verdicts(item, where, ours, peers, speed) {
  const sentences = [];
  for (const { what, factor, among, above } of lines(item, where)) {
    const best = lowest(named(peers, among));
    if (best) sentences.push(verdict(what, factor, speed(best), above));
  }
  const { ceiling } = ours.engine;
  if (where === 'browser' && item.kind === 'gemm' && ceiling)
    sentences.push(verdict('share of the ceiling', 0.92, item.flops / ours.median / ceiling));
  return sentences;
}
