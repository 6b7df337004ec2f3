/** Training on this page: one task at a time, which can be paused, steered and stopped. */
import type {
  BenchSize,
  HeldSample,
  Learning,
  LearnOptions,
  Measure,
  TrainOutcome,
  TrainProgress,
} from 'parallax-nn/bench';
import { alphabetOf } from './alphabet.js';
import { spread } from './exhibits.js';
import { LossCurve, lossPoint, pointsOf } from './loss_curve.js';
import type { Digits } from './mnist.js';
import type { Runtime } from './runtime.js';
import {
  type AppState,
  idleTraining,
  type Learnt,
  type Speed,
  type TrainingState,
} from './state.js';
import type { Store } from './store.js';

/** What to train; undefined stands for the task's default. */
export interface TrainingChoice {
  task: string;
  size: BenchSize;
  seed: number;
  steps: number | undefined;
  batchSize: number | undefined;
  rate: number | undefined;
  optimizer: string | undefined;
  model: string | undefined;
}

/** A task at quick size, otherwise as it is. */
export const quickChoice = (task: string, seed: number): TrainingChoice => ({
  task,
  size: 'quick',
  seed,
  steps: undefined,
  batchSize: undefined,
  rate: undefined,
  optimizer: undefined,
  model: undefined,
});

export interface Trainer {
  start(choice: TrainingChoice): Promise<void>;
  pause(): void;
  resume(): void;
  step(): void;
  stop(): void;
  setRate(rate: number): void;
}

/** Milliseconds between two updates of the page; readers and charts need no more. */
const publishEvery = 100;
/** Milliseconds over which speed is averaged. */
const speedOver = 2_000;
/** Least milliseconds between looks (measures, exhibits), and their largest share of the time. */
const lookEvery = 3_000;
const lookShare = 0.15;

/** Speed over the last seconds of training. */
export class SpeedMeter {
  #seen: { step: number; milliseconds: number }[] = [];

  add(step: number, milliseconds: number): void {
    this.#seen.push({ step, milliseconds });
    while (this.#seen.length > 2 && milliseconds - this.#seen[1]!.milliseconds > speedOver) {
      this.#seen.shift();
    }
  }

  /** Steps per second; 0 while unknown. */
  get steps(): number {
    const [first, last] = [this.#seen[0], this.#seen.at(-1)];
    if (!first || !last || last.milliseconds <= first.milliseconds) return 0;
    return (1000 * (last.step - first.step)) / (last.milliseconds - first.milliseconds);
  }
}

/** The loss among the measures, if it is of the same kind as the training loss. */
export function heldLoss(measures: readonly Measure[]): number | undefined {
  return measures.find(({ name }) => name === 'loss' || name === 'held-out loss')?.value;
}

/** Most held-out digits to draw over. */
const mostSamples = 60;

/** Reads what a run has learnt. */
type ReadLearnt = (run: Learning) => Promise<Learnt>;

/** The network of a run that learns digits, with some of those that it has not seen. */
function digitsLearnt(): ReadLearnt {
  let samples: Promise<HeldSample[]> | undefined;
  return async (run) => {
    const { test } = run.about.data;
    samples ??= Promise.all(spread(test, mostSamples).map((i) => run.heldOut(i)));
    return { kind: 'digits', weights: await run.getWeights(), samples: await samples };
  };
}

/** The language model of a run that learns this text. */
function textLearnt(text: Uint8Array): ReadLearnt {
  let characters: Promise<number[]> | undefined;
  return async (run) => {
    characters ??= alphabetOf(text);
    return { kind: 'text', weights: await run.getWeights(), characters: await characters };
  };
}

const weightsLearnt: ReadLearnt = async (run) => ({
  kind: 'weights',
  weights: await run.getWeights(),
});

/** One run, from its start until another replaces it. */
class Session {
  readonly #abort = new AbortController();
  readonly #meter = new SpeedMeter();
  readonly #train = new LossCurve();
  readonly #held = new LossCurve();
  readonly #losses: number[] = [];
  #published = 0;
  #looking: Promise<void> | undefined;
  /** Pause or stop was requested: no look is begun, and one under way is cut short. */
  #hurried = false;
  /** The step of the last look with training at rest. */
  #looked = -1;
  /** Time of the last report of progress. */
  #heard = 0;
  #nextLook = 0;
  #pending: Partial<TrainingState> = {};

  constructor(
    readonly run: Learning,
    readonly readLearnt: ReadLearnt,
    readonly show: (change: Partial<TrainingState>) => void,
  ) {}

  /** Trains until it is done or paused, or these steps. Rejects if it is stopped or fails. */
  async train(steps?: number): Promise<TrainOutcome> {
    this.#heard = performance.now();
    this.#nextLook = this.#heard + lookEvery / 3;
    this.#hurried = false;
    const outcome = await this.run.train({
      signal: this.#abort.signal,
      onProgress: (progress) => this.#onProgress(progress),
      ...(steps === undefined ? {} : { steps }),
    });
    this.#publish();
    return outcome;
  }

  pause(): void {
    this.#hurried = true;
    void this.run.pause().catch(() => undefined);
  }

  stop(): void {
    this.#hurried = true;
    this.#abort.abort();
  }

  /** Shows steps that were done before training failed but not yet reported. */
  async catchUp(): Promise<void> {
    const all = await this.run.losses();
    const before = this.#pending.seconds ?? 0;
    const milliseconds = 1000 * before + performance.now() - this.#heard;
    const losses = all.subarray(this.#losses.length);
    if (losses.length === 0) return;
    this.#train.add(pointsOf({ step: all.length, losses, milliseconds }, before));
    for (const loss of losses) this.#losses.push(loss);
    this.#pending = { ...this.#pending, step: all.length, seconds: milliseconds / 1000 };
    this.#publish();
  }

  get stopped(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Measures and shows what was learnt, after any look that is under way. */
  async look(): Promise<void> {
    await this.#looking;
    const { step = 0 } = this.#pending;
    if (this.#looked === step) return;
    this.#hurried = false;
    this.#begin(this.#look());
    await this.#looking;
    this.#looked = step;
    this.#publish();
  }

  async end(): Promise<void> {
    await this.run.dispose();
  }

  #onProgress(progress: TrainProgress): void {
    const { step, milliseconds } = progress;
    const before = this.#pending.seconds ?? 0;
    this.#heard = performance.now();
    this.#train.add(pointsOf(progress, before));
    for (const loss of progress.losses) this.#losses.push(loss);
    this.#meter.add(step, milliseconds);
    this.#pending = { step, seconds: milliseconds / 1000, ...this.#speed(progress.peak) };
    if (performance.now() - this.#published >= publishEvery) this.#publish();
    if (!this.#looking && !this.#hurried && performance.now() >= this.#nextLook) {
      /* A failure will show in the final look, after training. */
      this.#begin(this.#look().catch(() => undefined));
    }
  }

  #begin(look: Promise<void>): void {
    this.#looking = look.finally(() => {
      this.#looking = undefined;
    });
  }

  #speed(peak: number): { speed?: Speed } {
    const { steps } = this.#meter;
    if (steps === 0) return {};
    const { batchSize, batches, data, flops } = this.run.about;
    const gflops = (steps * flops) / 1e9;
    const samples = steps * batchSize * batches;
    return {
      speed: {
        samples,
        tokens: samples * data.tokens,
        gflops,
        share: peak > 0 ? gflops / peak : 0,
      },
    };
  }

  #publish(): void {
    this.#published = performance.now();
    this.show({
      ...this.#pending,
      train: this.#train.points(),
      held: this.#held.points(),
      losses: this.#losses,
    });
  }

  async #look(): Promise<void> {
    const began = performance.now();
    this.show({ looking: true });
    try {
      const learnt = await this.readLearnt(this.run);
      this.show({ exhibits: await this.run.exhibits(), learnt });
      if (this.#hurried) return;
      const { step = 0, seconds = 0 } = this.#pending;
      const measures = await this.run.evaluate();
      const loss = heldLoss(measures);
      if (loss !== undefined) this.#held.add([lossPoint(step, seconds, loss)]);
      this.show({ measures, measuredAt: step });
    } finally {
      this.show({ looking: false });
      const took = performance.now() - began;
      this.#nextLook = performance.now() + Math.max(lookEvery, took / lookShare);
    }
  }
}

/** What data the task accepts. */
const takenBy = (task: string, { tasks }: AppState) =>
  tasks.find(({ name }) => name === task)?.takes;

/** Options for the engine. images: digits, if the task learns from them. */
function optionsOf(
  choice: TrainingChoice,
  state: AppState,
  images: Digits | undefined,
): LearnOptions {
  const { task, size, seed, steps, batchSize, rate, optimizer, model } = choice;
  const takes = takenBy(task, state);
  const file = takes === 'text' || takes === 'table' ? state.trainingFiles[takes] : undefined;
  return {
    task,
    size,
    seed,
    ...(steps === undefined ? {} : { steps }),
    ...(batchSize === undefined ? {} : { batchSize }),
    ...(rate === undefined ? {} : { rate }),
    ...(optimizer === undefined ? {} : { optimizer }),
    ...(model === undefined ? {} : { model }),
    ...(file && takes === 'text' ? { text: file.bytes, source: file.name } : {}),
    ...(file && takes === 'table'
      ? { data: { csv: { text: file.bytes, source: file.name } } }
      : {}),
    ...(images ? { data: { mnist: images } } : {}),
  };
}

/** The trainer of the page: one run at a time, shown in the page's state. */
export class PageTrainer implements Trainer {
  #session: Session | undefined;
  /** Counts starts, so that late reports of an earlier run are ignored. */
  #starts = 0;

  /** digits: loads the images that the user added or that come with the page. */
  constructor(
    readonly store: Store<AppState>,
    readonly runtime: Runtime,
    readonly digits: () => Promise<Digits | undefined>,
  ) {}

  async start(choice: TrainingChoice): Promise<void> {
    const start = ++this.#starts;
    const before = this.#session;
    this.#session = undefined;
    before?.stop();
    void before?.end().catch(() => undefined);
    this.store.set({
      training: { ...idleTraining, phase: 'preparing', choice },
      reading: { phase: 'none' },
      writing: { phase: 'none' },
    });
    try {
      await this.#open(choice, start);
    } catch (error) {
      if (start === this.#starts)
        this.#show({ phase: 'failed', message: await this.runtime.report(error) });
    }
  }

  pause(): void {
    if (this.#phase !== 'running') return;
    if (!this.#session) return;
    this.#show({ waiting: 'pause' });
    this.#session.pause();
  }

  resume(): void {
    if (this.#session && this.#phase === 'paused') void this.#go(this.#session);
  }

  /** One step of a paused run. */
  step(): void {
    if (this.#session && this.#phase === 'paused') void this.#go(this.#session, 1);
  }

  stop(): void {
    const session = this.#session;
    const phase = this.#phase;
    if (phase === 'preparing') {
      this.#starts += 1;
      this.#show({ phase: 'stopped' });
    }
    if (session && phase === 'running') this.#show({ waiting: 'stop' });
    session?.stop();
    if (session && phase === 'paused') void this.#ended(session);
  }

  setRate(rate: number): void {
    const phase = this.#phase;
    if (!this.#session || (phase !== 'running' && phase !== 'paused')) return;
    this.#show({ rate, steered: true });
    this.#session.run.setRate(rate).catch(() => undefined);
  }

  get #phase(): TrainingState['phase'] {
    return this.store.get().training.phase;
  }

  #show(change: Partial<TrainingState>): void {
    this.store.set({ training: { ...this.store.get().training, ...change } });
  }

  async #open(choice: TrainingChoice, start: number): Promise<void> {
    const plx = await this.runtime.engine();
    const images = await this.#digitsFor(choice.task);
    const run = await plx.learn(optionsOf(choice, this.store.get(), images));
    if (start !== this.#starts) {
      await run.dispose();
      return;
    }
    this.#show({ about: run.about, rate: run.about.rate, steered: choice.rate !== undefined });
    const current = new Session(run, this.#reader(choice.task), (change) => {
      if (this.#session === current) this.#show(change);
    });
    this.#session = current;
    await this.#go(current);
  }

  /** How to read what this task learns. */
  #reader(task: string): ReadLearnt {
    const state = this.store.get();
    const takes = takenBy(task, state);
    if (takes === 'digits') return digitsLearnt();
    const { text } = state.trainingFiles;
    return takes === 'text' && text ? textLearnt(text.bytes) : weightsLearnt;
  }

  /** The digits for a task that learns from them. Throws if there are none. */
  async #digitsFor(task: string): Promise<Digits | undefined> {
    if (takenBy(task, this.store.get()) !== 'digits') return undefined;
    const images = await this.digits();
    if (images) return images;
    const { mnist } = this.store.get();
    const why = (mnist.phase === 'synthetic' && mnist.message) || 'This page has no images.';
    throw new Error(`${task} needs images of digits with their labels. ${why}`);
  }

  /** Trains, and shows how training ended. */
  async #go(current: Session, steps?: number): Promise<void> {
    const live = () => this.#session === current;
    try {
      this.#show({ phase: 'running', waiting: 'nothing' });
      const { reason } = await current.train(steps);
      if (!live()) return;
      this.#show({ phase: reason === 'done' ? 'done' : 'paused', waiting: 'nothing' });
      await current.look();
      if (reason === 'done') await current.end();
    } catch (error) {
      if (!live()) return;
      if (current.stopped) await this.#ended(current);
      else {
        await current.catchUp().catch(() => undefined);
        const message = await this.runtime.report(error);
        this.#show({ phase: 'failed', waiting: 'nothing', message });
        await current.end().catch(() => undefined);
      }
    }
  }

  /** Shows what a stopped run has learnt, unless the engine was stopped with it. */
  async #ended(current: Session): Promise<void> {
    this.#show({ phase: 'stopped', waiting: 'nothing' });
    try {
      await current.look();
    } catch {
    } finally {
      await current.end().catch(() => undefined);
    }
  }
}
