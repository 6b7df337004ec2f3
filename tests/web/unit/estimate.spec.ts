/** The estimated time of a run: from the engine, for the current choice. */
import { expect, test } from '@playwright/test';
import type { BenchParallax, EngineInfo } from 'parallax-nn/bench';
import { keepEstimate } from '../../../web/src/estimate.js';
import { type AppState, idleTraining } from '../../../web/src/state.js';
import { createStore } from '../../../web/src/store.js';
import { defaultRun } from '../../../web/src/url_state.js';

const suites = ['gemm', 'mlp'].map((name) => ({ name, description: name }));
const ready = () => ({
  phase: 'ready' as const,
  info: {} as EngineInfo,
  began: 0,
  first: true,
});

/** A page whose engine answers questions when the test says so. */
function page() {
  const store = createStore({
    options: defaultRun,
    suites,
    engine: { phase: 'starting' },
    estimate: { phase: 'waiting' },
    run: { phase: 'idle' },
    training: idleTraining,
    ab: { phase: 'idle' },
  } as unknown as AppState);
  const questions: { asked: unknown; answer: (milliseconds: number) => void; fail: () => void }[] =
    [];
  const benchTime = (asked: unknown) =>
    new Promise<number>((answer, reject) => {
      questions.push({ asked, answer, fail: () => reject(new Error('no memory')) });
    });
  keepEstimate(store, { engine: async () => ({ benchTime }) as unknown as BenchParallax });
  return { store, questions };
}

/** Waits until all consequences of a change have happened. */
const settle = () => new Promise((resolve) => setTimeout(resolve));

test('the running engine is asked, and asked again when the choice changes', async () => {
  const { store, questions } = page();
  expect(store.get().estimate).toEqual({ phase: 'waiting' });
  store.set({ engine: ready() });
  await settle();
  expect(store.get().estimate).toEqual({ phase: 'asking' });
  expect(questions[0]?.asked).toEqual({ size: 'quick', rounds: 0 });
  questions[0]?.answer(90_000);
  await settle();
  expect(store.get().estimate).toEqual({ phase: 'known', milliseconds: 90_000 });
  store.set({ options: { ...defaultRun, suites: ['gemm'], size: 'standard' } });
  await settle();
  expect(store.get().estimate).toEqual({ phase: 'asking' });
  expect(questions[1]?.asked).toEqual({ suites: ['gemm'], size: 'default', rounds: 0 });
  questions[1]?.answer(4_000);
  await settle();
  /* A question that was answered is not asked again. */
  store.set({ options: defaultRun });
  await settle();
  expect(store.get().estimate).toEqual({ phase: 'known', milliseconds: 90_000 });
  expect(questions).toHaveLength(2);
});

test('while one question is open no other is asked, and the last choice counts', async () => {
  const { store, questions } = page();
  store.set({ engine: ready() });
  await settle();
  store.set({ options: { ...defaultRun, size: 'long' } });
  await settle();
  store.set({ options: { ...defaultRun, size: 'standard' } });
  await settle();
  expect(questions).toHaveLength(1);
  questions[0]?.answer(90_000);
  await settle();
  expect(questions.map(({ asked }) => asked)).toEqual([
    { size: 'quick', rounds: 0 },
    { size: 'default', rounds: 0 },
  ]);
  expect(store.get().estimate).toEqual({ phase: 'asking' });
});

test('a new engine is asked again', async () => {
  const { store, questions } = page();
  store.set({ engine: ready() });
  await settle();
  store.set({ engine: { phase: 'starting' } });
  await settle();
  questions[0]?.answer(90_000);
  await settle();
  expect(store.get().estimate).toEqual({ phase: 'waiting' });
  store.set({ engine: ready() });
  await settle();
  expect(questions).toHaveLength(2);
});

test('no time is promised that was not measured', async () => {
  const { store, questions } = page();
  store.set({ engine: { phase: 'failed', message: 'no' } });
  await settle();
  expect(store.get().estimate).toEqual({
    phase: 'unknown',
    message: 'the engine is not running',
  });
  store.set({ engine: ready() });
  await settle();
  questions[0]?.fail();
  await settle();
  expect(store.get().estimate).toEqual({ phase: 'unknown', message: 'no memory' });
  store.set({ options: { ...defaultRun, size: 'standard' } });
  await settle();
  questions[1]?.answer(Number.NaN);
  await settle();
  expect(store.get().estimate).toEqual({
    phase: 'unknown',
    message: 'the engine gave no estimate',
  });
  store.set({ options: { ...defaultRun, suites: [] } });
  await settle();
  expect(store.get().estimate).toEqual({ phase: 'nothing' });
});

test('a busy engine is not disturbed', async () => {
  const { store, questions } = page();
  store.set({ engine: ready(), run: { phase: 'running' } });
  await settle();
  expect(store.get().estimate).toEqual({ phase: 'waiting' });
  expect(questions).toHaveLength(0);
  store.set({ run: { phase: 'done', milliseconds: 1 } });
  await settle();
  expect(questions).toHaveLength(1);
});
