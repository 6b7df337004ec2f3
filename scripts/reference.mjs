// scripts/reference: measures the results of a named machine that the page shows before anything ran.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { commandLine, Wrong } from './options.mjs';
import { pack, slimRows } from './reference_rows.mjs';
import { openPage } from './repeat_page.mjs';

const USAGE = `usage: scripts/reference [--machine NAME] [--help]

Runs every suite at the size quick: natively at its best, natively with only what WebAssembly has, and
in Chromium on the page. Writes the rows to bench/results/reference-native.jsonl and
reference-browser.jsonl, without what the page does not draw, and in each line without what the line
before has too. Build first, as scripts/playground does;
let the machine do nothing else. Takes about six minutes on two cores.

  --machine NAME  what the page calls the machine, such as "AMD EPYC, shared virtual machine" (default:
                  the name of its processor)`;

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const command = process.env.PARALLAX_COMMAND ?? path.join(root, 'build/release/parallax');
const folder = path.join(root, 'build/reference');

const parse = (text) =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

/** The rows of one native run. */
function measureNatively(name, ...options) {
  const file = path.join(folder, `${name}.jsonl`);
  rmSync(file, { force: true });
  const args = ['bench', 'all', '--quick', ...options, '--json', file];
  console.log(`reference: parallax ${args.slice(0, -1).join(' ')}`);
  // The same everywhere: the page's self-test compares bits with those of noise from the seed.
  const { PARALLAX_DATA: _, ...env } = process.env;
  const { status, error } = spawnSync(command, args, {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  // Void rows make it exit with 1; they stay void on the page.
  if (error || status > 1 || !existsSync(file))
    throw new Error(`the command failed: ${error?.message ?? `it exited with ${status}`}.`);
  return parse(readFileSync(file, 'utf8'));
}

async function measurePage() {
  console.log('reference: every suite on the page, in Chromium');
  const page = await openPage(root, { size: 'quick', suites: 'all' });
  try {
    return parse((await page.run()).lines);
  } finally {
    await page.close();
  }
}

function write(name, rows, machine) {
  const file = path.join(root, 'bench/results', `reference-${name}.jsonl`);
  const slim = slimRows(rows, machine);
  writeFileSync(file, pack(slim));
  console.log(`reference: ${slim.length} of ${rows.length} rows in ${path.relative(root, file)}`);
}

async function main({ values }) {
  if (!existsSync(command)) throw new Error(`${command} does not exist: build it first.`);
  mkdirSync(folder, { recursive: true });
  const native = [...measureNatively('best'), ...measureNatively('exact', '--reproducible')];
  const browser = await measurePage();
  const machine = values.machine ?? native[0]?.machine.name;
  write('native', native, machine);
  write('browser', browser, machine);
}

const given = commandLine(
  'reference',
  USAGE,
  { options: { machine: { type: 'string' } } },
  (all) => {
    if (all.values.machine?.trim() === '') throw new Wrong('--machine needs a name.');
    return all;
  },
);
try {
  await main(given);
} catch (error) {
  console.error(`reference: ${error.message}`);
  process.exitCode = 1;
}
