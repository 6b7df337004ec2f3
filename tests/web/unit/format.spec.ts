import { expect, test } from '@playwright/test';
import {
  count,
  duration,
  expected,
  lateText,
  list,
  percent,
  significant,
  timeLeft,
} from '../../../web/src/format.js';

test('three significant digits', () => {
  expect(significant(0)).toBe('0');
  expect(significant(1236.5)).toBe('1,240');
  expect(significant(12.345)).toBe('12.3');
  expect(significant(0.012345)).toBe('0.0123');
  expect(significant(1.2e-7)).toBe('1.20e-7');
  expect(significant(Number.NaN)).toBe('not a number');
  expect(significant(Number.POSITIVE_INFINITY)).toBe('infinite');
});

test('a run that took half as long again as was expected says what the estimate means', () => {
  expect(lateText(60_000, undefined)).toBe('');
  expect(lateText(59_000, 40_000)).toBe('');
  expect(lateText(169_000, 40_000)).toContain('The estimate, about 40 seconds, is for a machine');
});

test('percentages have a decimal only below ten', () => {
  expect(percent(0.7149)).toBe('71%');
  expect(percent(0.0349)).toBe('3.5%');
});

test('remaining time is rounded to a useful precision', () => {
  expect(timeLeft(400)).toBe('a moment');
  expect(timeLeft(4_200)).toBe('about 5 s');
  expect(timeLeft(42_000)).toBe('about 45 s');
  expect(timeLeft(200_000)).toBe('about 3 min');
});

test('expected time is given in words, and elapsed time carries seconds into minutes', () => {
  expect(expected(0)).toBe('about 1 second');
  expect(expected(3_400)).toBe('about 4 seconds');
  expect(expected(84_000)).toBe('about 85 seconds');
  expect(expected(757_000)).toBe('about 13 minutes');
  expect(expected(9_000_000)).toBe('about 2.5 hours');
  expect(duration(59_960)).toBe('1 min 0 s');
  expect(duration(119_600)).toBe('2 min 0 s');
});

test('words', () => {
  expect(count(1, 'row')).toBe('1 row');
  expect(count(1_200, 'row')).toBe('1,200 rows');
  expect(list(['a'])).toBe('a');
  expect(list(['a', 'b', 'c'])).toBe('a, b and c');
});
