/** What a measurement beside other libraries says, from rounds made for the test. */
import { expect, test } from '@playwright/test';
import type { MeasuredEntry, PeerEngine } from '../../../bench/peers/for_page.mjs';
import {
  enginesText,
  outcomeOf,
  type PeersResult,
  pageCases,
  peersChart,
  summaryText,
} from '../../../web/src/peers_result.js';

const predict = pageCases.find(({ item }) => item.kind === 'predict')!.item;
const train = pageCases.find(({ item }) => item.kind === 'train')!.item;
const choice = { cases: [], peers: ['ort', 'tfjs', 'jax'], length: 'quick', seed: 1 } as const;

/** Seven rounds of about this many microseconds. */
const entry = (name: string, us: number, failure?: string): MeasuredEntry => ({
  engine: { name } as PeerEngine,
  ns: Array.from({ length: 7 }, (_, i) => us * 1e3 * (1 + (i - 3) / 100)),
  ...(failure === undefined ? {} : { failure }),
});

const missing = [{ what: 'jax-js', why: 'it was not found' }];
const result = (...cases: PeersResult['cases']): PeersResult => ({
  choice,
  threads: 2,
  isolated: true,
  engines: [
    { name: 'parallax', version: '1', threads: 2, tier: 'relaxed-threads' },
    { name: 'onnxruntime-web', version: '2', threads: 2, tier: '' },
    { name: 'tfjs-backend-wasm', version: '3', threads: 1, tier: '' },
  ],
  missing,
  notes: [],
  cases,
  rows: [],
});

const entries = [
  entry('parallax', 10),
  entry('onnxruntime-web', 25),
  entry('tfjs-backend-wasm', 5),
];
const cellsOf = (of: PeersResult) =>
  peersChart(of).table.rows.map(({ cells }) => cells.slice(1).join(' | '));

test('a ratio is how many times as fast Parallax is, with what that means', () => {
  const of = result(outcomeOf(predict, entries, { choice, missing }, undefined));
  const [ours, ort, tfjs, jax] = cellsOf(of);
  expect(ours).toMatch(/^parallax \| 10 \(9\.7–10\.3\) us \| – \| –$/);
  expect(ort).toMatch(/2\.5× \(2\.5–2\.5\) \| faster$/);
  expect(tfjs).toMatch(/0\.5× .* \| slower$/);
  expect(jax).toContain('did not load: it was not found');
  expect(summaryText(of)).toContain('Beside onnxruntime-web, Parallax is faster in 1 of 1 case.');
  const { kind, series, categories } = peersChart(of);
  expect(kind).toBe('bars');
  expect(categories).toEqual([predict.name]);
  expect(series.map(({ points }) => points.map(({ y }) => y))).toEqual([[2.5], [0.5]]);
});

test('no difference is said where the interval of the ratio contains 1', () => {
  const even = entry('onnxruntime-web', 10);
  const noisy = { ...even, ns: even.ns.toReversed() };
  const of = result(outcomeOf(predict, [entries[0]!, noisy], { choice, missing }, undefined));
  expect(cellsOf(of)[1]).toContain('no difference seen');
});

test('one that is wrong, cannot, or was voided has no figure', () => {
  const wrong = entry('onnxruntime-web', 25, 'its output errs by 3.0 times the tolerance');
  const of = result(
    outcomeOf(predict, [entries[0]!, wrong], { choice, missing }, undefined),
    outcomeOf(train, [entries[0]!, entries[2]!], { choice, missing }, 'the page was hidden'),
    outcomeOf(train, [entries[0]!, entries[2]!], { choice, missing }, undefined),
  );
  const cells = cellsOf(of);
  expect(cells[1]).toBe(
    'onnxruntime-web | no time: its output errs by 3.0 times the tolerance | – | –',
  );
  expect(cells.filter((text) => text.includes('void: the page was hidden'))).toHaveLength(3);
  expect(cells.some((text) => /^onnxruntime-web \| not run: its package/.test(text))).toBe(true);
  expect(peersChart(of).categories).toEqual([train.name]);
  expect(peersChart(result(of.cases[0]!)).kind).toBe('table');
});

test('where our engine failed, nothing is compared', () => {
  const ours = entry('parallax', 10, 'the engine was lost');
  const of = result(outcomeOf(predict, [ours, entries[1]!], { choice, missing }, undefined));
  expect(cellsOf(of)[0]).toContain('no time: the engine was lost');
  expect(cellsOf(of)[1]).not.toContain('×');
});

test('versions and threads are told, and who has fewer threads than were asked for', () => {
  const text = enginesText(result());
  expect(text).toContain('parallax 1 relaxed-threads 2 threads, onnxruntime-web 2 2 threads');
  expect(text).toContain('On one thread only: tfjs-backend-wasm, since');
  expect(enginesText({ ...result(), isolated: false })).toContain('not cross-origin isolated');
});
