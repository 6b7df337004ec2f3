import { expect, test } from '@playwright/test';
import { inputs, makeSamples, noise, target } from '../../../web/src/interp5d.js';
import { pointsOf, thin } from '../../../web/src/loss_curve.js';

const curve = (n: number) =>
  Array.from({ length: n }, (_, i) => ({ step: i + 1, seconds: i / 100, loss: i }));

test('a short curve is left alone, a long one halved until it is short', () => {
  expect(thin(curve(10), 10)).toHaveLength(10);
  const thinned = thin(curve(101), 20);
  expect(thinned.length).toBeLessThanOrEqual(20);
  expect(thinned.at(-1)?.step).toBe(101);
  const mean = thinned.slice(0, -1).reduce((sum, { loss }) => sum + loss, 0) / (thinned.length - 1);
  expect(mean).toBeGreaterThan(40);
  expect(mean).toBeLessThan(55);
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
