// The jobs of scripts/test: each has a tier, and names the jobs that must end before it begins.
// When several could begin, the one listed first does: jobs that others wait for come first, those
// that can best be split come last.
import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { bin, ctest, filesBelow, nodeTests, playwright } from './test_job.mjs';

const onlyLinux = (names) => (process.platform === 'linux' ? names : []);
const emulated = process.platform === 'linux' && process.arch === 'x64';

/** What the tests of a release build in float need: the libraries' symbols are looked at. */
const cPrograms = ['plx_tests', 'parallax_shared', 'parallax_archive'];

/** Builds a preset, or only these targets of it. */
const built = (preset, after = [], targets = [], name = preset) => ({
  tier: 'builds',
  name: `build of ${name}`,
  after,
  async body(job) {
    const targetOptions = targets.flatMap((target) => ['--target', target]);
    // Builds as much as possible: one broken program must not hide what the others say.
    const options = ['-j', job.cores, ...targetOptions, '--', '-k', '0'];
    const ok =
      (await job.run('cmake', ['--preset', preset])) === 0 &&
      (await job.run('cmake', ['--build', '--preset', preset, ...options])) === 0;
    if (!ok) job.fail(`building ${preset}`);
  },
});

const bundled = (name, workspace, after) => ({
  tier: 'builds',
  name,
  after: [after],
  async body(job) {
    if ((await job.run('npm', ['run', 'build', '-w', workspace])) !== 0)
      job.fail(`building ${name}`);
  },
});

const cTests = (tier, preset, options, build = preset) => ({
  tier,
  name: `${tier}: C tests of ${preset}`,
  after: [`build of ${build}`],
  despite: true,
  body: (job) => ctest(job, preset, options),
});

/** Runs node --test over these files, or over all files in these folders. */
const node = (tier, what, after, ...places) => ({
  tier,
  name: `${tier}: ${what}`,
  after,
  turn: 'engines',
  body: (job) =>
    nodeTests(
      job,
      places.flatMap((place) =>
        /\.mjs$/.test(place) ? [place] : filesBelow(place, /\.test\.mjs$/),
      ),
    ),
});

const style = (tier) => ({
  tier,
  name: `${tier}: layers, formats`,
  after: [],
  async body(job) {
    const c = ['src', 'native', 'wasm', 'bench', 'tests']
      .flatMap((folder) => filesBelow(folder, /\.(c|h)$/))
      .filter((name) => !/\/(dist|corpus)\//.test(name));
    await job.check('layering', process.execPath, ['scripts/check_layers.mjs']);
    await job.check('clang-format', process.env.CLANG_FORMAT, ['--dry-run', '-Werror', ...c]);
    await job.check('biome', bin('biome'), ['ci', '--error-on-warnings', '.']);
    if ((await job.run('shellcheck', ['--version'])) === 0) {
      const names =
        'setup test playground repeat reference inversions peers results fetch_data'.split(' ');
      await job.check('shellcheck', 'shellcheck', [
        ...names.map((name) => `scripts/${name}`),
        '.ci/run',
      ]);
    } else {
      job.skip('no shellcheck');
    }
  },
});

/** The page's types come from the package, so that is built first. */
const types = (tier) => ({
  tier,
  name: `${tier}: types`,
  after: ['package'],
  async body(job) {
    for (const folder of ['wasm', 'web', 'web/worker', 'tests/web', 'tests/wasm']) {
      if (!existsSync(path.join(folder, 'tsconfig.json'))) continue;
      await job.check(`types of ${folder}`, bin('tsc'), ['--noEmit', '-p', folder]);
    }
  },
});

/** Uses the checked build, where assertions tell the analyser what cannot happen. */
const clangTidy = (options) => ({
  tier: 'lint',
  name: 'lint: clang-tidy',
  after: [],
  async body(job) {
    if (!process.env.CLANG_TIDY) {
      job.skip('no clang-tidy');
      return;
    }
    const all = process.env.CI || options.some((option) => option.startsWith('--no-skip'));
    const prepared =
      (await job.run('cmake', ['--preset', 'asan', '-B', 'build/tidy'])) === 0 &&
      (await job.run('cmake', ['--build', 'build/tidy', '--target', 'parallax_build_info'])) === 0;
    if (!prepared) job.fail('configuring the checked build');
    else {
      const options = ['--jobs', job.cores, ...(all ? [] : ['--changed'])];
      await job.check('clang-tidy', process.execPath, [
        'scripts/run_clang_tidy.mjs',
        'build/tidy',
        ...options,
      ]);
    }
  },
});

const firefox = {
  tier: 'web',
  name: 'web: page in Firefox',
  after: ['page', 'build of release'],
  turn: 'engines',
  body(job) {
    if (process.env.PARALLAX_FIREFOX)
      return nodeTests(job, filesBelow('tests/web', /\.test\.mjs$/));
    job.skip('no Firefox was found');
  },
};

const chromium = {
  tier: 'web',
  name: 'web: page in Chromium',
  after: ['page', 'build of release'],
  turn: 'engines',
  body: playwright,
};

const arm = emulated
  ? cTests('arm', 'aarch64')
  : {
      tier: 'arm',
      name: 'arm: C tests',
      after: [],
      body: (job) => job.skip('the emulated tests run on x86-64 Linux'),
    };

const sanitizerOptions = {
  asan: {
    ASAN_OPTIONS: 'detect_stack_use_after_return=1:strict_string_checks=1',
    UBSAN_OPTIONS: 'print_stacktrace=1',
  },
  tsan: { TSAN_OPTIONS: 'second_deadlock_stack=1' },
};

const full = (options) => [
  // Most of the other jobs wait for the engines, none for the C tests that Node runs.
  built('wasm', [], ['engines']),
  built('release'),
  style('lint'),
  bundled('package', 'wasm', 'build of wasm'),
  bundled('page', 'web', 'package'),
  types('lint'),
  // Those that take turns are the longest chain, so they begin while the engines are built.
  node('native', 'command', ['build of release'], 'tests/cli'),
  node('lint', 'scripts', [], 'tests/scripts'),
  cTests('native', 'release'),
  // Compared with the native command, as the page is.
  node('wasm', 'package', ['package', 'build of release'], 'tests/wasm'),
  chromium,
  firefox,
  ...(emulated ? [built('aarch64', [], cPrograms)] : []),
  arm,
  clangTidy(options),
  built('asan', [], ['plx_tests']),
  cTests('sanitize', 'asan', { env: sanitizerOptions.asan }),
  built('tsan', [], ['plx_tests']),
  cTests('sanitize', 'tsan', { env: sanitizerOptions.tsan }),
  ...onlyLinux([built('gcc', [], [...cPrograms, 'parallax']), cTests('native', 'gcc')]),
  built('wasm', ['build of wasm'], [], 'tests in wasm'),
  cTests('wasm', 'wasm', {}, 'tests in wasm'),
];

/** C test groups that take more than a few seconds. */
const slowGroups = 'ops\\.long_sums|bench\\.(suites|learning|modern|pictures)';
/** Package tests that take seconds. */
const quickPackage = ['engine', 'calls', 'errors', 'graph'].map(
  (name) => `tests/wasm/${name}.test.mjs`,
);

/**
 * Whether a change is sane, in three minutes: one build, the tests of each kind that take seconds,
 * one engine.
 */
const quick = () => [
  built('release', [], ['plx_tests', 'parallax']),
  built('wasm', [], ['engines']),
  style('quick'),
  bundled('package', 'wasm', 'build of wasm'),
  types('quick'),
  cTests('quick', 'release', { args: ['-R', '^plx_tests:', '-E', slowGroups] }),
  node('quick', 'command', ['build of release'], 'tests/cli/refusals.test.mjs'),
  node('quick', 'package', ['package'], ...quickPackage),
  node('quick', 'scripts', [], 'tests/scripts'),
];

/** The tiers, in the order of the help. */
export const tiers = ['native', 'sanitize', 'wasm', 'web', 'arm', 'lint'];

/**
 * The jobs of a run with these options of scripts/test: those of the named tiers, or all, and the
 * jobs they wait for.
 */
export function chooseJobs(options) {
  if (options.includes('--quick')) return quick();
  const named = tiers.filter((tier) => options.includes(`--${tier}`));
  const all = full(options);
  if (named.length === 0) return all;
  const chosen = new Set();
  const choose = (name) => {
    const job = all.find((each) => each.name === name);
    chosen.add(job);
    job.after.forEach(choose);
  };
  for (const { tier, name } of all) if (named.includes(tier)) choose(name);
  return all.filter((job) => chosen.has(job));
}
