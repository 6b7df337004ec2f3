// Parallax in the browser as an engine: its package, used as a page uses it. Training is fit();
// products and predictions are timed by bench(), and their outputs come from predict(); operations
// are graphs of their own.
import { adam, COMPARED_STEPS } from './cases.mjs';
import { parallaxOperation } from './parallax_operations.mjs';

/** One sample of bench(), with its usual rounds. */
const SAMPLE = { seconds: 0.06 };

/** plx: an engine that was started with its suites. sample: options of bench() for one sample. */
export async function parallaxEngine(plx, sample = SAMPLE) {
  const info = await plx.ready();
  let model;
  let single;
  let work;
  const fit = (epochs) =>
    model.fit(work.data.x, work.item.loss === 'own' ? undefined : work.data.y, {
      epochs,
      batchSize: work.item.batch,
      loss: work.item.loss,
      optimizer: { kind: 'adam', ...adam },
      shuffle: false,
    });
  const engine = {
    about: {
      version: info.version,
      tier: info.tier,
      threads: info.threads,
      isa: info.isa,
      gemm: info.gemm,
      vectorBits: info.vectorBits,
      fma: info.fma,
      exact: info.exact,
    },
    async open(item, data) {
      await engine.close();
      work = { item, data };
      if (item.kind === 'op') {
        single = await parallaxOperation(plx, item, data);
        return single.variant;
      }
      model = modelOf(plx, item);
      await engine.reset();
      return '';
    },
    reset: () => model.setWeights(weightsOf(work.item, work.data)),
    async results() {
      if (single) return single.results();
      if (work.item.kind !== 'train') return model.predict(work.data.a ?? work.data.x);
      await engine.reset();
      return (await fit(COMPARED_STEPS)).loss;
    },
    /** fit() starts with a new optimizer. */
    restart: () => engine.reset(),
    async run(count) {
      if (single) return single.run(count);
      if (work.item.kind === 'train') return (await fit(count)).milliseconds * 1e6;
      return count * (await benchNs(plx, work.item, sample));
    },
    peak: () => peak(plx),
    async close() {
      await single?.dispose();
      await model?.dispose();
      single = undefined;
      model = undefined;
    },
  };
  return engine;
}

/** A run of bench() that measures little but the ceiling. */
const SHORT = { seconds: 0.01, rounds: 2 };

/** The ceiling of arithmetic, GFLOP/s, that bench() measures beside its cases; undefined without. */
async function peak(plx) {
  const rows = await plx.bench({ suites: ['gemm'], cases: ['256 x 256 x 256'], ...SHORT });
  return rows.find(({ ceiling }) => ceiling)?.ceiling.gflops;
}

/** A product is a dense layer without activation: x W with a bias of zero. */
function modelOf(plx, item) {
  if (item.manifest) return plx.model(item.model);
  if (item.kind !== 'gemm') return plx.model(`mlp:${item.model}`);
  return plx.sequential([plx.layers.dense({ units: item.n, inputShape: [item.k] })]);
}

function weightsOf(item, data) {
  if (item.kind === 'gemm') return [data.b, new Float32Array(item.n)];
  if (data.named) return data.weights.map(({ w }) => w);
  return data.weights.flatMap(({ w, b }) => [w, b]);
}

/** Nanoseconds per iteration of the case that bench() has under the same name. */
async function benchNs(plx, item, sample) {
  const rows = await plx.bench({ suites: [item.suite], cases: [item.name], ...sample });
  const row = rows.find((candidate) => candidate.case === item.name && candidate.primary);
  if (!row) throw new Error(`bench() gave no row for ${item.name}`);
  if (!row.checks.passed) throw new Error(row.checks.failure);
  const { median } = row.samples;
  return item.kind === 'gemm' ? item.flops / median : median * 1e3;
}
