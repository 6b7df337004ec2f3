// onnxruntime as an engine, natively and in the browser: both packages have the same interface.
import { onnxModel, shapesOf } from './onnx.mjs';
import { onnxOperation } from './onnx_operations.mjs';

const WARM_UP = 2;
const TRIALS = 7;

/** The models of a case: a single one, except for operations. */
function waysOf(item, data) {
  if (item.kind === 'op') return onnxOperation(item, data);
  const feeds =
    item.kind === 'gemm'
      ? {
          a: { values: data.a, shape: shapesOf(item).a },
          b: { values: data.b, shape: shapesOf(item).b },
        }
      : { x: { values: data.x, shape: [item.batch, item.layers[0]] } };
  return [{ model: onnxModel(item, data), feeds, result: (values) => values }];
}

/**
 * ort: the package; options: for its sessions. With preallocated, outputs are written to the memory
 * of the first one, which the native package supports; the browser's leaves such memory unchanged.
 */
export function ortEngine(ort, options, preallocated) {
  let work;
  const tensor = ({ values, shape }) =>
    new ort.Tensor(values instanceof Int32Array ? 'int32' : 'float32', values, shape);

  async function started(way) {
    const session = await ort.InferenceSession.create(way.model, { ...options, ...way.options });
    const feeds = Object.fromEntries(
      Object.entries(way.feeds).map(([name, feed]) => [name, tensor(feed)]),
    );
    const fetches = preallocated ? { out: (await session.run(feeds)).out } : ['out'];
    return { ...way, session, feeds, fetches };
  }

  /** The fastest of so many runs, in milliseconds. */
  async function trial({ session, feeds, fetches }) {
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < WARM_UP + TRIALS; ++i) {
      const start = performance.now();
      await session.run(feeds, fetches);
      if (i >= WARM_UP) best = Math.min(best, performance.now() - start);
    }
    return best;
  }

  async function fastest(ways) {
    let best;
    for (const way of ways) {
      const candidate = await started(way);
      const ms = ways.length > 1 ? await trial(candidate) : 0;
      if (best && best.ms <= ms) {
        await candidate.session.release();
        continue;
      }
      await best?.session.release();
      best = { ...candidate, ms };
    }
    return best;
  }

  return {
    async open(item, data) {
      work = await fastest(waysOf(item, data));
      return work.name;
    },
    async results() {
      return work.result((await work.session.run(work.feeds, work.fetches)).out.data);
    },
    async run(count) {
      const { session, feeds, fetches } = work;
      const start = performance.now();
      for (let i = 0; i < count; ++i) await session.run(feeds, fetches);
      return (performance.now() - start) * 1e6;
    },
    async close() {
      await work?.session.release();
      work = undefined;
    },
  };
}
