// The speeds, shares of the ceiling, sizes and times that Parallax should reach, and whether a
// measurement reached them.
import { cases } from './cases.mjs';

const lowest = (entries) =>
  entries.reduce((best, entry) => (!best || entry.median < best.median ? entry : best), undefined);

const TFJS = 'tfjs-backend-wasm';
const ORT_WEB = 'onnxruntime-web';

/** The engine of ours beside which a group of engines on two threads is measured, too. */
export const ONE_THREAD = 'parallax on one thread';

/** It runs only what two threads should make faster: training steps of models by name. */
export const notScaled = (item) => item.suite !== 'models';

const ONE = [1];
const TWO = [2];
const BOTH = [1, 2];

/** The factors of predictions of 512-1024-1024-512-10 and 784-200-10, by batch. */
const PREDICTIONS = {
  native: { '512-1024-1024-512-10': { 1: 1.2, 8: 1.2, 32: 1.1, 128: 1.1 } },
  browser: {
    '512-1024-1024-512-10': { 1: 1.1, 8: 1.3, 32: 1.3, 128: 1.4 },
    '784-200-10': { 64: 1.4 },
  },
};

/**
 * The factors of training steps in the browser beside jax-js: 1.25 times what they were when the
 * targets were set (3.85, 4.10 and 3.40).
 */
const TRAINING = {
  '784-200-10': 4.8,
  '5-64-64-64-64-1': 5.1,
  '512-1024-1024-512-10': 4.3,
};

const share = (wanted, threads) => ({ what: 'share of the ceiling', wanted, share: true, threads });
const twoThreads = { what: ONE_THREAD, wanted: 1.9, among: [ONE_THREAD], threads: TWO };

const strided = ({ sizes }) => sizes.stride > 1;
const plain3x3 = ({ sizes }) => sizes.k === 3 && sizes.stride === 1 && sizes.groups === 1;
const isResnet = ({ model }) => model.startsWith('resnet');

function ofNativeOperation(item) {
  const ort = { what: 'onnxruntime', among: ['onnxruntime-node'], threads: ONE };
  if (item.op === 'gelu')
    return [
      { ...ort, wanted: 1, above: true },
      { what: 'PyTorch', wanted: 0.9, among: ['PyTorch'], threads: ONE },
    ];
  if (item.op !== 'conv2d') return [{ ...ort, wanted: 1, above: true }];
  if (strided(item)) {
    const among = ['PyTorch', 'onnxruntime-node'];
    return [{ what: 'better of PyTorch and onnxruntime', wanted: 1.15, among, threads: ONE }];
  }
  return [{ ...ort, wanted: plain3x3(item) ? 1.2 : 1 }];
}

function ofBrowserOperation(item) {
  const side = { what: 'better of onnxruntime-web and tfjs', among: [ORT_WEB, TFJS], threads: ONE };
  if (item.op === 'softmax') return [{ ...side, wanted: 1.2 }];
  if (item.op !== 'conv2d') return [{ ...side, wanted: 1, above: true }];
  return [{ ...side, wanted: plain3x3(item) ? 2 : 1.2 }];
}

function ofNativeModel(item) {
  const ceiling = isResnet(item) ? 0.45 : item.model.startsWith('gpt2') ? 0.8 : 0.75;
  const peers = isResnet(item)
    ? { what: 'PyTorch', wanted: 2, among: ['PyTorch'] }
    : { what: 'better of PyTorch and JAX', wanted: 1.5, among: ['PyTorch', 'JAX'] };
  return [{ ...peers, threads: ONE }, share(ceiling, BOTH), twoThreads];
}

const ofBrowserModel = (item) => [
  { what: 'jax-js', wanted: 2.2, among: ['jax-js'], threads: ONE },
  ...(isResnet(item) ? [] : [share(0.88, ONE)]),
  twoThreads,
];

/** Training steps of models by name and of layers, predictions, and products. */
const native = {
  op: ofNativeOperation,
  model: ofNativeModel,
  train: () => [
    { what: 'JAX', wanted: 1.5, among: ['JAX'], threads: ONE },
    { what: 'PyTorch', wanted: 1.5, among: ['PyTorch'], threads: ONE },
  ],
  predict(item) {
    const wanted = PREDICTIONS.native[item.model]?.[item.batch];
    return wanted
      ? [{ what: 'onnxruntime', wanted, among: ['onnxruntime-node'], threads: BOTH }]
      : [];
  },
  gemm() {
    const among = ['OpenBLAS', 'onnxruntime-node', 'JAX'];
    return [{ what: 'best of OpenBLAS, onnxruntime and JAX', wanted: 1, among, threads: BOTH }];
  },
};

const bestPeer = (wanted) => ({
  what: 'best browser peer',
  wanted,
  among: [ORT_WEB, TFJS, 'jax-js'],
  threads: ONE,
});

const browser = {
  op: ofBrowserOperation,
  model: ofBrowserModel,
  train: ({ model }) => [
    { what: 'tfjs', wanted: 8, among: [TFJS], threads: ONE },
    { what: 'jax-js', wanted: TRAINING[model], among: ['jax-js'], threads: ONE },
  ],
  predict(item) {
    const wanted = PREDICTIONS.browser[item.model]?.[item.batch];
    return wanted ? [bestPeer(wanted)] : [];
  },
  gemm: ({ onlyNative }) => (onlyNative ? [] : [bestPeer(1.5), share(0.92, ONE)]),
};

/**
 * The targets of a case on a side, {where, threads}: [{what, wanted, among, above, share}]. Our speed
 * should be `wanted` times that of the fastest of `among`, or more than that if above is set; with
 * share, it should be that share of the ceiling.
 */
export function targetsOf(item, { where, threads }) {
  const kind = item.suite === 'models' ? 'model' : item.kind;
  const all = (where === 'native' ? native : browser)[kind](item);
  return all.filter((target) => target.threads.includes(threads));
}

/** Whether a figure reached what was wanted; of sizes and times, at most that is. */
function verdict({ what, wanted, above, most, unit }, got) {
  const met = most ? got <= wanted : above ? got > wanted : got >= wanted;
  const miss = Math.abs(100 * (1 - got / wanted)).toFixed(0);
  const by = met ? 'reached' : most && !wanted ? 'missed' : `missed by ${miss}%`;
  const limit = `${most ? 'at most ' : above ? 'more than ' : ''}${wanted}`;
  const figure = most ? String(Number(got.toPrecision(4))) : got.toFixed(2);
  return { met, sentence: `${what}: ${figure} of ${limit}${unit ? ` ${unit}` : ''}, ${by}` };
}

/** Of our engine on one thread only the same tier compares. */
const compares = (peer, ours) =>
  peer.engine.name !== ONE_THREAD || peer.engine.tier === ours.engine.tier;

/**
 * Judges our entry beside the peers measured with it: {met, sentence}, or undefined without a figure.
 * Entries are {engine, median, ceiling?} in nanoseconds; speed(peer) is the peer's time as a multiple of
 * ours.
 */
export function judge(target, ours, peers, speed) {
  if (target.share) {
    const { ceiling } = ours;
    return ceiling && !ceiling.failure ? verdict(target, ceiling.share) : undefined;
  }
  const among = peers.filter((peer) => target.among.includes(peer.engine.name));
  const best = lowest(among.filter((peer) => compares(peer, ours)));
  return best && verdict(target, speed(best));
}

/** The sentences of all targets of a case that can be judged. */
export const verdicts = (item, side, ours, peers, speed) =>
  targetsOf(item, side).flatMap((target) => judge(target, ours, peers, speed)?.sentence ?? []);

// ---- Targets that are no comparison with a peer ----------------------------------------------------

const rowsOf = (rows, suite, metric) =>
  rows.filter((row) => row.suite === suite && row.metric === metric && row.checks.passed);

const largest = (rows, scale) =>
  rows.length ? scale * Math.max(...rows.map(({ samples }) => samples.median)) : undefined;

/** Kilobytes after gzip of what an entry fetches, in the tier in which that is most. */
const downloaded = (entry) => (rows) =>
  largest(
    rowsOf(rows, 'package', 'download').filter((row) => row.case === entry),
    1e-3,
  );

/** How many times as fast fused training steps are: the geometric mean, once there are all models. */
export function fusedSpeed(rows) {
  const fused = rowsOf(rows, 'models', 'fused / unfused');
  const measured = new Map(
    fused.map((row) => [row.parameters.model, -Math.log(row.samples.median)]),
  );
  const models = cases.filter(({ suite }) => suite === 'models').map(({ model }) => model);
  if (!models.every((model) => measured.has(model))) return undefined;
  return Math.exp(models.reduce((sum, model) => sum + measured.get(model), 0) / models.length);
}

/** [{side, threads, name, what, wanted, most?, unit?, of(rows)}]: of gives the figure, if it is there. */
export const others = [
  {
    side: 'browser',
    threads: '-',
    name: 'download of load()',
    ...{ what: 'gzip', wanted: 165, most: true, unit: 'kB', of: downloaded('load()') },
  },
  {
    side: 'browser',
    threads: '-',
    name: 'download for inference alone',
    ...{ what: 'gzip', wanted: 100, most: true, unit: 'kB', of: downloaded('inference') },
  },
  {
    side: 'browser',
    threads: '-',
    name: 'page opened to first result',
    ...{ what: 'median', wanted: 120, most: true, unit: 'ms' },
    of: (rows) => largest(rowsOf(rows, 'package', 'first result'), 1),
  },
  {
    side: 'browser',
    threads: '-',
    name: 'page opened to first prediction',
    ...{ what: 'median', wanted: 150, most: true, unit: 'ms' },
    of: (rows) => largest(rowsOf(rows, 'package', 'first prediction'), 1),
  },
  {
    side: 'native',
    threads: 'any',
    name: 'training steps of all nano models',
    ...{ what: 'fused against unfused, geometric mean', wanted: 1.3, of: fusedSpeed },
  },
  {
    side: 'native',
    threads: '1',
    name: 'suites ops and adaptive',
    ...{ what: 'pairs of cases slower than on the narrower target', wanted: 0, most: true },
    of(rows) {
      const counted = rowsOf(rows, 'inversions', 'slower on a wider target');
      return largest(
        counted.filter((row) => row.case === 'ops,adaptive'),
        1,
      );
    },
  },
];

/** Judges one of them: {met, sentence}, or undefined without rows. */
export function judgeOther(target, rows) {
  const got = target.of(rows);
  return got === undefined ? undefined : verdict(target, got);
}
