import { expect, test } from '@playwright/test';
import type { Exhibit } from 'parallax-nn/bench';
import { colourOf, isLight, scaleOf, shareOf } from '../../../web/src/colour_scale.js';
import { barCharts, exhibitCsv } from '../../../web/src/exhibit_files.js';
import {
  columnLabels,
  part,
  pixels,
  scalesOf,
  spread,
  stretched,
  together,
} from '../../../web/src/exhibits.js';
import {
  LossCurve,
  linesOf,
  lossPoint,
  pointsOf,
  ranges,
  smooth,
} from '../../../web/src/loss_curve.js';
import { compareBits, nativeCurve } from '../../../web/src/native_curve.js';
import { idleTraining } from '../../../web/src/state.js';
import { heldLoss, SpeedMeter } from '../../../web/src/training.js';
import { dataText, measureCells, reached } from '../../../web/src/views/training_figures.js';

const curve = (n: number) =>
  Array.from({ length: n }, (_, i) => lossPoint(i + 1, i / 100, i % 2 === 0 ? i : -i));

test('a short curve is left alone', () => {
  const short = new LossCurve(20);
  short.add(curve(10));
  expect(short.points()).toEqual(curve(10));
});

test('a long curve has points of even resolution, with the mean and range of their steps', () => {
  const long = new LossCurve(21);
  const all = curve(1_000);
  for (const point of all) long.add([point]);
  const points = long.points();
  expect(points.length).toBeGreaterThanOrEqual(10);
  expect(points.length).toBeLessThan(21);
  let from = 0;
  for (const { step, seconds, loss, low, high } of points) {
    const losses = all.slice(from, step).map((point) => point.loss);
    expect(seconds).toBe(all[step - 1]?.seconds);
    expect(loss).toBeCloseTo(losses.reduce((a, b) => a + b, 0) / losses.length, 9);
    expect(low).toBe(Math.min(...losses));
    expect(high).toBe(Math.max(...losses));
    from = step;
  }
  const strides = points.map(({ step }, i) => step - (points[i - 1]?.step ?? 0));
  expect(new Set(strides).size).toBe(1);
});

test('the steps of a report are spread over the time since the last report', () => {
  const losses = new Float32Array([3, 2]);
  expect(pointsOf({ step: 12, losses, milliseconds: 2_000 }, 1)).toEqual([
    lossPoint(11, 1.5, 3),
    lossPoint(12, 2, 2),
  ]);
});

test('smoothing begins at the first loss and leaves a constant alone', () => {
  const flat = [5, 5, 5].map((loss, i) => lossPoint(i, i, loss));
  for (const { loss } of smooth(flat, 0.9)) expect(loss).toBeCloseTo(5, 12);
  const [first, second] = smooth([lossPoint(1, 0, 4), lossPoint(2, 0, 1)], 0.5);
  expect(first?.loss).toBeCloseTo(4, 12);
  /* (0.25 * 4 + 0.5 * 1) / 0.75 */
  expect(second?.loss).toBeCloseTo(2, 12);
  expect(smooth(flat, 0)).toEqual(flat);
});

test('the raw curve keeps its extremes, and is drawn with the smoothed one', () => {
  const points = [lossPoint(1, 0, 2), { step: 3, seconds: 1, loss: 2, low: 1, high: 4 }];
  expect(ranges(points).map(({ loss }) => loss)).toEqual([2, 4, 1]);
  const training = { ...idleTraining, train: points };
  expect([...linesOf(training, [], 0.8).keys()]).toEqual(['raw', 'smooth']);
  expect([...linesOf(training, [], 0).keys()]).toEqual(['raw']);
  expect(linesOf(idleTraining, [], 0.8).size).toBe(0);
});

test('speed is measured over the last seconds', () => {
  const meter = new SpeedMeter();
  expect(meter.steps).toBe(0);
  /* 10 steps a second, then 100. */
  for (let i = 0; i <= 100; i++) meter.add(i, 100 * i);
  expect(meter.steps).toBeCloseTo(10, 9);
  for (let i = 1; i <= 500; i++) meter.add(100 + i, 10_000 + 10 * i);
  expect(meter.steps).toBeCloseTo(100, 9);
});

test('a measure is shown with its goal, and whether it is reached', () => {
  const accuracy = { name: 'top-1', unit: '1', better: 'higher', value: 0.9, goal: 0.85 } as const;
  const loss = { name: 'loss', unit: 'nats', better: 'lower', value: 2, goal: 1.9 } as const;
  expect(measureCells(accuracy)).toEqual(['top-1', '0.9', 'at least 0.85', 'reached']);
  expect(measureCells(loss)).toEqual(['loss', '2 nats', 'at most 1.9 nats', 'not yet']);
  expect(reached({ name: 'rmse', unit: '1', better: 'lower', value: 1 })).toBeUndefined();
  expect(heldLoss([accuracy, loss])).toBe(2);
  expect(heldLoss([accuracy])).toBeUndefined();
});

const exhibit = (change: Partial<Exhibit>): Exhibit => ({
  kind: 'matrix',
  name: 'confusion',
  text: '',
  count: 1,
  rows: 1,
  columns: 1,
  channels: 1,
  values: new Float32Array(),
  labels: [],
  square: false,
  rowTitle: '',
  columnTitle: '',
  ...change,
});

test('columns have the names of rows only if the exhibit says so, not whenever sizes agree', () => {
  const words = exhibit({ rows: 2, columns: 2, labels: ['the', 'film'] });
  expect(columnLabels(words)).toEqual([]);
  expect(columnLabels({ ...words, square: true })).toEqual(['the', 'film']);
});

test('colours follow the scale, centred on 0 for values of both signs', () => {
  expect(scaleOf([1, 3], [2])).toEqual({ low: 1, high: 3, signed: false });
  const signed = scaleOf([-1, 3, Number.NaN]);
  expect(signed).toEqual({ low: -3, high: 3, signed: true });
  expect(shareOf(0, signed)).toBe(0.5);
  expect(isLight(colourOf(0, signed))).toBe(true);
  const amounts = scaleOf([0, 1]);
  expect(isLight(colourOf(0, amounts))).toBe(false);
  expect(isLight(colourOf(1, amounts))).toBe(true);
  expect(colourOf(Number.NaN, amounts)).toEqual([128, 128, 128]);
  expect(scaleOf([])).toEqual({ low: 0, high: 0, signed: false });
});

test('the learnt and the true function share a scale, their difference has its own', () => {
  const of = (name: string, ...values: number[]) =>
    exhibit({ name, values: new Float32Array(values) });
  const scales = scalesOf([
    of('learnt function over x1 and x2', -1, 1),
    of('true function over x1 and x2', -2, 2),
    of('learnt less true over x1 and x2', -0.5, 0.25),
  ]);
  expect(scales.get('learnt function over x1 and x2')?.high).toBe(2);
  expect(scales.get('true function over x1 and x2')?.high).toBe(2);
  expect(scales.get('learnt less true over x1 and x2')?.high).toBe(0.5);
});

test('colour pictures keep their values, others are stretched, each with its own part', () => {
  const grey = exhibit({
    kind: 'images',
    count: 2,
    columns: 2,
    values: new Float32Array([0, 1, 2, 4]),
  });
  expect([...part(grey, 1)]).toEqual([2, 4]);
  expect([...pixels(grey, 1, scaleOf(grey.values))]).toEqual([
    128, 128, 128, 255, 255, 255, 255, 255,
  ]);
  const colour = exhibit({ kind: 'images', channels: 3, values: new Float32Array([0, 0.2, 1]) });
  expect([...pixels(colour, 0, scaleOf(colour.values))]).toEqual([0, 51, 255, 255]);
});

test('the labels tell how many pictures belong together', () => {
  const heads = ['head 1', 'head 2'];
  expect(together(['cat', ...heads, 'dog', ...heads])).toBe(3);
  expect(together(['cat', 'dog', 'cat', 'bird'])).toBe(1);
  expect(together([])).toBe(1);
});

test('filters that were stretched one by one are recognised', () => {
  const filters = { kind: 'images', count: 2, rows: 1, columns: 2 } as const;
  expect(stretched(exhibit({ ...filters, values: Float32Array.of(0, 1, 1, 0) }))).toBe(true);
  expect(stretched(exhibit({ ...filters, values: Float32Array.of(0, 1, 0.5, 0) }))).toBe(false);
});

test('bars of the same things stand in one chart, on a logarithmic scale if far apart', () => {
  const bars = (name: string, ...values: number[]) =>
    exhibit({
      ...{ kind: 'bars', name, labels: ['stem', 'head'], columns: 2 },
      values: Float32Array.from(values),
    });
  const charts = barCharts([
    bars('gradients', 1, 0.01),
    bars('gradients, without skips', 2, 0.001),
    bars('weights', 1, 2),
    exhibit({}),
  ]);
  expect(charts.map(({ title, kind, series }) => [title, kind, series.length])).toEqual([
    ['Gradients', 'dots', 2],
    ['Weights', 'bars', 1],
  ]);
  expect(charts[0]?.table.rows.map(({ cells }) => cells)).toEqual([
    ['stem', '1', '2'],
    ['head', '0.01', '0.001'],
  ]);
});

test('an exhibit as a table has a line for each value, with the names of its place', () => {
  const confusion = exhibit({
    kind: 'matrix',
    square: true,
    labels: ['cat', 'dog'],
    rows: 2,
    columns: 2,
    values: Float32Array.of(1, 2, 3, 4),
  });
  expect(exhibitCsv(confusion).split('\r\n')).toEqual([
    'item,row,column,channel,value',
    '0,cat,cat,0,1',
    '0,cat,dog,0,2',
    '0,dog,cat,0,3',
    '0,dog,dog,0,4',
    '',
  ]);
});

test('the table of a large matrix samples all of it', () => {
  expect(spread(3, 5)).toEqual([0, 1, 2]);
  expect(spread(100, 4)).toEqual([0, 33, 66, 99]);
});

const about = {
  task: 'gpt2-nano',
  model: 'gpt2-nano:context=64',
  parameters: 1,
  data: { real: false, source: 'story grammar', note: '', seed: 0, train: 9, test: 1, tokens: 64 },
  optimizer: 'adamw',
  rate: 1e-3,
  batchSize: 32,
  batches: 1,
  steps: 230,
  flops: 1,
  memory: {
    parameters: 0,
    gradients: 0,
    optimizer: 0,
    activations: 0,
    workspace: 0,
    inputs: 0,
    kept: 0,
    packed: 0,
    folded: 0,
  },
};

test('the data says how its file was read', () => {
  expect(dataText(about)).toBe(
    'Synthetic: story grammar, seed 0; 9 samples to train on, 1 held out',
  );
  const note = 'its first line names the columns';
  const data = { ...about.data, real: true, source: 'a.csv', note };
  expect(dataText({ ...about, data })).toBe(
    `Real: a.csv (${note}); 9 samples to train on, 1 held out, split by seed 0`,
  );
});

/** A row of the suite models, as the command writes it. */
const curveRow = (engine: object, more: object = {}) => ({
  suite: 'models',
  case: 'train gpt2-nano',
  metric: 'last training loss',
  parameters: {
    task: 'gpt2-nano',
    model: 'gpt2-nano:context=64',
    batch: 32,
    optimizer: 'adamw',
    steps: 230,
  },
  samples: { median: 2 },
  engine: { kind: 'native', name: 'parallax', ...engine },
  data: { kind: 'synthetic', seed: 0, source: 'story grammar' },
  curve: { step: [1, 3], loss: [Math.fround(4.1), 2] },
  ...more,
});
const resultsOf = (...rows: object[]) => [
  { name: 'native.jsonl', rows: rows as Record<string, unknown>[], measurements: [] },
];

test('the native run beside the curve is the one that fits best', () => {
  const best = curveRow({ isa: 'avx512', exact: false });
  const exact = curveRow({ isa: 'avx128', exact: true });
  const time = { ...exact, metric: 'step time', samples: { median: 50 }, curve: undefined };
  const sets = resultsOf(best, exact, time);
  expect(nativeCurve(sets, about, false)?.engine).toBe('native avx512');
  const native = nativeCurve(sets, about, true);
  expect(native).toMatchObject({ engine: 'native avx128', exact: true, comparable: true });
  expect(native?.points.map(({ seconds }) => seconds)).toEqual([0.05, 0.15000000000000002]);
  const other = curveRow({ exact: true }, { data: { ...best.data, seed: 1 } });
  expect(nativeCurve(resultsOf(other), about, true)?.comparable).toBe(false);
  expect(nativeCurve(sets, { ...about, batchSize: 8 }, true)).toBeUndefined();
  expect(nativeCurve(resultsOf(curveRow({ name: 'PyTorch' })), about, true)).toBeUndefined();
});

test('losses are compared bit by bit at the steps that both have', () => {
  const native = nativeCurve(resultsOf(curveRow({ exact: true })), about, true);
  if (!native) throw new Error('there is a curve');
  const losses = [Math.fround(4.1), 3, 2];
  expect(compareBits(native, losses)).toEqual({ compared: 2, equal: true });
  expect(compareBits(native, losses.slice(0, 2))).toEqual({ compared: 1, equal: true });
  expect(compareBits(native, [losses[0]! * (1 + 2 ** -23), 3, 2]).equal).toBe(false);
});
