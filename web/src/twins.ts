/** The same training in two engines, step by step in turns: their losses have the same bits, or not. */
import { type BenchParallax, type Learning, load, type Tier } from 'parallax-nn/bench';
import { sentence } from './format.js';
import type { Images } from './images.js';
import { LossCurve, pointsOf } from './loss_curve.js';
import { wasCancelled } from './runtime.js';
import type { AppState } from './state.js';
import type { Store } from './store.js';
import { type Comparison, idleTwins, type Twin, type TwinsState } from './twins_state.js';

export interface TwinsChoice {
  task: string;
  tiers: readonly [Tier, Tier];
  steps: number;
  seed: number;
}

/** Steps of one turn: few, so that both curves grow together. */
const turn = 5;
const publishEvery = 100;

/** Compares two runs of losses bit by bit. */
export function compareLosses(a: Float32Array, b: Float32Array): Comparison {
  const compared = Math.min(a.length, b.length);
  const [left, right] = [a, b].map((all) => new Uint32Array(all.slice(0, compared).buffer));
  const first = left!.findIndex((bits, i) => bits !== right![i]);
  let largest = 0;
  for (let i = 0; i < compared; i++) {
    if (a[i] !== b[i]) largest = Math.max(largest, Math.abs(a[i]! - b[i]!) / Math.abs(b[i]!));
  }
  return { compared, differs: first < 0 ? undefined : first + 1, largest };
}

/** One of the two: its engine, its run, and its curve. */
class Side {
  readonly #curve = new LossCurve();
  #milliseconds = 0;
  /** Steps and seconds of the curve so far. */
  #drawn = { steps: 0, seconds: 0 };

  constructor(
    readonly tier: Tier,
    readonly plx: BenchParallax,
    readonly run: Learning,
  ) {}

  /** Takes its turn; says whether that was the last one. */
  async step(signal: AbortSignal): Promise<boolean> {
    const { reason, milliseconds } = await this.run.train({ steps: turn, signal });
    this.#milliseconds = milliseconds;
    return reason === 'done';
  }

  /** Reads the losses up to now: a turn is too short for training to report them. */
  async read(): Promise<Float32Array> {
    const all = await this.run.losses();
    const { steps, seconds } = this.#drawn;
    const milliseconds = this.#milliseconds;
    const news = { step: all.length, losses: all.subarray(steps), milliseconds };
    this.#curve.add(pointsOf(news, seconds));
    this.#drawn = { steps: all.length, seconds: milliseconds / 1000 };
    return all;
  }

  get shown(): Twin {
    const { threads, exact } = this.plx.info();
    const seconds = this.#milliseconds / 1000;
    return { tier: this.tier, threads, exact, curve: this.#curve.points(), seconds };
  }
}

/** What the view of two engines calls. */
export type TwinActions = Pick<TwinTrainer, 'start' | 'pause' | 'resume' | 'stop'>;

export class TwinTrainer {
  #abort: AbortController | undefined;
  #resume: (() => void) | undefined;
  #paused: Promise<void> | undefined;
  #published = 0;

  constructor(
    readonly store: Store<AppState>,
    readonly images: Images,
  ) {}

  get #phase(): TwinsState['phase'] {
    return this.store.get().twins.phase;
  }

  #show(change: Partial<TwinsState>): void {
    this.store.set({ twins: { ...this.store.get().twins, ...change } });
  }

  async start(choice: TwinsChoice): Promise<void> {
    if (this.#abort) return;
    const controller = new AbortController();
    this.#abort = controller;
    const engines: BenchParallax[] = [];
    this.store.set({ twins: { ...idleTwins, phase: 'starting', steps: choice.steps } });
    try {
      const sides = await this.#open(choice, engines, controller.signal);
      await this.#turns(sides, choice.steps, controller.signal);
      this.#show({ phase: 'done' });
    } catch (error) {
      if (wasCancelled(error)) this.#show({ phase: 'stopped' });
      else this.#show({ phase: 'failed', message: sentence(error) });
    } finally {
      for (const plx of engines) plx.dispose();
      this.#abort = undefined;
      this.resume();
    }
  }

  pause(): void {
    if (this.#phase !== 'running') return;
    this.#paused = new Promise((resolve) => {
      this.#resume = resolve;
    });
    this.#show({ phase: 'pausing' });
  }

  resume(): void {
    this.#resume?.();
    this.#resume = undefined;
    this.#paused = undefined;
    if (['pausing', 'paused'].includes(this.#phase)) this.#show({ phase: 'running' });
  }

  stop(): void {
    this.#abort?.abort();
    this.resume();
  }

  async #open(
    { task, tiers, steps, seed }: TwinsChoice,
    engines: BenchParallax[],
    signal: AbortSignal,
  ): Promise<[Side, Side]> {
    const takes = this.store.get().tasks.find(({ name }) => name === task)?.takes;
    const mnist = takes === 'digits' ? await this.images.load() : undefined;
    const sides: Side[] = [];
    for (const tier of tiers) {
      const plx = await load({ tier, signal });
      engines.push(plx);
      await plx.ready();
      const data = mnist ? { data: { mnist } } : {};
      const run = await plx.learn({ task, size: 'quick', steps, seed, ...data });
      sides.push(new Side(tier, plx, run));
    }
    const [a, b] = sides;
    if (!a || !b) throw new Error('Two engines are needed.');
    this.#show({ phase: 'running', model: a.run.about.model, twins: [a.shown, b.shown] });
    return [a, b];
  }

  async #turns([a, b]: [Side, Side], steps: number, signal: AbortSignal): Promise<void> {
    for (let done = false; !done; ) {
      await a.step(signal);
      done = await b.step(signal);
      const due = performance.now() - this.#published >= publishEvery;
      if (due || done || this.#paused) await this.#publish([a, b], steps);
      if (!this.#paused || done) continue;
      this.#show({ phase: 'paused' });
      await this.#paused;
    }
  }

  async #publish([a, b]: [Side, Side], steps: number): Promise<void> {
    this.#published = performance.now();
    const found = compareLosses(await a.read(), await b.read());
    this.#show({ steps, twins: [a.shown, b.shown], found });
  }
}
