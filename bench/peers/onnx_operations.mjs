// Single operations as ONNX models: all ways in which onnxruntime offers each.
import { contribNode, indices, input, model, node, output, tensor } from './onnx.mjs';
import { outputShape, permuted, shapesOf } from './operations.mjs';

const LAYER_NORM_EPSILON = 1e-5;

const NCHW = [0, 3, 1, 2];
const NHWC = [0, 2, 3, 1];
const permutedShape = (shape, axes) => axes.map((axis) => shape[axis]);

/**
 * Returns [{name, model, feeds: {name: {values, shape}}, result(values), options}]: result brings
 * the output into our layout, options are for the session.
 */
export function onnxOperation(item, data) {
  return ways[item.op](item, data.inputs, shapesOf(item), outputShape(item));
}

const same = (values) => values;

/**
 * Convolutions are NCHW; with level "all" onnxruntime uses blocked channels, at the cost of
 * reordering.
 */
function conv({ sizes }, { x, weights, bias }, shapes, shape) {
  const inputShape = permutedShape(shapes.x, NCHW);
  const resultShape = permutedShape(shape, NCHW);
  const kernel = permuted(weights, shapes.weights, [3, 2, 0, 1]);
  const way = {
    model: model(
      node('Conv', ['x', 'w', 'b'], 'out', {
        kernel_shape: [sizes.k, sizes.k],
        strides: [sizes.stride, sizes.stride],
        pads: [sizes.pad, sizes.pad, sizes.pad, sizes.pad],
        group: sizes.groups,
      }),
      tensor('w', permutedShape(shapes.weights, [3, 2, 0, 1]), kernel),
      tensor('b', shapes.bias, bias),
      input('x', inputShape),
      output('out', resultShape),
    ),
    feeds: { x: { values: permuted(x, shapes.x, NCHW), shape: inputShape } },
    result: (values) => permuted(values, resultShape, NHWC),
  };
  return ['all', 'extended'].map((level) => ({
    ...way,
    name: `optimised: ${level}`,
    options: { graphOptimizationLevel: level },
  }));
}

/** Products on heads that are already separate, and the fused operator on whole rows. */
function attention({ sizes }, { q, k, v }, shapes) {
  const { batch, length, heads, width } = sizes;
  const apart = [batch, heads, length, width];
  const turned = [batch, heads, width, length];
  const split = (values, axes) => permuted(values, [batch, length, heads, width], axes);
  const whole = shapes.q;
  return [
    {
      name: 'MatMul, Softmax, MatMul',
      model: model(
        node('Mul', ['q', 'scale'], 'scaled'),
        node('MatMul', ['scaled', 'k'], 'scores'),
        node('Softmax', ['scores'], 'shares'),
        node('MatMul', ['shares', 'v'], 'out'),
        tensor('scale', [], Float32Array.of(1 / Math.sqrt(width))),
        input('q', apart),
        input('k', turned),
        input('v', apart),
        output('out', apart),
      ),
      feeds: {
        q: { values: split(q, [0, 2, 1, 3]), shape: apart },
        k: { values: split(k, [0, 2, 3, 1]), shape: turned },
        v: { values: split(v, [0, 2, 1, 3]), shape: apart },
      },
      result: (values) => permuted(values, apart, [0, 2, 1, 3]),
    },
    {
      name: 'MultiHeadAttention',
      model: model(
        contribNode('MultiHeadAttention', ['q', 'k', 'v'], 'out', { num_heads: heads }),
        ...['q', 'k', 'v'].map((name) => input(name, whole)),
        output('out', whole),
      ),
      feeds: {
        q: { values: q, shape: whole },
        k: { values: k, shape: whole },
        v: { values: v, shape: whole },
      },
      result: same,
    },
  ];
}

/** x is the input, the rest are weights. */
const onRows =
  (makeNode, weights = []) =>
  (_, values, shapes, shape) => [
    {
      model: model(
        makeNode(),
        ...weights.map((name) => tensor(name, shapes[name], values[name])),
        input('x', shapes.x),
        output('out', shape),
      ),
      feeds: { x: { values: values.x, shape: shapes.x } },
      result: same,
    },
  ];

function embedding(_, values, shapes, shape) {
  return [
    {
      model: model(
        node('Gather', ['table', 'ids'], 'out', { axis: 0 }),
        tensor('table', shapes.table, values.table),
        indices('ids', shapes.ids),
        output('out', shape),
      ),
      feeds: { ids: { values: values.ids, shape: shapes.ids } },
      result: same,
    },
  ];
}

const ways = {
  conv2d: conv,
  attention,
  layer_norm: onRows(
    () =>
      node('LayerNormalization', ['x', 'scale', 'shift'], 'out', {
        epsilon: { number: LAYER_NORM_EPSILON },
      }),
    ['scale', 'shift'],
  ),
  softmax: onRows(() => node('Softmax', ['x'], 'out')),
  gelu: onRows(() => node('Gelu', ['x'], 'out')),
  embedding,
};
