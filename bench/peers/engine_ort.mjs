// onnxruntime as an engine, natively and in the browser: the packages have one interface.
import { onnxModel } from './onnx.mjs';

/** ort: the package; options: of its sessions. */
export function ortEngine(ort, options) {
  let session;
  let feeds;
  let fetches;
  return {
    async open(item, data) {
      session = await ort.InferenceSession.create(onnxModel(item, data), options);
      const tensor = (values, shape) => new ort.Tensor('float32', values, shape);
      const shape = item.kind === 'gemm' ? [item.m, item.n] : [item.batch, item.layers.at(-1)];
      fetches = { out: tensor(new Float32Array(shape[0] * shape[1]), shape) };
      feeds =
        item.kind === 'gemm'
          ? { a: tensor(data.a, [item.m, item.k]), b: tensor(data.b, [item.k, item.n]) }
          : { x: tensor(data.x, [item.batch, item.layers[0]]) };
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
