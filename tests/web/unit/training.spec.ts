import { expect, test } from '@playwright/test';
import { inputs, makeSamples, noise, target } from '../../../web/src/interp5d.js';
import { LossCurve, pointsOf } from '../../../web/src/loss_curve.js';

const curve = (n: number) =>
  Array.from({ length: n }, (_, i) => ({ step: i + 1, seconds: i / 100, loss: i }));

test('a short curve is left alone', () => {
  const short = new LossCurve(20);
  short.add(curve(10));
  expect(short.points()).toEqual(curve(10));
});

test('a long curve has points of even resolution, none of them lost', () => {
  const long = new LossCurve(21);
  for (const point of curve(1_000)) long.add([point]);
  const points = long.points();
  expect(points.length).toBeGreaterThanOrEqual(10);
  expect(points.length).toBeLessThan(21);
  const strides = points.map(({ step }, i) => step - (points[i - 1]?.step ?? 0));
  expect(new Set(strides).size).toBe(1);
  /* The mean of steps i-s+1 .. i, whose losses are 0 .. */
  const [stride = 0] = strides;
  points.forEach(({ step, loss }) => {
    expect(loss).toBeCloseTo(step - 1 - (stride - 1) / 2, 9);
  });
});

test('the steps of a report are spread over the time since the last', () => {
  const losses = new Float32Array([3, 2]);
  const log = { step: 12, steps: 20, epoch: 0, epochs: 1, loss: 2, losses, milliseconds: 2_000 };
  expect(pointsOf(log, 1)).toEqual([
    { step: 11, seconds: 1.5, loss: 3 },
    { step: 12, seconds: 2, loss: 2 },
  ]);
});

test('samples are seeded, split and standardised, with the noise that was promised', () => {
  const split = makeSamples(20_000, 7);
  expect(split.train.n).toBe(16_000);
  expect(split.held.n).toBe(4_000);
  expect(makeSamples(20_000, 7).train.y).toEqual(split.train.y);
  expect(makeSamples(20_000, 8).train.y).not.toEqual(split.train.y);
  const mean = split.train.y.reduce((sum, y) => sum + y, 0) / split.train.n;
  const squares = split.train.y.reduce((sum, y) => sum + y * y, 0) / split.train.n;
  expect(Math.abs(mean)).toBeLessThan(1e-4);
  expect(squares).toBeCloseTo(1, 3);
  /* Undo the scaling of x, uniform in [-1, 1] and so of deviation 1/sqrt 3: what is left is noise. */
  let mu = 0;
  let square = 0;
  for (let i = 0; i < split.train.n; i++) {
    const row = split.train.x.subarray(i * inputs, (i + 1) * inputs).map((x) => x / Math.sqrt(3));
    const rest = split.train.y[i]! * split.scale - target(row);
    mu += rest / split.train.n;
    square += (rest * rest) / split.train.n;
  }
  expect(Math.sqrt(square - mu * mu)).toBeGreaterThan(noise * 0.95);
  expect(Math.sqrt(square - mu * mu)).toBeLessThan(noise * 1.15);
});
