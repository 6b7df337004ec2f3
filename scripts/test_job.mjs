// One job of a test run: its log, its counts, the names of failed tests; and the parts that jobs
// are made of.
import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { stripVTControlCharacters } from 'node:util';
import {
  addCounts,
  countsOfTap,
  failedInTap,
  noCounts,
  sentence,
  skippedInTap,
  testsOfCtest,
  withDetail,
} from './test_counts.mjs';

export const logs = 'build/logs';
export const bin = (name) => path.join('node_modules', '.bin', name);

const beginning = Date.now();
const seconds = (since) => ((Date.now() - since) / 1000).toFixed(0);

export class Job {
  /** `cores` is the number of processes it may keep busy. */
  constructor(name, cores) {
    this.name = name;
    this.cores = String(cores);
    this.log = path.join(logs, `${name.replace(/\W+/g, '-')}.log`);
    this.file = openSync(this.log, 'w');
    this.counts = noCounts();
    this.problems = [];
    this.started = Date.now();
    this.say('...');
  }

  say(text) {
    process.stdout.write(`${seconds(beginning).padStart(4)} s  ${this.name}: ${text}\n`);
  }

  add(counts) {
    addCounts(this.counts, counts);
  }

  fail(problem) {
    this.counts.failed += 1;
    this.problems.push(problem);
  }

  skip(reason) {
    this.counts.skipped += 1;
    this.say(`skipped: ${reason}`);
  }

  /** Runs a command with its output in the log; resolves to its exit code. */
  run(command, args, env = {}) {
    writeSync(this.file, `\n$ ${[command, ...args].join(' ')}\n`);
    return new Promise((resolve) => {
      const child = spawn(command, args, {
        stdio: ['ignore', this.file, this.file],
        env: { ...process.env, NO_COLOR: '1', ...env },
      });
      child.on('error', (error) => {
        writeSync(this.file, `${error.message}\n`);
        resolve(127);
      });
      child.on('close', (code) => resolve(code ?? 1));
    });
  }

  /** Runs a command that counts as one test. */
  async check(label, command, args) {
    const before = fstatSync(this.file).size;
    const ok = (await this.run(command, args)) === 0;
    if (ok) this.counts.passed += 1;
    else this.fail(withDetail(label, readFileSync(this.log).subarray(before).toString()));
    return ok;
  }

  close() {
    closeSync(this.file);
    const { passed, failed, skipped } = this.counts;
    const what = passed + failed + skipped > 0 ? sentence(this.counts) : 'done';
    this.say(`${what} (${seconds(this.started)} s)`);
    // With what it printed: the log may be out of reach when the run was elsewhere.
    for (const problem of this.problems.slice(0, 40))
      process.stdout.write(`        failed: ${problem.replaceAll('\n', '\n        ')}\n`);
    if (failed > 0) process.stdout.write(`        see ${this.log}\n`);
  }
}

/** Runs the C tests of a preset; `args` select among them. */
export async function ctest(job, preset, { env, args = [] } = {}) {
  const report = path.resolve(logs, `${preset}.junit.xml`);
  rmSync(report, { force: true });
  const options = ['--preset', preset, '-j', job.cores, '--output-junit', report, ...args];
  const code = await job.run('ctest', options, env);
  if (!existsSync(report)) {
    job.fail(`ctest of ${preset}`);
    return;
  }
  for (const { ended, problem } of testsOfCtest(readFileSync(report, 'utf8'))) {
    if (ended === 'failed') job.fail(`${preset} ${problem}`);
    else job.counts[ended] += 1;
  }
  if (code !== 0 && job.counts.failed === 0) job.fail(`ctest of ${preset}`);
}

export function filesBelow(folder, pattern) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .map((name) => path.join(folder, name))
    .filter((name) => pattern.test(name) && !name.includes('node_modules'))
    .sort();
}

/** Runs node --test over these files. */
export async function nodeTests(job, files) {
  if (files.length === 0) return;
  const report = `${job.log.slice(0, -'.log'.length)}.tap`;
  rmSync(report, { force: true });
  const code = await job.run(process.execPath, [
    '--test',
    // One file at a time: several of them measure, or start a browser.
    '--test-concurrency=1',
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=tap',
    `--test-reporter-destination=${report}`,
    ...files,
  ]);
  const text = existsSync(report) ? readFileSync(report, 'utf8') : '';
  const counts = countsOfTap(text);
  job.add(counts);
  for (const line of skippedInTap(text)) job.say(`skipped: ${line}`);
  job.problems.push(...failedInTap(text));
  if (code !== 0 && counts.failed === 0) job.fail('node --test');
}

/** Lines of an error of Playwright that say what was expected, and what was there. */
const ERROR_LINES = 5;

/** The title of a failed test of Playwright's report, with the first lines of each error. */
function failedSpec({ title, tests }) {
  const errors = tests.flatMap((test) => test.results.flatMap((result) => result.errors));
  const lines = errors.flatMap(({ message = '' }) =>
    stripVTControlCharacters(message)
      .split('\n')
      .filter((line) => line.trim())
      .slice(0, ERROR_LINES),
  );
  return withDetail(title, lines.join('\n'));
}

export async function playwright(job) {
  if (!process.env.PARALLAX_CHROMIUM) {
    job.skip('no Chromium or Chrome was found');
    return;
  }
  const report = path.resolve(logs, 'playwright.json');
  rmSync(report, { force: true });
  const args = ['test', '-c', 'tests/web/playwright.config.ts', '--reporter=list,json'];
  const code = await job.run(bin('playwright'), args, { PLAYWRIGHT_JSON_OUTPUT_NAME: report });
  let failed = 0;
  if (existsSync(report)) {
    const { stats, suites, errors } = JSON.parse(readFileSync(report, 'utf8'));
    const visit = (suite) => {
      for (const spec of suite.specs ?? []) if (!spec.ok) job.problems.push(failedSpec(spec));
      for (const child of suite.suites ?? []) visit(child);
    };
    for (const suite of suites ?? []) visit(suite);
    for (const error of errors ?? []) job.problems.push(error.message ?? 'Playwright');
    // A test that passed only on a retry did not pass.
    failed = stats.unexpected + stats.flaky;
    job.add({ passed: stats.expected, failed, skipped: stats.skipped });
  }
  if (code !== 0 && failed === 0) job.fail('Playwright');
}
