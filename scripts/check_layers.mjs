// Checks the rules of the source tree: who may include whom, where names of operating systems may
// appear, unique file names, and file sizes. Prints each violation as file:line, and exits with 1
// if there are any.
//
// usage: node scripts/check_layers.mjs [FOLDER]
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { commandLine, Wrong } from './options.mjs';

// Lowest first: a file includes its own layer or lower.
const LAYERS = [
  'base',
  'kernels',
  'blocks',
  'ops',
  'graph',
  'plan',
  'nn',
  'models',
  'learn',
  'onnx',
];
// io stands beside the layers: it may use base, and the top layer may use it.
const IO_USES = ['base', 'io'];
const IO_USED_BY = ['io', 'nn', 'models', 'learn'];

// The public headers, each with the lowest layer that may include it; any file may include
// parallax.h.
const PUBLIC = {
  'src/parallax_files.h': 'io',
  'src/parallax_nn.h': 'nn',
  'src/parallax_learn.h': 'learn',
  'src/parallax_onnx.h': 'onnx',
};

// Code that uses only public headers, as a user's own code does: learning tasks and their data.
const ON_PUBLIC_HEADERS = /^(bench\/(tasks\/|tasks\.|datasets\.)|tests\/install\/)/;

// What the folders outside src/ may use from it besides parallax.h.
const OUTSIDE = {
  // The accuracy suite walks the table of operations, as the tests do.
  bench: ['base/platform.h', 'base/context.h', 'kernels/unary.def', 'ops/op.h'],
  native: ['base/platform.h', 'kernels/kernels.h', /^blocks\/gemm\w*\.h$/],
  wasm: ['base/platform.h'],
};

const SYSTEM_MACROS =
  /\b(__linux__|__linux|linux|__APPLE__|__MACH__|_WIN32|_WIN64|__unix__|__ANDROID__|__FreeBSD__|__EMSCRIPTEN\w*__|EMSCRIPTEN|__wasm\w*__|__wasi__|__x86_64__|__i386__|__amd64__|__aarch64__|__arm\w*__|__ARM_\w+|__riscv|_MSC_VER|__MINGW\w*__|__SSE\w*__|__AVX\w*__|__FMA__)\b/;
// The only place where a kernel learns which instruction set it is compiled for.
const MAY_TEST_ISA = /^src\/kernels\/(simd\w*\.h|kernels_target\.c)$/;

const SOURCE = /\.(c|h|def|ts|mts|js|mjs|css|html)$/;
const MAX_LINES = 1000;
const REFUSED_FOLDERS = ['utils', 'util', 'misc', 'old', 'attic'];
// Written so that this file does not contain what it searches for.
const MACHINE_PATHS = new RegExp(`(^|[\\s"'\`(=:])/(${['work', 'root', 'home'].join('|')})/`);
// Names that many packages use; their folders tell them apart.
const COMMON_NAMES = new Set(['index.ts', 'index.html', 'main.c', 'main.ts', 'vite.config.ts']);

function listFiles(root) {
  const output = execFileSync(
    'git',
    ['-C', root, 'ls-files', '--cached', '--others', '--exclude-standard', '-z'],
    { encoding: 'utf8', maxBuffer: 1 << 26 },
  );
  return output
    .split('\0')
    .filter((name) => name && existsSync(path.join(root, name)))
    .filter((name) => statSync(path.join(root, name)).isFile())
    .sort();
}

const layerOf = (file) => /^src\/([^/]+)\//.exec(file)?.[1];

// The file inside the repository that an #include refers to, or undefined for system headers.
function resolveInclude(from, name, files) {
  for (const folder of [path.posix.dirname(from), 'src', '', 'tests']) {
    const candidate = path.posix.normalize(path.posix.join(folder, name));
    if (files.has(candidate)) return candidate;
  }
  return undefined;
}

function includeProblem(from, to) {
  if (to === 'src/parallax.h' || to === 'src/parallax.def') return undefined;
  const layer = PUBLIC[from] ?? layerOf(from);
  const target = PUBLIC[to] ?? layerOf(to);
  if (from.startsWith('src/')) {
    if (!to.startsWith('src/')) return `src/ must not include ${to}`;
    if (!target) return undefined;
    if (from === 'src/parallax.h')
      return 'a public header must not include other headers of the library';
    if (layer === 'io')
      return IO_USES.includes(target) ? undefined : `io must not include ${target}`;
    if (target === 'io') {
      return IO_USED_BY.includes(layer) ? undefined : `${layer} must not include io`;
    }
    const [here, there] = [LAYERS.indexOf(layer), LAYERS.indexOf(target)];
    if (here < 0) return `src/${layer} is not a layer`;
    return there <= here ? undefined : `${layer} must not include the higher layer ${target}`;
  }
  if (to in PUBLIC) return undefined;
  if (ON_PUBLIC_HEADERS.test(from) && !ON_PUBLIC_HEADERS.test(to))
    return `${from} may use only public headers, and must not include ${to}`;
  const [top] = from.split('/');
  const allowed = OUTSIDE[top];
  if (allowed && to.startsWith('src/')) {
    const name = to.slice('src/'.length);
    const ok = allowed.some((rule) => (typeof rule === 'string' ? rule === name : rule.test(name)));
    return ok ? undefined : `${top}/ must use parallax.h, not ${name}`;
  }
  // The suites run in the browser, too; the native part of the peers does not.
  if (top === 'bench' && !from.startsWith('bench/peers/') && /^(native|wasm|web)\//.test(to))
    return `bench/ must not include ${to}`;
  return undefined;
}

function checkC(file, lines, files, report) {
  let inComment = false;
  lines.forEach((line, index) => {
    let code = inComment ? '' : line;
    if (inComment && line.includes('*/')) {
      code = line.slice(line.indexOf('*/') + 2);
      inComment = false;
    }
    code = code.replace(/\/\*.*?\*\//g, ' ').replace(/\/\/.*$/, '');
    if (code.includes('/*')) {
      code = code.slice(0, code.indexOf('/*'));
      inComment = true;
    }
    const include = /^\s*#\s*include\s*"([^"]+)"/.exec(code);
    if (include) {
      const to = resolveInclude(file, include[1], files);
      const problem = to && includeProblem(file, to);
      if (problem) report(file, index + 1, problem);
    }
    if (file.startsWith('src/') && !MAY_TEST_ISA.test(file)) {
      const conditional = /^\s*#\s*(if|ifdef|ifndef|elif)\b(.*)/.exec(code);
      const macro = conditional && SYSTEM_MACROS.exec(conditional[2]);
      if (macro) report(file, index + 1, `src/ must not test ${macro[0]}; use base/platform.h`);
    }
    if (
      file.startsWith('src/') &&
      /^\s*#\s*include\s*<(emscripten|windows|unistd|pthread|sys\/|dlfcn|cblas)/.test(code)
    ) {
      report(file, index + 1, 'src/ must not include a system header; use base/platform.h');
    }
  });
}

export function checkLayers(root, names = listFiles(root)) {
  const files = new Set(names);
  const problems = [];
  const report = (file, line, problem) => problems.push(`${file}:${line}: ${problem}`);
  const seen = new Map();
  for (const file of names) {
    const folders = file.split('/').slice(0, -1);
    const refused = folders.find((folder) => REFUSED_FOLDERS.includes(folder));
    if (refused) report(file, 1, `no folder may be named ${refused}`);
    if (!SOURCE.test(file)) continue;
    const lines = readFileSync(path.join(root, file), 'utf8').split('\n');
    if (lines.at(-1) === '') lines.pop();
    if (lines.length > MAX_LINES)
      report(file, lines.length, `${lines.length} lines; at most ${MAX_LINES} are allowed`);
    lines.forEach((line, index) => {
      if (MACHINE_PATHS.test(line))
        report(file, index + 1, 'a path that exists on one machine only');
    });
    const name = path.posix.basename(file);
    if (!COMMON_NAMES.has(name)) {
      if (seen.has(name)) report(file, 1, `the file name is already used by ${seen.get(name)}`);
      else seen.set(name, file);
    }
    if (/\.(c|h|def)$/.test(file)) checkC(file, lines, files, report);
  }
  return problems;
}

function checkFolder(given) {
  const [folder, more] = given.positionals;
  if (more) throw new Wrong(`takes one folder, but also got "${more}".`);
  if (folder && !existsSync(folder)) throw new Wrong(`there is no folder "${folder}".`);
  return given;
}

if (process.argv[1] && fileURLToPath(import.meta.url) === path.resolve(process.argv[1])) {
  const { positionals } = commandLine(
    'check_layers',
    'usage: node scripts/check_layers.mjs [FOLDER]\n\nPrints what breaks the layers of a source tree (default: this one).',
    { allowPositionals: true },
    checkFolder,
  );
  const root = path.resolve(
    positionals[0] ?? path.join(path.dirname(fileURLToPath(import.meta.url)), '..'),
  );
  const problems = checkLayers(root);
  for (const problem of problems) console.log(problem);
  if (problems.length > 0) process.exitCode = 1;
}
