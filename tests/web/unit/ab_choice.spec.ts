/** The settings of an A/B test: what the address says, what cannot be measured, and the sides. */
import { expect, test } from '@playwright/test';
import type { EngineInfo } from 'parallax-nn/bench';
import { problemOf, readChoice, sidesOf } from '../../../web/src/ab_choice.js';
import type { AppState } from '../../../web/src/state.js';
import { defaultRun, type RunOptions, readForm } from '../../../web/src/url_state.js';

type Engine = Pick<AppState, 'engine' | 'optimizers'>;
const optimizers = ['sgd', 'adam', 'lion'];
const engine = (info: Partial<EngineInfo>): Engine => ({
  engine: {
    phase: 'ready',
    began: 0,
    first: true,
    info: { isolated: true, downgrades: [], ...info } as EngineInfo,
  },
  optimizers,
});
const isolated = engine({});
const alone = engine({ isolated: false });

const read = (search: string, options: RunOptions = defaultRun, isIsolated = true) =>
  readChoice(readForm(search), options, isIsolated);

test('without settings it compares threads, or batches where there are none', () => {
  expect(read('')).toMatchObject({ differs: 'threads', values: ['1', '2'], pairs: '20' });
  expect(read('', defaultRun, false)).toMatchObject({ differs: 'batch', values: ['1', '32'] });
  expect(problemOf(read(''), isolated)).toBeUndefined();
  expect(problemOf(read('', defaultRun, false), alone)).toBeUndefined();
});

test('the address holds everything, and what it does not name is usual', () => {
  const choice = read('?ab=optimizer&abfirst=lion&abmodel=gpt2-nano&abbatch=4&pairs=9&seed=3', {
    ...defaultRun,
    seed: 3,
  });
  expect(choice).toEqual({
    ...{ differs: 'optimizer', values: ['lion', 'adam'], model: 'gpt2-nano', training: true },
    ...{ batch: '4', optimizer: 'adam', pairs: '9', tier: 'auto', threads: 0, seed: 3 },
  });
  expect(read('?ab=nothing').differs).toBe('threads');
});

const noRelaxed = engine({
  downgrades: [
    { wanted: 'relaxed-threads', got: 'simd-threads', reason: 'this browser has no relaxed SIMD' },
  ],
});
const problems: [string, Engine, RegExp | undefined, Partial<RunOptions>?][] = [
  [
    '?ab=threads',
    alone,
    /^simd-threads cannot run: this page is not cross-origin isolated.*Enable threads/,
  ],
  ['?ab=threads&absecond=0', isolated, /^Second side: “0” is not a whole number from 1 to 16\.$/],
  ['?ab=threads&abfirst=17', isolated, /^First side: “17” is not/],
  ['?ab=threads&abfirst=1.5', isolated, /^First side: “1\.5” is not/],
  ['?ab=threads', isolated, /engine simd, .* has one thread/, { tier: 'simd' }],
  ['?ab=tier', isolated, undefined],
  ['?ab=tier', noRelaxed, /^relaxed-threads cannot run: .* no relaxed SIMD\..*Update/],
  ['?ab=tier&absecond=simd', noRelaxed, undefined],
  ['?ab=tier&abfirst=simd', alone, /^relaxed-threads cannot run/],
  [
    '?ab=tier&abfirst=gpu',
    isolated,
    /^First side: there is no engine “gpu”: choose simd, simd-threads and/,
  ],
  [
    '?ab=batch&absecond=4097',
    isolated,
    /^Second side: “4097” is not a whole number from 1 to 4,096/,
  ],
  ['?ab=batch&abbatch=0', isolated, undefined],
  ['?ab=threads&abbatch=0', isolated, /^Batch: “0” is not/],
  ['?ab=optimizer', isolated, undefined],
  ['?ab=optimizer&abrun=prediction', isolated, /^Optimizer: a prediction has none/],
  [
    '?ab=optimizer&absecond=adamax',
    isolated,
    /^Second side: there is no optimizer “adamax”: choose sgd/,
  ],
  ['?ab=threads&aboptimizer=adamax', isolated, /^Optimizer: there is no optimizer “adamax”/],
  ['?ab=threads&aboptimizer=adamax&abrun=prediction', isolated, undefined],
  ['?pairs=5', isolated, /^Pairs: “5” is not a whole number from 6 to 200/],
  ['?pairs=all', isolated, /^Pairs: “all” is not/],
  ['?abmodel=%20', isolated, /^Model: name one/],
];
for (const [search, state, problem, options] of problems) {
  const tier = options?.tier ?? 'auto';
  const where = state === alone ? ', not isolated' : state === noRelaxed ? ', no relaxed SIMD' : '';
  test(`${search}, ${tier}${where}: ${problem ? 'says why not' : 'can be measured'}`, () => {
    const found = problemOf(read(search, { ...defaultRun, ...options }), state);
    if (problem) expect(found).toMatch(problem);
    else expect(found).toBeUndefined();
  });
}

test('the sides differ in one thing', () => {
  const [one, two] = sidesOf(read('?ab=threads&abmodel=mlp:4-3&abbatch=8'));
  expect(one).toEqual({
    ...{ name: 'with 1 thread', tier: 'auto', threads: 1, model: 'mlp:4-3' },
    options: { batchSize: 8, training: true, seed: 0, optimizer: 'adam' },
  });
  expect(two).toEqual({ ...one, name: 'with 2 threads', threads: 2 });
  const [simd, relaxed] = sidesOf(read('?ab=tier&abfirst=simd', { ...defaultRun, threads: 3 }));
  expect(simd).toMatchObject({ name: 'with the engine simd', tier: 'simd', threads: 3 });
  expect(relaxed).toMatchObject({ tier: 'relaxed-threads', threads: 3 });
  const [, large] = sidesOf(read('?ab=batch&abrun=prediction'));
  expect(large.options).toEqual({ batchSize: 32, training: false, seed: 0 });
  const [sgd] = sidesOf(read('?ab=optimizer'));
  expect(sgd.options.optimizer).toBe('sgd');
});
