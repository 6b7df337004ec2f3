/** Runs the examples of the README. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, it } from 'node:test';
import { load } from 'parallax-nn/bench';

const readme = readFileSync(new URL('../../wasm/README.md', import.meta.url), 'utf8');
const AsyncFunction = (async () => {}).constructor;

/** The examples of each section in order, without imports; '' is the part above the first section. */
const sections = new Map(
  readme
    .split(/^## /m)
    .map((text, i) => [
      i === 0 ? '' : text.slice(0, text.indexOf('\n')),
      [...text.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) =>
        code.replace(/^import .*\n/gm, ''),
      ),
    ]),
);

let plx;
before(async () => {
  plx = await load({ tier: 'simd' });
});
after(() => plx.dispose());

/** Options that make an example shorter, by the method that takes them. */
const SHORTER = {
  learn: { steps: 5 },
  bench: { cases: ['128', 'batch 64'], seconds: 0.01 },
};

/** The engine, for examples that load one of their own and dispose of it. */
const lent = () =>
  new Proxy(plx, {
    get(engine, name) {
      if (name === 'dispose') return () => {};
      const value = Reflect.get(engine, name, engine);
      if (typeof value !== 'function') return value;
      const more = SHORTER[name];
      return (...given) => value.apply(engine, more ? [{ ...given[0], ...more }] : given);
    },
  });

const ran = new Set();

/** Runs the examples of sections as one program; gives: what it returns. Returns that and the log. */
async function run(names, given, gives) {
  const code = names.flatMap((name) => {
    ran.add(name);
    return sections.get(name);
  });
  const logged = [];
  const log = (...parts) => logged.push(parts.length > 1 ? parts : parts[0]);
  const all = { plx, load: async () => lent(), ...given };
  const own = Object.entries(all).filter(
    ([name]) => name !== 'plx' || !code[0].includes('const plx'),
  );
  const body = `${code.join('\n')}\nreturn ${gives};`;
  const program = new AsyncFunction(...own.map(([name]) => name), 'console', body);
  return [await program(...own.map(([, value]) => value), { log }), logged];
}

const x = new Float32Array(5 * 300).map((_, i) => Math.sin(i));
const y = new Float32Array(300).map((_, i) => x[5 * i]);

it('the first example trains and predicts, and an optimizer carries on', async () => {
  const chunks = [
    { x, y },
    { x, y },
  ];
  const gives = '{ history, predictions, rate: adam.options.rate }';
  const [result, logged] = await run([''], { x, y, chunks }, gives);
  assert.equal(result.history.epochs.length, 50);
  assert.ok(
    result.history.epochs.at(-1).validation.rmse < result.history.epochs[0].validation.rmse,
  );
  assert.equal(result.predictions.length, 300);
  assert.equal(result.rate, 1e-4);
  assert.match(logged.at(-1), /dense_2/);
});

it('layers, models by name and generation', async () => {
  const gives = '{ perplexity, name, shape, logits: logits.length, continued: [...continued] }';
  const [result, logged] = await run(['Layers', 'Models by name', 'Generation'], {}, gives);
  assert.match(String(logged[0]), /conv2d_1 +\[28, 28, 8\]/);
  assert.deepEqual([result.name, result.shape], ['ids', [64]]);
  assert.equal(result.logits, 64 * 10);
  assert.equal(result.continued.length, 20);
  assert.ok(result.perplexity < 10, `perplexity ${result.perplexity}`);
  assert.deepEqual(logged.slice(-10).map(Number.isInteger), new Array(10).fill(true));
});

it('graphs, and the error of a wrong call', async () => {
  const given = {
    kernelValues: new Float32Array(144).map((_, i) => Math.sin(i) / 3),
    wValues: new Float32Array(160).map((_, i) => Math.cos(i) / 4),
    images: new Float32Array(64 * 28 * 28).map((_, i) => Math.sin(i)),
    digits: new Int32Array(64).map((_, i) => i % 10),
  };
  const [first, second] = sections.get('Graphs');
  sections.set('Graphs', [first]);
  const [{ data, shape }] = await run(['Graphs'], given, '{ data, shape }');
  assert.deepEqual(shape, []);
  assert.ok(data[0] > 1 && data[0] < 10, `the loss of ten classes is ${data[0]}`);
  sections.set('Graphs', [second]);
  const promised = /PlxError: (.*)/.exec(second)[1];
  const call = { method: 'matmul', index: 1 };
  await assert.rejects(run(['Graphs'], { g: plx.graph() }, '0'), { message: promised, call });
});

it('learning tasks', async () => {
  const [{ steps, reason }, logged] = await run(
    ['Learning tasks'],
    {},
    '{ steps: run.about.steps, reason }',
  );
  assert.deepEqual([steps, reason], [5, 'done']);
  assert.ok(logged.length > 4);
});

it('measuring', async () => {
  const [rows, logged] = await run(['Measuring'], {}, 'rows');
  assert.deepEqual(new Set(rows.map(({ suite }) => suite)), new Set(['machine', 'gemm', 'mlp']));
  assert.ok(logged.some(({ fraction }) => fraction > 0));
});

it('no example is left out', () => {
  const all = [...sections].filter(([, examples]) => examples.some((code) => code.trim() !== ''));
  assert.deepEqual(new Set(all.map(([name]) => name)), ran);
});
