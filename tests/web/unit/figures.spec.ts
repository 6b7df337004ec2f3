/** Impossible figures: they void their row, on every side, and never reach the headline. */
import { expect, test } from '@playwright/test';
import { pairCases, ratiosOf } from '../../../web/src/compare.js';
import { settled, toMeasurement } from '../../../web/src/measurement.js';
import { fileText, nativeMeasurements } from '../../../web/src/native_files.js';
import { parseResults, resultSet, toCsv, toJsonLines } from '../../../web/src/result_file.js';
import type { AppState } from '../../../web/src/state.js';
import { leftOut, summarise } from '../../../web/src/summary.js';
import { steps, verdict } from '../../../web/src/verdict.js';
import { type Change, measure, row, suiteCharts } from './sample_rows.js';

const good = { count: 20, median: 100, p10: 90, p90: 110, low: 98, high: 102 };

/** Samples of a timed row, and why they are impossible. */
const impossible: [Record<string, unknown>, string][] = [
  [{ ...good, median: Number.NaN }, 'the median of its step time is not a number'],
  [{ ...good, median: Number.POSITIVE_INFINITY }, 'the median of its step time is infinite'],
  [{ ...good, median: null }, 'the median of its step time is not a number'],
  [{ count: 0 }, 'its step time has no median'],
  [{ ...good, median: 0 }, 'its step time is 0; it must be above 0'],
  [{ ...good, median: -3 }, 'its step time is -3; it must be above 0'],
  [{ ...good, low: Number.NaN }, 'the low of its step time is not a number'],
  [{ ...good, rounds: [100, Number.NaN] }, 'one of the rounds of its step time is not a number'],
  [{ ...good, rounds: [null, null] }, 'one of the rounds of its step time is not a number'],
  [{ ...good, rounds: ['100', 101] }, 'one of the rounds of its step time is not a number'],
  [{ ...good, rounds: null }, 'the rounds of its step time are not a list'],
  [{ ...good, rounds: { 0: 100 } }, 'the rounds of its step time are not a list'],
  [{ ...good, rounds: [100, 0] }, 'one of the rounds of its step time is 0; it must be above 0'],
  [{ ...good, rounds: [100, -1] }, 'one of the rounds of its step time is -1; it must be above 0'],
  [{ ...good, low: 103 }, 'the low of its step time is above the high'],
  [{ ...good, p10: 111 }, 'the p10 of its step time is above the p90'],
];

const native = measure({ kind: 'native' }, { kind: 'native', median: 150, exact: true });
const otherCase: Change = { name: 'predict', parameters: { batch: 1 } };
const complete = {
  native: [
    ...native,
    ...measure({ kind: 'native', ...otherCase }, { kind: 'native', exact: true, ...otherCase }),
  ],
  browser: measure({ median: 200, ...otherCase }),
};

/** The text of the headline. */
function headline(cases: ReturnType<typeof pairCases>): string {
  const summary = summarise(cases);
  if (!summary) return 'nothing';
  const figures = steps(summary).flatMap(({ figure, interval }) => [figure, interval]);
  return [verdict(summary), ...figures].join(' ');
}

test('an impossible figure voids its row, with the reason', () => {
  for (const [samples, reason] of impossible) {
    const m = toMeasurement(row({ samples }));
    expect(m.voided, JSON.stringify(samples)).toBe(reason);
    const [pair] = pairCases(native, [m]);
    expect(ratiosOf(pair ?? ({} as never))).not.toHaveProperty('whole');
  }
  expect(toMeasurement(row()).voided).toBeUndefined();
});

test('errors may be 0, and descriptive figures negative', () => {
  const samples = { ...good, median: 0, low: 0, high: 0 };
  expect(toMeasurement(row({ samples, primary: false })).voided).toBeUndefined();
  const described = { samples: { ...good, median: -1 }, better: 'none' };
  expect(toMeasurement(row(described)).voided).toBeUndefined();
});

test('a yardstick of 0 is void, though it is not the figure of a case', () => {
  const yardstick = { suite: 'machine', name: 'yardstick', better: 'higher', primary: false };
  const m = toMeasurement(row({ ...yardstick, metric: 'memory', rounds: [100, 0] }));
  expect(m.voided).toBe('one of the rounds of its memory is 0; it must be above 0');
});

test('an added file says how many of its rows are void, and why', () => {
  const samples = { ...good, rounds: [null, null] };
  const text = (changes: Change[], served: boolean) =>
    fileText(resultSet('a.jsonl', changes.map(row)), served);
  const bad: Change = { kind: 'native', samples };
  const why = 'one of the rounds of its step time is not a number';
  expect(text([{ kind: 'native' }, bad, bad], false)).toBe(
    `3 rows, 2 of them void (${why}): native avx512`,
  );
  expect(text([{ kind: 'native' }], false)).toBe('1 row: native avx512');
  expect(text([bad], false)).toBe(`1 row, void (${why}): native avx512`);
  expect(text([bad, { ...bad, samples: { count: 0 } }], true)).toBe(
    `2 rows, all of them void (the first: ${why}): native avx512. The headline uses the native results that were served with this page.`,
  );
  expect(text([{}], true)).toBe('1 row: Chromium 156, simd-threads');
});

test('the headline uses the served results whatever file is added', () => {
  const file = resultSet('a.jsonl', [row({ kind: 'native', samples: { count: 0 } })]);
  const set = { name: 'native.jsonl', rows: [], measurements: native };
  const state = { native: { phase: 'ready', set }, files: [file] } as unknown as AppState;
  expect(nativeMeasurements(state)).toBe(native);
});

test('the headline is finite whichever side is not, and names the cases left out', () => {
  for (const [samples] of impossible) {
    for (const side of ['A', 'B', 'C']) {
      const of = (own: string, change: Change) => ({ ...change, ...(side === own && { samples }) });
      const cases = pairCases(
        [
          ...complete.native,
          ...measure(
            of('A', { kind: 'native', name: 'bad' }),
            of('B', { kind: 'native', name: 'bad', exact: true }),
          ),
        ],
        [...complete.browser, ...measure(of('C', { name: 'bad' }))],
      );
      const text = headline(cases);
      expect(text).toContain('reaches 50% of native');
      expect(text).not.toMatch(/NaN|nfinit|not a number/);
      expect(leftOut(cases)).toEqual([{ why: 'void', names: ['mlp bad'] }]);
    }
  }
});

test('finite figures whose ratio is not finite give no headline', () => {
  const far = (median: number): Change => ({
    median,
    samples: { ...good, median, low: median, high: median },
  });
  const cases = pairCases(
    measure({ kind: 'native', ...far(5e-324) }, { kind: 'native', exact: true, ...far(1) }),
    measure(far(1e308)),
  );
  expect(summarise(cases)).toBeUndefined();
  const noisy = (kind: 'native' | 'wasm', exact = false): Change => ({
    kind,
    exact,
    rounds: [1e-300, 1e300],
  });
  const spread = pairCases(measure(noisy('native'), noisy('native', true)), measure(noisy('wasm')));
  expect(summarise(spread)).toBeUndefined();
});

test('an interval that reaches 0 leaves out its case but not the others', () => {
  const samples = { ...good, low: 0 };
  const cases = pairCases(complete.native, [...complete.browser, ...measure({ samples })]);
  expect(headline(cases)).toContain('reaches 50% of native');
  expect(leftOut(cases)).toEqual([{ why: 'useless', names: ['mlp train 784-200-10, batch 64'] }]);
});

test('charts and tables hold the reason instead of a figure', () => {
  for (const [samples, reason] of impossible) {
    const specs = suiteCharts({
      native,
      browser: measure({ samples }, otherCase),
      others: [],
      alone: false,
    });
    const points = specs.flatMap(({ series }) => series.flatMap((each) => each.points));
    expect(points.every(({ y, low, high }) => [y, low, high].every(Number.isFinite))).toBe(true);
    const cells = specs.flatMap(({ table }) => table.rows.flatMap((each) => each.cells));
    expect(cells).toContain(`void: ${reason}`);
    const figures = cells.filter((text) => !text.startsWith('void: '));
    expect(figures.join()).not.toMatch(/NaN|infinite|not a number/);
  }
});

test('files hold void rows that can be read again', () => {
  /* A schema that only requires figures to be numbers. */
  const validate = (each: unknown) => {
    const { samples, checks } = each as { samples: Record<string, unknown>; checks: object };
    const numbers = Object.values(samples).flat();
    return 'passed' in checks && numbers.every((value) => typeof value === 'number');
  };
  for (const [samples, reason] of impossible) {
    const { rows } = resultSet('this browser', [row({ samples }), row()]);
    const [again] = parseResults('a.jsonl', toJsonLines(rows), validate);
    expect(again?.checks).toEqual({ passed: false, failure: reason });
    expect(toCsv(rows)).toContain(reason);
    expect(toCsv(rows)).not.toMatch(/NaN|Infinity|null/);
    /* An older version wrote null. */
    const old = parseResults('a.jsonl', `${JSON.stringify(row({ samples }))}\n`, validate);
    expect(toMeasurement(old[0] as never).voided).toBeDefined();
  }
});

test('a row that was void keeps its reason; what is not a row is left to the schema', () => {
  const failed = { ...row({ samples: { count: 0 } }), checks: { passed: false, failure: 'off' } };
  expect(settled(failed)).toBe(failed);
  expect(toMeasurement(failed).voided).toBe('off');
  for (const each of [null, 5, [], {}, { samples: null }, { samples: {}, checks: null }]) {
    expect(settled(each as never)).toBe(each);
  }
});
