/** The packed package in a clean project: its contents, how it is imported, and its size. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire, SourceMap } from 'node:module';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { compressed, filesOf, TIERS } from '../../scripts/package_sizes.mjs';
import { noticesOf } from '../../wasm/notices.mjs';
import { newProject } from './support/tarball.mjs';

const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));
const KINDS = ['', 'inference-', 'bench-'];
const ENGINES = KINDS.flatMap((kind) => TIERS.map((tier) => `engine-${kind}${tier}`));
const APP = `
const plx = await load({ tier: 'simd' });
const model = plx.model('mlp:2-3-1', { seed: 1 });
const y = await model.predict([[1, 2], [3, 4]]);
console.log(JSON.stringify({ tier: plx.info().tier, length: y.length, error: new PlxError("PLX_ERR_IO", "").name }));
`;

describe('the packed package', () => {
  let project;
  before(() => {
    project = newProject();
  });
  after(() => project.remove());

  const run = (file) =>
    JSON.parse(execFileSync(process.execPath, [join(project.folder, file)], { encoding: 'utf8' }));
  const content = (name) =>
    readFileSync(join(project.folder, 'node_modules/parallax-nn/dist', name));

  it('contains the built files, the documents and nothing else', () => {
    const entries = ['index', 'inference', 'bench'];
    const node = ['node', 'node-inference', 'node-bench'];
    const extern = ['extern', 'extern-inference', 'extern-bench'];
    const scripts = [
      ...[...entries, ...extern, 'fastest', 'inline', ...node, 'node-worker'].map(
        (name) => `${name}.mjs`,
      ),
      ...node.map((name) => `${name}.cjs`),
      ...ENGINES.map((name) => `${name}.mjs`),
    ];
    const expected = new Set([
      ...['README.md', 'MIGRATING.md', 'package.json'],
      'dist/LICENSE',
      'dist/THIRD_PARTY_NOTICES.txt',
      ...entries.flatMap((name) => [`dist/${name}.d.mts`, `dist/${name}.d.cts`]),
      ...scripts.flatMap((name) => [`dist/${name}`, `dist/${name}.map`]),
      ...ENGINES.map((name) => `dist/${name}.wasm`),
    ]);
    assert.deepEqual(new Set(project.files), expected);
  });

  it('contains the licences of third-party code in it', () => {
    const notices = content('THIRD_PARTY_NOTICES.txt').toString();
    /* Without minification, esbuild keeps the path of every file. */
    const paths = ['node.mjs', 'node-worker.mjs'].flatMap((name) =>
      [
        ...content(name)
          .toString()
          .matchAll(/^\/\/ .*node_modules\/((?:@[^/]+\/)?[^/]+)\//gm),
      ].map(([, bundled]) => bundled),
    );
    const names = new Set([...paths, 'comlink', 'wasm-feature-detect']);
    for (const name of names) {
      const { license } = JSON.parse(readFileSync(join(MODULES, name, 'package.json'), 'utf8'));
      assert.match(notices, new RegExp(`^${name} [\\d.]+ \\(${license}\\)$`, 'm'));
      const text = readFileSync(join(MODULES, name, 'LICENSE'), 'utf8').trimEnd();
      assert.ok(notices.includes(text), `the licence of ${name}`);
    }
    assert.match(notices, /^Emscripten \(MIT\)\n.*\n\nCopyright \(c\) 2010-2014 Emscripten/m);
    assert.match(notices, /^musl.* \(MIT\)$/m);
    assert.match(notices, /Copyright © 2005-\d+ Rich Felker/);
  });

  it('cannot forget a package that is bundled, or its licence', () => {
    const folder = join(project.folder, 'node_modules/fresh');
    const write = (name, text) => project.write(`node_modules/fresh/${name}`, text);
    mkdirSync(folder);
    try {
      write('package.json', JSON.stringify({ name: 'fresh', version: '1.2.3', license: 'MIT' }));
      const bundle = (bytesInOutput) => ({
        outputs: { 'dist/new.mjs': { inputs: { 'node_modules/fresh/a/b.js': { bytesInOutput } } } },
      });
      const forgets = () => noticesOf([bundle(7)], project.folder);
      assert.throws(forgets, /fresh has no licence text/);
      write('LICENCE.md', 'You may.');
      assert.match(forgets(), /^fresh 1\.2\.3 \(MIT\)\nin new\.mjs\n\nYou may\.$/m);
      assert.doesNotMatch(
        noticesOf([bundle(0)], project.folder),
        /fresh/,
        'nothing of it is there',
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('depends on nothing and runs no script when installed', () => {
    assert.deepEqual(readdirSync(join(project.folder, 'node_modules')).sort(), [
      '.package-lock.json',
      'parallax-nn',
    ]);
    const require = createRequire(join(project.folder, 'x.js'));
    const { dependencies, scripts } = require('parallax-nn/package.json');
    assert.equal(dependencies, undefined);
    for (const name of ['preinstall', 'install', 'postinstall']) assert.ok(!(name in scripts));
  });

  it('is imported from an ES module', () => {
    project.write('app.mjs', `import { load, PlxError } from 'parallax-nn';${APP}`);
    assert.deepEqual(run('app.mjs'), { tier: 'simd', length: 2, error: 'PlxError' });
  });

  it('is required from CommonJS', () => {
    project.write(
      'app.cjs',
      `const { load, PlxError } = require('parallax-nn');(async () => {${APP}})();`,
    );
    assert.deepEqual(run('app.cjs'), { tier: 'simd', length: 2, error: 'PlxError' });
  });

  for (const [name, text, source] of [
    ['index', 'it must be a whole number of at least', 'src/arrays.ts'],
    ['engine-simd-threads', 'this model was disposed', 'src/engine.ts'],
    ['engine-inference-relaxed-threads', 'spawnThread', 'plx-glue'],
  ]) {
    it(`has a source map by which ${name}.mjs leads to ${source}`, () => {
      const script = String(content(`${name}.mjs`));
      const lines = script.slice(0, script.indexOf(text)).split('\n');
      const map = JSON.parse(content(`${name}.mjs.map`));
      const found = new SourceMap(map).findEntry(lines.length - 1, lines.at(-1).length);
      const place = map.sources.findIndex((path) => path.endsWith(source));
      assert.match(String(found.originalSource), new RegExp(`${source}$`));
      const near = map.sourcesContent[place].split('\n').slice(found.originalLine).slice(0, 3);
      assert.ok(near.join('\n').includes(text), `${found.originalLine}: ${near}`);
    });
  }

  it('has source maps of every script', () => {
    const scripts = project.files.filter((name) => /\.[mc]js$/.test(name));
    assert.ok(scripts.length > 10);
    for (const name of scripts.map((path) => path.replace('dist/', ''))) {
      const [, map] = /\/\/# sourceMappingURL=(\S+)\s*$/.exec(content(name)) ?? [];
      assert.equal(map, `${name}.map`);
      const { version, sources, sourcesContent } = JSON.parse(content(map));
      assert.equal(version, 3);
      assert.equal(sourcesContent.length, sources.length, 'the sources are in it');
      assert.ok(
        sources.some((source) => source.includes('src/')),
        `${map}: ${sources}`,
      );
    }
  });

  it('has exports, types and files that pass publint', async () => {
    const pkgDir = join(project.folder, 'node_modules/parallax-nn');
    const { messages, pkg } = await publint({ pkgDir, pack: false, level: 'suggestion' });
    assert.deepEqual(
      messages.map((message) => formatMessage(message, pkg)),
      [],
    );
  });

  it('has types that match its files, in every resolution mode', async () => {
    const tarball = createPackageFromTarballData(new Uint8Array(project.tarball()));
    const { types, problems } = await checkPackage(tarball);
    assert.equal(types.kind, 'included');
    /* Node 10 did not support exports; the inline build is one file, which Node 20.19 and later can
     * also require. */
    const others = problems.filter(
      ({ kind, entrypoint, resolutionKind }) =>
        resolutionKind !== 'node10' && !(kind === 'CJSResolvesToESM' && entrypoint === './inline'),
    );
    assert.deepEqual(others, []);
  });

  it('has tasks and suites in a module of its own, and inference in another', () => {
    const told = `
      const has = (object, name) => typeof object[name] === 'function';
      const model = plx.model('mlp:2-3-1', { seed: 1 });
      const failed = (promise) => promise.then(() => '', ({ message }) => message);
      console.log(JSON.stringify({
        suites: has(plx, 'suites') && (await plx.suites()).length > 3,
        tasks: has(plx, 'tasks') && (await plx.tasks()).length > 3,
        predicts: (await model.predict([[1, 2]])).length,
        fit: await failed(model.fit([[1, 2]], [[1]])),
        error: new PlxError('PLX_ERR_IO', '').name,
      }));`;
    const load = `const plx = await load({ tier: 'simd' });${told}plx.dispose();`;
    const noFit = 'fit: parallax-nn/inference does not train: import parallax-nn instead';
    for (const [entry, bench, fit] of [
      ['parallax-nn', false, ''],
      ['parallax-nn/bench', true, ''],
      ['parallax-nn/inference', false, noFit],
    ]) {
      const expected = { suites: bench, tasks: bench, predicts: 1, fit, error: 'PlxError' };
      project.write('own.mjs', `import { load, PlxError } from '${entry}';${load}`);
      assert.deepEqual(run('own.mjs'), expected);
      const required = `const { load, PlxError } = require('${entry}');(async () => {${load}})();`;
      project.write('own.cjs', required);
      assert.deepEqual(run('own.cjs'), expected);
    }
  });

  it('predicts and generates in the inference build what the whole package does', () => {
    const body = `
      const plx = await load({ tier: 'simd' });
      const config = { layers: 1, heads: 2, width: 16, vocabulary: 12, context: 8 };
      const gpt = plx.model('gpt2-nano', { config, seed: 1 });
      const logits = await gpt.predict([[1, 2, 3, 4, 5, 6, 7, 8]]);
      const ids = await gpt.generate([1, 2], { count: 4, seed: 3 });
      const images = new Float32Array(64).map((_, i) => Math.sin(i));
      const { conv2d, batchNorm, maxPool2d, flatten, dense } = plx.layers;
      const net = plx.sequential([
        conv2d({ filters: 4, kernelSize: 3, padding: 'same', activation: 'gelu', inputShape: [8, 8, 1] }),
        batchNorm(), maxPool2d({ poolSize: 2 }), flatten(), dense({ units: 3 }),
      ], { seed: 2 });
      await net.setWeights((await net.getWeights()).map(({ name, shape, data }) =>
        ({ name, shape, data: data.map((v, i) => v + i / 100) })));
      const g = plx.graph();
      const x = g.input('x', [2, 3]);
      const f = await g.compile([g.softmax(g.matmul(x, g.transpose(x, [1, 0])))]);
      const [{ data }] = await f.run({ x: [1, 2, 3, 4, 5, 6] });
      console.log(JSON.stringify([[...logits], [...ids], [...await net.predict(images)], [...data]]));
      plx.dispose();`;
    const given = ['parallax-nn', 'parallax-nn/inference'].map((entry) => {
      project.write('same.mjs', `import { load } from '${entry}';${body}`);
      return run('same.mjs');
    });
    assert.deepEqual(given[1], given[0]);
  });

  it('says where training is if the inference build is asked for it', () => {
    project.write(
      'none.mjs',
      `import { load } from 'parallax-nn/inference';
       const plx = await load({ tier: 'simd' });
       const said = [];
       const told = (error) => said.push(error.codeName + ' ' + error.message);
       try { plx.optimizer('adam'); } catch (error) { told(error); }
       const g = plx.graph();
       const w = g.parameter('w', [2]);
       const loss = g.sum(g.square(w), 0);
       try { g.update('adam', [w], [w]); } catch (error) { told(error); }
       g.gradients(loss, [w]);
       await g.check().catch(told);
       await plx.model('mlp:2-1').explain({ training: true }).catch(told);
       console.log(JSON.stringify(said));
       plx.dispose();`,
    );
    const calls = ['optimizer', 'update', 'gradients', 'explain'];
    const said = run('none.mjs');
    assert.equal(said.length, calls.length);
    for (const [i, call] of calls.entries())
      assert.match(
        said[i],
        new RegExp(`^PLX_ERR_UNSUPPORTED ${call}: parallax-nn/inference .*import parallax-nn`),
      );
  });

  it('runs inline, without worker or files', () => {
    project.write('inline.mjs', `import { load, PlxError } from 'parallax-nn/inline';${APP}`);
    assert.deepEqual(run('inline.mjs'), { tier: 'simd', length: 2, error: 'PlxError' });
  });

  it('loads files from its raw subpaths', () => {
    project.write(
      'raw.mjs',
      `import { readFileSync } from 'node:fs';
       import { load } from 'parallax-nn';
       const at = (path) => new URL(import.meta.resolve(path));
       const wasmBinary = readFileSync(at('parallax-nn/wasm/engine-simd.wasm'));
       const workerURL = at('parallax-nn/worker/engine-simd.mjs');
       const module = new WebAssembly.Module(wasmBinary);
       const tiers = [];
       for (const own of [{ wasmBinary }, { wasmModule: module }]) {
         const plx = await load({ tier: 'simd', workerURL, ...own });
         tiers.push(plx.info().tier);
       }
       console.log(JSON.stringify(tiers));`,
    );
    assert.deepEqual(run('raw.mjs'), ['simd', 'simd']);
  });

  it('has correct types for ESM and CommonJS consumers', () => {
    const app = `
const run = async (): Promise<number> => {
  using plx = await load({ threads: 2, tier: 'simd' });
  const model: Model = plx.sequential(
    [plx.layers.dense({ units: 4, activation: 'relu', inputShape: [2] })], { seed: 1 });
  const controller = new AbortController();
  const history = await model.fit(new Float32Array(8), [[1, 2, 3, 4]], {
    optimizer: { kind: 'sgd', rate: 0.1 }, validation: 0.5, signal: controller.signal,
    onEpoch: ({ epoch, validation }) => console.log(epoch, validation?.rmse) });
  try { await model.evaluate([[1, 2]], [0], { loss: 'crossentropy' }); }
  catch (error) { if (error instanceof PlxError) { const code: number = error.code; return code; } }
  const g: Graph = plx.graph();
  const x = g.input('x', [2, 3]);
  const w = g.parameter('w', [3, 4], new Float32Array(12));
  const labels = g.input('labels', [2], { dtype: 'int32' });
  const [gradient] = g.gradients(g.crossEntropy(g.matmul(x, w), labels), [w]);
  const step: GraphUpdate = g.update({ kind: 'sgd', rate: 0.1 }, [w], [gradient]);
  const f = await g.compile([gradient, g.argmax(x, 1)], { updates: [step] });
  const [values, indices] = await f.run({ x: [[1, 2, 3], [4, 5, 6]], labels: [0, 1] });
  values.data satisfies Float32Array; indices.data satisfies Int32Array;
  g.layer(plx.layers.conv2d({ filters: 2, kernelSize: 3 }), g.input('p', [1, 8, 8, 1]));
  const layered: GraphParameter[] = await g.weights();
  const gpt = plx.model('gpt2-nano', { config: { width: 32 } });
  await gpt.fit({ ids: new Int32Array(64) }, undefined, { loss: 'own' });
  for await (const id of (await gpt.generator()).generate({ count: 2 })) id satisfies number;
  const stack: Layer[] = [plx.layers.embedding({ vocabulary: 9, units: 4, inputShape: [5] })];
  // @ts-expect-error: a convolution has filters
  plx.layers.conv2d({ units: 3, kernelSize: 3 });
  // @ts-expect-error: integers have no exponential
  g.exp(labels);
  g.concat([labels, labels], 0) satisfies GraphNode<'int32'>;
  // @ts-expect-error: reals and integers are not one array
  g.concat([labels, g.input('r', [2])], 0);
  // @ts-expect-error: only parameters are updated
  g.update('adam', [x], [gradient]);
  // @ts-expect-error: there is no such loss
  await model.fit([], [], { loss: 'hinge' });
  return history.loss[0]! + layered.length + stack.length;
};
export { run };`;
    project.write(
      'types.mts',
      `import { load, PlxError, type Graph, type GraphNode, type GraphParameter, type GraphUpdate, type Layer, type Model } from 'parallax-nn';
       import { load as inline } from 'parallax-nn/inline';
       import { load as bench, type BenchRow } from 'parallax-nn/bench';
       import { load as inference, type InferenceModel } from 'parallax-nn/inference';
       export const rows = async (): Promise<BenchRow[]> => (await bench()).bench();
       export const infer = async (): Promise<Float32Array> => {
         const plx = await inference();
         const model: InferenceModel = plx.model('mlp:2-1');
         const g = plx.graph();
         const x = g.input('x', [2, 3]);
         const [y] = await (await g.compile([g.add(g.relu(x), 1)])).run({ x: [[1, 2, 3], [4, 5, 6]] });
         // @ts-expect-error: inference does not train
         model.fit;
         // @ts-expect-error: nor do its graphs have gradients
         g.gradients;
         // @ts-expect-error: nor do they have optimizers
         plx.optimizer;
         y.data satisfies Float32Array;
         return model.predict([[1, 2]]);
       };
       inline satisfies typeof load; bench satisfies typeof load;${app}`,
    );
    project.write(
      'types.cts',
      `import plxnn = require('parallax-nn');
       type Graph = plxnn.Graph; type GraphNode<D extends plxnn.DType> = plxnn.GraphNode<D>; type GraphUpdate = plxnn.GraphUpdate;
       type GraphParameter = plxnn.GraphParameter; type Layer = plxnn.Layer;
       type Model = plxnn.Model; const { load, PlxError } = plxnn;
       import bench = require('parallax-nn/bench');
       export const rows = async (): Promise<bench.BenchRow[]> => (await bench.load()).bench();${app}`,
    );
    const typescript = createRequire(import.meta.url).resolve('typescript/package.json');
    const tsc = (module) =>
      execFileSync(
        process.execPath,
        [
          join(dirname(typescript), 'bin/tsc'),
          ...['--noEmit', '--strict', '--noUncheckedIndexedAccess', '--target', 'es2022'],
          ...['--lib', 'es2023,dom,esnext.disposable', '--types', '', '--module', module],
          ...(module === 'esnext' ? ['--moduleResolution', 'bundler', 'types.mts'] : []),
          ...(module === 'nodenext' ? ['types.mts', 'types.cts'] : []),
        ],
        { cwd: project.folder, encoding: 'utf8' },
      );
    try {
      tsc('nodenext');
      tsc('esnext');
    } catch (error) {
      assert.fail(error.stdout);
    }
  });

  it('has types that need neither those of a browser nor those of Node', () => {
    project.write(
      'alone.mts',
      `import { load, type GraphArray, type Loss, type Model, type SavedWeight, type Weight } from 'parallax-nn';
export const run = async (signal: { readonly aborted: boolean }): Promise<number> => {
  const plx = await load({ tier: 'simd', wasmURL: (tier) => '/' + tier + '.wasm' });
  const { dense } = plx.layers;
  const model: Model = plx.sequential([dense({ units: 2, activation: 'swish', inputShape: [2] })]);
  await model.fit([[1, 2]], [0], { loss: 'sparseCategoricalCrossentropy', optimizer: 'Adam',
    validation: 0, onEpoch: ({ loss }) => { loss satisfies number; } });
  const saved = JSON.parse(JSON.stringify(await model.getWeights())) as SavedWeight[];
  await model.setWeights(saved);
  await model.setWeights(await model.getWeights());
  await model.setWeights([[[1, 2], [3, 4]], new Float32Array(2)]);
  const g = plx.graph();
  const ids = g.input('ids', [4], { dtype: 'int32' });
  const f = await g.compile([
    g.concat([g.slice(ids, 0, 0, 2), ids], 0), g.transpose(ids, [0]), g.pad(ids, [1], [0]),
    g.broadcast(ids, [2, 4]), g.gather(ids, ids), g.reshape(ids, [2, 2]), g.split(ids, 0, 2)[0]!]);
  const [moved, ...others] = await f.run({ ids: [1, 2, 3, 4] });
  [moved, ...others] satisfies GraphArray<'int32'>[];
  dense({ units: 2, activation: 'softmax', trainable: false, kernelInitializer: 'heNormal' });
  // @ts-expect-error: a constant needs its value
  dense({ units: 2, kernelInitializer: 'constant' });
  const rows: readonly (readonly number[])[] = [[1, 2]];
  const predicted = await model.predict([new Float32Array(2)]);
  predicted.shape satisfies readonly number[];
  await model.fit(rows, [[1, 0]] as const, { metrics: ['mae'], sampleWeight: [1] as const,
    loss: (nodes, prediction, target) => nodes.mean(nodes.abs(nodes.sub(prediction, target))),
    onEpoch: ({ metrics }) => (metrics?.mae === 0 ? 'stop' : undefined),
    checkpoint: { best: true, save: async (weights, { epoch }) => { weights satisfies Weight[]; epoch satisfies number; } } });
  async function* batches() { yield { x: rows, y: [[1, 0]] }; }
  const { stopped } = await model.fitDataset(batches, { epochs: 2, loss: { kind: 'huber', delta: 2 } });
  (await model.trainOnBatch(rows, [[1, 0]])).loss satisfies number;
  stopped satisfies boolean;
  const loss: Loss = 'mse';
  plx.dispose();
  return signal.aborted ? loss.length : moved.data[0]!;
};`,
    );
    project.write(
      'browser.mts',
      `import { load } from 'parallax-nn';
import { type BenchParallax, load as loadBench, type Model } from 'parallax-nn/bench';
export const run = async (signal: AbortSignal, wasmModule: WebAssembly.Module) => {
  const workerURL = new URL('worker.mjs', 'https://example.org');
  const plx = await load({ tier: 'simd', wasmModule, workerURL, wasmURL: () => workerURL });
  const model = plx.model('gpt2-nano');
  await model.fit({ ids: [[1]] }, undefined, { loss: 'own', signal });
  await model.generate([1], { signal });
  // @ts-expect-error: tasks are in parallax-nn/bench
  plx.learn;
  const bench: BenchParallax = await loadBench();
  bench.model('gpt2-nano') satisfies Model;
  bench satisfies typeof plx;
  const run = await bench.learn({ task: 'xor' });
  await run.train({ signal });
  return bench.bench({ signal });
};`,
    );
    const typescript = createRequire(import.meta.url).resolve('typescript/package.json');
    const tsc = (lib, file, ...module) =>
      execFileSync(
        process.execPath,
        [
          join(dirname(typescript), 'bin/tsc'),
          ...['--noEmit', '--strict', '--noUncheckedIndexedAccess', '--skipLibCheck', 'false'],
          ...['--target', 'es2022', '--lib', lib, '--types', '', ...module, file],
        ],
        { cwd: project.folder, encoding: 'utf8' },
      );
    try {
      for (const module of [
        ['--module', 'node16', '--moduleResolution', 'node16'],
        ['--module', 'esnext', '--moduleResolution', 'bundler'],
      ]) {
        tsc('es2022', 'alone.mts', ...module);
        tsc('es2022,dom', 'alone.mts', ...module);
        tsc('es2022,dom', 'browser.mts', ...module);
      }
    } catch (error) {
      assert.fail(error.stdout);
    }
  });

  describe('stays small: load() of', () => {
    const sizeOf = (name) => compressed(content(name));
    for (const [name, limit] of [
      ['index', 28_600],
      ['inference', 24_500],
      ['engine-relaxed-threads', 13_800],
      ['engine-inference-relaxed-threads', 11_500],
    ]) {
      it(`${name}.mjs has at most ${limit / 1000} kB, by gzip -9`, () => {
        const size = sizeOf(`${name}.mjs`);
        assert.ok(size <= limit, `${size} bytes`);
      });
    }
    for (const [entry, limit] of [
      ['index', 204_000],
      ['inference', 160_500],
      ['bench', 290_500],
    ]) {
      for (const tier of TIERS) {
        it(`${entry} fetches at most ${limit / 1000} kB in the tier ${tier}, by gzip -9`, () => {
          const sizes = filesOf(entry, tier).map((name) => [name, sizeOf(name)]);
          const all = sizes.reduce((sum, [, size]) => sum + size, 0);
          assert.ok(
            all <= limit,
            `${all} bytes: ${sizes.map((size) => size.join(' ')).join(', ')}`,
          );
        });
      }
    }
  });
});
