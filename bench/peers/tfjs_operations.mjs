// Single operations in TensorFlow.js; those for which it has no kernel, by its own formulas.
import { permuted, shapesOf } from './operations.mjs';

const LAYER_NORM_EPSILON = 1e-5;

/**
 * Returns {inputs: tensors, compute: () => tensor, result(values): brings values into our layout}.
 */
export function tfjsOperation(tf, item, data) {
  const shapes = shapesOf(item);
  const tensors = Object.fromEntries(
    Object.entries(data.inputs).map(([name, values]) => [
      name,
      tf.tensor(values, shapes[name], values instanceof Int32Array ? 'int32' : 'float32'),
    ]),
  );
  const { inputs, compute, result } = makers[item.op](tf, item, tensors, data);
  return { inputs: inputs ?? tensors, compute, result: result ?? ((values) => values) };
}

function conv2d(tf, { sizes }, { x, weights, bias }) {
  const { stride: strides, pad, groups, k, out } = sizes;
  if (groups === 1)
    return { compute: () => tf.fused.conv2d({ x, filter: weights, strides, pad, bias }) };
  const filter = tf.reshape(weights, [k, k, out, 1]);
  return {
    inputs: [x, weights, bias, filter],
    compute: () => tf.fused.depthwiseConv2d({ x, filter, strides, pad, bias }),
  };
}

/** Head by head, on heads that are already separate: its batched products run plain loops. */
function attention(tf, { sizes }, tensors, data) {
  const { batch, length, heads, width } = sizes;
  tf.dispose(tensors);
  const split = (name, axes, shape) => {
    const values = permuted(data.inputs[name], [batch, length, heads, width], axes);
    return tf.unstack(tf.tensor(values, [batch * heads, ...shape]));
  };
  const inputs = tf.tidy(() => ({
    q: split('q', [0, 2, 1, 3], [length, width]),
    k: split('k', [0, 2, 3, 1], [width, length]),
    v: split('v', [0, 2, 1, 3], [length, width]),
    scale: tf.scalar(1 / Math.sqrt(width)),
  }));
  const { q, k, v, scale } = inputs;
  const head = (_, i) => tf.matMul(tf.softmax(tf.matMul(tf.mul(q[i], scale), k[i])), v[i]);
  return {
    inputs,
    compute: () => tf.stack(q.map(head)),
    result: (values) => permuted(values, [batch, heads, length, width], [0, 2, 1, 3]),
  };
}

/** Composed of elementwise operations: it has no kernel for this. */
const layerNorm = (tf, _, { x, scale, shift }) => ({
  compute() {
    const { mean, variance } = tf.moments(x, -1, true);
    const factor = tf.mul(tf.rsqrt(tf.add(variance, LAYER_NORM_EPSILON)), scale);
    return tf.add(tf.mul(tf.sub(x, mean), factor), shift);
  },
});

const softmax = (tf, _, { x }) => ({ compute: () => tf.softmax(x) });

const gelu = (tf, _, { x }) => ({
  compute: () => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)),
});

const embedding = (tf, _, { table, ids }) => ({ compute: () => tf.gather(table, ids) });

const makers = { conv2d, attention, layer_norm: layerNorm, softmax, gelu, embedding };
