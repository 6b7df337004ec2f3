// jax-js versions of the operations that peer_models.mjs is written in. Its arrays have owners and
// are consumed by what takes them, so every operand is passed as .ref and intermediate results are
// released at the end.

/** jax: the package. Returns {o, finish(result)}: finish releases all intermediate results. */
export function jaxAdapter({ lax, nn, numpy: np, tree }) {
  const made = [];
  const keep = (array) => {
    made.push(array);
    return array;
  };
  const of =
    (f) =>
    (...arrays) =>
      keep(f(...arrays.map((array) => array.ref)));
  const mean = (axis) => of((x) => np.mean(x, axis, { keepdims: true }));
  const o = {
    shape: (x) => x.shape,
    constant: (values, shape) => keep(np.array(values).reshape(shape)),
    matmul: of((a, b) => np.matmul(a, b)),
    add: of((a, b) => a.add(b)),
    sub: of((a, b) => a.sub(b)),
    mul: of((a, b) => a.mul(b)),
    scaled: (x, factor) => keep(x.ref.mul(factor)),
    shifted: (x, by) => keep(x.ref.add(by)),
    rsqrt: of((x) => np.reciprocal(np.sqrt(x))),
    exp: of((x) => np.exp(x)),
    tanh: of((x) => np.tanh(x)),
    relu: of((x) => nn.relu(x)),
    silu: of((x) => nn.silu(x)),
    gelu: of((x) => nn.gelu(x, { approximate: false })),
    geluTanh: of((x) => nn.gelu(x, { approximate: true })),
    softmax: of((x) => nn.softmax(x, -1)),
    logSoftmax: of((x) => nn.logSoftmax(x, -1)),
    mean: mean(-1),
    sum: of((x) => np.sum(x)),
    meanOfRows: of((x) => np.mean(x, 1)),
    meanOfPixels: mean([0, 1, 2]),
    meanOfImage: of((x) => np.mean(x, [1, 2])),
    reshape: (x, shape) => keep(x.ref.reshape(shape)),
    transpose: (x, axes) => keep(np.transpose(x.ref, axes)),
    broadcast: (x, shape) => keep(np.broadcastTo(x.ref, shape)),
    halves: (x) => {
      const half = x.shape.at(-1) / 2;
      const all = x.shape.slice(1).map(() => []);
      return [0, half].map((from) => keep(x.ref.slice(...all, [from, from + half])));
    },
    concat: (parts) =>
      keep(
        np.concatenate(
          parts.map((x) => x.ref),
          -1,
        ),
      ),
    stack: (parts) =>
      keep(
        np.concatenate(
          parts.map((x) => x.ref),
          1,
        ),
      ),
    first: (x) => keep(x.ref.slice([], 0)),
    gather: (table, ids) => keep(np.take(table.ref, ids.ref, 0)),
    conv: (x, weights, stride) => {
      const side = weights.shape[0];
      const edge = (side - 1) / 2;
      const image = np.transpose(x.ref, [0, 3, 1, 2]);
      const kernel = np.transpose(weights.ref, [3, 2, 0, 1]);
      const padding = [
        [edge, edge],
        [edge, edge],
      ];
      const y = lax.convGeneralDilated(image, kernel, [stride, stride], padding);
      return keep(np.transpose(y, [0, 2, 3, 1]));
    },
  };
  return {
    o,
    finish(result) {
      const own = result.ref;
      tree.dispose(made);
      return own;
    },
  };
}
