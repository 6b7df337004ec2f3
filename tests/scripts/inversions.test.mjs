// Which cases are slower on a wider target, on rows whose truth is known.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findInversions } from '../../scripts/inversion_rows.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const TARGETS = ['wide', 'middle', 'narrow'];

function row(name, value, change = {}) {
  const samples = { median: value, p10: value, p90: value };
  return { suite: 'ops', case: name, unit: 'us', checks: { passed: true }, samples, ...change };
}

/** Rounds of one case; each list holds a target's times, one per round. */
const rounds = (wide, middle, narrow, change) =>
  wide.map((_, i) => ({
    wide: [row('max', wide[i], change)],
    middle: [row('max', middle[i], change)],
    narrow: [row('max', narrow[i], change)],
  }));

const steady = (value) => Array(6).fill(value);

test('a wider target that is faster everywhere is no inversion', () => {
  const found = findInversions(rounds(steady(1), steady(2), steady(3)), TARGETS, 5);
  assert.deepEqual(found, { compared: 3, inversions: [] });
});

test('every pair in which the wider target is slower is reported, worst first', () => {
  const { inversions } = findInversions(rounds(steady(3), steady(2), steady(1.5)), TARGETS, 5);
  assert.deepEqual(
    inversions.map(({ wide, narrow, ratio }) => [wide, narrow, Number(ratio.toFixed(3))]),
    [
      ['wide', 'narrow', 2],
      ['wide', 'middle', 1.5],
      ['middle', 'narrow', 1.333],
    ],
  );
});

test('rates count the other way round', () => {
  const found = findInversions(
    rounds(steady(3), steady(2), steady(1), { unit: 'GFLOP/s' }),
    TARGETS,
    5,
  );
  assert.deepEqual(found.inversions, []);
  const slower = rounds(steady(1), steady(2), steady(2), { unit: 'GFLOP/s' });
  assert.equal(findInversions(slower, TARGETS, 5).inversions.length, 2);
});

test('disturbed rounds neither make nor hide an inversion, unless only one round is good', () => {
  const [fast, slow] = [steady(1), steady(1.2)];
  const disturbed = (values, count) => values.map((value, i) => (i < count ? 9 * value : value));
  const count = (wide, narrow) =>
    findInversions(rounds(wide, narrow, narrow), ['wide', 'middle'], 5).inversions.length;
  assert.equal(count(disturbed(fast, 5), slow), 0);
  assert.equal(count(slow, disturbed(fast, 4)), 1);
  assert.equal(count(slow, disturbed(fast, 5)), 0);
});

test('differences below the threshold are not reported', () => {
  const measured = rounds(steady(1.04), steady(1), steady(1));
  assert.equal(findInversions(measured, TARGETS, 5).inversions.length, 0);
  assert.equal(findInversions(measured, TARGETS, 3).inversions.length, 2);
});

test('ratios, the machine itself, void rows and cases missing from a round do not count', () => {
  for (const change of [
    { unit: 'ratio' },
    { suite: 'machine' },
    { checks: { passed: false } },
    { samples: { median: Number.NaN, p10: Number.NaN, p90: Number.NaN } },
  ])
    assert.equal(
      findInversions(rounds(steady(2), steady(1), steady(1), change), TARGETS, 5).compared,
      0,
    );
  const missing = rounds(steady(2), steady(1), steady(1));
  missing[3].middle = [];
  const { compared, inversions } = findInversions(missing, TARGETS, 5);
  assert.deepEqual([compared, inversions.length, inversions[0].narrow], [1, 1, 'narrow']);
});

test('cases are told apart by their parameters', () => {
  const sizes = [3, 10].flatMap((size) =>
    rounds(steady(size), steady(1), steady(1), { parameters: { size } }),
  );
  const both = sizes
    .slice(0, 6)
    .map((round, i) =>
      Object.fromEntries(TARGETS.map((t) => [t, [...round[t], ...sizes[i + 6][t]]])),
    );
  const { inversions } = findInversions(both, ['wide', 'middle'], 5);
  assert.deepEqual(
    inversions.map(({ name, ratio }) => [name, ratio]),
    [
      ['ops: max, size 10', 10],
      ['ops: max, size 3', 3],
    ],
  );
});

test('the command refuses wrong arguments by name', () => {
  for (const [args, message] of [
    [['--rounds', '0'], /--rounds must be a whole number from 1 to 100, not "0"/],
    [['--above', 'x'], /--above must be a percentage of at least 0, not "x"/],
    [['--nonsense'], /--nonsense/],
    [['--targets', 'scalar,nope'], /this machine has no target "nope"; it has .*scalar/],
    [['--targets', 'scalar'], /--targets needs two different targets or more/],
    [['--targets', 'scalar,scalar'], /--targets needs two different targets or more/],
  ]) {
    const { status, stderr } = spawnSync(
      process.execPath,
      [path.join(root, 'scripts/inversions.mjs'), ...args],
      { encoding: 'utf8' },
    );
    assert.equal(status, 2);
    assert.match(stderr, message);
  }
});
