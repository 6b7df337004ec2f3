// Adds an activation and a layer to a copy of the tree by the instructions of CONTRIBUTING.md. They must
// work: in the library, in the tests that walk its tables, in the generated TypeScript, and when called
// from there.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const copy = mkdtempSync(path.join(tmpdir(), 'contributing-'));
const objects = path.join(copy, 'build');
const read = (file) => readFileSync(path.join(copy, file), 'utf8');
const start = promisify(execFile);
const compiler = process.env.CC ?? 'cc';

function run(program, args, options = {}) {
  const settings = { cwd: copy, encoding: 'utf8', timeout: 400_000, maxBuffer: 1 << 26 };
  return execFileSync(program, args, { ...settings, ...options });
}

/** The steps of a section: what to insert after which line of which file. */
function stepsOf(title) {
  const section = read('CONTRIBUTING.md')
    .split(/^## /m)
    .find((text) => text.startsWith(title));
  const step = /`([\w/.]+)` after\s+`([^`]+)`:\n *```(?:c|js)\n([\s\S]*?)\n *```/g;
  return [...section.matchAll(step)].map(([, file, line, text]) => ({
    file,
    line,
    text: text.replace(/^ {3}/gm, ''),
  }));
}

const squeezed = (text) => text.replace(/\s/g, '');

function apply({ file, line, text }) {
  const lines = read(file).split('\n');
  const places = lines.flatMap((own, i) => (squeezed(own).startsWith(squeezed(line)) ? [i] : []));
  assert.equal(places.length, 1, `${file}: ${places.length} lines begin with ${line}`);
  lines.splice(places[0] + 1, 0, text);
  writeFileSync(path.join(copy, file), lines.join('\n'));
}

function copyTree() {
  const files = run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
  });
  for (const file of files
    .split('\0')
    .filter((name) => name && !name.startsWith('bench/results/'))) {
    mkdirSync(path.join(copy, path.dirname(file)), { recursive: true });
    cpSync(path.join(root, file), path.join(copy, file));
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
}

const objectsOf = (folder) =>
  readdirSync(path.join(copy, folder))
    .filter((name) => name.endsWith('.o'))
    .map((name) => path.join(copy, folder, name));

const link = (program, ...lists) =>
  run(compiler, [...lists.flat(), '-lm', '-lpthread', '-ldl', '-o', program]);

/** Files of a folder that are compiled on their own. */
const sourcesOf = (folder) =>
  readdirSync(path.join(copy, folder))
    .filter((name) => /(?<!\.inc)\.c$/.test(name) && name !== 'kernels_target.c')
    .map((name) => path.join(copy, folder, name));

const FLAGS = ['-std=c17', '-DPLX_REAL=double', '-DPLX_HAVE_SCALAR', '-DPLX_TARGET=scalar'];
FLAGS.push('-D_GNU_SOURCE', `-I${copy}/src`, `-I${copy}`, `-I${copy}/tests`);

/* Double precision, and only the tests of operations and kernels, which takes the least time to
 * compile. */
async function buildTests() {
  const groups = read('tests/groups.def').match(
    /^GROUP\((ops_gradients|kernels_walk|unit_layers),.*$/gm,
  );
  assert.equal(groups.length, 3);
  writeFileSync(path.join(copy, 'tests/groups.def'), groups.join('\n'));
  mkdirSync(objects);
  const layers = ['base', 'kernels', 'blocks', 'ops', 'graph', 'plan', 'nn', 'io'];
  const library = [...layers.map((layer) => `src/${layer}`), 'native'].flatMap(sourcesOf);
  library.push(path.join(copy, 'src/kernels/kernels_target.c'));
  const tests = ['tests', 'tests/ops', 'tests/kernels'].flatMap(sourcesOf);
  tests.push(path.join(copy, 'tests/unit/layer_kinds.c'));
  const lanes = Array.from({ length: availableParallelism() }, () => []);
  for (const [i, file] of library.entries()) lanes[i % lanes.length].push(file);
  const compile = (folder, list) =>
    start(compiler, [...FLAGS, '-O1', '-c', ...list], { cwd: folder });
  await Promise.all(lanes.map((lane) => compile(objects, lane)));
  mkdirSync(path.join(copy, 'test-objects'));
  await compile(path.join(copy, 'test-objects'), tests);
  link(path.join(objects, 'tests'), objectsOf('build'), objectsOf('test-objects'));
}

const group = (name) => {
  const text = run(path.join(objects, 'tests'), [name]);
  assert.match(text, /[1-9]\d* checks, 0 failed/, text);
};

/** Bundles a source of the package and imports it. */
async function imported(name) {
  const outfile = path.join(copy, `${name}.mjs`);
  const entry = path.join(copy, `wasm/src/${name}.ts`);
  await build({
    define: { PLX_TRAINING: 'true' },
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: 'esm',
    logLevel: 'error',
  });
  return import(pathToFileURL(outfile).href);
}

/** What a graph of the package asks of its engine for one call. */
async function callOf(method) {
  const { graphMaker } = await imported('graph');
  const calls = [];
  const engine = { extendGraph: (_, list) => calls.push(...(list.calls ?? list)) };
  const graph = graphMaker({
    call: async (ask) => {
      ask(engine);
      return { values: calls.map(() => ({ shape: [], dtype: 'float32' })) };
    },
    watch() {},
  })();
  graph[method](graph.input('x', [3]));
  await graph.check();
  return calls.at(-1);
}

/** Runs a program on functions that JavaScript calls, natively; returns the numbers that it prints. */
function runBorder(name, exported, given) {
  const folder = path.join(copy, 'native-border');
  mkdirSync(path.join(folder, 'emscripten'), { recursive: true });
  writeFileSync(path.join(folder, 'emscripten/emscripten.h'), '#define EMSCRIPTEN_KEEPALIVE\n');
  for (const file of ['border.h', `${name}.c`])
    cpSync(path.join(root, 'tests/scripts', file), path.join(folder, file));
  const program = path.join(folder, name);
  link(
    program,
    [...FLAGS, `-I${folder}`, `-I${copy}/wasm`, path.join(folder, `${name}.c`)],
    [path.join(copy, 'wasm', exported), ...objectsOf('build')],
  );
  return run(program, given.map(String)).trim().split(' ').map(Number);
}

/** Runs a call of a builder. */
const runCall = ({ builder, inputs, numbers }, values) =>
  runBorder('border_call', 'exports_graph.c', [
    ...[builder, inputs.length, numbers.length, ...numbers, ...values],
  ]);

before(async () => {
  copyTree();
  for (const [title, count] of [
    ['Adding an activation', 5],
    ['Adding a layer', 6],
  ]) {
    const steps = stepsOf(title);
    assert.equal(steps.length, count, title);
    steps.forEach(apply);
  }
  run(process.execPath, ['wasm/generate.mjs']);
  await buildTests();
});
after(() => rmSync(copy, { recursive: true }));

describe('an activation, added as CONTRIBUTING.md says', () => {
  it('has a gradient that the op tests compare with finite differences', () =>
    group('ops.gradients'));
  it('has kernels that the kernel tests compare with the formula', () => group('kernels.walk'));

  it('is a method of graphs in TypeScript, with its documentation, and a name for layers', () => {
    const methods = read('wasm/src/generated/graph_builders.ts');
    assert.match(methods, /\/\*\* max\(x, 0\)\^2\. \*\/\nreluSquared\(x: GraphNode\): GraphNode;/);
    assert.match(read('wasm/src/generated/kinds.ts'), /\| 'relu_squared'/);
    run(process.execPath, [
      ...[path.join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', '-p', 'wasm'],
    ]);
  });

  it('can be called from JavaScript', async () => {
    const call = await callOf('reluSquared');
    assert.equal(call.builder, 'relu_squared');
    assert.deepEqual(runCall(call, [-2, 0.5, 3]), [0, 0.25, 9]);
  });
});

describe('a layer with a field, added as CONTRIBUTING.md says', () => {
  it('has the shapes and gradients that the layer tests expect', () => group('unit.layers'));

  it('has its options in TypeScript, with their documentation', () => {
    const types = read('wasm/src/generated/layer_types.ts');
    assert.match(types, /\/\*\* Factor \(default 1\)\. \*\/\nfactor\?: number;/);
    assert.match(
      types,
      /\/\*\* Multiplies by a factor\. \*\/\nscale\(options\?: ScaleOptions\): Layer;/,
    );
  });

  it('can be used from JavaScript', async () => {
    const { layers, stackOf } = await imported('layers');
    const predicted = (options, values) => {
      const { layers: stack } = stackOf([layers.scale({ ...options, inputShape: [3] })]);
      const { numbers, names } = stack[0];
      assert.deepEqual(names, ['']);
      return runBorder('border_layer', 'exports_model.c', [
        ...[numbers.length, ...numbers, ...values],
      ]);
    };
    assert.deepEqual(predicted({ factor: 2.5 }, [-2, 0.5, 3]), [-5, 1.25, 7.5]);
    assert.deepEqual(predicted({}, [-2, 0.5, 3]), [-2, 0.5, 3]);
    assert.throws(() => predicted({ factor: -1 }, [1]), /factor is -1: it must be above 0/);
    assert.throws(
      () => predicted({ faktor: 1 }, [1]),
      /scale has no option "faktor": it has factor/,
    );
  });
});
