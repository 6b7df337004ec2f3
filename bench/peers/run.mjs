// scripts/peers: measures Parallax beside other libraries, natively and in Chromium.
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measureGroup } from './groups.mjs';
import { checkInterpreters } from './interpreters.mjs';
import { nativeEngines } from './native.mjs';
import { readArguments, taken, USAGE, Wrong } from './peer_arguments.mjs';
import { browserEngines } from './peer_browser.mjs';
import { makeData } from './peer_data.mjs';
import { toRows } from './peer_rows.mjs';
import { described, prepare } from './prepare.mjs';
import { commit, machine } from './provenance.mjs';
import { tableLines } from './report.mjs';
import { cpuVendor } from './vendor.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

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

function titleOf(where, threads) {
  const model = cpus()[0]?.model.trim() || 'unknown processor';
  return `${where}, ${threads} thread${threads > 1 ? 's' : ''}, on ${cpuVendor()} (${model})`;
}

/** The rows and the table; both are written after every case. */
function output({ json, table, seed }) {
  const rows = [];
  const lines = [];
  const voids = [];
  const validate = rowValidator();
  const save = () => {
    write(json, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    if (table) write(table, `${lines.join('\n')}\n`);
  };
  const say = (...texts) => {
    for (const text of texts) console.log(text);
    lines.push(...texts);
  };
  return {
    say,
    save,
    note: (sentence) => say(`  (${sentence})`),
    begin: (item, { where, threads }) =>
      process.stderr.write(`peers: ${titleOf(where, threads)}: ${item.name}\n`),
    measured: () => rows.some(({ checks }) => checks.passed),
    voids,
    add(item, { where, threads }, entries) {
      const origin = { machine: machine(), commit: commit(root), date: new Date().toISOString() };
      const added = toRows(item, entries, { threads, seed, ...origin });
      for (const row of added) validate(row);
      rows.push(...added);
      if (entries.every(({ failure }) => failure)) voids.push(`${item.name} (${where})`);
      say(...tableLines(item, { where, threads }, entries));
      save();
    },
  };
}

/** Measures one group after the other; `open` holds the one in progress. */
async function measureAll(options, folder, out, open) {
  const { seed, method, chosen } = options;
  const data = (item) => makeData(item, { seed });
  const measure = async (where, make, threads) => {
    out.say('', titleOf(where, threads));
    try {
      open.group = await make({ ...options, threads, folder, root });
    } catch (error) {
      out.note(`cannot be measured: ${error.message.split('\n')[0]}`);
      return;
    }
    for (const note of open.group.notes) out.note(note);
    const possible = chosen.filter(({ onlyNative }) => where === 'native' || !onlyNative);
    await measureGroup(open.group, possible, {
      out,
      side: { where, threads },
      method,
      makeData: data,
    });
  };
  for (const threads of options.threadCounts) {
    if (options.native) await measure('native', nativeEngines, threads);
    if (options.browser) await measure('browser', browserEngines, threads);
  }
}

/** On Ctrl-C: saves what there is, ends the engines, and exits. */
function onInterrupt(out, folder, open) {
  const stop = () => {
    out.say('', '(interrupted: the cases above are complete, the one in progress is left out)');
    out.save();
    for (const engine of open.group?.engines ?? []) engine.dispose?.();
    rmSync(folder, { recursive: true, force: true });
    process.exit(130);
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);
}

async function main() {
  const options = readArguments(root, process.argv.slice(2));
  if (options.help || options.list) {
    console.log(options.help ? USAGE : options.chosen.map(({ name }) => name).join('\n'));
    return;
  }
  checkInterpreters(options);
  if (options.case) process.stderr.write(`peers: ${taken(options)}\n`);
  prepare(root, options);
  options.chosen = options.chosen.map((item) => described(root, item));
  const folder = mkdtempSync(join(tmpdir(), 'parallax-peers-'));
  const out = output(options);
  const open = {};
  onInterrupt(out, folder, open);
  try {
    await measureAll(options, folder, out, open);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (out.voids.length) out.say('', `(void: ${out.voids.join('; ')})`);
  out.save();
  if (!out.measured()) throw new Error('nothing was measured.');
}

try {
  await main();
} catch (error) {
  console.error(`peers: ${error.message}`);
  process.exitCode = error instanceof Wrong ? 2 : 1;
}
