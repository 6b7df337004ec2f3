// Runs clang-tidy over the compile database, once per source file: further variants of a file differ in
// flags only. Files found clean are remembered by their preprocessed text, so only changed ones are
// analysed again. Prints the findings and exits with 1 if there are any.
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { commandLine, Wrong, wholeNumber } from './options.mjs';

const USAGE = `usage: node scripts/run_clang_tidy.mjs BUILD [--jobs N] [--changed]

Runs clang-tidy over the files of the compile database of the folder BUILD that it has not found clean.

  --jobs N    files at a time, 1 to 1024 (default: one for each CPU)
  --changed   only files that depend on what differs from the main branch (origin/main, or else main)
              or is not committed; all files if there is no other branch to compare with`;

const { build, jobs, onlyChanged } = commandLine(
  'run_clang_tidy',
  USAGE,
  {
    options: { jobs: { type: 'string' }, changed: { type: 'boolean' } },
    allowPositionals: true,
  },
  ({ values, positionals }) => {
    const [build, more] = positionals;
    if (!build || more) throw new Wrong('name one build folder; --help says more.');
    if (!existsSync(path.join(build, 'compile_commands.json')))
      throw new Wrong(`"${build}" has no compile_commands.json: it is no build folder.`);
    const jobs = values.jobs && wholeNumber('jobs', values.jobs, 1, 1024);
    return { build, jobs: jobs ?? availableParallelism(), onlyChanged: values.changed };
  },
);
const program = process.env.CLANG_TIDY || 'clang-tidy';
// The analyser's default, 225,000 nodes for a function, takes five times as long, most of it in a few.
const depth = ['-Xclang', '-analyzer-config', '-Xclang', 'max-nodes=30000'];

const database = JSON.parse(readFileSync(path.join(build, 'compile_commands.json'), 'utf8'));
const entries = new Map();
for (const entry of database) {
  const file = path.resolve(entry.directory, entry.file);
  // What a compiler of another language wrote.
  if (file.startsWith(path.resolve(build) + path.sep)) continue;
  // Of the kernel targets, the vector code is more worth analysing than the scalar.
  if (!entries.has(file) || entry.command.includes('PLX_TARGET=avx2')) entries.set(file, entry);
}
const folder = path.join(build, 'tidy');
const memory = path.join(build, 'clean');
mkdirSync(folder, { recursive: true });
mkdirSync(memory, { recursive: true });
writeFileSync(path.join(folder, 'compile_commands.json'), JSON.stringify([...entries.values()]));

const git = (...args) =>
  execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

/** The commit at which this branch left the main one; undefined if this is the main one, or none is known. */
function commonCommit() {
  const head = git('rev-parse', 'HEAD').trim();
  for (const branch of ['origin/main', 'main']) {
    try {
      const commit = git('merge-base', 'HEAD', branch).trim();
      if (branch !== 'main' || commit !== head) return commit;
    } catch {} // no such branch
  }
  return undefined;
}

/**
 * The files that have changed since this branch left the main one, as absolute paths; undefined if that is
 * not known. Then all files count as changed, and what is remembered tells which need no analysis.
 */
function changedFiles() {
  const base = commonCommit();
  if (!base) return undefined;
  const names =
    git('diff', '--name-only', base) + git('ls-files', '--others', '--exclude-standard');
  return new Set(names.split('\n').map((name) => path.resolve(name)));
}

const changed = onlyChanged ? changedFiles() : undefined;
/** A folder may have rules of its own besides those for all. */
const ruleFiles = git('ls-files', '--', '.clang-tidy', '*/.clang-tidy').trim().split('\n');
const rules = ruleFiles.map((name) => readFileSync(name, 'utf8'));
const rulesChanged = ruleFiles.some((name) => changed?.has(path.resolve(name)));
const version = execFileSync(program, ['--version'], { encoding: 'utf8' });

function run(command, args, cwd) {
  return new Promise((resolve) => {
    execFile(command, args, { cwd, maxBuffer: 1 << 28 }, (error, stdout) => {
      if (typeof error?.code === 'string') resolve({ code: 127, output: error.message });
      else resolve({ code: error ? (error.code ?? 1) : 0, output: stdout });
    });
  });
}

/** The text that the compiler sees, including comments, some of which are for clang-tidy. */
async function preprocess({ command, directory }) {
  const { code, output } = await run(
    'sh',
    ['-c', command.replace(/ -o \S+ -c /, ' -E -C ')],
    directory,
  );
  return code === 0 ? output : undefined;
}

const dependsOnChanged = (text) =>
  [...text.matchAll(/^# \d+ "([^"<]+)"/gm)].some(([, name]) =>
    changed.has(path.resolve(build, name)),
  );

const counts = { analysed: 0, clean: 0, unchanged: 0, findings: 0 };

async function check(file) {
  const text = await preprocess(entries.get(file));
  if (changed && text && !rulesChanged && !dependsOnChanged(text)) {
    counts.unchanged += 1;
    return;
  }
  const hash = createHash('sha256').update(JSON.stringify([version, rules, depth, text]));
  const remembered = path.join(memory, hash.digest('hex'));
  if (text && existsSync(remembered)) {
    counts.clean += 1;
    return;
  }
  counts.analysed += 1;
  const extra = depth.map((argument) => `--extra-arg=${argument}`);
  const { code, output } = await run(program, ['--quiet', '-p', folder, ...extra, file]);
  if (code === 0 && !output.trim()) {
    if (text) writeFileSync(remembered, '');
    return;
  }
  counts.findings += 1;
  process.stdout.write(`${file}\n${output}\n`);
}

const queue = [...entries.keys()].sort().values();
async function work() {
  for (const file of queue) await check(file);
}
await Promise.all(Array.from({ length: jobs }, work));
const { analysed, clean, unchanged, findings } = counts;
console.log(
  `${analysed} files analysed, ${findings} with findings; ${clean} already known to be clean, ${unchanged} do not depend on a change`,
);
process.exitCode = findings > 0 ? 1 : 0;
