/**
 * Measures two sides in pairs, as bench/peers/measure.mjs measures engines: within a pair they take
 * turns, in an order by chance, so that whatever slows the machine down slows both.
 */
import type { BenchParallax, Timing } from 'parallax-nn/bench';
import { Random } from '../../bench/peers/random.mjs';
import type { AbSide } from './ab_choice.js';

/** Milliseconds of rest before each sample: threads of the other side have stopped spinning then. */
const gapMs = 30;
/** A sample lasts at least so long, and so many steps of the clock. */
const sampleNs = 50e6;
const clockSteps = 1000;
/** No sample with a coarser clock ends in a time that anybody waits for. */
const coarsestNs = 1e7;
/** Turns of each side before the first pair, at most; and how near two of them are when it is warm. */
const mostTurns = 8;
const steady = 0.02;

export interface Sample {
  /** Nanoseconds of one run. */
  ns: number;
  threads: number;
  /** Of what the first run computed. */
  hash: string;
}

export interface Pair {
  first: Sample;
  second: Sample;
  /** Whether the second side was measured first. */
  swapped: boolean;
}

/** What tells of a measurement in progress. */
export interface AbProgress {
  pairs: number;
  of: number;
  millisecondsLeft: number;
}

export type TimingEngine = Pick<BenchParallax, 'timing'>;

/** How many runs to try after so many took ns. */
function grown(runs: number, ns: number, least: number): number {
  const wanted = ns > 0 ? Math.ceil((1.1 * runs * least) / ns) : 10 * runs;
  return Math.min(Math.max(wanted, runs + 1), 10 * runs);
}

/** A side with its engine, and how many of its runs make a sample. */
class MeasuredSide {
  #runs = 1;

  constructor(
    readonly side: AbSide,
    readonly engine: TimingEngine,
    readonly signal: AbortSignal,
    readonly rest: () => Promise<void>,
  ) {}

  /** In memory of its own each time: no side keeps a place that happens to be a good one. */
  async sample(): Promise<Sample> {
    await this.rest();
    this.signal.throwIfAborted();
    const { model, options } = this.side;
    const timing = await this.engine.timing(model, options);
    try {
      return await this.#timed(timing);
    } finally {
      await timing.dispose();
    }
  }

  async #timed(timing: Timing): Promise<Sample> {
    if (timing.clockNs > coarsestNs) {
      const step = Math.round(timing.clockNs / 1e6);
      throw new Error(`The clock of this browser has steps of ${step} ms: too coarse to compare.`);
    }
    const least = Math.max(sampleNs, clockSteps * timing.clockNs);
    await timing.run(1);
    const hash = await timing.hash();
    for (;;) {
      this.signal.throwIfAborted();
      const { nanoseconds, threads } = await timing.run(this.#runs);
      /* Half is enough: a disturbance may have made fewer runs look long enough before. */
      if (nanoseconds >= least / 2) return { ns: nanoseconds / this.#runs, threads, hash };
      this.#runs = grown(this.#runs, nanoseconds, least);
    }
  }
}

const isSteady = (now: number, before: number) => Math.abs(now / before - 1) < steady;

/** Takes turns until no side changes: browsers compile code further while it runs. */
async function warmUp(sides: readonly MeasuredSide[]): Promise<void> {
  let before = sides.map(() => Number.POSITIVE_INFINITY);
  for (let turn = 0; turn < mostTurns; turn++) {
    const now: number[] = [];
    for (const side of sides) now.push((await side.sample()).ns);
    if (now.every((ns, i) => isSteady(ns, before[i] ?? 0))) return;
    before = now;
  }
}

const idle = () => new Promise<void>((resolve) => setTimeout(resolve, gapMs));

/**
 * The pairs, in the order in which they were measured. engines: one for each side; it may be the
 * same one. rest: for tests.
 */
export async function measurePairs(
  sides: readonly [AbSide, AbSide],
  engines: readonly [TimingEngine, TimingEngine],
  settings: { pairs: number; seed: number; signal: AbortSignal; rest?: () => Promise<void> },
  told: (progress: AbProgress) => void,
): Promise<Pair[]> {
  const { pairs: of, seed, signal, rest = idle } = settings;
  const first = new MeasuredSide(sides[0], engines[0], signal, rest);
  const second = new MeasuredSide(sides[1], engines[1], signal, rest);
  await warmUp([first, second]);
  const random = new Random(seed);
  const pairs: Pair[] = [];
  const began = performance.now();
  while (pairs.length < of) {
    const swapped = random.word() % 2 === 1;
    const before = swapped ? await second.sample() : await first.sample();
    const after = swapped ? await first.sample() : await second.sample();
    pairs.push({
      ...(swapped ? { first: after, second: before } : { first: before, second: after }),
      swapped,
    });
    const each = (performance.now() - began) / pairs.length;
    told({ pairs: pairs.length, of, millisecondsLeft: each * (of - pairs.length) });
  }
  return pairs;
}
