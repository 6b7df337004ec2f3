/** The program that runtimes.test.mjs runs in every runtime: uses one engine and prints JSON. */
import { load } from 'parallax-nn/bench';
import { engineFuses } from './relaxed.mjs';

const plx = await load({ threads: 2 });
const { tier, threads, fma, downgrades, version } = await plx.ready();
const model = plx.model('mlp:2-8-1:tanh', { seed: 7 });
const x = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
];
const before = await model.predict(x);
const history = await model.fit(x, [[0], [1], [1], [0]], {
  epochs: 100,
  optimizer: { kind: 'adam', rate: 0.05 },
});
const after = await model.predict(x);
/* Large enough to use both threads. */
const wide = plx.model('mlp:256-512-512-10', { seed: 1 });
const outputs = await wide.predict(new Float32Array(256 * 256).fill(0.5));
const [row] = await plx.bench({
  suites: ['accuracy'],
  cases: ['leaky_relu'],
  size: 'quick',
  seconds: 0.01,
});
plx.dispose();
const disposed = await model.predict(x).catch((error) => error.codeName);
const fast = await load({ tier: 'fastest', threads: 1 });
const fastest = fast.info();
const exact = await fast.model('mlp:2-3-1', { seed: 1 }).predict(x);
fast.dispose();
console.log(
  JSON.stringify({
    ...{ tier, threads, fma, downgrades, version, disposed },
    ...{ fastest: fastest.tier, measured: fastest.measured, predicts: exact.length },
    fuses: engineFuses() ?? false,
    runtime: row.engine.runtime,
    rowFma: row.engine.fma,
    passed: row.checks.passed,
    changed: before.some((y, i) => y !== after[i]),
    loss: [history.loss[0], history.loss.at(-1)],
    same: outputs.every((y, i) => y === outputs[i % 10]),
  }),
);
