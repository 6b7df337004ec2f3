// scripts/repeat: repeats a measurement many times, and shows how well its figures hold.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseOptions, Wrong, wholeNumber } from './options.mjs';
import {
  comparePairs,
  headlineInterval,
  machineMovement,
  summariseRuns,
} from './repeat_statistics.mjs';

const USAGE = `usage: scripts/repeat [--runs N] [--quick | --full] [--suites A,B] [--cases TEXT,TEXT]
                      [--threads N] [--page] [--goal PERCENT] [--out FOLDER] [--help]
       scripts/repeat --from FILE... [--goal PERCENT]

Runs parallax bench N times, each as a process of its own, and shows per suite how often the 95%
intervals of two runs overlap, and how often the median of one lies in the interval of the other.
Intervals that describe how far a figure moves from run to run overlap in 99 of 100 pairs, and
contain the other run's median in 83 of 100. Only each case's figure of speed counts.

  --runs N         number of runs, 2 to 1000 (default 20)
  --quick, --full  as of parallax bench
  --suites A,B     only these suites
  --cases TEXT     only cases whose name contains the text, or one of several separated by commas
  --threads N      number of threads
  --page           runs the playground's page in Chromium instead, each time in a new browser context
  --goal PERCENT   exits with 1 when the intervals of a suite overlap in fewer pairs, or no two runs
                   have a valid case of it in common
  --out FOLDER     keeps the rows of every run here (default build/repeat)
  --from FILE...   measures nothing, and evaluates these files of rows, one run each

Exits with 0 when it measured and every suite reached the goal; 1 when not; 2 for a wrong argument.`;

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const command = process.env.PARALLAX_COMMAND ?? path.join(root, 'build/release/parallax');

function parse(args) {
  const text = { type: 'string' };
  const flag = { type: 'boolean' };
  return parseOptions({
    args,
    allowPositionals: true,
    options: {
      runs: { ...text, default: '20' },
      quick: flag,
      full: flag,
      suites: text,
      cases: text,
      threads: text,
      page: flag,
      goal: text,
      out: { ...text, default: path.join(root, 'build/repeat') },
      from: flag,
      help: { ...flag, short: 'h' },
    },
  });
}

/** Checked before anything is measured, and for the page as well, which runs the same suites. */
function checkSuites(names) {
  const table = readFileSync(path.join(root, 'bench/suites.def'), 'utf8');
  const known = [...table.matchAll(/^SUITE\((\w+)\)/gm)].map(([, name]) => name);
  for (const name of names)
    if (!known.includes(name))
      throw new Wrong(`there is no suite "${name}"; the suites are ${known.join(', ')}.`);
}

function readArguments(args) {
  const { values, positionals } = parse(args);
  if (values.help) return { help: true };
  if (!values.from && positionals.length > 0)
    throw new Wrong(`"${positionals[0]}" belongs to no option; files need --from.`);
  if (values.from && positionals.length < 2)
    throw new Wrong('--from needs at least two files of rows, one per run.');
  if (values.quick && values.full) throw new Wrong('--quick and --full cannot be combined.');
  if (values.page && values.cases)
    throw new Wrong('--page and --cases cannot be combined: the page runs whole suites.');
  const goal = values.goal === undefined ? undefined : Number(values.goal);
  if (goal !== undefined && !(values.goal.trim() && goal >= 0 && goal <= 100))
    throw new Wrong(`--goal must be a percentage from 0 to 100, not "${values.goal}".`);
  if (values.suites !== undefined) checkSuites(values.suites.split(','));
  if (values.threads !== undefined) wholeNumber('threads', values.threads, 1, 128);
  const size = (values.quick && 'quick') || (values.full && 'full') || undefined;
  return {
    ...values,
    size,
    goal,
    runs: wholeNumber('runs', values.runs, 2, 1000),
    files: positionals,
  };
}

/** The rows of a file of JSON lines; throws if the file cannot be read or a line is not a row. */
function readRows(name) {
  let text;
  try {
    text = readFileSync(name, 'utf8');
  } catch (error) {
    throw new Error(`cannot read "${name}": ${error.message.split(',')[0]}.`);
  }
  const rows = text
    .split('\n')
    .map((line, i) => ({ line, number: i + 1 }))
    .filter(({ line }) => line.trim())
    .map(({ line, number }) => {
      try {
        const row = JSON.parse(line);
        if (row.samples && row.engine && row.checks) return row;
      } catch {
        // Reported below.
      }
      throw new Error(`"${name}", line ${number}, is not a row of results.`);
    });
  if (rows.length === 0) throw new Error(`"${name}" has no rows.`);
  return rows;
}

// ---- Measuring -------------------------------------------------------------------------------

function benchArguments({ size, suites, cases, threads }) {
  return [
    'bench',
    ...(suites ? suites.split(',') : ['all']),
    ...(size ? [`--${size}`] : []),
    ...(cases ? ['--cases', cases] : []),
    ...(threads ? ['--threads', threads] : []),
  ];
}

/**
 * Runs one process; resolves to nothing. Void rows make it exit with 1, and its other rows still
 * count.
 */
function benchOnce(options, file) {
  const args = [...benchArguments(options), '--json', file];
  // Rows left by an earlier series must not stand in for a run that failed.
  rmSync(file, { force: true });
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let complaint = '';
    child.stderr.on('data', (text) => {
      complaint = (complaint + text).slice(-4000);
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (!signal && code <= 1 && existsSync(file)) resolve();
      else {
        // An argument that bench rejects was one of ours.
        const Kind = code === 2 ? Wrong : Error;
        reject(new Kind(complaint.trim() || `parallax bench ended with ${signal ?? code}`));
      }
    });
  });
}

async function openCommand(options) {
  if (!existsSync(command))
    throw new Error(
      `${command} is missing; build it: cmake --build --preset release --target parallax`,
    );
  return {
    run: async (file) => {
      await benchOnce(options, file);
      return {};
    },
    close: () => {},
  };
}

async function openBrowser(options) {
  const { openPage } = await import('./repeat_page.mjs');
  const page = await openPage(root, options);
  return {
    run: async (file) => {
      const { lines, headline } = await page.run();
      writeFileSync(file, lines);
      return { headline };
    },
    close: page.close,
  };
}

/** Shows how far the series is, in one line that is rewritten on a terminal. */
function showProgress(done, runs, started) {
  const left = done > 0 ? ((Date.now() - started) / done) * (runs - done) : 0;
  const time = done > 0 ? `, about ${Math.ceil(left / 60_000)} min left` : '';
  const line = `repeat: run ${done + 1} of ${runs}${time}`;
  process.stderr.write(process.stderr.isTTY ? `\r${line.padEnd(60)}` : `${line}\n`);
}

async function measure(options) {
  mkdirSync(options.out, { recursive: true });
  const engine = await (options.page ? openBrowser : openCommand)(options);
  const [results, started] = [[], Date.now()];
  try {
    for (let i = 0; i < options.runs; ++i) {
      showProgress(i, options.runs, started);
      const name = `${options.page ? 'page' : 'native'}-${String(i + 1).padStart(3, '0')}.jsonl`;
      const file = path.join(options.out, name);
      results.push({
        ...(await engine.run(file)),
        rows: readRows(file),
      });
    }
  } finally {
    if (process.stderr.isTTY) process.stderr.write(`\r${''.padEnd(60)}\r`);
    await engine.close();
  }
  console.log(`${options.runs} runs; their rows are in ${path.relative('', options.out) || '.'}`);
  return results;
}

// ---- Reports ---------------------------------------------------------------------------------

const percent = (value) => (Number.isFinite(value) ? `${value.toFixed(1)}%` : '-');

const COLUMNS = [
  ['cases', ({ cases }) => cases],
  ['pairs', ({ pairs }) => pairs],
  ['overlap', ({ overlapping }) => percent(overlapping)],
  ['median inside', ({ inside }) => percent(inside)],
  ['half width', ({ halfWidth }) => percent(halfWidth)],
  ['threads differ', ({ threadsDiffer }) => threadsDiffer],
  ['costs assumed', ({ assumed }) => assumed],
  ['void', ({ voided }) => voided],
  ['no interval', ({ withoutInterval }) => withoutInterval],
];

function printSuites(suites) {
  const row = (name, cells) =>
    console.log(
      name.padEnd(12) +
        cells.map((cell, i) => String(cell).padStart(COLUMNS[i][0].length + 2)).join(''),
    );
  row(
    'suite',
    COLUMNS.map(([title]) => title),
  );
  for (const suite of suites)
    row(
      suite.suite,
      COLUMNS.map(([, cell]) => cell(suite)),
    );
}

function printMachine(movements) {
  if (movements.length === 0) console.log('no row tells whether the machine itself changed speed');
  for (const { metric, runs, below, above } of movements)
    console.log(
      `the machine itself, ${metric}: from -${percent(below)} to +${percent(above)} of its middle in ${runs} runs`,
    );
}

function printHeadlines(results) {
  const headlines = results.map(({ headline }) => headline).filter(Boolean);
  for (const headline of headlines) console.log(`  ${headline}`);
  const intervals = headlines.map(headlineInterval).filter(Boolean);
  if (intervals.length === 0) {
    console.log('no headline: the page has no native results to compare with');
    return;
  }
  const shares = intervals.map(({ median }) => median);
  const { pairs, overlapping } = comparePairs(intervals);
  console.log(
    `headline: ${Math.min(...shares)}% to ${Math.max(...shares)}% of native; the intervals of ${overlapping} of ${pairs} pairs overlap`,
  );
}

/**
 * Void cases, and those valid in only one run, do not show that figures hold; neither can single
 * figures.
 */
const isUnknown = ({ pairs, valid, voided, withoutInterval }) =>
  pairs === 0 && (voided > 0 || withoutInterval < valid);

function judge(suites, goal) {
  if (goal === undefined) return 0;
  const below = suites.filter(({ pairs, overlapping }) => pairs > 0 && overlapping < goal);
  for (const { suite, overlapping } of below)
    console.log(
      `${suite}: intervals overlap in ${percent(overlapping)} of the pairs, below ${goal}%`,
    );
  const unknown = suites.filter(isUnknown);
  for (const { suite, valid, voided } of unknown)
    console.log(
      valid === 0
        ? `${suite}: no case is valid; all ${voided} rows are void`
        : `${suite}: no two runs have a valid case in common; ${voided} rows are void`,
    );
  if (!suites.some(({ pairs }) => pairs > 0))
    throw new Error('no two runs have a valid case in common.');
  return below.length + unknown.length > 0 ? 1 : 0;
}

async function main() {
  const options = readArguments(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const results = options.from
    ? options.files.map((file) => ({ rows: readRows(file) }))
    : await measure(options);
  const runs = results.map(({ rows }) => rows);
  const suites = summariseRuns(runs);
  printSuites(suites);
  printMachine(machineMovement(runs));
  if (options.page) printHeadlines(results);
  return judge(suites, options.goal);
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`repeat: ${error.message}`);
  if (error instanceof Wrong) console.error('Try: scripts/repeat --help');
  process.exitCode = error instanceof Wrong ? 2 : 1;
}
