/** What the self-test finds in rows, and when it fails. */
import { expect, test } from '@playwright/test';
import { boundedForward } from '../../../web/src/bounded_outputs.js';
import {
  accuracyFindings,
  type Bits,
  bitsFindings,
  bitsOf,
  committedBits,
  findingsText,
  outcomeText,
  outputsFinding,
} from '../../../web/src/self_test.js';
import type { Finding } from '../../../web/src/self_test_state.js';

const bitsRow = (name: string, hash: string, more: object = {}) => ({
  suite: 'bits',
  case: name,
  checks: { passed: true, lossBits: hash, lastLoss: 0.5 },
  engine: { kind: 'native', exact: true },
  data: { kind: 'synthetic', seed: 0 },
  ...more,
});

test('committed hashes are those of the exact native run with the same data', () => {
  const rows = [
    bitsRow('a', '01'),
    bitsRow('a', '02', { engine: { kind: 'native', exact: false } }),
    bitsRow('a', '03', { engine: { kind: 'wasm', exact: true } }),
    bitsRow('b', '04', { data: { kind: 'real' } }),
    bitsRow('c', '05', { suite: 'interp5d' }),
  ];
  expect([...committedBits(rows)]).toEqual([['a', '01']]);
});

const found = bitsOf([bitsRow('a', '01')]);
const none: ReadonlyMap<string, Bits> = new Map();
const first = new Map([['a', { case: 'a', hash: '01', lastLoss: 0.5 }]]);
const verdicts: [string, boolean, ReadonlyMap<string, Bits>, [string, string][], string, RegExp][] =
  [
    ['as committed', true, none, [['a', '01']], 'passed', /as committed/],
    ['not as committed', true, none, [['a', '02']], 'failed', /02 is committed/],
    ['nothing committed', true, none, [], 'told', /no committed hash/],
  ];
for (const [name, exact, before, committed, verdict, detail] of verdicts) {
  test(`bits on an exact tier: ${name}`, () => {
    const [finding] = bitsFindings('simd', exact, found, before, new Map(committed));
    expect(finding).toMatchObject({ tier: 'simd', verdict });
    expect(finding!.detail).toMatch(detail);
  });
}

test('an exact tier must have the bits of the one before, a relaxed one need not', () => {
  const other = bitsOf([bitsRow('a', '09', { checks: { lossBits: '09', lastLoss: 0.51 } })]);
  const committed = new Map([['a', '09']]);
  const [exact] = bitsFindings('simd-threads', true, other, first, committed);
  expect(exact).toMatchObject({ verdict: 'failed' });
  const [relaxed] = bitsFindings('relaxed-threads', false, other, first, committed);
  expect(relaxed).toMatchObject({ verdict: 'told' });
  expect(relaxed!.detail).toMatch(/differs by 0\.02 of it/);
  expect(bitsFindings('simd', true, [], none, committed)[0]).toMatchObject({ verdict: 'failed' });
});

test('accuracy: each group passes within its bounds, and a missing group fails', () => {
  const row = (name: string, passed: boolean, error: number) => ({
    suite: 'accuracy',
    case: name,
    checks: { passed, error, tolerance: 2, ...(passed ? {} : { failure: 'too far' }) },
  });
  const good = [row('gradient of exp', true, 1), row('exp', true, 0.5), row('tanh', true, 1.5)];
  expect(accuracyFindings('simd', good)).toMatchObject(
    [
      { verdict: 'passed', detail: /1 case; the worst is gradient of exp: 0\.5 / },
      { verdict: 'passed', detail: /2 cases; the worst is tanh: 0\.75 / },
    ].map(({ verdict, detail }) => ({ verdict, detail: expect.stringMatching(detail) })),
  );
  const bad = accuracyFindings('simd', [...good, row('gradient of gelu', false, 9)]);
  expect(bad[0]).toMatchObject({ verdict: 'failed', detail: 'gradient of gelu: too far' });
  expect(accuracyFindings('simd', [])[0]).toMatchObject({ verdict: 'failed' });
});

test('outputs: within the bound, beyond it, and not a number', () => {
  const verdictOf = (error: number) => outputsFinding('simd', [{ error, bound: 1 }]).verdict;
  expect([0.5, 1.5, Number.NaN].map(verdictOf)).toEqual(['passed', 'failed', 'failed']);
});

test('the bound of a layer grows with its sums, and a rectifier leaves it', () => {
  const [exact] = boundedForward([{ weight: [2, 3], bias: [1] }], [10, 100]);
  expect(exact!.value).toBe(321);
  expect(exact!.bound).toBeCloseTo((16 + Math.log2(3)) * 2 ** -23 * 321, 12);
  const deep = boundedForward(
    [
      { weight: [1, -1], bias: [0, 0] },
      { weight: [1, 1], bias: [0] },
    ],
    [5],
  );
  expect(deep[0]!.value).toBe(5);
  expect(deep[0]!.bound).toBeGreaterThan(2 * (16 + 1) * 2 ** -23 * 5);
});

test('the outcome in words, and as lines to copy', () => {
  const finding = (verdict: Finding['verdict']): Finding => ({
    tier: 'simd',
    check: 'a',
    verdict,
    detail: 'b.',
  });
  const all = [finding('passed'), finding('told'), finding('skipped')];
  expect(outcomeText(all)).toBe('All 1 check passed. 1 tier cannot run here.');
  expect(outcomeText([...all, finding('failed')])).toMatch(/^1 check FAILED, 1 passed\./);
  expect(findingsText(all, 'X').split('\n')).toHaveLength(5);
});
