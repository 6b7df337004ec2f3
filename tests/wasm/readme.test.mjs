/** Runs the examples of the README, and compiles them as strict TypeScript. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { load } from 'parallax-nn/bench';

const readme = readFileSync(new URL('../../wasm/README.md', import.meta.url), 'utf8');
const AsyncFunction = (async () => {}).constructor;

/** The examples of each section in order; '' is the part above the first section. */
const written = new Map(
  readme
    .split(/^## /m)
    .map((text, i) => [
      i === 0 ? '' : text.slice(0, text.indexOf('\n')),
      [...text.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code),
    ]),
);
const withoutImports = (code) => code.replace(/^import .*\n/gm, '');
/** The same without imports. */
const sections = new Map([...written].map(([name, list]) => [name, list.map(withoutImports)]));

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

it('losses, metrics, weights and batches', async () => {
  const store = new Map();
  const classes = new Int32Array(300).map((_, i) => (x[5 * i] > 0 ? 2 : i % 2));
  const pixelsOf = async (i) => x.slice(50 * i, 50 * (i + 1));
  const labelsOf = async (i) => y.slice(10 * i, 10 * (i + 1));
  const [result, logged] = await run(
    ['Losses, metrics and weights', 'Batches'],
    { x, y, classes, store, pixelsOf, labelsOf },
    '{ epochs, stopped, loss }',
  );
  assert.ok(result.epochs.at(-1).metrics.accuracy > result.epochs[0].metrics.accuracy);
  assert.equal(typeof result.stopped, 'boolean');
  assert.equal(store.get('best').length, 4);
  assert.equal(result.loss.length, 20);
  assert.deepEqual(Object.keys(logged[0]), ['mae', 'rmse']);
  assert.equal(logged[1][0], 20);
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

/** What the examples of some sections, which make one program, are given, as TypeScript. */
const FLOATS = 'Float32Array';
const PROGRAMS = [
  [[''], { x: FLOATS, y: FLOATS, chunks: `{ x: ${FLOATS}; y: ${FLOATS} }[]` }],
  [
    ['Losses, metrics and weights', 'Batches'],
    {
      ...{ x: FLOATS, y: FLOATS, classes: 'Int32Array', store: 'Map<string, Weight[]>' },
      pixelsOf: `(i: number) => Promise<${FLOATS}>`,
      labelsOf: `(i: number) => Promise<${FLOATS}>`,
    },
  ],
  [['Layers', 'Models by name', 'Generation'], {}],
  [['Watching it work'], {}],
  [['Graphs'], { kernelValues: FLOATS, wValues: FLOATS, images: FLOATS, digits: 'Int32Array' }],
  [['Without training'], {}],
  [['Learning tasks'], {}],
  [['Measuring'], {}],
];

it('the examples are strict TypeScript', () => {
  const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'readme-'));
  try {
    symlinkSync(modules, join(folder, 'node_modules'));
    const files = PROGRAMS.map(([names, given], i) => {
      const code = names.flatMap((name) => written.get(name)).join('\n');
      const all = code.includes('const plx') ? given : { plx: 'BenchParallax', ...given };
      const lines = Object.entries(all).map(([name, type]) => `declare const ${name}: ${type};`);
      const types = "import type { BenchParallax, Weight } from 'parallax-nn/bench';";
      writeFileSync(join(folder, `${i}.mts`), [types, ...lines, code, 'export {};'].join('\n'));
      return `${i}.mts`;
    });
    const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
    const options = [
      ...['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--types', ''],
      ...['--lib', 'es2023,dom,esnext.disposable', '--skipLibCheck', 'false'],
    ];
    const tsc = [join(typescript, 'bin/tsc'), ...options, ...files];
    execFileSync(process.execPath, tsc, { cwd: folder, encoding: 'utf8' });
  } catch (error) {
    assert.fail(error.stdout ?? error);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('every example is compiled', () => {
  const compiled = new Set(PROGRAMS.flatMap(([names]) => names));
  const all = [...written].filter(([, examples]) => examples.length > 0);
  assert.deepEqual(new Set(all.map(([name]) => name)), compiled);
});

it('watching it work', async () => {
  const [, logged] = await run(['Watching it work'], {}, '0');
  assert.equal(logged[0][0], 'parallax:load');
  assert.ok(logged[0][1] > 0);
  assert.match(logged.at(-1), /^parallax-nn [\d.]+\ntier +simd/);
});

it('no example is left out', () => {
  const all = [...sections].filter(([, examples]) => examples.some((code) => code.trim() !== ''));
  assert.deepEqual(new Set(all.map(([name]) => name)), ran);
});
