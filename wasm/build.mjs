/**
 * Makes dist/ from src/ and the engines that CMake built (preset wasm). Usage: node build.mjs
 * [FOLDER], where FOLDER holds engine-TIER.mjs and engine-TIER.wasm (default ../build/wasm).
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { noticesOf } from './notices.mjs';
import './generate.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const engines = resolve(process.argv[2] ?? join(here, '../build/wasm'));
const dist = join(here, 'dist');
const TIERS = ['simd', 'simd-threads', 'relaxed-threads'];

/** Replaces pattern, which must occur exactly count times, so that a new emcc cannot slip by. */
function replaceExactly(text, pattern, replacement, count, what) {
  const found = text.split(pattern).length - 1;
  if (found !== count) {
    throw new Error(`${what}: expected ${count} of "${pattern}" in the glue code, found ${found}`);
  }
  return text.replaceAll(pattern, replacement);
}

/**
 * The glue code of a tier without any file names. Bundlers follow every literal `new URL('file',
 * import.meta.url)`, and rename the file; here the module is handed in compiled, and src/threads.ts
 * starts the workers of threads.
 */
function portableGlue(tier) {
  const name = `engine-${tier}`;
  const threaded = tier !== 'simd' ? 1 : 0;
  let text = readFileSync(join(engines, `${name}.mjs`), 'utf8');
  const replace = (pattern, replacement, count = 1) => {
    text = replaceExactly(text, pattern, replacement, count, name);
  };
  replace(
    `new Worker(new URL("${name}.mjs",import.meta.url),workerOptions)`,
    'Module.plxThread(workerOptions)',
    threaded,
  );
  replace(`new URL("${name}.wasm",import.meta.url).href`, '""');
  replace('scriptDirectory=self.location.href', 'scriptDirectory=""');
  replace('var _scriptName = import.meta.url;', 'var _scriptName = "";');
  if (text.includes('import.meta'))
    throw new Error(`${name}: import.meta is left in the glue code`);
  return text;
}

/** Serves `plx-glue` and `plx-wasm-base64` to esbuild. */
const engineFiles = (tier) => ({
  name: 'engine-files',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^plx-/ }, ({ path }) => ({ path, namespace: 'engine' }));
    onLoad({ filter: /^plx-glue$/, namespace: 'engine' }, () => ({ contents: portableGlue(tier) }));
    onLoad({ filter: /^plx-wasm-base64$/, namespace: 'engine' }, () => ({
      contents: readFileSync(join(engines, `engine-${tier}.wasm`)).toString('base64'),
      loader: 'text',
    }));
  },
});

const bundle = (entry, outfile, options = {}) =>
  build({
    entryPoints: [join(here, 'src', entry)],
    outfile: join(dist, outfile),
    bundle: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    legalComments: 'none',
    absWorkingDir: here,
    metafile: true,
    logLevel: 'warning',
    ...options,
  });

/* Not minified: Node prints the line that threw. */
const node = { platform: 'node', target: 'node20', minify: false };

function bundles() {
  return Promise.all([
    bundle('index.ts', 'index.mjs'),
    bundle('extern.ts', 'extern.mjs'),
    bundle('inline.ts', 'inline.mjs', { plugins: [engineFiles('simd')] }),
    bundle('node.ts', 'node.mjs', node),
    bundle('node.ts', 'node.cjs', {
      ...node,
      format: 'cjs',
      define: { 'import.meta.url': 'plxFile' },
      banner: { js: 'const plxFile=require("node:url").pathToFileURL(__filename).href;' },
    }),
    bundle('node_worker.ts', 'node-worker.mjs', node),
    ...TIERS.map((tier) =>
      bundle('worker.ts', `engine-${tier}.mjs`, { plugins: [engineFiles(tier)] }),
    ),
  ]);
}

/**
 * One declaration file without imports, for ESM and CommonJS alike: the errors, the types (which
 * import from each other alone), and `load` with its comment.
 */
function declarations() {
  const out = join(here, 'dist', 'types');
  const tsc = createRequire(import.meta.url).resolve('typescript/package.json');
  execFileSync(
    process.execPath,
    [join(dirname(tsc), 'bin/tsc'), '-p', join(here, 'tsconfig.json')].concat([
      ...['--noEmit', 'false', '--declaration', '--emitDeclarationOnly'],
      ...['--outDir', out, '--rootDir', join(here, 'src')],
    ]),
    { stdio: 'inherit' },
  );
  const read = (name) => readFileSync(join(out, `${name}.d.ts`), 'utf8');
  const load = /\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s*export declare const load: Load;/.exec(
    read('index'),
  );
  if (!load) throw new Error('no declaration of load in index.d.ts');
  const among =
    /^import type [^;]* from '\.\.?\/(generated\/)?(api|api_generation|api_layers|api_learning|graph_api|graph_builders|kinds)\.js';$/gm;
  const files = [
    ...['generated/kinds', 'errors', 'api', 'api_generation', 'api_layers', 'api_learning'],
    ...['generated/graph_builders', 'graph_api'],
  ];
  /* Symbol.dispose is not in the library of every target. */
  const library = '/// <reference lib="esnext.disposable" />\n';
  const text =
    library + [...files.map((name) => read(name).replace(among, '')), load[0]].join('\n');
  if (/^\s*(import|export .* from)\b/m.test(text)) {
    throw new Error('the public types must not import from other files');
  }
  for (const extension of ['mts', 'cts']) writeFileSync(join(dist, `index.d.${extension}`), text);
  rmSync(out, { recursive: true });
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
cpSync(join(here, '../LICENSE'), join(dist, 'LICENSE'));
const results = await bundles();
const metafiles = results.map(({ metafile }) => metafile);
writeFileSync(join(dist, 'THIRD_PARTY_NOTICES.txt'), noticesOf(metafiles, here));
declarations();
for (const tier of TIERS)
  cpSync(join(engines, `engine-${tier}.wasm`), join(dist, `engine-${tier}.wasm`));
