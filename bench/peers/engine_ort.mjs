// onnxruntime as an engine, natively and in the browser: the packages have one interface.
import { onnxModel } from './onnx.mjs';

/**
 * ort: the package; options: of its sessions. With preallocated, outputs are written where the
 * first one lies, which the native package can do; in the browser it leaves such memory as it was.
 */
export function ortEngine(ort, options, preallocated) {
  let session;
  let feeds;
  let fetches;
  return {
    async open(item, data) {
      session = await ort.InferenceSession.create(onnxModel(item, data), options);
      const tensor = (values, shape) => new ort.Tensor('float32', values, shape);
      feeds =
        item.kind === 'gemm'
          ? { a: tensor(data.a, [item.m, item.k]), b: tensor(data.b, [item.k, item.n]) }
          : { x: tensor(data.x, [item.batch, item.layers[0]]) };
      fetches = preallocated ? { out: (await session.run(feeds)).out } : ['out'];
    },
    async results() {
      return (await session.run(feeds, fetches)).out.data;
    },
    async run(count) {
      const start = performance.now();
      for (let i = 0; i < count; ++i) await session.run(feeds, fetches);
      return (performance.now() - start) * 1e6;
    },
    async close() {
      await session?.release();
      session = undefined;
    },
  };
}
