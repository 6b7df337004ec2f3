/** The program that runtimes.test.mjs runs as CommonJS: uses one engine and prints JSON. */
const { load, PlxError } = require('parallax-nn');
const { load: loadBench } = require('parallax-nn/bench');
const { load: loadInference } = require('parallax-nn/inference');

async function main() {
  const plx = await load({ threads: 2 });
  const { tier, threads } = await plx.ready();
  const model = plx.model('mlp:2-8-1:tanh', { seed: 7 });
  const { loss } = await model.fit([0, 1, 1, 0], [0, 1], { epochs: 20 });
  const error = await model.predict([1, 2, 3]).catch((reason) => reason instanceof PlxError);
  plx.dispose();
  const others = [];
  for (const start of [loadBench, loadInference]) {
    const other = await start({ tier: 'simd' });
    others.push((await other.model('mlp:2-1').predict([1, 2])).length);
    other.dispose();
  }
  const falls = loss.at(-1) < loss[0];
  console.log(JSON.stringify({ tier, threads, falls, error, others }));
}

main();
