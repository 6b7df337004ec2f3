/**
 * A small application, made from the packed package by each tool that the README names, in each
 * browser, on isolated and other pages, under the strictest policy.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as esbuild from 'esbuild';
import * as vite from 'vite';
import webpack from 'webpack';
import { BROWSERS, closeBrowsers } from './support/browsers.mjs';
import { ISOLATION, STRICT_CSP, serve } from './support/server.mjs';
import { newProject } from './support/tarball.mjs';

const FOLDER = fileURLToPath(new URL('bundlers', import.meta.url));
const installed = existsSync(join(FOLDER, 'node_modules/parcel'));
const notInstalled = installed ? false : 'the bundlers are not installed: run scripts/setup --test';
const required = createRequire(join(FOLDER, 'package.json'));

const PAGE = '<!doctype html><title>app</title><script type="module" src="./app.js"></script>';
const APP = `
import { load } from 'parallax-nn';
try {
  const plx = await load({ threads: 2 });
  const model = plx.model('mlp:2-8-1:tanh', { seed: 7 });
  const history = await model.fit([[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]],
    { epochs: 50, optimizer: { kind: 'adam', rate: 0.05 } });
  const { tier, threads, downgrades } = await plx.ready();
  const falls = history.loss.at(-1) < history.loss[0];
  window.outcome = { value: { tier, threads, falls }, error: JSON.stringify(downgrades) };
} catch (error) {
  window.outcome = { error: String(error) };
}`;
const PAGES = [
  ['isolated', ISOLATION, { tier: 'relaxed-threads', threads: 2, falls: true }],
  ['not isolated', {}, { tier: 'simd', threads: 1, falls: true }],
];

/** What Parcel needs in package.json: it reads exports only if told so. */
const PARCEL = { '@parcel/resolver-default': { packageExports: true } };

/** The source by which a policy allows a script inside a page. */
const hashOf = (script) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`;

/** The tools: build makes a folder for a static server, or starts a server of its own. */
const TOOLS = {
  'no tool: the files as they are': (project) => {
    project.copy('plain');
    project.page('plain');
    project.write('plain/app.js', APP.replace("'parallax-nn'", "'./index.mjs'"));
    return { folder: 'plain' };
  },

  'an import map': (project) => {
    const map = '{ "imports": { "parallax-nn": "./parallax-nn/index.mjs" } }';
    project.copy('map/parallax-nn');
    const script = `<script type="importmap">${map}</script>`;
    project.write('map/index.html', PAGE.replace('<script', `${script}<script`));
    project.write('map/app.js', APP);
    return { folder: 'map', scripts: hashOf(map) };
  },

  'Vite, for production': async (project) => {
    await vite.build({
      root: project.folder,
      configFile: false,
      logLevel: 'error',
      build: { outDir: 'vite' },
    });
    return { folder: 'vite' };
  },

  'Vite, in development': async (project) => {
    const start = async (headers) => {
      const server = await vite.createServer({
        root: project.folder,
        configFile: false,
        logLevel: 'error',
        server: { port: 0, headers },
      });
      await server.listen();
      return { url: server.resolvedUrls.local[0], close: () => server.close() };
    };
    /* Firefox does not load the worker of a worker from this server, and the engine says so. */
    return { start, threads: { Firefox: 1 } };
  },

  webpack: async (project) => {
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
    project.page('webpack');
    return { folder: 'webpack' };
  },

  'Rollup, with the files copied': async (project) => {
    const { rollup } = required('rollup');
    const { nodeResolve } = required('@rollup/plugin-node-resolve');
    const warnings = [];
    const bundle = await rollup({
      input: join(project.folder, 'app.js'),
      plugins: [nodeResolve({ browser: true })],
      onwarn: (warning) => warnings.push(warning.message),
    });
    await bundle.write({ dir: join(project.folder, 'rollup'), format: 'es' });
    await bundle.close();
    assert.deepEqual(warnings, []);
    project.copy('rollup', /(dist|engine-[^/]*)$/);
    project.page('rollup');
    return { folder: 'rollup' };
  },

  'esbuild, with the files copied': async (project) => {
    const { warnings } = await esbuild.build({
      entryPoints: [join(project.folder, 'app.js')],
      bundle: true,
      format: 'esm',
      outdir: join(project.folder, 'esbuild'),
      logLevel: 'silent',
    });
    assert.deepEqual(warnings, []);
    project.copy('esbuild', /(dist|engine-[^/]*)$/);
    project.page('esbuild');
    return { folder: 'esbuild' };
  },

  'esbuild, with the condition that includes no files': async (project) => {
    const given = `{
      threads: 2,
      wasmURL: (tier) => '/files/engine-' + tier + '.wasm',
      workerURL: (tier) => '/files/engine-' + tier + '.mjs',
    }`;
    const { metafile } = await esbuild.build({
      stdin: { contents: APP.replace('{ threads: 2 }', given), resolveDir: project.folder },
      bundle: true,
      format: 'esm',
      outfile: join(project.folder, 'extern/app.js'),
      conditions: ['parallax-nn-extern-wasm'],
      metafile: true,
    });
    assert.ok(Object.keys(metafile.inputs).some((path) => path.endsWith('dist/extern.mjs')));
    project.copy('extern/files');
    project.page('extern');
    return { folder: 'extern' };
  },

  Parcel: async (project) => {
    /* In a project of its own, since other tools read the list of browsers too. */
    const own = newProject();
    try {
      const settings = JSON.parse(readFileSync(join(own.folder, 'package.json'), 'utf8'));
      own.write('package.json', JSON.stringify({ ...settings, ...PARCEL }));
      own.write('index.html', PAGE);
      own.write('app.js', APP);
      const parcel = join(FOLDER, 'node_modules/parcel/lib/bin.js');
      const options = ['--no-cache', '--no-autoinstall', '--public-url', './', '--dist-dir'];
      await promisify(execFile)(
        process.execPath,
        [parcel, 'build', 'index.html', ...options, join(project.folder, 'parcel')],
        { cwd: own.folder },
      );
    } finally {
      own.remove();
    }
    /* Parcel writes an import map of its own into the page. */
    const html = readFileSync(join(project.folder, 'parcel/index.html'), 'utf8');
    const [, map] = /<script type="?importmap"?>([\s\S]*?)<\/script>/.exec(html) ?? [];
    assert.ok(map, `an import map in ${html}`);
    return { folder: 'parcel', scripts: hashOf(map) };
  },
};

/** A project with the package, and what the tools need of it. */
function workplace() {
  const project = newProject();
  const dist = join(project.folder, 'node_modules/parallax-nn/dist');
  const made = (name) => {
    const folder = join(project.folder, name);
    mkdirSync(folder, { recursive: true });
    return folder;
  };
  return {
    ...project,
    /** Copies the files of the package whose path matches. */
    copy: (to, pattern = /./) =>
      cpSync(dist, made(to), { recursive: true, filter: (path) => pattern.test(path) }),
    page: (to) => project.write(join(to, 'index.html'), PAGE),
  };
}

describe('an application made by', () => {
  let project;
  before(() => {
    project = workplace();
    project.write('index.html', PAGE);
    project.write('app.js', APP);
  });
  after(async () => {
    project.remove();
    await closeBrowsers();
  });

  /** Serves what a tool made; resolves to {url, close, requests}. */
  function serveMade({ folder, scripts = '', start }, headers) {
    if (start) return start(headers);
    const [[name, policy]] = Object.entries(STRICT_CSP);
    const own = { [name]: policy.replace("script-src 'self'", `script-src 'self' ${scripts}`) };
    return serve(join(project.folder, folder), { ...headers, ...own });
  }

  for (const [tool, build] of Object.entries(TOOLS)) {
    const ofFolder = /Rollup|Parcel/.test(tool);
    describe(tool, { skip: ofFolder && notInstalled }, () => {
      let made;
      before(async () => {
        made = await build(project);
      });
      for (const { name, skip, outcome } of BROWSERS)
        for (const [page, headers, expected] of PAGES)
          it(`runs in ${name} on a page that is ${page}`, { skip }, async () => {
            const server = await serveMade(made, headers);
            try {
              const { value, error, complaints } = await outcome(server.url);
              const most = made.threads?.[name] ?? expected.threads;
              const threads = Math.min(expected.threads, most);
              assert.deepEqual(value, { ...expected, threads }, [error, ...complaints].join('\n'));
              if (!server.requests) return;
              const asked = server.requests.filter((path) => path.endsWith('.wasm'));
              /* In Firefox another engine may have taken the place of one that froze. */
              const wasm = name === 'Firefox' ? [...new Set(asked)] : asked;
              assert.equal(wasm.length, 1, `one tier is fetched, once, not ${wasm}`);
            } finally {
              await server.close();
            }
          });
    });
  }

  for (const entry of ['', '/inference', '/bench'])
    it(`esbuild has no files of parallax-nn${entry} with the condition for that`, async () => {
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

describe('the README', () => {
  const readme = readFileSync(new URL('../../wasm/README.md', import.meta.url), 'utf8');
  for (const tool of ['Vite', 'webpack', 'Rollup', 'esbuild', 'Parcel', 'Next.js', 'import map'])
    it(`says what ${tool} needs`, () => {
      const [, section] = /## Bundlers and pages\n([\s\S]*?)\n## /.exec(readme) ?? [];
      assert.match(section ?? '', new RegExp(`\\*\\*[^*]*${tool}[^*]*\\*\\*`));
    });
});
