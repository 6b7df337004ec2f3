/** Every method of a graph once, against values computed by hand or with Math. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { load } from 'parallax-nn';
import { TABLE_ROWS } from '../../wasm/generate_layers.mjs';
import { camel, rowsOf } from '../../wasm/tables.mjs';

const { abs, exp, log, max, min, sqrt, tanh, PI } = Math;
const sigmoid = (x) => 1 / (1 + exp(-x));
const sum = (values) => values.reduce((a, b) => a + b, 0);
const softmax = (values) => values.map((v) => exp(v) / sum(values.map((u) => exp(u))));
const relu6 = (x) => min(max(x, 0), 6);
const map = (f, ...values) => values.map((v) => f(v));

/** erf(0.5) and erf(1/sqrt 2), from tables: Abramowitz and Stegun, 1964, section 7. */
const ERF_HALF = 0.5204998778;
const ERF_ROOT_HALF = 0.6826894921;

/** 16-bit elements come as their bits. */
const ARRAYS = {
  ...{ float32: Float32Array, int32: Int32Array, int8: Int8Array, uint8: Uint8Array },
  ...{ bfloat16: Uint16Array, float16: Uint16Array },
};

/*
 * Name: (graph, given) => list of [node, expected values, expected shape]. given.real(shape,
 * values) and given.whole(shape, values) are data. Relative to the largest value expected, results
 * may err by 1e-5: a few roundings in single precision.
 */
const CASES = {
  constant: (g) => [[g.constant(2.5), [2.5], []]],
  matmul: (g, { real }) => {
    const a = real([2, 3], [1, 2, 3, 4, 5, 6]);
    const b = real([3, 2], [1, 0, 0, 1, 1, 1]);
    return [
      [g.matmul(a, b), [4, 5, 10, 11], [2, 2]],
      [g.matmul(a, a, { transposeB: true }), [14, 32, 32, 77], [2, 2]],
      [g.matmul(b, b, { transposeA: true }), [2, 1, 1, 2], [2, 2]],
      [g.matmul(real([2, 1, 2], [1, 2, 3, 4]), real([2, 2, 1], [1, 1, 1, -1])), [3, -1], [2, 1, 1]],
      [
        g.matmul(real([2, 2, 1], [1, 2, 3, 4]), real([2, 1], [1, 10]), { transposeA: true }),
        [21, 43],
        [2, 1, 1],
      ],
    ];
  },
  bias: (g, { real }) => [
    [g.bias(real([2, 2], [1, 2, 3, 4]), real([2], [10, 20])), [11, 22, 13, 24], [2, 2]],
  ],
  dense: (g, { real }) => {
    const x = real([1, 2], [1, 2]);
    const w = real([2, 2], [1, 2, 3, 4]);
    return [
      [g.dense(x, w), [7, 10], [1, 2]],
      [g.dense(x, w, real([2], [1, -1])), [8, 9], [1, 2]],
    ];
  },
  add: (g, { real }) => [
    [g.add(real([2, 1], [1, 2]), real([2], [10, 20])), [11, 21, 12, 22], [2, 2]],
  ],
  sub: (g, { real }) => [[g.sub(1, real([2], [3, 5])), [-2, -4], [2]]],
  mul: (g, { real }) => [[g.mul(real([2], [3, 5]), 2), [6, 10], [2]]],
  div: (g, { real }) => [[g.div(real([2], [3, 5]), 2), [1.5, 2.5], [2]]],
  maximum: (g, { real }) => [[g.maximum(real([2], [3, -5]), 0), [3, 0], [2]]],
  minimum: (g, { real }) => [[g.minimum(real([2], [3, -5]), 0), [0, -5], [2]]],
  pow: (g, { real }) => [
    [g.pow(real([2], [4, 2]), real([2], [0.5, 3])), [2, 8], [2]],
    [g.pow(real([2], [-3, 3]), 2), [9, 9], [2]],
  ],
  rsqrt: (g, { real }) => [[g.rsqrt(real([2], [4, 2])), [0.5, 1 / sqrt(2)], [2]]],
  sin: (g, { real }) => [[g.sin(real([2], [1, -2])), map(Math.sin, 1, -2), [2]]],
  cos: (g, { real }) => [[g.cos(real([2], [1, -2])), map(Math.cos, 1, -2), [2]]],
  equal: (g, { real, whole }) => [
    [g.equal(real([2, 1], [1, 2]), real([2], [2, Number.NaN])), [0, 0, 1, 0], [2, 2]],
    [g.equal(whole([2], [3, 4]), whole([], [4])), [0, 1], [2]],
  ],
  notEqual: (g, { real }) => [[g.notEqual(real([3], [1, 2, Number.NaN]), 2), [1, 0, 1], [3]]],
  less: (g, { real }) => [[g.less(real([3], [1, 2, 3]), 2), [1, 0, 0], [3]]],
  lessEqual: (g, { real }) => [[g.lessEqual(real([3], [1, 2, 3]), 2), [1, 1, 0], [3]]],
  greater: (g, { real }) => [[g.greater(real([3], [1, 2, 3]), 2), [0, 0, 1], [3]]],
  greaterEqual: (g, { real }) => [[g.greaterEqual(real([3], [1, 2, 3]), 2), [0, 1, 1], [3]]],
  where: (g, { real, whole }) => {
    const x = real([3], [4, -1, 9]);
    return [
      [g.where(g.greater(x, 0), g.sqrt(x), 0), [2, 0, 3], [3]],
      [g.where(whole([2, 1], [0, -7]), whole([2], [1, 2]), whole([], [9])), [9, 9, 1, 2], [2, 2]],
    ];
  },
  /* 1 + 2^-8 is half way in bfloat16, and 2049 in float16. */
  cast: (g, { real, whole }) => {
    const x = real([4], [2.75, -300, Number.NaN, 1 + 2 ** -8]);
    return [
      [g.cast(x, 'int32'), [2, -300, 0, 1], [4]],
      [g.cast(x, 'int8'), [2, -128, 0, 1], [4]],
      [g.cast(x, 'uint8'), [2, 0, 0, 1], [4]],
      [g.cast(x, 'bfloat16'), [0x4030, 0xc396, 0x7fc0, 0x3f80], [4]],
      [g.cast(g.slice(g.cast(x, 'bfloat16'), 0, 3, 1, -2), 'float32'), [1], [1]],
      [g.cast(whole([2], [2049, 70000]), 'float16'), [0x6800, 0x7c00], [2]],
    ];
  },
  exp: (g, { real }) => [[g.exp(real([2], [1, -1])), [exp(1), exp(-1)], [2]]],
  log: (g, { real }) => [[g.log(real([2], [1, 10])), [0, log(10)], [2]]],
  sqrt: (g, { real }) => [[g.sqrt(real([2], [4, 2])), [2, sqrt(2)], [2]]],
  square: (g, { real }) => [[g.square(real([2], [4, -2])), [16, 4], [2]]],
  abs: (g, { real }) => [[g.abs(real([2], [4, -2])), [4, 2], [2]]],
  erf: (g, { real }) => [[g.erf(real([2], [0.5, 0])), [ERF_HALF, 0], [2]]],
  clip: (g, { real }) => [
    [g.clip(real([3], [-2, 0.5, 2]), -1, 1), [-1, 0.5, 1], [3]],
    [g.clip(real([2], [-2, 2]), Number.NEGATIVE_INFINITY, 1), [-2, 1], [2]],
  ],
  relu: (g, { real }) => [[g.relu(real([2], [-2, 3])), [0, 3], [2]]],
  leakyRelu: (g, { real }) => [
    [g.leakyRelu(real([2], [-2, 3])), [-0.02, 3], [2]],
    [g.leakyRelu(real([2], [-2, 3]), 0.5), [-1, 3], [2]],
  ],
  elu: (g, { real }) => [
    [g.elu(real([2], [-2, 3])), [exp(-2) - 1, 3], [2]],
    [g.elu(real([2], [-2, 3]), 0.5), [(exp(-2) - 1) / 2, 3], [2]],
  ],
  celu: (g, { real }) => [
    [g.celu(real([2], [-2, 3])), [exp(-2) - 1, 3], [2]],
    [g.celu(real([2], [-2, 3]), 0.5), [(exp(-4) - 1) / 2, 3], [2]],
  ],
  /* Klambauer et al. give the constants with more digits. */
  selu: (g, { real }) => {
    const scale = 1.0507009873554805;
    const expected = [scale * 1.6732632423543772 * (exp(-2) - 1), scale * 3];
    return [[g.selu(real([2], [-2, 3])), expected, [2]]];
  },
  relu6: (g, { real }) => [[g.relu6(real([3], [-2, 3, 7])), [0, 3, 6], [3]]],
  prelu: (g, { real }) => [[g.prelu(real([2], [-2, 3]), 0.25), [-0.5, 3], [2]]],
  mish: (g, { real }) => [
    [g.mish(real([2], [-2, 3])), map((x) => x * tanh(log(1 + exp(x))), -2, 3), [2]],
  ],
  hardswish: (g, { real }) => [
    [g.hardswish(real([3], [-2, 1, 4])), map((x) => (x * relu6(x + 3)) / 6, -2, 1, 4), [3]],
  ],
  hardsigmoid: (g, { real }) => [
    [g.hardsigmoid(real([3], [-2, 1, 4])), map((x) => relu6(x + 3) / 6, -2, 1, 4), [3]],
  ],
  softplus: (g, { real }) => [
    [g.softplus(real([2], [-2, 3])), map((x) => log(1 + exp(x)), -2, 3), [2]],
  ],
  softsign: (g, { real }) => [
    [g.softsign(real([2], [-2, 3])), map((x) => x / (1 + abs(x)), -2, 3), [2]],
  ],
  silu: (g, { real }) => [[g.silu(real([2], [-2, 3])), map((x) => x * sigmoid(x), -2, 3), [2]]],
  gelu: (g, { real }) => [[g.gelu(real([1], [1])), [(1 + ERF_ROOT_HALF) / 2], [1]]],
  geluTanh: (g, { real }) => [
    [g.geluTanh(real([1], [1])), [0.5 * (1 + tanh(sqrt(2 / PI) * 1.044715))], [1]],
  ],
  sigmoid: (g, { real }) => [[g.sigmoid(real([2], [-2, 3])), map(sigmoid, -2, 3), [2]]],
  tanh: (g, { real }) => [[g.tanh(real([2], [-2, 3])), map(tanh, -2, 3), [2]]],
  dropout: (g, { real }) => [[g.dropout(real([2], [-2, 3]), 0), [-2, 3], [2]]],
  swiglu: (g, { real }) => [
    [g.swiglu(real([2], [1, -2]), real([2], [3, 5])), [3 * sigmoid(1), -10 * sigmoid(-2)], [2]],
  ],
  geglu: (g, { real }) => [
    [g.geglu(real([1], [1]), real([1], [3])), [(3 * (1 + ERF_ROOT_HALF)) / 2], [1]],
  ],
  softmax: (g, { real }) => [
    [g.softmax(real([1, 3], [1, 2, 3])), softmax([1, 2, 3]), [1, 3]],
    [g.softmax(real([3], [1, 2, 3]), 0), softmax([1, 2, 3]), [3]],
  ],
  logSoftmax: (g, { real }) => [
    [g.logSoftmax(real([1, 3], [1, 2, 3])), softmax([1, 2, 3]).map(log), [1, 3]],
  ],
  sum: (g, { real }) => {
    const x = real([2, 3], [1, 2, 3, 4, 5, 6]);
    return [
      [g.sum(x), [21], []],
      [g.sum(x, 0), [5, 7, 9], [3]],
      [g.sum(x, -1), [6, 15], [2]],
    ];
  },
  mean: (g, { real }) => [[g.mean(real([2, 2], [1, 2, 3, 6]), 0), [2, 4], [2]]],
  max: (g, { real }) => [[g.max(real([2, 2], [1, 8, 3, 6]), 1), [8, 6], [2]]],
  min: (g, { real }) => [
    [g.min(real([2, 2], [1, 8, 3, 6]), 1), [1, 3], [2]],
    [g.min(real([2, 2], [1, 8, -3, 6])), [-3], []],
  ],
  prod: (g, { real }) => [[g.prod(real([2, 2], [1, 8, 3, 6]), 0), [3, 48], [2]]],
  cumsum: (g, { real }) => {
    const x = real([3], [1, 2, 3]);
    return [
      [g.cumsum(x, 0), [1, 3, 6], [3]],
      [g.cumsum(x, -1, { exclusive: true, reverse: true }), [5, 3, 0], [3]],
    ];
  },
  logSumExp: (g, { real }) => [
    [g.logSumExp(real([2], [1000, 1000]), 0), [1000 + log(2)], []],
    [g.logSumExp(real([2], [0, 0])), [log(2)], []],
  ],
  argmax: (g, { real }) => [[g.argmax(real([2, 3], [1, 9, 3, 4, 4, 2]), 1), [1, 0], [2]]],
  topK: (g, { real }) => {
    const { values, indices } = g.topK(real([1, 4], [3, 9, 1, 7]), 2);
    return [
      [values, [9, 7], [1, 2]],
      [indices, [1, 3], [1, 2]],
    ];
  },
  reshape: (g, { real }) => [
    [g.reshape(real([2, 3], [1, 2, 3, 4, 5, 6]), [3, -1]), [1, 2, 3, 4, 5, 6], [3, 2]],
  ],
  transpose: (g, { real }) => [
    [g.transpose(real([2, 3], [1, 2, 3, 4, 5, 6]), [1, 0]), [1, 4, 2, 5, 3, 6], [3, 2]],
  ],
  slice: (g, { real }) => {
    const x = real([2, 3], [1, 2, 3, 4, 5, 6]);
    return [
      [g.slice(x, 1, 1, 3), [2, 3, 5, 6], [2, 2]],
      [g.slice(x, 1, 0, 3, 2), [1, 3, 4, 6], [2, 2]],
      [g.slice(x, 0, -1, 2), [4, 5, 6], [1, 3]],
    ];
  },
  concat: (g, { real }) => [
    [g.concat([real([2, 1], [1, 2]), real([2, 2], [3, 4, 5, 6])], 1), [1, 3, 4, 2, 5, 6], [2, 3]],
  ],
  split: (g, { real }) => {
    const x = real([4], [1, 2, 3, 4]);
    const [a, b] = g.split(x, 0, 2);
    const [c, d] = g.split(x, 0, [1, 3]);
    return [
      [a, [1, 2], [2]],
      [b, [3, 4], [2]],
      [c, [1], [1]],
      [d, [2, 3, 4], [3]],
    ];
  },
  pad: (g, { real }) => [
    [g.pad(real([1, 2], [1, 2]), [1, 0], [0, 1], 7), [7, 7, 7, 1, 2, 7], [2, 3]],
  ],
  padRepeat: (g, { real, whole }) => [
    [g.padRepeat(real([3], [0, 1, 2]), [1], [2]), [0, 0, 1, 2, 2, 2], [6]],
    [g.padRepeat(whole([3], [0, 1, 2]), [1], [2], 'reflect'), [1, 0, 1, 2, 1, 0], [6]],
    [g.padRepeat(real([1, 2], [1, 2]), [0, 1], [0, 0], 'wrap'), [2, 1, 2], [1, 3]],
  ],
  takeAlong: (g, { real, whole }) => [
    [g.takeAlong(real([2, 2], [1, 2, 3, 4]), whole([1, 2], [1, 0]), 0), [3, 2], [1, 2]],
  ],
  scatterAlong: (g, { real, whole }) => {
    const x = real([3], [1, 2, 3]);
    const at = whole([2], [2, 2]);
    const updates = real([2], [10, 20]);
    return [
      [g.scatterAlong(x, at, updates, 0), [1, 2, 20], [3]],
      [g.scatterAlong(x, at, updates, 0, 'add'), [1, 2, 33], [3]],
      [g.scatterAlong(whole([2], [5, 6]), whole([1], [1]), whole([1], [9]), 0), [5, 9], [2]],
    ];
  },
  trilu: (g, { real }) => {
    const x = real([2, 2], [1, 2, 3, 4]);
    return [
      [g.trilu(x), [1, 0, 3, 4], [2, 2]],
      [g.trilu(x, true, 1), [0, 2, 0, 0], [2, 2]],
    ];
  },
  oneHot: (g, { whole }) => [
    [g.oneHot(whole([2], [1, 7]), 3), [0, 1, 0, 0, 0, 0], [2, 3]],
    [g.oneHot(whole([2], [1, 0]), 2, 0), [0, 1, 1, 0], [2, 2]],
  ],
  resize: (g, { real, whole }) => {
    const x = real([2], [1, 2]);
    return [
      [g.resize(whole([2], [1, 2]), [5]), [1, 1, 1, 2, 2], [5]],
      [g.resize(x, [4], { method: 'linear' }), [1, 1.25, 1.75, 2], [4]],
      [g.resize(x, [3], { method: 'linear', coordinates: 'align-corners' }), [1, 1.5, 2], [3]],
      [g.resize(real([4], [1, 2, 3, 4]), [2], { rounding: 'prefer-ceil' }), [2, 4], [2]],
      [g.resize(x, [1], { method: 'cubic', antialias: true, cubic: -0.5 }), [1.5], [1]],
    ];
  },
  broadcast: (g, { real }) => [[g.broadcast(real([2, 1], [1, 2]), [2, 2]), [1, 1, 2, 2], [2, 2]]],
  gather: (g, { real, whole }) => [
    [g.gather(real([3, 2], [1, 2, 3, 4, 5, 6]), whole([2], [2, 0])), [5, 6, 1, 2], [2, 2]],
    [g.gather(real([1, 3], [1, 2, 3]), whole([], [1]), 1), [2], [1]],
  ],
  conv2d: (g, { real }) => {
    const x = real([1, 3, 3, 1], [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const w = real([2, 2, 1, 1], [1, 2, 3, 4]);
    const bias = real([1], [100]);
    return [
      [g.conv2d(x, w), [37, 47, 67, 77], [1, 2, 2, 1]],
      [g.conv2d(x, w, { bias, stride: 2 }), [137], [1, 1, 1, 1]],
      /* Three rows need one row of zeros for two rows of results; it comes last. */
      [g.conv2d(x, w, { stride: 2, padding: 'same' }), [37, 21, 23, 9], [1, 2, 2, 1]],
      [g.conv2d(x, w, { padding: [1, 0, 1, 0], stride: [2, 3] }), [4, 36], [1, 2, 1, 1]],
      [g.conv2d(x, w, { dilation: 2 }), [1 + 2 * 3 + 3 * 7 + 4 * 9], [1, 1, 1, 1]],
    ];
  },
  conv2dTranspose: (g, { real }) => {
    const x = real([1, 1, 2, 1], [1, 10]);
    const w = real([2, 2, 1, 1], [1, 2, 3, 4]);
    return [
      [g.conv2dTranspose(x, w), [1, 12, 20, 3, 34, 40], [1, 2, 3, 1]],
      [g.conv2dTranspose(x, w, { stride: 2 }), [1, 2, 10, 20, 3, 4, 30, 40], [1, 2, 4, 1]],
      [
        g.conv2dTranspose(x, w, { stride: 2, padding: 'same' }),
        [1, 2, 10, 20, 3, 4, 30, 40],
        [1, 2, 4, 1],
      ],
      [
        g.conv2dTranspose(x, w, { stride: 2, padding: 'same', extra: 1 }),
        [1, 2, 10, 20, 0, 3, 4, 30, 40, 0, 0, 0, 0, 0, 0],
        [1, 3, 5, 1],
      ],
      [
        g.conv2dTranspose(x, w, { stride: 3, padding: 'same' }),
        [1, 2, 0, 10, 20, 0, 3, 4, 0, 30, 40, 0, 0, 0, 0, 0, 0, 0],
        [1, 3, 6, 1],
      ],
    ];
  },
  maxPool2d: (g, { real }) => [
    [g.maxPool2d(real([1, 2, 4, 1], [1, 2, 3, 4, 5, 6, 7, 8]), { size: 2 }), [6, 8], [1, 1, 2, 1]],
    [g.maxPool2d(real([1, 1, 3, 1], [1, 2, 3]), { size: [1, 2], stride: 1 }), [2, 3], [1, 1, 2, 1]],
    [
      g.maxPool2d(real([1, 1, 3, 1], [3, 9, 2]), { size: [1, 2], dilation: [1, 2] }),
      [3],
      [1, 1, 1, 1],
    ],
    [
      g.maxPool2d(real([1, 1, 3, 1], [1, 2, 3]), { size: [1, 2], ceil: true }),
      [2, 3],
      [1, 1, 2, 1],
    ],
  ],
  avgPool2d: (g, { real }) => {
    const x = real([1, 1, 2, 1], [2, 4]);
    const options = { size: [1, 2], padding: [0, 0, 1, 1], stride: [1, 2] };
    return [
      [g.avgPool2d(x, options), [2, 4], [1, 1, 2, 1]],
      [g.avgPool2d(x, { ...options, countPadding: true }), [1, 2], [1, 1, 2, 1]],
      [
        g.avgPool2d(real([1, 1, 3, 1], [1, 5, 3]), { size: [1, 2], ceil: true }),
        [3, 3],
        [1, 1, 2, 1],
      ],
      [
        g.avgPool2d(real([1, 1, 3, 1], [1, 5, 3]), { size: [1, 2], dilation: [1, 2] }),
        [2],
        [1, 1, 1, 1],
      ],
    ];
  },
  globalAvgPool2d: (g, { real }) => [
    [g.globalAvgPool2d(real([1, 2, 1, 2], [1, 2, 3, 6])), [2, 4], [1, 2]],
  ],
  upsample2d: (g, { real }) => {
    const x = real([1, 1, 2, 1], [1, 3]);
    return [
      [g.upsample2d(x, [2, 1]), [1, 3, 1, 3], [1, 2, 2, 1]],
      [g.upsample2d(x, [1, 2], 'bilinear'), [1, 1.5, 2.5, 3], [1, 1, 4, 1]],
    ];
  },
  layerNorm: (g, { real }) => {
    const x = real([1, 2], [1, 3]);
    const r = 1 / sqrt(1 + 1e-5);
    const scaled = g.layerNorm(x, {
      scale: real([2], [2, 3]),
      shift: real([2], [10, 20]),
      epsilon: 3,
    });
    return [
      [g.layerNorm(x), [-r, r], [1, 2]],
      [scaled, [9, 21.5], [1, 2]],
    ];
  },
  rmsNorm: (g, { real }) => [
    [g.rmsNorm(real([1, 2], [1, 7]), { scale: real([2], [1, 2]), epsilon: 0 }), [0.2, 2.8], [1, 2]],
  ],
  groupNorm: (g, { real }) => [
    [
      g.groupNorm(real([1, 1, 1, 4], [1, 3, 10, 30]), 2, { epsilon: 0 }),
      [-1, 1, -1, 1],
      [1, 1, 1, 4],
    ],
  ],
  batchNorm: (g, { real }) => {
    const x = real([2, 1], [1, 3]);
    const running = { mean: real([1], [1]), variance: real([1], [4]), epsilon: 0 };
    return [
      [g.batchNorm(x, { ...running, training: false }), [0, 1], [2, 1]],
      [
        g.batchNorm(x, {
          mean: real([1], [0]),
          variance: real([1], [1]),
          training: true,
          epsilon: 0,
        }),
        [-1, 1],
        [2, 1],
      ],
    ];
  },
  l2Normalize: (g, { real }) => [[g.l2Normalize(real([1, 2], [3, 4])), [0.6, 0.8], [1, 2]]],
  embedding: (g, { real, whole }) => [
    [g.embedding(real([3, 2], [1, 2, 3, 4, 5, 6]), whole([2], [2, 0])), [5, 6, 1, 2], [2, 2]],
  ],
  attention: (g, { real }) => {
    const q = real([1, 2, 1], [1, 1]);
    const k = real([1, 2, 1], [1, 2]);
    const v = real([1, 2, 1], [10, 20]);
    const see = (weights) => 10 * weights[0] + 20 * weights[1];
    const mask = real([1, 1, 2], [0, Number.NEGATIVE_INFINITY]);
    const all = see(softmax([1, 2]));
    return [
      [g.attention(q, k, v, { heads: 1 }), [all, all], [1, 2, 1]],
      [g.attention(q, k, v, { heads: 1, causal: true }), [10, all], [1, 2, 1]],
      [
        g.attention(q, k, v, { heads: 1, scale: 2 }),
        Array(2).fill(see(softmax([2, 4]))),
        [1, 2, 1],
      ],
      [g.attention(q, k, v, { heads: 1, mask }), [10, 10], [1, 2, 1]],
    ];
  },
  lstm: (g, { real }) => {
    const x = real([1, 2, 1], [1, 2]);
    const w = real([1, 4], [0.1, 0.2, 0.3, 0.4]);
    const r = real([1, 4], [0.5, -0.5, 1, 2]);
    const bias = real([4], [0, 1, 0, 0]);
    const step = ([h, c], x, shift = [0, 0, 0, 0]) => {
      const p = [0.1, 0.2, 0.3, 0.4].map((k, j) => k * x + [0.5, -0.5, 1, 2][j] * h + shift[j]);
      const next = sigmoid(p[1]) * c + sigmoid(p[0]) * tanh(p[2]);
      return [sigmoid(p[3]) * tanh(next), next];
    };
    const one = step([0, 0], 1);
    const two = step(one, 2);
    const begun = step([0.5, -1], 2, [0, 1, 0, 0]);
    const plain = g.lstm(x, w, r);
    const back = g.lstm(x, w, r, {
      ...{ bias, h0: real([1, 1], [0.5]), c0: real([1, 1], [-1]), reverse: true },
      mask: real([1, 2], [0, 1]),
    });
    return [
      [plain.states, [one[0], two[0]], [1, 2, 1]],
      [plain.cell, [two[1]], [1, 1]],
      [back.states, [begun[0], begun[0]], [1, 2, 1]],
      [back.cell, [begun[1]], [1, 1]],
    ];
  },
  gru: (g, { real }) => {
    const x = real([1, 1, 1], [2]);
    const w = real([1, 3], [0.1, 0.2, 0.3]);
    const r = real([1, 3], [0.5, -0.5, 1]);
    const options = { h0: real([1, 1], [0.5]), recurrentBias: real([3], [0, 0, 0.25]) };
    const z = sigmoid(0.2 + 0.25);
    const reset = sigmoid(0.4 - 0.25);
    const mix = (n) => [(1 - z) * n + z * 0.5];
    const bias = real([3], [0, 0, -0.6]);
    return [
      [g.gru(x, w, r, options), mix(tanh(0.6 + reset * 0.75)), [1, 1, 1]],
      [g.gru(x, w, r, { ...options, bias }), mix(tanh(reset * 0.75)), [1, 1, 1]],
      [
        g.gru(x, w, r, { ...options, resetAfter: false }),
        mix(tanh(0.6 + reset * 0.5 + 0.25)),
        [1, 1, 1],
      ],
      [g.gru(real([1, 1, 1], [2]), w, r), [(1 - sigmoid(0.2)) * tanh(0.6)], [1, 1, 1]],
      [g.gru(x, w, r, { ...options, reverse: true, mask: real([1, 1], [0]) }), [0.5], [1, 1, 1]],
    ];
  },
  rope: (g, { real }) => [
    [
      g.rope(real([1, 2, 2], [1, 0, 1, 0]), { heads: 1, first: 1 }),
      [Math.cos(1), Math.sin(1), Math.cos(2), Math.sin(2)],
      [1, 2, 2],
    ],
  ],
  mse: (g, { real }) => [[g.mse(real([2], [1, 2]), real([2], [2, 4])), [2.5], []]],
  l1: (g, { real }) => [[g.l1(real([2], [1, 2]), real([2], [2, 4])), [1.5], []]],
  huber: (g, { real }) => [
    [g.huber(real([2], [0, 0]), real([2], [0.5, 3])), [(0.125 + 2.5) / 2], []],
    [g.huber(real([1], [0]), real([1], [3]), 2), [2 * (3 - 1)], []],
  ],
  binaryCrossEntropy: (g, { real }) => [
    [g.binaryCrossEntropy(real([1], [2]), real([1], [1])), [-log(sigmoid(2))], []],
  ],
  crossEntropy: (g, { real, whole }) => [
    [g.crossEntropy(real([1, 3], [1, 2, 3]), whole([1], [1])), [-log(softmax([1, 2, 3])[1])], []],
  ],
  cosineLoss: (g, { real }) => [
    [g.cosineLoss(real([1, 2], [3, 4]), real([1, 2], [2, 0])), [0.4], []],
  ],
  hypercausal: (g, { real }) => {
    const [x, w, b] = [real([2, 1], [0.5, -0.25]), g.constant(0.9), g.constant(0.03)];
    const s = [0.5, -0.25].map((v) => tanh(0.9 * tanh(0.9 * v + 0.03) + 0.03));
    const p = 0.4 / 1.3;
    const options = { depth: 2, futures: 2, span: 0.4 };
    const mean = g.hypercausal(x, w, b, options);
    const risk = g.hypercausal(x, w, b, { ...options, policy: 'min-risk' });
    const pairs = s.map((v) => [tanh(v - p), tanh(v + p)]);
    const halves = pairs.map(([low, high]) => ((high - low) / 2) ** 2);
    const nearest = pairs.map(([low, high]) => (low ** 2 <= high ** 2 ? low : high));
    return [
      [mean.state, s, [2, 1]],
      [mean.future, pairs.map(([low, high]) => (low + high) / 2), [2, 1]],
      [mean.spread, [(halves[0] + halves[1]) / 2], []],
      [risk.future, nearest, [2, 1]],
    ];
  },
  hypercausalLoss: (g, { real }) => {
    const x = real([2, 1], [0.5, -0.25]);
    const node = g.hypercausal(x, g.constant(1), g.constant(0), { policy: 'median' });
    const { total, task, consistency, coherence } = g.hypercausalLoss([node], real([2, 1], [0, 1]));
    const [s, t] = [tanh(0.5), tanh(-0.25)];
    const spread = (v) => {
      const f = [-0.25, 0, 0.25].map((d) => tanh(v + d));
      const centre = (f[0] + f[1] + f[2]) / 3;
      return f.reduce((sum, each) => sum + (each - centre) ** 2, 0) / 3;
    };
    const expected = [
      (s * s + (t - 1) ** 2) / 2,
      0.8 * (t - s) ** 2 + 1.2 * (t - tanh(t)) ** 2,
      (spread(s) + spread(t)) / 2,
    ];
    return [
      [total, [expected[0] + 0.5 * expected[1] + 0.3 * expected[2]], []],
      [task, [expected[0]], []],
      [consistency, [expected[1]], []],
      [coherence, [expected[2]], []],
    ];
  },
  infoNce: (g, { real }) => {
    const a = real([2, 2], [1, 0, 0, 2]);
    return [[g.infoNce(a, a, 3), [-log(softmax([3, 0])[0])], []]];
  },
  gradients: (g, { real }) => {
    const x = real([2], [1, 2]);
    const y = real([2], [3, 4]);
    const [dx, dy] = g.gradients(g.sum(g.mul(x, y)), [x, y]);
    return [
      [dx, [3, 4], [2]],
      [dy, [1, 2], [2]],
    ];
  },
  clipByNorm: (g, { real }) => {
    const [a, b] = g.clipByNorm([real([1], [3]), real([1], [4])], 2.5);
    return [
      [a, [1.5], [1]],
      [b, [2], [1]],
    ];
  },
};

const table = readFileSync(new URL('../../src/parallax.def', import.meta.url), 'utf8');
const activations = rowsOf('parallax.def', table, TABLE_ROWS)
  .filter(({ macro }) => macro === 'PLX_ACTIVATION')
  .map(({ parts: [, name] }) => name);

describe('every method of a graph', () => {
  let plx;
  before(async () => {
    plx = await load({ tier: 'simd' });
  });
  after(() => plx.dispose());

  const outsideOfThis = ['input', 'parameter', 'update', 'layer', 'weights'];
  it('is here', () => {
    const graph = plx.graph();
    const own = Object.getOwnPropertyNames(Object.getPrototypeOf(graph));
    const uses = ['constructor', 'check', 'compile', 'read', 'write', 'dispose'];
    const internal = ['ask', 'shapeOf', 'setRate'];
    const builders = own.filter((name) => ![...uses, ...internal, ...outsideOfThis].includes(name));
    const without = activations.map(camel).filter((name) => !(name in CASES));
    assert.deepEqual([...Object.keys(CASES), ...without].sort(), builders.sort());
  });

  for (const name of activations) {
    it(`${camel(name)} is the activation ${name} of layers`, async () => {
      const g = plx.graph();
      const x = g.parameter('x', [5], [-2, -0.5, 0, 0.5, 3]);
      const layer = plx.layers.activation({ activation: name });
      const f = await g.compile([g[camel(name)](x), g.layer(layer, g.reshape(x, [1, 5]))]);
      const [method, applied] = await f.run();
      assert.deepEqual(method.data, applied.data);
      await g.dispose();
    });
  }

  for (const [name, makeCase] of Object.entries(CASES)) {
    it(name, async () => {
      const g = plx.graph();
      const inputs = {};
      let names = 0;
      const real = (shape, values) => g.parameter(`p${names++}`, shape, values);
      const whole = (shape, values) => {
        const input = `i${names++}`;
        inputs[input] = Int32Array.from(values);
        return g.input(input, shape, { dtype: 'int32' });
      };
      const expectations = makeCase(g, { real, whole });
      await g.check();
      const f = await g.compile(expectations.map(([node]) => node));
      const results = await f.run(inputs);
      expectations.forEach(([node, values, shape], i) => {
        const { data, shape: got } = results[i];
        const what = `result ${i}: [${[...data]}] of [${got}]`;
        assert.deepEqual(got, shape, what);
        assert.equal(data.length, values.length, what);
        assert.ok(data instanceof ARRAYS[node.dtype], `${data.constructor.name} ${node.dtype}`);
        const tolerance = 1e-5 * max(...values.map(abs), 1e-30);
        const wrong = values.findIndex((v, k) => !(abs(data[k] - v) <= tolerance));
        assert.equal(wrong, -1, `${what} instead of [${values}]`);
      });
      await g.dispose();
    });
  }
});
