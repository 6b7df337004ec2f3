/**
 * Builds dist/ from src/ and the engines that CMake built (preset wasm). Usage: node build.mjs
 * [FOLDER], where FOLDER holds engine-TIER.mjs and engine-TIER.wasm (default ../build/wasm).
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { minify } from 'terser';
import { noticesOf } from './notices.mjs';
import './generate.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const engines = resolve(process.argv[2] ?? join(here, '../build/wasm'));
const dist = join(here, 'dist');
const TIERS = ['simd', 'simd-threads', 'relaxed-threads'];
/** The kinds of engines of the package's entries, which are part of the names of their files. */
const KINDS = ['', 'inference-', 'bench-'];
const ENGINES = KINDS.flatMap((kind) =>
  TIERS.map((tier) => ({ kind, tier, name: `engine-${kind}${tier}` })),
);

/**
 * Replaces pattern, which must occur exactly count times, so that no change in emcc goes unnoticed.
 */
function replaceExactly(text, pattern, replacement, count, what) {
  const all = typeof pattern === 'string' ? pattern : new RegExp(pattern, 'g');
  const found =
    typeof all === 'string' ? text.split(all).length - 1 : [...text.matchAll(all)].length;
  if (found !== count) {
    throw new Error(`${what}: expected ${count} of "${pattern}" in the glue code, found ${found}`);
  }
  return text.replaceAll(all, replacement);
}

/**
 * Returns the glue code of an engine without any file names, and the exports of its module by their
 * names in C. Bundlers follow every literal `new URL('file', import.meta.url)` and rename the file;
 * here the compiled module is passed in, and src/threads.ts starts the workers of threads. The code
 * that wraps exports is removed: the sources call them by the names that emcc gave them.
 */
async function portableGlue({ name, tier }) {
  const threaded = tier !== 'simd' ? 1 : 0;
  const exported = {};
  let text = readFileSync(join(engines, `${name}.mjs`), 'utf8').replace(
    /var (_plx_js_\w+)=Module\["\1"\]=[^;]*?\(\1=Module\["\1"\]=wasmExports\["([^"]+)"\]\)\([^;]*?\);/g,
    (_, long, short) => {
      exported[long] = short;
      return '';
    },
  );
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
  for (const left of ['import.meta', '_plx_js_']) replace(left, '', 0);
  return { text: await withoutUnused(text, { name, tier }), exported };
}

/**
 * What the glue code has for other uses, as [pattern, its replacement]: emcc has no options to leave
 * it out. The engine creates the instance itself, from a module that is passed in; the library
 * prints nothing; nothing handles events of threads or overrides functions.
 */
const UNUSED = [
  [/if\(ENVIRONMENT_IS_WEB\|\|ENVIRONMENT_IS_WORKER\)\{.*?\}else\{\}(?=var out)/, ''],
  [
    /if\(Module\["instantiateWasm"\]\)\{try\{(return [^}]*)\}catch\(e\)\{[^`]*`[^`]*`[^}]*\}\}/,
    '$1;',
  ],
  ['var moduleOverrides=Object.assign({},Module);', ''],
  ['Object.assign(Module,moduleOverrides);moduleOverrides=null;', ''],
];
const UNUSED_BY_THREADS = [
  [/function threadAlert.*?self\.alert=threadAlert;/, ''],
  [/else if\(cmd==="alert"\)\{alert\(`[^`]*`\)\}/, ''],
  [/var handlers=\[\];.*?(?=worker\.postMessage\(\{cmd:"load")/, ''],
  ['{cmd:"load",handlers,', '{cmd:"load",'],
  [/for\(const handler of msgData\.handlers\)\{.*?\}\}(?=wasmMemory=)/, ''],
  ['else if(cmd==="callHandler"){Module[d.handler](...d.args)}', ''],
  ['else if(d.target==="setimmediate"){worker.postMessage(d)}', ''],
  ['else if(msgData.target==="setimmediate"){}', ''],
];

async function withoutUnused(glue, { name, tier }) {
  let text = glue;
  for (const [pattern, replacement] of tier === 'simd' ? UNUSED : [...UNUSED, ...UNUSED_BY_THREADS])
    text = replaceExactly(text, pattern, replacement, 1, name);
  const uses = (view) => glue.split(new RegExp(`\\b${view}\\b`)).length;
  text = text.replace(/Module\["(HEAP\w+)"\]=\1=(new \w+\(b\);)/g, (_, view, made) =>
    uses(view) > 4 ? `${view}=${made}` : '',
  );
  return (await minify(text, { module: true, ecma: 2020, compress: { passes: 3 } })).code;
}

/** Serves `plx-glue` and `plx-wasm-base64` to esbuild. */
const engineFiles = (engine, glue) => ({
  name: 'engine-files',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^plx-/ }, ({ path }) => ({ path, namespace: 'engine' }));
    onLoad({ filter: /^plx-glue$/, namespace: 'engine' }, () => ({ contents: glue }));
    onLoad({ filter: /^plx-wasm-base64$/, namespace: 'engine' }, () => ({
      contents: readFileSync(join(engines, `${engine.name}.wasm`)).toString('base64'),
      loader: 'text',
    }));
  },
});

/** Leaves what few need in a file of its own, fetched when it is needed. */
const apart = {
  name: 'apart',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/fastest\.js$/ }, () => ({ path: './fastest.mjs', external: true }));
  },
};

/** What is left for the bundler of an application to replace: esbuild would replace it here. */
const KEPT = { 'process.env.NODE_ENV': 'process.env.NODE_ENV' };

/** Writes a bundle to dist/, minified for browsers: by terser, since esbuild's files are 4% larger. */
async function bundle(entry, outfile, options = {}) {
  const minified = options.minify ?? true;
  const result = await build({
    entryPoints: [join(here, 'src', entry)],
    outfile: join(dist, outfile),
    bundle: true,
    format: 'esm',
    target: 'es2022',
    minify: minified,
    legalComments: 'none',
    absWorkingDir: here,
    metafile: true,
    sourcemap: true,
    logLevel: 'warning',
    write: !minified,
    plugins: [apart],
    ...options,
    define: { ...KEPT, PLX_TRAINING: 'true', PLX_FILES: 'true', ...options.define },
  });
  if (minified) await writeMinified(outfile, result.outputFiles);
  return result;
}

async function writeMinified(outfile, files) {
  const text = (ending) => files.find(({ path }) => path.endsWith(ending)).text;
  const { code, map } = await minify(text('.mjs').replace(/\/\/# sourceMappingURL=.*\n$/, ''), {
    module: true,
    ecma: 2020,
    compress: { passes: 3, keep_fargs: false, pure_getters: true, hoist_funs: true },
    sourceMap: { content: text('.map'), filename: outfile, url: `${outfile}.map` },
  });
  writeFileSync(join(dist, outfile), code);
  writeFileSync(join(dist, `${outfile}.map`), map);
}

/* Not minified: Node prints the line that threw. */
const node = { platform: 'node', target: 'node20', minify: false };
/** parallax-nn/inference: the code for training is left out (src/without_training.ts). */
const inference = { define: { PLX_TRAINING: 'false' } };
/** With the condition parallax-nn-extern-wasm, a bundler finds no files to copy. */
const extern = { define: { PLX_FILES: 'false' }, plugins: [] };
const common = {
  ...node,
  format: 'cjs',
  define: { 'import.meta.url': 'plxFile' },
  banner: { js: 'const plxFile=require("node:url").pathToFileURL(__filename).href;' },
};

/** Builds a bundle with an engine's glue code, in which exports have the module's names. */
async function engineBundle(entry, outfile, engine) {
  const { text, exported } = await portableGlue(engine);
  const result = await bundle(entry, outfile, {
    plugins: [engineFiles(engine, text)],
    mangleProps: /^_plx_js_/,
    mangleCache: exported,
    ...(engine.kind === 'inference-' ? inference : {}),
  });
  /* Code that is left out for inference is still parsed. */
  const trained =
    engine.kind === 'inference-' ? (await portableGlue(ENGINES[0])).exported : exported;
  const unknown = Object.keys(result.mangleCache).filter((name) => !Object.hasOwn(trained, name));
  if (unknown.length > 0) throw new Error(`${engine.name} has no exports ${unknown.join(', ')}`);
  return result;
}

function bundles() {
  return Promise.all([
    bundle('index.ts', 'index.mjs'),
    bundle('fastest.ts', 'fastest.mjs'),
    bundle('index.ts', 'extern.mjs', extern),
    bundle('bench.ts', 'extern-bench.mjs', extern),
    bundle('inference.ts', 'extern-inference.mjs', {
      ...extern,
      define: { ...extern.define, ...inference.define },
    }),
    engineBundle('inline.ts', 'inline.mjs', ENGINES[0]),
    bundle('inference.ts', 'inference.mjs', inference),
    bundle('bench.ts', 'bench.mjs'),
    bundle('node.ts', 'node.mjs', node),
    bundle('node.ts', 'node.cjs', common),
    bundle('node_inference.ts', 'node-inference.mjs', { ...node, ...inference }),
    bundle('node_inference.ts', 'node-inference.cjs', {
      ...common,
      define: { ...common.define, ...inference.define },
    }),
    bundle('node_bench.ts', 'node-bench.mjs', node),
    bundle('node_bench.ts', 'node-bench.cjs', common),
    bundle('node_worker.ts', 'node-worker.mjs', node),
    ...ENGINES.map((engine) =>
      engineBundle(
        engine.kind === 'bench-' ? 'worker_bench.ts' : 'worker.ts',
        `${engine.name}.mjs`,
        engine,
      ),
    ),
  ]);
}

/**
 * The files with the public types of `parallax-nn`, which import only each other, in reading order.
 */
const TYPES = [
  ...['generated/kinds', 'errors', 'api', 'api_batches', 'api_generation', 'api_activations'],
  ...['generated/layer_types', 'generated/graph_builders', 'graph_api'],
];
/** The files that other entries add. */
const MORE_TYPES = {
  inference: ['api_inference'],
  bench: ['api_bench', 'api_learning', 'api_profile', 'api_timing'],
};

/** Returns the declarations of src/ by file name. */
function declared() {
  const out = join(dist, 'types');
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
  const texts = Object.fromEntries(
    [...TYPES, ...Object.entries(MORE_TYPES).flat(2), 'index'].map((name) => [name, read(name)]),
  );
  rmSync(out, { recursive: true });
  return texts;
}

/** Joins files and the `load` of an entry with its comment; names from other files are imported. */
function joined(texts, files, entry, imports) {
  const names = files.map((file) => file.replace('generated/', '')).join('|');
  const own = new RegExp(`^import type [^;]* from '\\.\\.?/(generated/)?(${names})\\.js';$`, 'gm');
  const other = /^import type (\{[^;]*\}) from '\.\/([\w/]+)\.js';$/gm;
  const others = new Set();
  const bodies = files.map((file) =>
    texts[file].replace(own, '').replace(other, (_, list) => {
      for (const name of list.match(/\w+/g)) others.add(name);
      return '';
    }),
  );
  const load = /\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s*export declare const load: \w+;/.exec(texts[entry]);
  if (!load) throw new Error(`no declaration of load in ${entry}.d.ts`);
  const list = [...others].sort().join(', ');
  return [...imports(list), ...bodies, load[0]].join('\n');
}

/** Writes a declaration file for ESM and one for CommonJS for each entry. */
function declarations() {
  const texts = declared();
  /* Not every target's library has Symbol.dispose. */
  const library = '/// <reference lib="esnext.disposable" />';
  const index = joined(texts, TYPES, 'index', (list) => {
    if (list) throw new Error(`the public types import ${list} from elsewhere`);
    return [library];
  });
  for (const kind of ['mts', 'cts']) {
    const from = `'./index.${kind === 'mts' ? 'mjs' : 'cjs'}'`;
    writeFileSync(join(dist, `index.d.${kind}`), index);
    for (const [entry, files] of Object.entries(MORE_TYPES)) {
      const more = joined(texts, files, entry, (list) => [
        `import type { ${list} } from ${from};`,
        `export * from ${from};`,
      ]);
      writeFileSync(join(dist, `${entry}.d.${kind}`), more);
    }
  }
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
cpSync(join(here, '../LICENSE'), join(dist, 'LICENSE'));
const results = await bundles();
const metafiles = results.map(({ metafile }) => metafile);
writeFileSync(join(dist, 'THIRD_PARTY_NOTICES.txt'), noticesOf(metafiles, here));
declarations();
for (const { name } of ENGINES) cpSync(join(engines, `${name}.wasm`), join(dist, `${name}.wasm`));
