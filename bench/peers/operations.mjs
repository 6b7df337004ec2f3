// Single operations: their inputs, the shapes of their results, and how far results may differ.
import { Random } from './random.mjs';

const EPSILON = 2 ** -23;
const SAMPLES = 200;
const LAYER_NORM_EPSILON = 1e-5;

const product = (shape) => shape.reduce((size, dim) => size * dim, 1);

/** Size of a convolution's result: rows and columns. */
const convolved = ({ h, w, k, stride, pad }) =>
  [h, w].map((size) => Math.floor((size + 2 * pad - k) / stride) + 1);

const table = {
  conv2d: {
    inputs: ({ n, h, w, in: channels, k, out, groups }) => ({
      x: { shape: [n, h, w, channels] },
      weights: {
        shape: [k, k, channels / groups, out],
        scale: Math.sqrt((2 * groups) / (k * k * channels)),
      },
      bias: { shape: [out], scale: 0.1 },
    }),
    output: (sizes) => [sizes.n, ...convolved(sizes), sizes.out],
    flops: (sizes) =>
      2 * product(table.conv2d.output(sizes)) * sizes.k ** 2 * (sizes.in / sizes.groups),
    element: convElement,
  },
  attention: {
    inputs: ({ batch, length, heads, width }) => {
      const shape = [batch, length, heads * width];
      return { q: { shape }, k: { shape }, v: { shape } };
    },
    output: ({ batch, length, heads, width }) => [batch, length, heads * width],
    flops: ({ batch, length, heads, width }) => 4 * batch * heads * length ** 2 * width,
    element: attentionElement,
  },
  layer_norm: {
    inputs: ({ rows, width }) => ({
      x: { shape: [rows, width] },
      scale: { shape: [width] },
      shift: { shape: [width] },
    }),
    output: ({ rows, width }) => [rows, width],
    element: layerNormElement,
  },
  softmax: {
    inputs: ({ rows, width }) => ({ x: { shape: [rows, width] } }),
    output: ({ rows, width }) => [rows, width],
    element: softmaxElement,
  },
  gelu: {
    inputs: ({ rows, width }) => ({ x: { shape: [rows, width] } }),
    output: ({ rows, width }) => [rows, width],
    element: geluElement,
  },
  embedding: {
    inputs: ({ vocabulary, width, ids }) => ({
      table: { shape: [vocabulary, width] },
      ids: { shape: [ids], below: vocabulary },
    }),
    output: ({ width, ids }) => [ids, width],
    element: embeddingElement,
  },
};

export const operation = (op, name, sizes) => ({
  suite: 'ops',
  name: `${op} ${name}`,
  kind: 'op',
  op,
  sizes,
  flops: table[op].flops?.(sizes),
});

/** Returns {name: shape}. */
export const shapesOf = ({ op, sizes }) =>
  Object.fromEntries(
    Object.entries(table[op].inputs(sizes)).map(([name, { shape }]) => [name, shape]),
  );

export const outputShape = ({ op, sizes }) => table[op].output(sizes);

/** Returns {inputs: {name: values}}: normal values, or indices. */
export function operationData({ op, sizes }, seed) {
  const random = new Random(seed);
  const make = ({ shape, scale = 1, below }) =>
    below
      ? Int32Array.from({ length: product(shape) }, () => random.word() % below)
      : random.normals(product(shape), scale);
  const inputs = Object.entries(table[op].inputs(sizes));
  return { inputs: Object.fromEntries(inputs.map(([name, input]) => [name, make(input)])) };
}

/** As tolerances() in tolerances.mjs does, for randomly chosen elements. */
export function operationTolerances(item, { inputs }, output) {
  const random = new Random(1);
  const size = product(outputShape(item));
  if (output.length !== size) throw new Error(`${output.length} results; ${size} were expected`);
  return Array.from({ length: SAMPLES }, () => {
    const at = random.word() % size;
    return { at, ours: output[at], ...table[item.op].element(item.sizes, inputs, at) };
  });
}

// Each gives {reference, bound} of one element, in double precision. Sums of n terms err by at most
// n eps sum |terms|, elementary functions by 4 eps.

function convElement(sizes, { x, weights, bias }, at) {
  const { h, w, in: channels, k, out, stride, pad, groups } = sizes;
  const [rows, columns] = convolved(sizes);
  const o = at % out;
  const column = Math.floor(at / out) % columns;
  const row = Math.floor(at / out / columns) % rows;
  const image = Math.floor(at / out / columns / rows);
  const each = channels / groups;
  const first = Math.floor(o / (out / groups)) * each;
  let sum = bias[o];
  let size = Math.abs(sum);
  for (let p = 0; p < k; ++p)
    for (let q = 0; q < k; ++q) {
      const [r, c] = [row * stride + p - pad, column * stride + q - pad];
      if (r < 0 || r >= h || c < 0 || c >= w) continue;
      for (let i = 0; i < each; ++i) {
        const term =
          x[((image * h + r) * w + c) * channels + first + i] *
          weights[((p * k + q) * each + i) * out + o];
        sum += term;
        size += Math.abs(term);
      }
    }
  return { reference: sum, bound: (k * k * each + 1) * EPSILON * size };
}

/** Scores are off by up to `wrong`, so weights by 2 wrong relative to themselves, and so on. */
function attentionElement({ length, heads, width }, { q, k, v }, at) {
  const all = heads * width;
  const [e, s, b] = [at % all, Math.floor(at / all) % length, Math.floor(at / all / length)];
  const head = Math.floor(e / width) * width;
  const scale = 1 / Math.sqrt(width);
  const scores = new Float64Array(length);
  let wrong = 0;
  for (let t = 0; t < length; ++t) {
    let size = 0;
    for (let i = 0; i < width; ++i) {
      const term =
        scale * q[(b * length + s) * all + head + i] * k[(b * length + t) * all + head + i];
      scores[t] += term;
      size += Math.abs(term);
    }
    wrong = Math.max(wrong, (width + 2) * EPSILON * size);
  }
  const largest = scores.reduce((a, c) => Math.max(a, c));
  let [sum, total, size] = [0, 0, 0];
  for (let t = 0; t < length; ++t) {
    const share = Math.exp(scores[t] - largest);
    const value = v[(b * length + t) * all + e];
    total += share;
    sum += share * value;
    size += share * Math.abs(value);
  }
  return {
    reference: sum / total,
    bound: (2 * wrong + (2 * length + 8) * EPSILON) * (size / total),
  };
}

function rowOf(x, width, at) {
  const first = Math.floor(at / width) * width;
  return Float64Array.from(x.subarray(first, first + width));
}

const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

function layerNormElement({ width }, { x, scale, shift }, at) {
  const row = rowOf(x, width, at);
  const i = at % width;
  const mean = meanOf(row);
  const deviation = Math.sqrt(meanOf(row.map((value) => (value - mean) ** 2)) + LAYER_NORM_EPSILON);
  const normal = (row[i] - mean) / deviation;
  const size = (Math.abs(row[i]) + meanOf(row.map(Math.abs))) / deviation + Math.abs(normal);
  return {
    reference: normal * scale[i] + shift[i],
    bound: EPSILON * ((width + 8) * Math.abs(scale[i]) * size + Math.abs(shift[i])),
  };
}

function softmaxElement({ width }, { x }, at) {
  const row = rowOf(x, width, at);
  const largest = row.reduce((a, c) => Math.max(a, c));
  const total = row.reduce((sum, value) => sum + Math.exp(value - largest), 0);
  const reference = Math.exp(row[at % width] - largest) / total;
  const size = row.reduce((a, c) => Math.max(a, Math.abs(c)), 0);
  return { reference, bound: (width + 8 + 2 * size) * EPSILON * reference };
}

/** x Phi(x), with Phi = 1/2 + phi(x) (x + x^3/3 + x^5/15 + ...) (Marsaglia, 2004). */
function geluElement(_, { x }, at) {
  const value = x[at];
  let term = value;
  let sum = value;
  for (let n = 3; Math.abs(term) > 1e-18 * Math.abs(sum); n += 2) {
    term *= value ** 2 / n;
    sum += term;
  }
  const share = 0.5 + (sum * Math.exp(-(value ** 2) / 2)) / Math.sqrt(2 * Math.PI);
  return { reference: value * share, bound: 8 * EPSILON * Math.abs(value) };
}

/** For copies: no error is allowed. */
function embeddingElement({ width }, { table: rows, ids }, at) {
  const reference = rows[ids[Math.floor(at / width)] * width + (at % width)];
  return { reference, bound: Number.MIN_VALUE };
}

/** The values of an array of that shape whose index along axis i is axes[i]. */
export function permuted(values, shape, axes) {
  const strides = shape.map((_, i) => product(shape.slice(i + 1)));
  const sizes = axes.map((axis) => shape[axis]);
  const steps = axes.map((axis) => strides[axis]);
  const result = new values.constructor(values.length);
  const at = sizes.map(() => 0);
  let from = 0;
  for (let to = 0; to < result.length; ++to) {
    result[to] = values[from];
    for (let i = sizes.length - 1; i >= 0; --i) {
      at[i] += 1;
      from += steps[i];
      if (at[i] < sizes[i]) break;
      from -= steps[i] * sizes[i];
      at[i] = 0;
    }
  }
  return result;
}
