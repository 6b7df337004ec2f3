import { expect, test } from '@playwright/test';
import {
  defaultRun,
  formNames,
  misread,
  readForm,
  readRun,
  writeAddress,
} from '../../../web/src/url_state.js';

test('the plain address is the default run, and vice versa', () => {
  expect(readRun('')).toEqual(defaultRun);
  expect(writeAddress(defaultRun)).toBe('');
});

test('options survive a round trip through an address', () => {
  const options = {
    suites: ['gemm', 'mlp-train'],
    size: 'long',
    rounds: 3,
    seed: 42,
    tier: 'simd',
    threads: 2,
  } as const;
  expect(writeAddress(options)).toBe(
    '?suites=gemm,mlp-train&size=long&rounds=3&seed=42&tier=simd&threads=2',
  );
  expect(readRun(writeAddress(options))).toEqual(options);
});

test('no suite at all is not the same as all suites', () => {
  expect(readRun(writeAddress({ ...defaultRun, suites: [] })).suites).toEqual([]);
});

test('invalid values get their defaults', () => {
  const search = '?suites=<b>,gemm,gemm&size=huge&rounds=33&seed=-1&tier=gpu&threads=1e3';
  expect(readRun(search)).toEqual({ ...defaultRun, suites: ['gemm'] });
  expect(readRun('?seed=4294967296').seed).toBe(0);
  expect(readRun('?seed=4294967295').seed).toBe(4294967295);
});

test('what is wrong is told, with what is allowed', () => {
  expect(misread('?size=huge&rounds=33&seed=-1&tier=gpu&threads=1e3&view=nowhere')).toEqual([
    'The address says size=huge, but this must be one of quick, standard, long. It is quick now.',
    'The address says rounds=33, but this must be a whole number up to 32. It is 0 now.',
    'The address says seed=-1, but this must be a whole number up to 4,294,967,295. It is 0 now.',
    expect.stringMatching(/^The address says tier=gpu, but this must be one of auto, .*It is auto/),
    'The address says threads=1e3, but this must be a whole number up to 64. It is 0 now.',
    'The address says view=nowhere, but this page has no such view.',
  ]);
  expect(misread('?size=long&rounds=3&seed=007&tier=simd&threads=2&view=suite/gemm')).toEqual([]);
  expect(misread('?view=start&size=&other=1')).toEqual([]);
});

test('no two forms write the same setting', () => {
  expect(new Set(formNames).size).toBe(formNames.length);
});

test('all suites are not the same as those that fit into a minute', () => {
  const all = { ...defaultRun, suites: 'all' } as const;
  expect(writeAddress(all)).toBe('?suites=all');
  expect(readRun('?suites=all')).toEqual(all);
  expect(readRun('?suites=all,gemm').suites).toEqual(['all', 'gemm']);
});

test('the view and the settings of forms are in the address, too', () => {
  const route = { view: 'suite', suite: 'gemm' } as const;
  const form = { task: 'gpt2-nano', model: 'gpt2-nano:layers=2' };
  const address = writeAddress({ ...defaultRun, seed: 3 }, route, form);
  expect(address).toBe('?view=suite/gemm&seed=3&task=gpt2-nano&model=gpt2-nano:layers%3D2');
  expect(readForm(address)).toEqual(form);
  expect(readForm('?task=&unknown=1')).toEqual({});
});
