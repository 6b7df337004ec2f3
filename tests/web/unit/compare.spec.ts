import { expect, test } from '@playwright/test';
import { type ChartSpec, cutOff, notesOf, tableOnly } from '../../../web/src/chart_spec.js';
import { pairCases, ratiosOf } from '../../../web/src/compare.js';
import { toMeasurement, voidRow } from '../../../web/src/measurement.js';
import { axisOf } from '../../../web/src/suite_charts.js';
import { leftOut, summarise, summariseWhole } from '../../../web/src/summary.js';
import { wholeVerdict } from '../../../web/src/verdict.js';
import { type Change, measure, row, suiteCharts } from './sample_rows.js';

const native = measure(
  { kind: 'native', median: 100 },
  { kind: 'native', median: 150, exact: true },
);

const nothing = { native: [], browser: [], others: [], alone: false };

test('a row becomes a measurement with its interval, engine and data', () => {
  const [m] = measure({ median: 50 });
  expect(m).toMatchObject({
    value: 50,
    low: 49,
    high: 51,
    samples: 20,
    kind: 'wasm',
    engine: 'Chromium 156, simd-threads',
    data: 'synthetic, seed 0',
    voided: undefined,
  });
  expect(native[0]?.engine).toBe('native avx512');
});

test('a voided row says why and gives no ratio', () => {
  const m = toMeasurement(voidRow(row(), 'the page was hidden'));
  expect(m.voided).toBe('the page was hidden');
  const [pair] = pairCases(native, [m]);
  if (!pair) throw new Error('a case');
  expect(ratiosOf(pair).whole).toBeUndefined();
  expect(summarise(pairCases(native, [m]))).toBeUndefined();
});

test('the gap is the product of instruction set and engine', () => {
  const [pair] = pairCases(native, measure({ median: 300 }));
  if (!pair) throw new Error('a case');
  const { instructions, engine, whole } = ratiosOf(pair);
  expect(instructions?.value).toBeCloseTo(1.5, 12);
  expect(engine?.value).toBeCloseTo(2, 12);
  expect(whole?.value).toBeCloseTo(3, 12);
});

test('rates are inverted, so that above 1 is slower', () => {
  const rate = { better: 'higher', metric: 'rate' };
  const [pair] = pairCases(
    measure({ kind: 'native', median: 200, ...rate }),
    measure({ median: 100, ...rate }),
  );
  if (!pair) throw new Error('a case');
  expect(ratiosOf(pair).whole?.value).toBeCloseTo(2, 12);
});

test('only runs with the same number of threads are compared', () => {
  const summary = summarise(pairCases(native, measure({ threads: 1 })));
  expect(summary).toBeUndefined();
  const both = pairCases(native, measure({ threads: 1 }, { threads: 2 }));
  expect(summarise(both)).toMatchObject({ cases: 1, threads: [2] });
  expect(leftOut(both)).toEqual([{ why: 'unmeasured', names: ['mlp train 784-200-10, batch 64'] }]);
});

test('lines run along the one parameter that is a number in all cases', () => {
  const growth = [500, 1000, 2000].map((rows) => ({
    suite: 'interp5d',
    name: `${rows} rows`,
    metric: 'training time',
    median: rows,
    parameters: { rows, epochs: 50 },
  }));
  const cases = pairCases([], measure(...growth));
  expect(axisOf(cases)).toBe('rows');
  const charts = suiteCharts({ ...nothing, browser: measure(...growth) });
  const lines = charts.find(({ kind }) => kind === 'lines');
  expect(lines?.x.title).toBe('rows');
  expect(lines?.notes.join(' ')).toContain('C grows as rows to the power 1');
});

test('modes share a chart, layers have one each', () => {
  const layers = ['784-200', '200-10'].flatMap((layer) =>
    ['sequential', 'parallel', 'adaptive'].flatMap((mode) =>
      [1, 8, 64].map((batch) => ({
        suite: 'adaptive',
        name: `${layer}, batch ${batch}, ${mode}`,
        metric: 'layer time',
        median: batch,
        primary: mode === 'adaptive',
        parameters: { batch, mode, layer },
      })),
    ),
  );
  const charts = suiteCharts({ ...nothing, browser: measure(...layers) });
  const lines = charts.filter(({ kind }) => kind === 'lines');
  expect(lines.map(({ title }) => title)).toEqual([
    'What 2 threads gain: layer 784-200',
    'What 2 threads gain: layer 200-10',
    'adaptive: layer time, layer 784-200',
    'adaptive: layer time, layer 200-10',
  ]);
  expect(lines[2]?.series.map(({ pattern }) => pattern)).toEqual(['solid', 'dashed', 'dotted']);
});

test('another library never counts as native at its best', () => {
  const peer = { kind: 'native', program: 'PyTorch', median: 10 } as const;
  const [pair] = pairCases([...native, ...measure(peer)], measure({ median: 300 }));
  expect(pair?.A?.value).toBe(100);
  expect(pairCases(measure(peer), [])).toEqual([]);
});

test('a void best run is not replaced by the exact one', () => {
  const best = toMeasurement(voidRow(row({ kind: 'native' }), 'its check failed'));
  const [pair] = pairCases(
    [best, ...measure({ kind: 'native', median: 150, exact: true })],
    measure({ median: 300 }),
  );
  if (!pair) throw new Error('a case');
  expect(pair.A?.voided).toBe('its check failed');
  const { instructions, engine, whole } = ratiosOf(pair);
  expect(instructions).toBeUndefined();
  expect(whole).toBeUndefined();
  expect(engine?.value).toBeCloseTo(2, 12);
});

test('a luckier exact run is not the best, but stands in where there is no other', () => {
  const exact = { kind: 'native', median: 90, exact: true } as const;
  const [both] = pairCases(measure({ kind: 'native', median: 100 }, exact), []);
  expect(both?.A?.value).toBe(100);
  const [only] = pairCases(measure(exact), []);
  expect([only?.A?.value, only?.B?.value]).toEqual([90, 90]);
});

test('other engines in files are drawn too, each under its name', () => {
  const small = { name: 'train 784-200-10, batch 8', parameters: { batch: 8 } };
  const [peer, firefox, beside] = measure(
    { kind: 'native', program: 'PyTorch' },
    { median: 400 },
    { ...small, median: 40 },
  );
  if (!peer || !firefox || !beside) throw new Error('three rows');
  const others = [
    { file: 'a.jsonl', measurement: peer },
    { file: 'b.jsonl', measurement: firefox },
    { file: 'b.jsonl', measurement: beside },
  ];
  const specs = suiteCharts({ ...nothing, native, others });
  const drawn = specs.find(({ id }) => id === 'mlp-step-time');
  expect(drawn?.series.map(({ role, number }) => [role, number])).toEqual([
    ['A', undefined],
    ['B', undefined],
    ['other', 1],
    ['other', 2],
  ]);
  expect(drawn?.table.columns.join()).toContain('PyTorch on test machine (a.jsonl)');
  expect(drawn?.table.rows[0]?.cells.join()).toContain('400 (392–408)');
});

test('figures far apart are dots on a logarithmic scale, close ones are bars', () => {
  const pair = (median: number) =>
    measure(
      { name: 'a', parameters: { model: 'a' }, median: 10 },
      { name: 'b', parameters: { model: 'b' }, median },
    );
  const kindOf = (median: number) => {
    const specs = suiteCharts({ ...nothing, browser: pair(median) });
    const spec = specs.find(({ id }) => id === 'mlp-step-time');
    return [spec?.kind, spec?.y.log];
  };
  expect(kindOf(20)).toEqual(['bars', undefined]);
  expect(kindOf(1000)).toEqual(['dots', true]);
});

test('costs have a growth law, errors have none', () => {
  const notesOf = (unit: string) => {
    const rows = [500, 1000, 2000].map((n) => ({
      ...row({ name: `${n} rows`, parameters: { rows: n }, median: n }),
      unit,
    }));
    const specs = suiteCharts({ ...nothing, browser: rows.map(toMeasurement) });
    return specs.find(({ kind }) => kind === 'lines')?.notes.length;
  };
  expect(notesOf('us')).toBe(1);
  expect(notesOf('target units')).toBe(0);
});

test('native results are drawn alone only if the user added them', () => {
  expect(suiteCharts({ ...nothing, native })).toEqual([]);
  expect(suiteCharts({ ...nothing, native, alone: true }).length).toBeGreaterThan(0);
});

test('each side is shown as a share of its own ceiling', () => {
  const specs = suiteCharts({
    ...nothing,
    native: measure(
      { kind: 'native', median: 100, ceiling: { share: 0.5 } },
      { kind: 'native', median: 150, exact: true, ceiling: { share: 0.75 } },
    ),
    browser: measure({ median: 300, ceiling: { share: 0.25 } }),
  });
  const shares = specs.find(({ id }) => id === 'ceiling');
  expect(shares?.series.map(({ role, points }) => [role, points[0]?.y])).toEqual([
    ['A', 50],
    ['B', 75],
    ['C', 25],
  ]);
});

test('an impossible share is a reason in the table, and not on the chart', () => {
  const specs = suiteCharts({
    ...nothing,
    native: measure(
      { kind: 'native', ceiling: { share: 1.3 } },
      { kind: 'native', exact: true, ceiling: { share: 0.9, failure: 'the clock rose meanwhile' } },
    ),
    browser: measure({ ceiling: { share: 0.5 } }),
  });
  const shares = specs.find(({ id }) => id === 'ceiling');
  expect(shares?.series.map(({ role }) => role)).toEqual(['C']);
  expect(shares?.table.rows[0]?.cells.slice(1)).toEqual([
    'no share: 130% of the ceiling is more than possible',
    'no share: the clock rose meanwhile',
    '50%',
  ]);
  expect(shares?.notes).toEqual(['2 shares are invalid and not drawn: the table says why.']);
});

test('threads that did not work are mentioned with the figure', () => {
  const specs = suiteCharts({
    ...nothing,
    browser: measure(
      { name: 'a', threadsWorked: 1 },
      { name: 'b', threadsWorked: 2 },
      { name: 'c' },
    ),
  });
  const times = specs.find(({ id }) => id === 'mlp-step-time');
  expect(times?.table.rows.map(({ cells }) => cells[3])).toEqual([
    '100 (98–102), 1 of 2 threads worked',
    '100 (98–102)',
    '100 (98–102)',
  ]);
  expect(times?.series[0]?.points.map(({ note }) => note)).toEqual([
    '1 of 2 threads worked',
    undefined,
    undefined,
  ]);
});

test('cases of one name with different parameters are different cases, and distinguished', () => {
  const small = { name: 'product', parameters: { m: 128, mode: 'square' } };
  const large = { name: 'product', parameters: { m: 2048, mode: 'square' } };
  const sides = (change: Change) =>
    measure({ kind: 'native', ...change }, { kind: 'native', exact: true, ...change });
  const mixed = pairCases(sides(large), measure(small));
  expect(mixed.map(({ title, A, C }) => [title, Boolean(A), Boolean(C)])).toEqual([
    ['product (m 128)', false, true],
    ['product (m 2048)', true, false],
  ]);
  expect(summarise(mixed)).toBeUndefined();
  expect(leftOut(mixed)).toEqual([{ why: 'otherParameters', names: ['mlp product (m 128)'] }]);
  const both = pairCases([...sides(large), ...sides(small)], measure(large, small));
  expect(summarise(both)).toMatchObject({ cases: 2 });
});

test('figures of a timed case need its parameters too; findings of an untimed one may differ', () => {
  const memory = { metric: 'training memory', primary: false };
  const timed = pairCases(
    measure({ kind: 'native' }, { kind: 'native', ...memory }),
    measure({ parameters: { batch: 8 } }, { parameters: { batch: 8 }, ...memory }),
  );
  expect(timed).toHaveLength(4);
  const peak = { suite: 'ops', name: 'peak', metric: 'peak', better: 'higher', primary: false };
  const found = pairCases(
    measure({ kind: 'native', ...peak, parameters: { isa: 'avx512' } }),
    measure({ ...peak, parameters: { isa: 'wasm128' } }),
  );
  expect(found).toHaveLength(1);
});

test('another program may describe a case by parameters of its own', () => {
  const [peer, older] = measure(
    { kind: 'native', program: 'PyTorch', parameters: { model: '784-200-10' } },
    { parameters: { batch: 8 } },
  );
  if (!peer || !older) throw new Error('two rows');
  const cases = pairCases(native, measure({ median: 300 }), [
    { file: 'a.jsonl', measurement: peer },
    { file: 'b.jsonl', measurement: older },
  ]);
  expect(cases.map(({ others }) => [...others.keys()])).toEqual([
    ['PyTorch on test machine (a.jsonl)'],
    ['Chromium 156, simd-threads on test machine (b.jsonl)'],
  ]);
});

const bits = { suite: 'bits', metric: 'training time', primary: false, exact: true };

function bitsVerdict(nativeRun: Change, browserRun: Change): string | undefined {
  const specs = suiteCharts({
    ...nothing,
    native: measure({ kind: 'native', ...bits, ...nativeRun }),
    browser: measure({ ...bits, ...browserRun }),
  });
  return specs.find(({ id }) => id === 'bits')?.table.rows[0]?.cells.at(-1);
}

test('bits that differ are called so', () => {
  const here = { lossBits: '00000000000000aa' };
  expect(bitsVerdict(here, here)).toBe('equal to the last bit');
  expect(bitsVerdict({ lossBits: '00000000000000ab' }, here)).toBe('NOT EQUAL');
});

test('bits of other data are not compared; the number of threads makes no difference', () => {
  const here = { lossBits: '00000000000000aa' };
  const other = { lossBits: '00000000000000ab', seed: 5 };
  expect(bitsVerdict(other, here)).toBe('not comparable: the native run used synthetic, seed 5');
  expect(bitsVerdict({ ...here, threads: 1 }, here)).toBe('equal to the last bit');
  expect(bitsVerdict({ lossBits: '00000000000000ab', threads: 1 }, here)).toBe('NOT EQUAL');
});

test('a whisker that would flatten the chart is cut off, and a note says so', () => {
  const chart = (log: boolean, high: number): ChartSpec => ({
    ...tableOnly,
    kind: 'bars',
    id: 'x',
    title: 'x',
    about: '',
    table: { caption: '', columns: [], rows: [] },
    y: { title: '%', log },
    marks: [{ name: 'A = 100%', value: 100 }],
    series: [
      { name: 'C', role: 'C', points: [{ x: 0, y: 40, low: 30, high }] },
      { name: 'B', role: 'B', points: [{ x: 0, y: 80, low: 75, high: 85 }] },
    ],
  });
  expect(cutOff(chart(false, 199))).toEqual({});
  expect(notesOf(chart(false, 199))).toEqual([]);
  expect(cutOff(chart(false, 12_000_000))).toEqual({ max: 200 });
  expect(cutOff(chart(true, 12_000_000))).toEqual({ max: 1000 });
  expect(notesOf(chart(true, 12_000_000))).toHaveLength(1);
});

test('without the second native run, the gap is given but not split', () => {
  const rounds = [100, 101, 99];
  const native = measure({ kind: 'native', median: 50, rounds: rounds.map((each) => each / 2) });
  const cases = pairCases(native, measure({ median: 100, rounds }));
  expect(summarise(cases)).toBeUndefined();
  const whole = summariseWhole(cases);
  expect(whole?.ratio.value).toBeCloseTo(2, 9);
  expect(whole && wholeVerdict(whole)).toMatch(
    /^Your browser reaches 50% of native \(95% CI \d+%–\d+%\), over 1 case\. How much .* run \(B\)\.$/,
  );
  const once = summariseWhole(pairCases(measure({ kind: 'native', median: 50 }), measure({})));
  expect(once && wholeVerdict(once)).toMatch(/^Your browser reaches about 50% of native, over/);
  expect(summariseWhole(pairCases([], measure({})))).toBeUndefined();
});
