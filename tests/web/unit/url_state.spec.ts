import { expect, test } from '@playwright/test';
import { defaultRun, readRun, writeRun } from '../../../web/src/url_state.js';

test('the plain address is the default run, and vice versa', () => {
  expect(readRun('')).toEqual(defaultRun);
  expect(writeRun(defaultRun)).toBe('');
});

test('options survive a round trip through an address', () => {
  const options = {
    suites: ['gemm', 'mlp-train'],
    size: 'long',
    seed: 42,
    tier: 'simd',
    threads: 2,
  } as const;
  expect(writeRun(options)).toBe('?suites=gemm,mlp-train&size=long&seed=42&tier=simd&threads=2');
  expect(readRun(writeRun(options))).toEqual(options);
});

test('no suite at all is not the same as all suites', () => {
  expect(readRun(writeRun({ ...defaultRun, suites: [] })).suites).toEqual([]);
});

test('invalid values get their defaults', () => {
  const search = '?suites=<b>,gemm,gemm&size=huge&seed=-1&tier=gpu&threads=1e3';
  expect(readRun(search)).toEqual({ ...defaultRun, suites: ['gemm'] });
  expect(readRun('?seed=4294967296').seed).toBe(0);
  expect(readRun('?seed=4294967295').seed).toBe(4294967295);
});
