// Single operations as graphs of the package.
import { operation, operationData, shapesOf } from './operations.mjs';

/** Small ones, which show which operations this build has. */
const tiny = [
  operation('conv2d', '', { n: 1, h: 3, w: 3, in: 1, k: 1, out: 1, stride: 1, pad: 0, groups: 1 }),
  operation('attention', '', { batch: 1, length: 2, heads: 1, width: 2 }),
  operation('layer_norm', '', { rows: 2, width: 2 }),
  operation('softmax', '', { rows: 2, width: 2 }),
  operation('gelu', '', { rows: 2, width: 2 }),
  operation('embedding', '', { vocabulary: 2, width: 2, ids: 2 }),
];

/** Returns {op: ""}, or the reason why this build cannot run it. */
export async function operationsOf(plx) {
  const found = {};
  for (const item of tiny) {
    try {
      const single = await parallaxOperation(plx, item, operationData(item, 1));
      await single.results();
      await single.dispose();
      found[item.op] = '';
    } catch (error) {
      found[item.op] = error.message;
    }
  }
  return found;
}

/**
 * Returns {variant, results, run(count), dispose}. As with TensorFlow.js, arrays stay in the engine
 * while it is timed, and only the first element of each result is copied to the page; if the build
 * cannot slice, the whole result is. variant says which.
 */
export async function parallaxOperation(plx, item, data) {
  if (!plx.graph) throw new Error('this build of the package has no graphs');
  const whole = await compiled(plx, item, data, (_, y) => y);
  const first = (graph, y) => graph.slice(graph.reshape(y, [-1]), 0, 0, 1);
  const timed = await compiled(plx, item, data, first).catch(() => whole);
  return {
    variant: timed === whole ? 'results copied to the page' : 'results stay in the engine',
    async results() {
      const [y] = await whole.compute.run(whole.given);
      return y.data;
    },
    /** Returns nanoseconds. The next run is started before one has ended. */
    async run(count) {
      const start = performance.now();
      let before;
      for (let i = 0; i < count; ++i) {
        const next = timed.compute.run(timed.given);
        await before;
        before = next;
      }
      await before;
      return (performance.now() - start) * 1e6;
    },
    async dispose() {
      await whole.graph.dispose();
      if (timed !== whole) await timed.graph.dispose();
    },
  };
}

/** Returns {graph, compute, given}: real arrays are parameters, indices are passed to every run. */
async function compiled(plx, item, data, outputOf) {
  const graph = plx.graph();
  const shapes = shapesOf(item);
  const given = {};
  const array = (name) => {
    const values = data.inputs[name];
    if (!(values instanceof Int32Array)) return graph.parameter(name, shapes[name], values);
    given[name] = values;
    return graph.input(name, shapes[name], { dtype: 'int32' });
  };
  try {
    const y = makers[item.op](graph, array, item.sizes);
    return { graph, given, compute: await graph.compile([outputOf(graph, y)]) };
  } catch (error) {
    await graph.dispose();
    throw error;
  }
}

const makers = {
  conv2d: (graph, array, { stride, pad, groups }) =>
    graph.conv2d(array('x'), array('weights'), {
      bias: array('bias'),
      stride,
      padding: pad,
      groups,
    }),
  attention: (graph, array, { heads }) =>
    graph.attention(array('q'), array('k'), array('v'), { heads }),
  layer_norm: (graph, array) =>
    graph.layerNorm(array('x'), { scale: array('scale'), shift: array('shift'), epsilon: 1e-5 }),
  softmax: (graph, array) => graph.softmax(array('x')),
  gelu: (graph, array) => graph.gelu(array('x')),
  embedding: (graph, array) => graph.embedding(array('table'), array('ids')),
};
