// Builds and runs the tiers of tests, one after the other, and adds up what passed.
// Called by scripts/test, which sets up the tools and checks the arguments.
import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { closing, countsOfTap, skippedInTap } from './test_counts.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);
const logs = 'build/logs';
mkdirSync(logs, { recursive: true });
const cores = availableParallelism();
const bin = (name) => path.join('node_modules', '.bin', name);

const total = { passed: 0, failed: 0, skipped: 0, lacksData: 0 };

/** One tier: its log, its counts, and the names of what failed. */
class Tier {
  constructor(name) {
    this.name = name;
    this.log = path.join(logs, `${name}.log`);
    this.file = openSync(this.log, 'w');
    this.counts = { passed: 0, failed: 0, skipped: 0, lacksData: 0 };
    this.problems = [];
    this.started = Date.now();
  }

  say(text) {
    process.stdout.write(`${this.name}: ${text}\n`);
  }

  add(counts) {
    for (const key of Object.keys(counts)) this.counts[key] += counts[key];
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
  run(command, args, options = {}) {
    writeSync(this.file, `\n$ ${[command, ...args].join(' ')}\n`);
    return new Promise((resolve) => {
      const child = spawn(command, args, {
        stdio: ['ignore', this.file, this.file],
        env: { ...process.env, NO_COLOR: '1', ...options.env },
      });
      child.on('error', (error) => {
        writeSync(this.file, `${error.message}\n`);
        resolve(127);
      });
      child.on('close', (code) => resolve(code ?? 1));
    });
  }

  /** A command that counts as one test. */
  async check(label, command, args, options) {
    const code = await this.run(command, args, options);
    if (code === 0) this.counts.passed += 1;
    else this.fail(label);
    return code === 0;
  }

  close() {
    closeSync(this.file);
    const { passed, failed, skipped } = this.counts;
    const seconds = ((Date.now() - this.started) / 1000).toFixed(1);
    const rest = skipped > 0 ? `, ${skipped} skipped` : '';
    this.say(`${passed} passed, ${failed} failed${rest} (${seconds} s)`);
    for (const problem of this.problems.slice(0, 40))
      process.stdout.write(`  failed: ${problem}\n`);
    if (failed > 0) process.stdout.write(`  see ${this.log}\n`);
    for (const key of Object.keys(total)) total[key] += this.counts[key];
  }
}

/** Each preset is built at most once; every tier that needs a failed build fails by it. */
const builds = new Map();
async function build(tier, preset) {
  if (!builds.has(preset)) {
    tier.say(`building ${preset}`);
    const ok =
      (await tier.run('cmake', ['--preset', preset])) === 0 &&
      // Whatever can be built is: one broken program must not hide what the others say.
      (await tier.run('cmake', ['--build', '--preset', preset, '--', '-k', '0'])) === 0;
    builds.set(preset, ok);
  }
  if (!builds.get(preset)) tier.fail(`build of ${preset}`);
  return builds.get(preset);
}

async function ctest(tier, preset, env) {
  await build(tier, preset);
  const report = path.resolve(logs, `${preset}.junit.xml`);
  rmSync(report, { force: true });
  tier.say(`running the C tests of ${preset}`);
  const args = ['--preset', preset, '-j', String(cores), '--output-junit', report];
  const code = await tier.run('ctest', args, { env });
  if (!existsSync(report)) {
    tier.fail(`ctest of ${preset}`);
    return;
  }
  const text = readFileSync(report, 'utf8');
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const cases = /<testcase name="([^"]*)"[^>]*? status="(\w+)">([\s\S]*?)<\/testcase>/g;
  for (const [, name, status, body] of text.matchAll(cases)) {
    if (status === 'run') counts.passed += 1;
    // A program that is missing is "notrun" as well, and no skip.
    else if (body.includes('SKIP_REGULAR_EXPRESSION_MATCHED')) counts.skipped += 1;
    else tier.fail(`${preset} ${name}`);
  }
  tier.add(counts);
  if (code !== 0 && tier.counts.failed === 0) tier.fail(`ctest of ${preset}`);
}

function filesBelow(folder, pattern) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .map((name) => path.join(folder, name))
    .filter((name) => pattern.test(name) && !name.includes('node_modules'))
    .sort();
}

/** node --test over the *.test.mjs files below a folder. */
async function nodeTests(tier, folder) {
  const files = filesBelow(folder, /\.test\.mjs$/);
  if (files.length === 0) return;
  tier.say(`running ${folder}`);
  const report = path.join(logs, `${folder.replaceAll('/', '-')}.tap`);
  const code = await tier.run(process.execPath, [
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
  tier.add(counts);
  for (const line of skippedInTap(text)) tier.say(`skipped: ${line}`);
  for (const [, name] of text.matchAll(/^ *not ok \d+ - (.*)$/gm)) tier.problems.push(name);
  if (code !== 0 && counts.failed === 0) tier.fail(folder);
}

async function playwright(tier) {
  const config = 'tests/web/playwright.config.ts';
  if (!existsSync(config)) return;
  if (!process.env.PARALLAX_CHROMIUM) {
    tier.skip('no Chromium or Chrome was found');
    return;
  }
  tier.say('running the page in Chromium');
  const report = path.resolve(logs, 'playwright.json');
  rmSync(report, { force: true });
  const code = await tier.run(bin('playwright'), ['test', '-c', config, '--reporter=list,json'], {
    env: { PLAYWRIGHT_JSON_OUTPUT_NAME: report },
  });
  let failed = 0;
  if (existsSync(report)) {
    const { stats, suites, errors } = JSON.parse(readFileSync(report, 'utf8'));
    const visit = (suite) => {
      for (const spec of suite.specs ?? []) if (!spec.ok) tier.problems.push(spec.title);
      for (const child of suite.suites ?? []) visit(child);
    };
    for (const suite of suites ?? []) visit(suite);
    for (const error of errors ?? []) tier.problems.push(error.message ?? 'Playwright');
    // A test that passed only when repeated did not pass.
    failed = stats.unexpected + stats.flaky;
    tier.add({ passed: stats.expected, failed, skipped: stats.skipped });
  }
  if (code !== 0 && failed === 0) tier.fail('Playwright');
}

/** The npm package and the page, from the built engine modules. */
async function buildPackage(tier) {
  if (!(await build(tier, 'wasm'))) return false;
  if (!builds.has('package')) {
    tier.say('building the package');
    builds.set('package', (await tier.run('npm', ['run', 'build', '-w', 'wasm'])) === 0);
  }
  if (!builds.get('package')) tier.fail('build of the package');
  return builds.get('package');
}

async function buildPage(tier) {
  if (!(await buildPackage(tier))) return false;
  if (!builds.has('page')) {
    tier.say('building the page');
    builds.set('page', (await tier.run('npm', ['run', 'build', '-w', 'web'])) === 0);
  }
  if (!builds.get('page')) tier.fail('build of the page');
  return builds.get('page');
}

const tiers = {
  async lint(tier) {
    const c = ['src', 'native', 'wasm', 'bench', 'tests']
      .flatMap((folder) => filesBelow(folder, /\.(c|h)$/))
      .filter((name) => !/\/(node_modules|dist|corpus)\//.test(name));
    await tier.check('layering', process.execPath, ['scripts/check_layers.mjs']);
    if (c.length > 0) {
      await tier.check('clang-format', process.env.CLANG_FORMAT, ['--dry-run', '-Werror', ...c]);
    }
    await tier.check('biome', bin('biome'), ['ci', '--error-on-warnings', '.']);
    await tier.check('generated types', process.execPath, ['wasm/generate.mjs']);
    // The page's types come from the package, so that is built first.
    const packaged = await buildPackage(tier);
    for (const folder of ['wasm', 'web', 'tests/web', 'tests/wasm']) {
      if (!existsSync(path.join(folder, 'tsconfig.json'))) continue;
      if (folder !== 'wasm' && !packaged) continue;
      await tier.check(`types of ${folder}`, bin('tsc'), ['--noEmit', '-p', folder]);
    }
    if ((await tier.run('shellcheck', ['--version'])) === 0) {
      const names = ['setup', 'test', 'playground', 'repeat', 'peers'];
      const scripts = [...names.map((name) => `scripts/${name}`), '.ci/run'];
      await tier.check('shellcheck', 'shellcheck', scripts.filter(existsSync));
    } else {
      tier.skip('no shellcheck');
    }
    if (process.env.CLANG_TIDY) {
      // The checked build, where assertions tell the analyser what cannot happen.
      const prepared =
        (await tier.run('cmake', ['--preset', 'asan'])) === 0 &&
        (await tier.run('cmake', [
          '--build',
          '--preset',
          'asan',
          '--target',
          'parallax_build_info',
        ])) === 0;
      if (!prepared) tier.fail('configuring asan');
      else {
        tier.say('running clang-tidy');
        await tier.check('clang-tidy', process.execPath, [
          'scripts/run_clang_tidy.mjs',
          'build/asan',
        ]);
      }
    } else {
      tier.skip('no clang-tidy');
    }
  },

  async native(tier) {
    await ctest(tier, 'release');
    await nodeTests(tier, 'tests/scripts');
    await nodeTests(tier, 'tests/cli');
    if (process.platform === 'linux') await ctest(tier, 'gcc');
  },

  async sanitize(tier) {
    await ctest(tier, 'asan', {
      ASAN_OPTIONS: 'detect_stack_use_after_return=1:strict_string_checks=1',
      UBSAN_OPTIONS: 'print_stacktrace=1',
    });
    await ctest(tier, 'tsan', { TSAN_OPTIONS: 'second_deadlock_stack=1' });
  },

  async wasm(tier) {
    await ctest(tier, 'wasm');
    if (await buildPackage(tier)) await nodeTests(tier, 'tests/wasm');
  },

  async web(tier) {
    // The page is compared with the native command, so that is built too.
    await build(tier, 'release');
    if (!(await buildPage(tier))) return;
    await playwright(tier);
    if (process.env.PARALLAX_FIREFOX) await nodeTests(tier, 'tests/web');
    else tier.skip('no Firefox was found');
  },

  async arm(tier) {
    if (process.platform !== 'linux' || process.arch !== 'x64') {
      tier.skip('the emulated tests run on x86-64 Linux');
      return;
    }
    await ctest(tier, 'aarch64');
  },
};

const named = Object.keys(tiers).filter((name) => process.argv.includes(`--${name}`));
for (const name of named.length > 0 ? named : Object.keys(tiers)) {
  const tier = new Tier(name);
  try {
    await tiers[name](tier);
  } catch (error) {
    tier.fail(error.message);
  }
  tier.close();
}

const { lines, ok } = closing(total, process.argv);
for (const line of lines) console.log(line);
process.exitCode = ok ? 0 : 1;
