// scripts/peers: measures Parallax beside other libraries, natively and in Chromium.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cases } from './cases.mjs';
import { measureCase } from './measure.mjs';
import { nativeEngines } from './native.mjs';
import { browserEngines } from './peer_browser.mjs';
import { makeData } from './peer_data.mjs';
import { described, prepare } from './prepare.mjs';
import { tableLines, toRows } from './report.mjs';

const USAGE = `usage: scripts/peers [--native] [--browser] [--quick] [--case TEXT] [--threads N]
                     [--seed N] [--python FILE] [--json FILE] [--table FILE] [--help]

Measures Parallax beside other libraries in alternating rounds, after comparing their outputs:
natively beside OpenBLAS, onnxruntime and PyTorch, and in one page of Chromium beside
onnxruntime-web, TensorFlow.js and jax-js. Covers products, predictions, training steps and single
operations; if a library has several ways to do an operation, the fastest is found first and named.
Prints a table of ratios with their targets.

  --native        measure only natively
  --browser       measure only in the browser
  --quick         fewer and shorter rounds
  --case TEXT     only cases whose name contains TEXT
  --threads N     number of threads (default: 1, then 2 if there are two CPUs)
  --seed N        seed for weights, data and the order of engines (default 1)
  --python FILE   a Python interpreter with torch (default: python3)
  --json FILE     write rows of bench/results.schema.json here, one per line (default build/peers.jsonl)
  --table FILE    write the table here, too

Exits with 0 when it measured, even if a target was missed; 1 when it could not; 2 for a wrong
argument.`;

const root = fileURLToPath(new URL('../..', import.meta.url));

class Wrong extends Error {}

function readArguments() {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        native: { type: 'boolean' },
        browser: { type: 'boolean' },
        quick: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        case: { type: 'string', default: '' },
        threads: { type: 'string' },
        seed: { type: 'string', default: '1' },
        python: { type: 'string', default: 'python3' },
        json: { type: 'string', default: join(root, 'build/peers.jsonl') },
        table: { type: 'string' },
      },
    }));
  } catch (error) {
    throw new Wrong(`${error.message.split('.')[0]}; --help lists the options.`);
  }
  const seed = Number(values.seed);
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32)
    throw new Wrong(`--seed must be an integer from 0 to 4294967295, not "${values.seed}".`);
  const threads = Number(values.threads ?? 1);
  if (!Number.isInteger(threads) || threads < 1 || threads > 64)
    throw new Wrong(`--threads must be an integer from 1 to 64, not "${values.threads}".`);
  const chosen = cases.filter((item) => item.name.includes(values.case));
  if (!chosen.length)
    throw new Wrong(
      `no case has "${values.case}" in its name; the cases are:\n  ${cases.map((item) => item.name).join('\n  ')}`,
    );
  const both = !values.native && !values.browser;
  return {
    ...values,
    seed,
    threadCounts: values.threads ? [threads] : availableParallelism() > 1 ? [1, 2] : [1],
    chosen,
    native: both || values.native,
    browser: both || values.browser,
    method: values.quick
      ? { rounds: 7, sampleNs: 20e6, seed }
      : { rounds: 15, sampleNs: 60e6, seed },
  };
}

function rowValidator() {
  const require = createRequire(join(root, 'package.json'));
  const Ajv = require('ajv/dist/2020').default;
  const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
  require('ajv-formats').default(ajv);
  const validate = ajv.compile(require(join(root, 'bench/results.schema.json')));
  return (row) => {
    if (!validate(row))
      throw new Error(`a row does not fit the schema: ${ajv.errorsText(validate.errors)}`);
  };
}

/** Replaces the file by text in one step, so that it is never half-written. */
function write(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

function output(options) {
  const rows = [];
  const lines = [];
  const validate = rowValidator();
  const save = () => {
    write(options.json, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    if (options.table) write(options.table, `${lines.join('\n')}\n`);
  };
  const say = (...texts) => {
    for (const text of texts) console.log(text);
    lines.push(...texts);
  };
  return {
    say,
    add(item, where, entries, about) {
      const added = toRows(item, entries, about);
      for (const row of added) validate(row);
      rows.push(...added);
      say(...tableLines(item, where, entries));
      save();
    },
  };
}

const git = (...args) => execFileSync('git', ['-C', root, ...args], { encoding: 'utf8' }).trim();

function commit() {
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') ? '-changed' : '';
    return git('rev-parse', '--short=12', 'HEAD') + changed;
  } catch {
    return 'unknown';
  }
}

async function measureGroup(title, where, group, options, out) {
  out.say('', title, ...group.notes.map((note) => `  (${note})`));
  try {
    for (const item of options.chosen) {
      process.stderr.write(`peers: ${title}: ${item.name}\n`);
      const entries = await measureCase(
        item,
        group.engines,
        makeData(item, { seed: options.seed }),
        options.method,
      );
      const date = new Date().toISOString();
      out.add(item, where, entries, { seed: options.seed, commit: commit(), date });
    }
  } finally {
    await group.close();
  }
}

async function main() {
  const options = readArguments();
  if (options.help) {
    console.log(USAGE);
    return;
  }
  prepare(root, options);
  options.chosen = options.chosen.map((item) => described(root, item));
  const folder = mkdtempSync(join(tmpdir(), 'parallax-peers-'));
  const out = output(options);
  const measure = async (where, make, threads) => {
    const title = `${where}, ${threads} thread${threads > 1 ? 's' : ''}`;
    const group = await make({ threads, python: options.python, folder, root });
    await measureGroup(title, where, group, options, out);
  };
  try {
    for (const threads of options.threadCounts) {
      if (options.native) await measure('native', nativeEngines, threads);
      if (options.browser) await measure('browser', browserEngines, threads);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (error) {
  console.error(`peers: ${error.message}`);
  process.exitCode = error instanceof Wrong ? 2 : 1;
}
