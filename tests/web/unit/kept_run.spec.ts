/** Earlier runs: what is told of them, what leaves first, and entries that cannot be trusted. */
import { expect, test } from '@playwright/test';
import {
  describeRun,
  type KeptRun,
  leaving,
  mostKeptBytes,
  mostRuns,
  nameOfRun,
  readKept,
} from '../../../web/src/kept_run.js';
import { voidRow } from '../../../web/src/measurement.js';
import { row } from './sample_rows.js';

const ended = new Date('2026-11-30T13:20:05.123Z');

test('a run is described by its rows', () => {
  const rows = [row({ suite: 'gemm', threads: 1 }), row({ suite: 'mlp' }), row({ suite: 'gemm' })];
  const commit = rows.map((each) => ({ ...each, commit: 'abc1234' }));
  const run = describeRun(commit, 'long', ended, 2_000);
  expect(run).toEqual({
    ...{ id: '2026-11-30T13:20:05.123Z', suites: ['gemm', 'mlp'], size: 'long' },
    ...{ runtime: 'Chromium 156', tier: 'simd-threads', threads: 2, commit: 'abc1234' },
    ...{ rows: 3, bytes: 2_000 },
  });
  expect(readKept(structuredClone(run))).toEqual(run);
});

test('a run is void if all of it is, for one reason', () => {
  const hidden = voidRow(row(), 'the page was hidden');
  const describe = (...rows: ReturnType<typeof row>[]) =>
    describeRun(rows, 'quick', ended, 1).voided;
  expect(describe(hidden, hidden)).toBe('the page was hidden');
  expect(describe(hidden, row())).toBeUndefined();
});

const good: KeptRun = {
  ...{ id: ended.toISOString(), suites: ['gemm'], size: 'quick', runtime: 'Chromium 156' },
  ...{ tier: 'simd', threads: 1, commit: 'abc', rows: 3, bytes: 100 },
};
const long = 'x'.repeat(401);
const wrong: [string, unknown][] = [
  ['nothing', null],
  ['a text', 'run'],
  ['a list', [good]],
  ['no time', { ...good, id: 'yesterday' }],
  ['a time that is written otherwise', { ...good, id: '2026-11-30' }],
  ['an unknown size', { ...good, size: 'huge' }],
  ['a name that is an element', { ...good, runtime: {} }],
  ['an endless name', { ...good, tier: long }],
  ['suites that are no list', { ...good, suites: 'gemm' }],
  ['a suite that is no text', { ...good, suites: [1] }],
  ['endless suites', { ...good, suites: Array.from({ length: 65 }, () => 'gemm') }],
  ['no threads', { ...good, threads: 0 }],
  ['half a row', { ...good, rows: 0.5 }],
  ['bytes beyond numbers', { ...good, bytes: Number.POSITIVE_INFINITY }],
];
for (const [name, value] of wrong) {
  test(`an entry is not read: ${name}`, () => expect(readKept(value)).toBeUndefined());
}

test('fields that no version has are left behind', () => {
  expect(readKept({ ...good, html: '<b>' })).toEqual(good);
});

const at = (second: number, bytes: number): KeptRun => ({
  ...good,
  id: new Date(1e12 + 1000 * second).toISOString(),
  bytes,
});

test('the oldest leave where the number or the bytes are too many', () => {
  const many = Array.from({ length: mostRuns }, (_, i) => at(i, 10));
  expect(leaving(many.slice(1), 10)).toEqual([]);
  /* In whatever order they are listed. */
  expect(leaving(many.toReversed(), 10)).toEqual([at(0, 10)]);
  const large = [at(0, 0.3 * mostKeptBytes), at(1, 0.3 * mostKeptBytes), at(2, 10)];
  expect(leaving(large, 0.3 * mostKeptBytes)).toEqual([]);
  expect(leaving(large, 0.5 * mostKeptBytes)).toEqual([large[0]]);
  expect(leaving(large, mostKeptBytes)).toEqual(large);
});

test('it is named by its time where the reader is', () => {
  const { id } = good;
  const local = new Date(id);
  expect(nameOfRun(good)).toContain(String(local.getFullYear()));
  expect(nameOfRun(good)).toMatch(/^run of \d{4}-\d\d-\d\d \d\d:\d\d:05$/);
});
