// How well figures reproduce from run to run, on rows whose truth is known.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  comparePairs,
  headlineInterval,
  machineMovement,
  median,
  summariseRuns,
} from '../../scripts/repeat_statistics.mjs';

/** A row with an interval from low to high, and its median in the middle. */
function row(low, high, change = {}) {
  const { engine = {}, ...rest } = change;
  return {
    suite: 'gemm',
    case: 'square',
    parameters: { m: 128 },
    metric: 'rate',
    unit: 'GFLOP/s',
    better: 'higher',
    primary: true,
    samples: { count: 9, median: (low + high) / 2, low, high },
    engine: { kind: 'native', isa: 'avx2', gemm: 'builtin', threads: 2, ...engine },
    checks: { passed: true },
    ...rest,
  };
}

const yardstick = (value) =>
  row(value, value, { suite: 'machine', case: 'yardstick', metric: 'arithmetic', primary: false });

test('median of an odd and of an even number', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.ok(Number.isNaN(median([])));
});

test('pairs of intervals overlap or not, and hold the median of the other or not', () => {
  const of = (low, high) => ({ low, high, median: (low + high) / 2 });
  // The wide interval holds the median 5.5 of the narrow one, which does not hold 4.
  assert.deepEqual(comparePairs([of(2, 6), of(5, 6), of(7, 8)]), {
    pairs: 3,
    overlapping: 1,
    inside: 0.5,
  });
  assert.deepEqual(comparePairs([of(1, 3), of(1, 3), of(3, 4)]), {
    pairs: 3,
    overlapping: 3,
    inside: 1,
  });
});

describe('a summary of runs', () => {
  test('has a line for each suite', () => {
    const other = { suite: 'mlp', case: 'train' };
    const [gemm, mlp, ...more] = summariseRuns([
      [row(90, 110), row(1, 2, other)],
      [row(100, 120), row(3, 4, other)],
      [row(115, 125), row(1, 2, other)],
    ]);
    assert.deepEqual(
      [gemm.suite, gemm.cases, gemm.pairs, mlp.suite, more],
      ['gemm', 1, 3, 'mlp', []],
    );
    assert.equal(gemm.overlapping, (100 * 2) / 3);
    // 100 in [100, 120] and 110 in [90, 110]; 120 in [100, 120].
    assert.equal(gemm.inside, 50);
    assert.equal(gemm.halfWidth, 1000 / 110);
    assert.equal(mlp.overlapping, 100 / 3);
  });

  test('pairs cases only with the same parameters, metric and kernels', () => {
    const base = row(1, 2);
    const ofOther = (change) => summariseRuns([[base], [row(1, 2, change)]])[0];
    assert.equal(ofOther({}).cases, 1);
    assert.equal(ofOther({ engine: { threads: 1 } }).cases, 1);
    for (const change of [
      { parameters: { m: 2048 } },
      { metric: 'time' },
      { engine: { isa: 'avx512' } },
      { engine: { gemm: 'OpenBLAS' } },
    ])
      assert.deepEqual([ofOther(change).cases, ofOther(change).pairs], [2, 0]);
    const [a, b] = [
      { m: 1, n: 2 },
      { n: 2, m: 1 },
    ].map((parameters) => row(1, 2, { parameters }));
    assert.equal(summariseRuns([[a], [b]])[0].cases, 1, 'in any order');
  });

  test('counts only figures of speed', () => {
    const run = [
      row(1, 2),
      row(5, 6, { metric: 'time', primary: false }),
      row(5, 6, { case: 'threshold', better: 'none' }),
      yardstick(3),
    ];
    const suites = summariseRuns([run, run]);
    assert.deepEqual(
      suites.map(({ suite, cases }) => [suite, cases]),
      [['gemm', 1]],
    );
  });

  test('leaves out rows that are void or have no interval, and says how many', () => {
    const voided = row(1, 2, { checks: { passed: false, failure: 'no' }, samples: { count: 0 } });
    const single = row(5, 5, { samples: { count: 1, median: 5, low: 5, high: 5 } });
    const [suite] = summariseRuns([[row(1, 2)], [voided], [single], [row(1, 2)]]);
    assert.deepEqual([suite.pairs, suite.voided, suite.withoutInterval], [1, 1, 1]);
    assert.equal(suite.overlapping, 100);
  });

  test('treats impossible figures of speed as void', () => {
    const of = (samples) => row(1, 2, { samples: { count: 9, ...samples } });
    const impossible = [
      { median: 0, low: 0, high: 0 },
      { median: null, low: 1, high: 2 },
      { median: Number.NaN, low: 1, high: 2 },
      { median: Number.POSITIVE_INFINITY, low: 1, high: 2 },
      { low: 1, high: 2 },
      { median: 1.5, low: null, high: null },
      { median: 1.5, low: 2, high: 1 },
      { median: 1.5, low: 0, high: 2 },
      { median: 1.5, high: 2 },
    ].map(of);
    for (const one of impossible) {
      const [suite] = summariseRuns([[one], [one]]);
      const { pairs, valid, voided, withoutInterval } = suite;
      assert.deepEqual([pairs, valid, voided, withoutInterval], [0, 0, 2, 0]);
      assert.ok(Number.isNaN(suite.overlapping), 'nothing agrees');
    }
    const [beside] = summariseRuns([[row(1, 2)], [impossible[0]], [row(1, 2)]]);
    assert.deepEqual([beside.pairs, beside.valid, beside.voided], [1, 2, 1]);
  });

  test('says if other threads worked, and if costs were assumed', () => {
    const worked = (threadsWorked, costs) => [row(1, 2, { engine: { threadsWorked, costs } })];
    const [suite] = summariseRuns([worked(2, 'measured'), worked(1, 'assumed'), worked(2)]);
    assert.deepEqual([suite.threadsDiffer, suite.assumed], [1, 1]);
    assert.equal(summariseRuns([worked(2), worked(2)])[0].threadsDiffer, 0);
  });
});

test('the movement of the machine is that of its yardstick', () => {
  const [movement, ...more] = machineMovement([
    [yardstick(95)],
    [yardstick(100)],
    [yardstick(120)],
  ]);
  assert.deepEqual(movement, { metric: 'arithmetic', runs: 3, below: 5, above: 20 });
  assert.equal(more.length, 0);
  assert.deepEqual(machineMovement([[row(1, 2)]]), []);
  assert.deepEqual(machineMovement([[yardstick(0)], [yardstick(Number.NaN)]]), []);
});

test('a headline gives its interval', () => {
  assert.deepEqual(
    headlineInterval('Your browser reaches 34% of native (95% CI 33%–35%), over 12 cases.'),
    { median: 34, low: 33, high: 35 },
  );
  assert.deepEqual(headlineInterval('as fast: no difference seen (98%, 95% CI 9.5%–101%)'), {
    median: 98,
    low: 9.5,
    high: 101,
  });
  assert.equal(headlineInterval('Nothing was measured.'), undefined);
});

describe('scripts/repeat', () => {
  const script = fileURLToPath(new URL('../../scripts/repeat.mjs', import.meta.url));
  const repeat = (folder, ...args) =>
    spawnSync(process.execPath, [script, ...args], { encoding: 'utf8', cwd: folder });
  const inFolder = (use) => () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'repeat-'));
    try {
      writeFileSync(path.join(folder, 'a'), `${JSON.stringify(row(1, 2))}\n`);
      writeFileSync(path.join(folder, 'b'), `\n${JSON.stringify(row(1.5, 3))}\n`);
      writeFileSync(path.join(folder, 'c'), `${JSON.stringify(row(4, 5))}\n`);
      writeFileSync(path.join(folder, 'wrong'), '\n{"a": 1}\n');
      const nothing = row(0, 0, { suite: 'mlp' });
      const still = { ...yardstick(0), samples: { count: 1, median: null } };
      writeFileSync(
        path.join(folder, 'void'),
        `${JSON.stringify(nothing)}\n${JSON.stringify(still)}`,
      );
      for (const name of ['a', 'b'])
        writeFileSync(
          path.join(folder, `${name}+void`),
          [row(1, 2), nothing].map((each) => JSON.stringify(each)).join('\n'),
        );
      use(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  test(
    'judges files by a goal',
    inFolder((folder) => {
      const held = repeat(folder, '--from', 'a', 'b', '--goal', '95');
      assert.equal(held.status, 0, held.stderr);
      assert.match(held.stdout, /^gemm +1 +1 +100\.0% /m);
      const moved = repeat(folder, '--from', 'a', 'b', 'c', '--goal', '95');
      assert.equal(moved.status, 1);
      assert.match(moved.stdout, /^gemm: intervals overlap in 33\.3% of the pairs, below 95%$/m);
    }),
  );

  test(
    'misses the goal where a suite has no valid case',
    inFolder((folder) => {
      const some = repeat(folder, '--from', 'a+void', 'b+void', '--goal', '95');
      assert.equal(some.status, 1, some.stderr);
      assert.match(some.stdout, /^gemm +1 +1 +100\.0% /m);
      assert.match(some.stdout, /^mlp: no case is valid; all 2 rows are void$/m);
      const none = repeat(folder, '--from', 'void', 'void', '--goal', '95');
      assert.equal(none.status, 1);
      assert.match(none.stderr, /no two runs have a valid case in common/);
      assert.doesNotMatch(none.stdout, /--%|-- to|\+-/);
      assert.match(none.stdout, /no row tells whether the machine itself changed speed/);
      const one = repeat(folder, '--from', 'a', 'b', 'void', '--goal', '95');
      assert.equal(one.status, 1, 'void in the one run that has it');
      const free = repeat(folder, '--from', 'a+void', 'b+void');
      assert.equal(free.status, 0, 'without a goal nothing is missed');
    }),
  );

  const wrong = [
    [2, ['--suites', 'nosuch'], /there is no suite "nosuch"; the suites are gemm, mlp/],
    [2, ['--suites', 'gemm,'], /there is no suite ""/],
    [2, ['--suites', 'nosuch', '--page'], /there is no suite "nosuch"/],
    [2, ['--runs', '1'], /--runs must be a whole number from 2 to 1000, not "1"/],
    [2, ['--goal', ''], /--goal must be a percentage from 0 to 100, not ""/],
    [2, ['--quick', '--full'], /cannot be combined/],
    [2, ['a'], /"a" belongs to no option/],
    [2, ['--from', 'a'], /two files of rows/],
    [2, ['--fast'], /--fast.*--help/],
    [1, ['--from', 'a', 'none'], /cannot read "none": ENOENT/],
    [1, ['--from', 'a', 'wrong'], /"wrong", line 2, is not a row/],
  ];
  for (const [code, args, pattern] of wrong)
    test(
      `refuses ${args.join(' ')}`,
      inFolder((folder) => {
        const { status, stderr } = repeat(folder, ...args);
        assert.equal(status, code, stderr);
        assert.match(stderr, pattern);
      }),
    );
});
