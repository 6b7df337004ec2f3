/** Scripts answer --help, and refuse what they do not know in one line, before they do anything. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const run = (program, ...args) =>
  spawnSync(program, args, { cwd: root, encoding: 'utf8', timeout: 60_000 });
const script = (name, ...args) => run(process.execPath, `scripts/${name}.mjs`, ...args);

/** Scripts that read options or operands; their shell wrappers hand these on. */
const scripts = [
  ...['check_layers', 'inversions', 'package_sizes', 'reference', 'repeat', 'results'],
  ...['revectorize', 'run_clang_tidy', 'start_up'],
];

describe('scripts', () => {
  it('that take options are all in this test', () => {
    const taking = readdirSync(path.join(root, 'scripts'))
      .filter((name) => name.endsWith('.mjs') && name !== 'options.mjs')
      .filter((name) => {
        const text = readFileSync(path.join(root, 'scripts', name), 'utf8');
        return /parseArgs|parseOptions|commandLine|args\.includes/.test(text);
      });
    assert.deepEqual(
      taking,
      scripts.map((name) => `${name}.mjs`),
    );
  });

  for (const name of scripts) {
    it(`${name} has --help`, () => {
      const { status, stdout, stderr } = script(name, '--help');
      assert.deepEqual([status, stderr], [0, '']);
      assert.match(stdout, /^usage: /);
      assert.ok(stdout.includes(name));
    });

    it(`${name} refuses an unknown option`, () => {
      const { status, stdout, stderr } = script(name, '--nope');
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, new RegExp(`^${name}: .*--nope.*--help.*\\n(Try: .*\\n)?$`));
    });
  }

  for (const [name, args, message] of [
    ['revectorize', ['--turns', '0'], /--turns must be a whole number from 1 to 1000, not "0"/],
    ['revectorize', ['--tier', 'x'], /--tier must be one of simd, .*, not "x"/],
    ['start_up', ['--times', 'x'], /--times must be a whole number from 2 to 1000, not "x"/],
    ['start_up', ['no/such'], /"no\/such" has no minimal\.html/],
    ['run_clang_tidy', [], /name one build folder/],
    ['run_clang_tidy', ['no/such'], /"no\/such" has no compile_commands\.json/],
    ['check_layers', ['no/such'], /there is no folder "no\/such"/],
  ])
    it(`${name} ${args.join(' ')} is refused`, () => {
      const { status, stderr } = script(name, ...args);
      assert.equal(status, 2);
      assert.match(stderr, message);
      assert.equal(stderr.trimEnd().split('\n').length, 1);
    });
});

describe('peers', () => {
  const peers = (...args) => run(process.execPath, 'bench/peers/run.mjs', ...args);
  for (const option of ['--python', '--jax'])
    it(`refuses an interpreter for ${option} that cannot be used, before anything is built`, () => {
      const missing = peers(option, '/no/such/python');
      assert.equal(missing.status, 2);
      assert.equal(missing.stderr, `peers: ${option}: "/no/such/python" cannot be run: ENOENT.\n`);
      const other = peers(option, process.execPath); // no Python, so without the package
      assert.equal(other.status, 2);
      assert.match(other.stderr, /^peers: --\w+: ".*" has no (torch|jax).*\n$/);
    });
});
