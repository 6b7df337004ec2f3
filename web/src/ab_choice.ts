/** What an A/B test compares: the settings of its form, whether they can be measured, its sides. */
import type { OptimizerKind, Tier, TimingOptions } from 'parallax-nn/bench';
import { list } from './format.js';
import { remedyOf } from './remedies.js';
import type { AppState } from './state.js';
import { type FormState, type RunOptions, type TierChoice, wholeNumber } from './url_state.js';

/** What the sides differ in; everything else is the same. */
export const differences = ['threads', 'tier', 'batch', 'optimizer'] as const;
export type Difference = (typeof differences)[number];

export interface AbChoice {
  differs: Difference;
  /** The value of each side, as it was typed or chosen. */
  values: readonly [string, string];
  model: string;
  training: boolean;
  /** What the sides have in common, unless they differ in it. */
  batch: string;
  optimizer: string;
  pairs: string;
  /** Those of the page's engine. */
  tier: TierChoice;
  threads: number;
  /** Of weights, data, and the order within pairs. */
  seed: number;
}

export const tiers: readonly Tier[] = ['simd', 'simd-threads', 'relaxed-threads'];

export const mostBatch = 4096;
/** An engine has no more. */
export const mostAbThreads = 16;
/** The median of fewer pairs has no 95% interval. */
export const leastPairs = 6;
export const mostPairs = 200;

/** What the sides are at first. */
export const usualValues: Record<Difference, readonly [string, string]> = {
  threads: ['1', '2'],
  tier: ['simd-threads', 'relaxed-threads'],
  batch: ['1', '32'],
  optimizer: ['sgd', 'adam'],
};

export const usual = {
  model: 'mlp:784-200-10',
  run: 'training',
  batch: '32',
  optimizer: 'adam',
  pairs: '20',
} as const;

/** Threads are what most want to know of, where there are any. */
export const usualDifference = (isolated: boolean): Difference => (isolated ? 'threads' : 'batch');

/** The settings in the address. */
export function readChoice(form: FormState, options: RunOptions, isolated: boolean): AbChoice {
  const differs = differences.find((each) => each === form.ab) ?? usualDifference(isolated);
  const [first, second] = usualValues[differs];
  const { tier, threads, seed } = options;
  return {
    differs,
    values: [form.abfirst ?? first, form.absecond ?? second],
    model: (form.abmodel ?? usual.model).trim(),
    training: (form.abrun ?? usual.run) === 'training',
    batch: form.abbatch ?? usual.batch,
    optimizer: form.aboptimizer ?? usual.optimizer,
    pairs: form.pairs ?? usual.pairs,
    ...{ tier, threads, seed },
  };
}

/** One side, as it will be measured. */
export interface AbSide {
  /** "with 2 threads". */
  name: string;
  /** Which engine it needs; sides with equal ones share it. */
  tier: TierChoice;
  threads: number;
  model: string;
  options: TimingOptions & { batchSize: number };
}

const nameOf = (differs: Difference, value: string): string =>
  ({
    threads: `with ${value} thread${value === '1' ? '' : 's'}`,
    tier: `with the engine ${value}`,
    batch: `with batches of ${value}`,
    optimizer: `with ${value}`,
  })[differs];

function sideOf(choice: AbChoice, value: string): AbSide {
  const { differs, model, training, tier, threads, batch, optimizer, seed } = choice;
  const of = (what: Difference, common: string) => (differs === what ? value : common);
  return {
    name: nameOf(differs, value),
    tier: of('tier', tier) as TierChoice,
    threads: Number(of('threads', String(threads))),
    model,
    options: {
      batchSize: Number(of('batch', batch)),
      training,
      seed,
      ...(training ? { optimizer: of('optimizer', optimizer) as OptimizerKind } : {}),
    },
  };
}

/** The sides of a choice without problems. */
export function sidesOf(choice: AbChoice): readonly [AbSide, AbSide] {
  const [first, second] = choice.values;
  return [sideOf(choice, first), sideOf(choice, second)];
}

/** Whether both sides are the same, which shows how far equal measurements differ. */
export const isSame = ({ values: [first, second] }: AbChoice): boolean => first === second;

function wrongNumber(what: string, text: string, least: number, most: number): string | undefined {
  const number = wholeNumber(text, most, -1);
  if (number >= least) return undefined;
  return `${what}: “${text}” is not a whole number from ${least} to ${most.toLocaleString('en')}.`;
}

/** Why the engine of this page is not of this tier; undefined if it could be, as far as is known. */
function lacking(tier: Tier, { engine }: Pick<AppState, 'engine'>): string | undefined {
  if (tier === 'simd' || engine.phase !== 'ready') return undefined;
  const { isolated, downgrades } = engine.info;
  const reason = isolated
    ? downgrades.find(({ wanted }) => wanted === tier)?.reason
    : 'this page is not cross-origin isolated, so threads are switched off';
  return reason && `${tier} cannot run: ${reason}. ${remedyOf({ reason })}`;
}

const sideWords = ['First side', 'Second side'] as const;

/** What is wrong with the value of a side. */
function wrongValue(
  { differs, tier }: AbChoice,
  text: string,
  side: string,
  state: Pick<AppState, 'engine' | 'optimizers'>,
): string | undefined {
  switch (differs) {
    case 'threads':
      if (tier === 'simd') {
        return 'Threads: the engine simd, which was chosen for the benchmark, has one thread. Choose another engine there.';
      }
      return wrongNumber(side, text, 1, mostAbThreads) ?? lacking('simd-threads', state);
    case 'tier': {
      const chosen = tiers.find((each) => each === text);
      return chosen
        ? lacking(chosen, state)
        : `${side}: there is no engine “${text}”: choose ${list(tiers)}.`;
    }
    case 'batch':
      return wrongNumber(side, text, 1, mostBatch);
    case 'optimizer':
      return wrongOptimizer(side, text, state);
  }
}

function wrongOptimizer(
  what: string,
  text: string,
  { optimizers }: Pick<AppState, 'optimizers'>,
): string | undefined {
  if (optimizers.length === 0 || optimizers.includes(text)) return undefined;
  return `${what}: there is no optimizer “${text}”: choose ${list(optimizers)}.`;
}

/** Why this cannot be measured, as a sentence that says what is allowed; undefined if it can. */
export function problemOf(
  choice: AbChoice,
  state: Pick<AppState, 'engine' | 'optimizers'>,
): string | undefined {
  const { differs, values, model, training, batch, optimizer, pairs } = choice;
  if (model === '') return 'Model: name one, such as gpt2-nano or mlp:784-200-10.';
  if (differs === 'optimizer' && !training) {
    return 'Optimizer: a prediction has none. Choose a training step.';
  }
  for (const [i, value] of values.entries()) {
    const wrong = wrongValue(choice, value, sideWords[i] ?? '', state);
    if (wrong !== undefined) return wrong;
  }
  return (
    (differs === 'batch' ? undefined : wrongNumber('Batch', batch, 1, mostBatch)) ??
    (differs === 'optimizer' || !training
      ? undefined
      : wrongOptimizer('Optimizer', optimizer, state)) ??
    wrongNumber('Pairs', pairs, leastPairs, mostPairs)
  );
}
