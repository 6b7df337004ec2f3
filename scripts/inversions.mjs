// scripts/inversions: finds the cases that are slower on a wider kernel target than on a narrower one.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { scriptRow, writeRows } from '../bench/peers/provenance.mjs';
import { findInversions } from './inversion_rows.mjs';
import { parseOptions, Wrong, wholeNumber } from './options.mjs';

const USAGE = `usage: scripts/inversions [--suites A,B] [--cases TEXT,TEXT] [--targets A,B,C] [--rounds N]
                          [--seconds S] [--quick] [--above PERCENT] [--out FOLDER] [--json FILE]
                          [--help]

Runs parallax bench with one thread on each kernel target in turn, several times, and lists the cases
that take longer on a wider target. The best round of each target counts; a case is listed if they
differ by the given percentage, and by more than the two best rounds of the narrower target do. This
is a report: nothing fails.

  --suites A,B      suites (default ops,adaptive)
  --cases TEXT      only cases whose name contains the text, or one of several separated by commas
  --targets A,B     targets, widest first (default avx512,avx2,avx128,sse2, as far as this machine has them)
  --rounds N        rounds, 1 to 100 (default 6)
  --seconds S       seconds per case and run (default 0.02)
  --quick           the small sizes only; rows that no vector divides are among the others
  --above PERCENT   least difference to report (default 5)
  --out FOLDER      keeps the rows here (default build/inversions)
  --json FILE       writes a row with the number of cases found`;

const USUAL = ['avx512', 'avx2', 'avx128', 'sse2'];

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const command = process.env.PARALLAX_COMMAND ?? path.join(root, 'build/release/parallax');

function readArguments() {
  const text = (value) => ({ type: 'string', default: value });
  const { values } = parseOptions({
    options: {
      suites: text('ops,adaptive'),
      cases: { type: 'string' },
      targets: { type: 'string' },
      rounds: text('6'),
      seconds: text('0.02'),
      quick: { type: 'boolean' },
      above: text('5'),
      out: text(path.join(root, 'build/inversions')),
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const rounds = wholeNumber('rounds', values.rounds, 1, 100);
  const above = Number(values.above);
  if (!(values.above.trim() && above >= 0))
    throw new Wrong(`--above must be a percentage of at least 0, not "${values.above}".`);
  return { ...values, rounds, above };
}

function bench(options, args, file) {
  const { status, stderr } = spawnSync(
    command,
    ['bench', ...options.suites.split(','), ...args, '--json', file],
    { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' },
  );
  // Void rows make it exit with 1, and its other rows still count.
  if (status !== 0 && status !== 1)
    throw new Error(stderr?.trim() || `${command} cannot be run; build it first.`);
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim())
    .map((line) => JSON.parse(line));
}

/** The targets that are compared: those named, or of the usual ones those that this machine has. */
function available(named) {
  const { status, stdout } = spawnSync(command, ['info', '--json', '-'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${command} cannot be run; build it first.`);
  const { targets } = JSON.parse(stdout);
  const list = named?.split(',') ?? USUAL.filter((name) => targets.includes(name));
  const wrong = list.find((name) => !targets.includes(name));
  if (wrong !== undefined)
    throw new Wrong(`this machine has no target "${wrong}"; it has ${targets.join(', ')}.`);
  if (new Set(list).size < 2 || new Set(list).size < list.length)
    throw new Wrong(`--targets needs two different targets or more, from ${targets.join(', ')}.`);
  return list;
}

function measure(options, targets) {
  const file = path.join(options.out, 'rows.jsonl');
  const args = [
    ...['--threads', '1', '--rounds', '1', '--seconds', options.seconds],
    ...(options.quick ? ['--quick'] : []),
    ...(options.cases ? ['--cases', options.cases] : []),
  ];
  mkdirSync(options.out, { recursive: true });
  return Array.from({ length: options.rounds }, (_, i) => {
    // Every other round goes backwards, so that no target is always the first.
    const order = i % 2 ? [...targets].reverse() : targets;
    return Object.fromEntries(
      order.map((target) => {
        process.stderr.write(`inversions: round ${i + 1} of ${options.rounds}, ${target}\n`);
        rmSync(file, { force: true });
        return [target, bench(options, [...args, '--isa', target], file)];
      }),
    );
  });
}

/** The metric that RESULTS.md judges. */
const COUNT = 'slower on a wider target';

/** What was measured, as rows name it. */
const chosen = ({ suites, cases, quick }) =>
  [suites, cases && `cases ${cases}`, quick && 'small sizes'].filter(Boolean).join('; ');

function main() {
  const options = readArguments();
  if (options.help) {
    console.log(USAGE);
    return;
  }
  const targets = available(options.targets);
  const { compared, inversions } = findInversions(
    measure(options, targets),
    targets,
    options.above,
  );
  for (const { name, wide, narrow, ratio, low, high } of inversions)
    console.log(
      `${name}: ${wide} takes ${ratio.toFixed(2)} times as long as ${narrow} (${low.toFixed(2)} to ${high.toFixed(2)})`,
    );
  if (options.json) {
    const about = {
      suite: 'inversions',
      engine: { kind: 'native', name: 'parallax bench', version: '-', threads: 1 },
    };
    const count = scriptRow(root, {
      ...about,
      case: chosen(options),
      parameters: { compared, targets: targets.join(', ') },
      metric: COUNT,
      unit: 'pairs',
      values: [inversions.length],
    });
    const each = inversions.map(({ name, wide, narrow, ratio }) =>
      scriptRow(root, {
        ...about,
        case: name,
        parameters: { wide, narrow },
        metric: 'time as a multiple of that on the narrower target',
        unit: '1',
        values: [ratio],
      }),
    );
    writeRows(options.json, [count, ...each]);
  }
  console.log(`${inversions.length} of ${compared} pairs are slower on the wider target`);
}

try {
  main();
} catch (error) {
  console.error(`inversions: ${error.message}`);
  process.exitCode = 2;
}
