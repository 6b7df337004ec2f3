/** Training on this page: one task at a time, paused, stopped and steered while it learns. */
import type {
  BenchSize,
  Learning,
  LearnOptions,
  Measure,
  TrainOutcome,
  TrainProgress,
} from 'parallax-nn/bench';
import { LossCurve, lossPoint, pointsOf } from './loss_curve.js';
import type { Runtime } from './runtime.js';
import { type AppState, idleTraining, type Speed, type TrainingState } from './state.js';
import type { Store } from './store.js';

/** What to train; undefined stands for what the task has. */
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

export interface Trainer {
  start(choice: TrainingChoice): Promise<void>;
  pause(): void;
  resume(): void;
  stop(): void;
  setRate(rate: number): void;
}

type Digits = NonNullable<NonNullable<LearnOptions['data']>['mnist']>;

/** Milliseconds between two changes of the page while training; readers and charts need no more. */
const publishEvery = 100;
/** Milliseconds over which speed is taken. */
const speedOver = 2_000;
/** Measures and exhibits are made anew after so long, and at most for this share of the time. */
const lookEvery = 3_000;
const lookShare = 0.15;

/** The last seconds of training, for its speed. */
export class SpeedMeter {
  #seen: { step: number; milliseconds: number }[] = [];

  add(step: number, milliseconds: number): void {
    this.#seen.push({ step, milliseconds });
    while (this.#seen.length > 2 && milliseconds - this.#seen[1]!.milliseconds > speedOver) {
      this.#seen.shift();
    }
  }

  /** Steps in a second; 0 while unknown. */
  get steps(): number {
    const [first, last] = [this.#seen[0], this.#seen.at(-1)];
    if (!first || !last || last.milliseconds <= first.milliseconds) return 0;
    return (1000 * (last.step - first.step)) / (last.milliseconds - first.milliseconds);
  }
}

/** The loss among measures, when it is one of the same kind as that of training. */
export function heldLoss(measures: readonly Measure[]): number | undefined {
  return measures.find(({ name }) => name === 'loss' || name === 'held-out loss')?.value;
}

/** One run, from its start until another takes its place. */
class Session {
  readonly #abort = new AbortController();
  readonly #meter = new SpeedMeter();
  readonly #train = new LossCurve();
  readonly #held = new LossCurve();
  readonly #losses: number[] = [];
  #published = 0;
  #looking: Promise<void> | undefined;
  /** Somebody waits for the end of training: no look is begun, and one under way is cut short. */
  #hurried = false;
  /** At which step all was looked at with training at rest. */
  #looked = -1;
  /** When training was last heard of. */
  #heard = 0;
  #nextLook = 0;
  #pending: Partial<TrainingState> = {};

  constructor(
    readonly run: Learning,
    readonly show: (change: Partial<TrainingState>) => void,
  ) {}

  /** Trains on until it is done or paused. Rejects when it is stopped, or fails. */
  async train(resume: boolean): Promise<TrainOutcome> {
    this.#heard = performance.now();
    this.#nextLook = this.#heard + lookEvery / 3;
    this.#hurried = false;
    const outcome = resume
      ? await this.run.resume()
      : await this.run.train({
          signal: this.#abort.signal,
          onProgress: (progress) => this.#onProgress(progress),
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

  /** Shows the steps that were done before training failed, and were not told. */
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

  /** Of what was learnt; waits for the look that is under way. */
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
      /* A failure shows in the last look, after training. */
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
      this.show({ exhibits: await this.run.exhibits() });
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

/** digits: the images that were given to the page, if any. */
export function createTrainer(
  store: Store<AppState>,
  runtime: Runtime,
  digits: () => Digits | undefined,
): Trainer {
  let session: Session | undefined;
  /** Counts starts: what an earlier one still has to tell is not shown. */
  let starts = 0;

  const show = (change: Partial<TrainingState>) =>
    store.set({ training: { ...store.get().training, ...change } });

  function optionsOf(choice: TrainingChoice): LearnOptions {
    const { tasks, trainingFiles } = store.get();
    const { task, size, seed, steps, batchSize, rate, optimizer, model } = choice;
    const takes = tasks.find(({ name }) => name === task)?.takes;
    const file = takes === 'text' || takes === 'table' ? trainingFiles[takes] : undefined;
    const images = takes === 'digits' ? digits() : undefined;
    if (takes === 'digits' && !images) {
      throw new Error(`${task} learns from the files of MNIST: choose its images and labels.`);
    }
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

  /** Trains, and shows how it ended. */
  async function go(current: Session, resume: boolean): Promise<void> {
    const live = () => session === current;
    try {
      show({ phase: 'running', waiting: 'nothing' });
      const { reason } = await current.train(resume);
      if (!live()) return;
      show({ phase: reason === 'paused' ? 'paused' : 'done', waiting: 'nothing' });
      await current.look();
      if (reason !== 'paused') await current.end();
    } catch (error) {
      if (!live()) return;
      if (current.stopped) await ended(current);
      else {
        await current.catchUp().catch(() => undefined);
        show({ phase: 'failed', waiting: 'nothing', message: await runtime.report(error) });
        await current.end().catch(() => undefined);
      }
    }
  }

  /** Shows what a run that was stopped has learnt, unless the engine was stopped with it. */
  async function ended(current: Session): Promise<void> {
    show({ phase: 'stopped', waiting: 'nothing' });
    try {
      await current.look();
    } catch {
    } finally {
      await current.end().catch(() => undefined);
    }
  }

  async function open(choice: TrainingChoice, start: number): Promise<void> {
    const plx = await runtime.engine();
    const run = await plx.learn(optionsOf(choice));
    if (start !== starts) {
      await run.dispose();
      return;
    }
    show({ about: run.about, rate: run.about.rate, steered: choice.rate !== undefined });
    const current = new Session(run, (change) => {
      if (session === current) show(change);
    });
    session = current;
    await go(current, false);
  }

  return {
    async start(choice) {
      const start = ++starts;
      const before = session;
      session = undefined;
      before?.stop();
      void before?.end().catch(() => undefined);
      store.set({ training: { ...idleTraining, phase: 'preparing' } });
      try {
        await open(choice, start);
      } catch (error) {
        if (start === starts) show({ phase: 'failed', message: await runtime.report(error) });
      }
    },
    pause() {
      if (store.get().training.phase !== 'running') return;
      if (!session) return;
      show({ waiting: 'pause' });
      session.pause();
    },
    resume() {
      if (session && store.get().training.phase === 'paused') void go(session, true);
    },
    stop() {
      const { phase } = store.get().training;
      if (phase === 'preparing') {
        starts += 1;
        show({ phase: 'stopped' });
      }
      if (session && phase === 'running') show({ waiting: 'stop' });
      session?.stop();
      if (session && phase === 'paused') {
        void ended(session);
      }
    },
    setRate(rate) {
      const { phase } = store.get().training;
      if (!session || (phase !== 'running' && phase !== 'paused')) return;
      show({ rate, steered: true });
      session.run.setRate(rate).catch(() => undefined);
    },
  };
}
