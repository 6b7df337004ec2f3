/** A small application, bundled from the packed package, in a browser under a strict policy. */
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as esbuild from 'esbuild';
import * as vite from 'vite';
import webpack from 'webpack';
import { closeBrowser, outcomeOf, withBrowser, withoutBrowser } from './support/browser.mjs';
import { ISOLATION, STRICT_CSP, serve } from './support/server.mjs';
import { newProject } from './support/tarball.mjs';

const PAGE = '<!doctype html><title>app</title><script type="module" src="/app.js"></script>';
const APP = `
import { load } from 'parallax-nn';
try {
  const plx = await load({ threads: 2 });
  const model = plx.model('mlp:2-8-1:tanh', { seed: 7 });
  const history = await model.fit([[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]],
    { epochs: 50, optimizer: { kind: 'adam', rate: 0.05 } });
  const { tier, threads } = await plx.ready();
  window.outcome = { value: { tier, threads, falls: history.loss.at(-1) < history.loss[0] } };
} catch (error) {
  window.outcome = { error: String(error) };
}`;
const EXPECTED = { tier: 'relaxed-threads', threads: 2, falls: true };

describe('bundled by', { skip: withoutBrowser }, () => {
  let project;
  before(() => {
    project = newProject();
    project.write('index.html', PAGE);
    project.write('app.js', APP);
  });
  after(() => {
    project.remove();
    return closeBrowser();
  });

  async function check(folder) {
    const server = await serve(join(project.folder, folder), { ...ISOLATION, ...STRICT_CSP });
    try {
      const outcome = await withBrowser((profile) => outcomeOf(profile, `${server.url}/`));
      assert.deepEqual(outcome.value, EXPECTED, outcome.error);
    } finally {
      await server.close();
    }
    return server.requests;
  }

  it('nothing: the files unbundled', async () => {
    cpSync(join(project.folder, 'node_modules/parallax-nn/dist'), join(project.folder, 'plain'), {
      recursive: true,
    });
    project.write('plain/index.html', PAGE);
    project.write('plain/app.js', APP.replace("'parallax-nn'", "'./index.mjs'"));
    const requests = await check('plain');
    const wasm = requests.filter((path) => path.endsWith('.wasm'));
    assert.deepEqual(wasm, ['/engine-relaxed-threads.wasm'], 'one tier is fetched, once');
  });

  it('Vite, for production', async () => {
    await vite.build({
      root: project.folder,
      configFile: false,
      logLevel: 'error',
      build: { outDir: 'vite' },
    });
    await check('vite');
  });

  it('Vite, in development', async () => {
    const server = await vite.createServer({
      root: project.folder,
      configFile: false,
      logLevel: 'error',
      server: { port: 0, headers: ISOLATION },
    });
    try {
      await server.listen();
      const url = server.resolvedUrls.local[0];
      const outcome = await withBrowser((profile) => outcomeOf(profile, url));
      assert.deepEqual(outcome.value, EXPECTED, outcome.error);
    } finally {
      await server.close();
    }
  });

  it('webpack', async () => {
    const stats = await new Promise((resolve, reject) => {
      webpack(
        {
          mode: 'production',
          context: project.folder,
          entry: './app.js',
          output: { path: join(project.folder, 'webpack'), filename: 'app.js' },
          /* webpack warns about uncompressed files above 244 KiB. */
          performance: { maxAssetSize: 550_000 },
        },
        (error, result) => (error ? reject(error) : resolve(result)),
      );
    });
    const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
    assert.deepEqual({ errors, warnings }, { errors: [], warnings: [] });
    project.write('webpack/index.html', PAGE);
    await check('webpack');
  });

  it('esbuild, with the files copied as the README says', async () => {
    const outdir = join(project.folder, 'esbuild');
    const result = await esbuild.build({
      entryPoints: [join(project.folder, 'app.js')],
      bundle: true,
      format: 'esm',
      outdir,
      logLevel: 'silent',
    });
    assert.deepEqual(result.warnings, []);
    cpSync(join(project.folder, 'node_modules/parallax-nn/dist'), outdir, {
      recursive: true,
      filter: (path) => /(dist|engine-[^/]*)$/.test(path),
    });
    project.write('esbuild/index.html', PAGE);
    await check('esbuild');
  });

  it('esbuild, with the condition that includes no files', async () => {
    const outdir = join(project.folder, 'extern');
    const { metafile } = await esbuild.build({
      stdin: {
        contents: APP.replace(
          '{ threads: 2 }',
          `{
            threads: 2,
            wasmURL: (tier) => '/files/engine-' + tier + '.wasm',
            workerURL: (tier) => '/files/engine-' + tier + '.mjs',
          }`,
        ),
        resolveDir: project.folder,
      },
      bundle: true,
      format: 'esm',
      outfile: join(outdir, 'app.js'),
      conditions: ['parallax-nn-extern-wasm'],
      metafile: true,
    });
    assert.ok(Object.keys(metafile.inputs).some((path) => path.endsWith('dist/extern.mjs')));
    cpSync(join(project.folder, 'node_modules/parallax-nn/dist'), join(outdir, 'files'), {
      recursive: true,
    });
    project.write('extern/index.html', PAGE);
    await check('extern');
  });

  for (const entry of ['', '/inference', '/bench'])
    it(`esbuild finds no files in parallax-nn${entry} with that condition`, async () => {
      const { metafile, outputFiles } = await esbuild.build({
        stdin: { contents: `export * from 'parallax-nn${entry}';`, resolveDir: project.folder },
        bundle: true,
        format: 'esm',
        write: false,
        conditions: ['parallax-nn-extern-wasm'],
        metafile: true,
      });
      const file = `dist/extern${entry.replace('/', '-')}.mjs`;
      assert.ok(Object.keys(metafile.inputs).some((path) => path.endsWith(file)));
      assert.doesNotMatch(outputFiles[0].text, /import\.meta/);
    });
});
