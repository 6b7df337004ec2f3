/** Each downgrade has advice; a run of a minute has what fits; lost threads void their rows. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import type { EngineInfo } from 'parallax-nn/bench';
import { entries } from '../../../web/src/glossary.js';
import { fitting, minuteMs } from '../../../web/src/minute.js';
import { adviceFor, remedyOf } from '../../../web/src/remedies.js';
import { hashOf, rowsOf } from '../../../web/src/share.js';
import { suiteText } from '../../../web/src/suite_texts.js';
import { lostThreads } from '../../../web/src/watch_page.js';
import { row } from './sample_rows.js';

/* The reasons that the package gives. */
const reasons: [string, RegExp][] = [
  ['this page is not cross-origin isolated, so threads are switched off: serve it', /button below/],
  ['this browser has no SharedArrayBuffer', /^Update the browser/],
  ['this browser has no WebAssembly threads', /^Update the browser/],
  ['reproducible rules out relaxed SIMD', /asked for/],
  ['this engine has no relaxed SIMD (Chrome 114, Firefox 145 and later have it)', /those named/],
  ['its f32x4_relaxed_madd is wrong here: 1 * 1 + 1 gave 3', /fault of its compiler/],
  ['the browser did not allocate 1024 MiB of shared memory', /^Close other tabs/],
  ['the browser started no more workers', /^Reload the page/],
  ['it did not start: no memory', /^Reload the page/],
  ['an engine has at most 64 threads', /fewer threads/],
  ['the tier simd has one thread', /^Choose another engine/],
];

test('every reason for a downgrade has a remedy of its own', () => {
  for (const [reason, remedy] of reasons) expect(remedyOf({ reason }), reason).toMatch(remedy);
  expect(remedyOf({ reason: 'something new' })).toContain('another browser');
});

test('one reason for several downgrades is told once', () => {
  const reason = 'this browser has no SharedArrayBuffer';
  const info = {
    threads: 1,
    downgrades: [
      { wanted: 'relaxed-threads', got: 'simd', reason },
      { wanted: 'simd-threads', got: 'simd', reason },
    ],
    isaNote: '',
  } as unknown as EngineInfo;
  const advice = adviceFor(info);
  expect(advice).toHaveLength(1);
  expect(advice[0]?.problem).toBe(`relaxed-threads and simd-threads → simd: ${reason}.`);
  expect(adviceFor({ ...info, downgrades: [] })).toEqual([]);
});

test('a minute has room for the suites that say most, in the order of the engine', () => {
  const times = (entriesOf: [string, number][]) => new Map(entriesOf);
  expect(
    fitting(
      times([
        ['ops', 20_000],
        ['gemm', 10_000],
        ['mlp', 15_000],
      ]),
    ),
  ).toEqual(['ops', 'gemm', 'mlp']);
  expect(
    fitting(
      times([
        ['ops', 50_000],
        ['gemm', 10_000],
        ['mlp', 15_000],
      ]),
    ),
  ).toEqual(['gemm', 'mlp']);
  const slow = times([
    ['gemm', 100_000],
    ['mlp', 90_000],
  ]);
  expect(fitting(slow)).toEqual(['gemm']);
  const many = times(Array.from({ length: 20 }, (_, i) => [`s${i}`, 7_000]));
  expect(fitting(many).length * 7_000).toBeLessThanOrEqual(minuteMs);
});

test('threads that were lost void a run; threads that are left idle do not', () => {
  const [whole, fewer] = [row({ threads: 2 }), row({ threads: 1 })];
  expect(lostThreads([], 2)).toBeUndefined();
  expect(lostThreads([whole, row({ threadsWorked: 1 })], 2)).toBeUndefined();
  expect(lostThreads([whole, fewer], 2)).toBe('threads were lost: 1 of 2 were left');
  /* Short work is over before the second thread has woken up. */
  const parallel = (threadsWorked: number) =>
    row({ threadsWorked, parameters: { mode: 'parallel' } });
  expect(lostThreads([parallel(1), parallel(2)], 2)).toBeUndefined();
  expect(lostThreads([parallel(1), parallel(1)], 2)).toBe(
    'threads were lost: at most 1 of 2 worked',
  );
});

test('terms have one name each, and every way to write them belongs to one term', () => {
  for (const list of [
    entries.map(({ id }) => id),
    entries.map(({ name }) => name),
    entries.flatMap(({ as }) => as),
  ])
    expect(new Set(list).size).toBe(list.length);
  for (const { text, id } of entries) expect(text, id).toMatch(/^[A-Z1-9a].{20,}\.$/);
});

const anything = () => true;

test('rows survive their way through an address, rounded', async () => {
  const rows = [row({ median: 123.456789, rounds: [123.456789, 124] }), row({ primary: false })];
  const hash = await hashOf(rows);
  expect(hash).toMatch(/^#result=[\w-]+$/);
  const [again, ...others] = await rowsOf(hash, anything);
  expect(others).toEqual([]);
  expect(again?.samples).toMatchObject({ median: 123.46, rounds: [123.46, 124], count: 20 });
  expect(again?.engine).toEqual(rows[0]?.engine);
});

test('a damaged address is refused with a sentence', async () => {
  const hash = await hashOf([row()]);
  for (const bad of ['#result=', '#result=???', hash.slice(0, -20)])
    await expect(rowsOf(bad, anything)).rejects.toThrow(/damaged or cut off|holds no results/);
});

test('every suite is described in words', () => {
  const table = readFileSync(
    fileURLToPath(new URL('../../../bench/suites.def', import.meta.url)),
    'utf8',
  );
  const names = [...table.matchAll(/^SUITE\((\w+)\)/gm)].map(([, name]) => name ?? '');
  expect(names.length).toBeGreaterThan(5);
  for (const name of names) {
    const { title, about, method } = suiteText(name);
    expect(title, name).not.toBe(name);
    for (const text of [about, method]) expect(text, name).toMatch(/\.$/);
  }
  expect(suiteText('elsewhere').title).toBe('elsewhere');
});
