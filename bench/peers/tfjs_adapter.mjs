// TensorFlow.js versions of the operations that peer_models.mjs is written in.

const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);

export function tfjsAdapter(tf) {
  return {
    shape: (x) => x.shape,
    constant: (values, shape) => tf.tensor(values, shape),
    matmul: (a, b) => {
      if (a.rank === 3 && b.rank === 2) {
        const [n, s, width] = a.shape;
        return a
          .reshape([n * s, width])
          .matMul(b)
          .reshape([n, s, b.shape[1]]);
      }
      return tf.matMul(a, b);
    },
    add: tf.add,
    sub: tf.sub,
    mul: tf.mul,
    scaled: (x, factor) => x.mul(factor),
    shifted: (x, by) => x.add(by),
    rsqrt: tf.rsqrt,
    exp: tf.exp,
    tanh: tf.tanh,
    relu: tf.relu,
    silu: (x) => x.mul(tf.sigmoid(x)),
    gelu: (x) => x.mul(tf.erf(x.mul(Math.SQRT1_2)).add(1)).mul(0.5),
    geluTanh: (x) =>
      x.mul(
        tf
          .tanh(x.add(x.mul(x).mul(x).mul(0.044715)).mul(SQRT_2_OVER_PI))
          .add(1)
          .mul(0.5),
      ),
    softmax: (x) => tf.softmax(x),
    logSoftmax: (x) => tf.logSoftmax(x),
    mean: (x) => tf.mean(x, -1, true),
    sum: (x) => tf.sum(x),
    meanOfRows: (x) => tf.mean(x, 1),
    meanOfPixels: (x) => tf.mean(x, [0, 1, 2]),
    meanOfImage: (x) => tf.mean(x, [1, 2]),
    reshape: tf.reshape,
    transpose: tf.transpose,
    broadcast: tf.broadcastTo,
    halves: (x) => tf.split(x, 2, -1),
    concat: (parts) => tf.concat(parts, -1),
    stack: (parts) => tf.concat(parts, 1),
    first: (x) => x.slice([0, 0, 0], [-1, 1, -1]).squeeze([1]),
    gather: (table, ids) => tf.gather(table, ids),
    conv: (x, weights, stride) => tf.conv2d(x, weights, stride, weights.shape[0] >> 1),
  };
}
