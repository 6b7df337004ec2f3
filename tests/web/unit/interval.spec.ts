import { expect, test } from '@playwright/test';
import {
  geometricMean,
  powerLaw,
  ratio,
  straddlesOne,
  student,
  welch,
} from '../../../web/src/interval.js';

test('a ratio of exact figures is exact', () => {
  const exact = (value: number) => ({ value, low: value, high: value });
  expect(ratio(exact(6), exact(3))).toEqual({ value: 2, low: 2, high: 2 });
});

test('half widths of a ratio add in quadrature on a logarithmic scale', () => {
  const wide = { value: 1, low: Math.exp(-0.3), high: Math.exp(0.3) };
  const wider = { value: 1, low: Math.exp(-0.4), high: Math.exp(0.4) };
  const { value, low, high } = ratio(wide, wider);
  expect(value).toBe(1);
  expect(Math.log(low)).toBeCloseTo(-0.5, 12);
  expect(Math.log(high)).toBeCloseTo(0.5, 12);
});

test('a skewed interval widens the other side of the inverse', () => {
  const one = { value: 1, low: 1, high: 1 };
  const skewed = { value: 1, low: 0.5, high: 1 };
  expect(ratio(one, skewed)).toEqual({ value: 1, low: 1, high: 2 });
});

test('a geometric mean is that of the values, and narrower than its parts', () => {
  const each = (value: number) => ({ value, low: value / 2, high: value * 2 });
  const mean = geometricMean([each(2), each(8)]);
  expect(mean.value).toBeCloseTo(4, 12);
  expect(mean.high).toBeCloseTo(4 * 2 ** (Math.SQRT2 / 2), 12);
  expect(Number.isNaN(geometricMean([]).value)).toBe(true);
});

test('a geometric mean of huge figures does not overflow', () => {
  const huge = { value: 1e200, low: 1e200, high: 1e200 };
  expect(geometricMean([huge, huge, huge]).value / 1e200).toBeCloseTo(1, 9);
});

test("Student's t agrees with the tables, and between their entries", () => {
  const table = { 1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 10: 2.228, 30: 2.042 };
  for (const [freedom, t] of Object.entries(table)) {
    expect(Math.abs(student(Number(freedom)) / t - 1)).toBeLessThan(1e-3);
  }
  expect(student(1e9)).toBeCloseTo(1.96, 3);
  /* Exact: 3.604 at 2.5 degrees. */
  expect(student(2.5)).toBeGreaterThan(3.5);
  expect(student(2.5)).toBeLessThan(3.8);
});

test("two samples of different spread have Welch's interval", () => {
  /* By hand: variances of the means 1/3 and 25/3, 26/3 of both, 2.16 degrees of freedom. */
  const { value, low, high } = welch([1, 2, 3], [5, 10, 15]);
  expect(Math.log(value)).toBeCloseTo(-8, 12);
  const freedom = (26 / 3) ** 2 / ((1 / 9 + 625 / 9) / 2);
  const half = student(freedom) * Math.sqrt(26 / 3);
  expect(Math.log(low)).toBeCloseTo(-8 - half, 9);
  expect(Math.log(high)).toBeCloseTo(-8 + half, 9);
  expect(welch([1, 1], [0, 0])).toEqual({ value: Math.E, low: Math.E, high: Math.E });
});

test('no difference means that the interval contains 1', () => {
  expect(straddlesOne({ value: 1.1, low: 0.9, high: 1.3 })).toBe(true);
  expect(straddlesOne({ value: 1.1, low: 1.01, high: 1.3 })).toBe(false);
});

test('the exponent of a power law is found, with an interval that contains it', () => {
  const points = [1, 2, 4, 8, 16].map((x, i) => ({
    x,
    y: 3 * x ** 1.5 * (i % 2 ? 1.01 : 0.99),
  }));
  const law = powerLaw(points);
  expect(law?.exponent.value).toBeCloseTo(1.5, 1);
  expect(law?.exponent.low).toBeLessThan(1.5);
  expect(law?.exponent.high).toBeGreaterThan(1.5);
  for (const { x, y } of points) expect((law?.at(x) ?? 0) / y).toBeCloseTo(1, 1);
  expect(powerLaw(points.slice(0, 2))).toBeUndefined();
  expect(powerLaw([1, 2, 3].map((y) => ({ x: 5, y })))).toBeUndefined();
});
