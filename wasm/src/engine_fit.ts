/** The loop of fit, which runs slices of steps with reports between them. */
import type { BatchLog, EpochLog, History, Metrics } from './api.js';
import { indexOf, names } from './engine_plan.js';
import { PortData } from './engine_ports.js';
import { PlxError } from './errors.js';
import type { Results } from './generated/c_results.js';
import type { Heap } from './heap.js';
import type { FitReply, FitReport, FitRequest, ScalarProgram } from './rpc.js';
import { breathe, type Job, SLICE_MS } from './slice.js';

/** The progress of training. */
interface Progress
  extends Omit<
    Results['progress'],
    'validation' | 'validationNs' | 'training' | 'own' | 'validationOwn'
  > {
  /** Milliseconds of validation so far. */
  validating: number;
}

/** What of a request sets up the next trainer, besides its steps. */
type Setup = Pick<FitRequest, 'recipe' | 'validation' | 'delta' | 'metrics' | 'functions'>;

/** Sets the schedule, clipping, validation and so on of the next trainer. */
export class Recipe {
  readonly #heap: Heap;
  readonly #setup: Setup;
  readonly #data: PortData;
  #functions = 0;

  constructor(heap: Heap, setup: Setup) {
    this.#heap = heap;
    this.#setup = setup;
    this.#data = new PortData(heap);
  }

  /**
   * Applies the settings; the data stays in the module's memory until `free`. builders: the names of
   * the library's builders.
   */
  choose(builders: readonly string[]): void {
    const { c } = this.#heap;
    const { recipe, validation, delta, metrics, functions } = this.#setup;
    const { schedule, clipNorm, labelSmoothing, accumulate, ...stopping } = recipe;
    const lists = validation ? this.#data.place(validation) : { inputs: 0, targets: 0 };
    const schedules = names(this.#heap, (i) => c._plx_js_schedule_name(i));
    const kind = indexOf(schedules, schedule.kind, 'schedule');
    const { warmup, floor, every, factor } = schedule;
    const tallies = Number(metrics.names.length > 0);
    c._plx_js_recipe(
      ...([kind, warmup, floor, every, factor, clipNorm, labelSmoothing, delta] as const),
      ...([accumulate, tallies] as const),
    );
    if (functions.length > 0) {
      const numbers = Float64Array.from(functions.flatMap((one) => packScalar(one, builders)));
      this.#functions = this.#heap.copyIn(numbers);
      const isLoss = Number(functions.some(({ number }) => number < 0));
      c._plx_js_functions(numbers.length, this.#functions, metrics.own.length, isLoss);
    }
    const { patience, minImprovement } = stopping;
    const n = validation?.n ?? 0;
    c._plx_js_validation(n, lists.inputs, lists.targets, patience, minImprovement);
  }

  free(): void {
    const { c } = this.#heap;
    c._plx_js_validation(0, 0, 0, 0, 0);
    c._plx_js_functions(0, 0, 0, 0);
    c._plx_js_free(this.#functions);
    this.#data.free();
  }
}

/** Returns a function in the form that plx__js_functions describes. */
function packScalar(
  { number, rows, calls, gives }: ScalarProgram,
  builders: readonly string[],
): number[] {
  const packed = calls.flatMap(({ builder, inputs, numbers, results }) => {
    const place = indexOf(builders, builder, 'operation');
    return [place, inputs.length, ...inputs, numbers.length, ...numbers, results];
  });
  const values = calls.reduce((sum, { results }) => sum + results, 2);
  const head = [rows, number, values, gives];
  return [1 + head.length + packed.length, ...head, ...packed];
}

/** Returns how many steps fit into the rest of a slice, from their cost so far; 1 while unknown. */
function stepsToRun(steps: number, milliseconds: number, left: number): number {
  if (steps === 0 || milliseconds <= 0) return 1;
  return Math.max(1, Math.floor((left * steps) / milliseconds));
}

/** A running trainer and its progress. */
export class Training {
  readonly epochs: EpochLog[] = [];
  /** Milliseconds spent in the trainer alone. */
  milliseconds = 0;
  progress: Progress = {
    step: 0,
    steps: 0,
    epoch: 0,
    epochs: 0,
    loss: Number.NaN,
    epochLoss: Number.NaN,
    done: false,
    rate: Number.NaN,
    gradientNorm: Number.NaN,
    validating: 0,
    bestEpoch: 0,
    stoppedEarly: false,
  };
  #validation: Metrics = { loss: 0, accuracy: 0, rmse: 0, r2: 0, top5: 0, perplexity: 0, mae: 0 };
  #training = this.#validation;
  /** The addresses of the values of functions. */
  #own = { training: 0, validation: 0 };
  #stopped = false;
  readonly #began = performance.now();

  /** metrics: those to report. */
  constructor(
    readonly heap: Heap,
    readonly trainer: number,
    readonly validates: boolean,
    readonly metrics: FitRequest['metrics'] = { names: [], own: [] },
  ) {}

  get elapsed(): number {
    return performance.now() - this.#began;
  }

  /**
   * Runs until the given time or the step number `last`, unless the job is cancelled. Stops at the
   * end of an epoch and returns its log.
   */
  advance(job: Job, until: number, last = Number.POSITIVE_INFINITY): EpochLog | undefined {
    const { epoch } = this.progress;
    do {
      this.#run(job, until - performance.now(), last - this.progress.step);
      if (this.progress.epoch > epoch) return this.#endEpoch();
    } while (this.#goesOn(job, until, last));
    return undefined;
  }

  /** Runs for one slice, across the ends of epochs. */
  slice(job: Job, last: number): void {
    const until = performance.now() + job.sliceMs;
    do this.advance(job, until, last);
    while (this.#goesOn(job, until, last));
  }

  #goesOn(job: Job, until: number, last: number): boolean {
    const { done, step } = this.progress;
    return !done && step < last && !job.cancelled && performance.now() < until;
  }

  #run(job: Job, left: number, most: number): void {
    const count = Math.min(most, stepsToRun(this.progress.step, this.milliseconds, left));
    const began = performance.now();
    const status = job.watched ? this.#runWatched(job, count) : this.#steps(count);
    const before = this.progress.validating;
    this.#read();
    this.milliseconds += performance.now() - began - (this.progress.validating - before);
    this.heap.check(status);
  }

  #steps(count: number): number {
    return this.heap.c._plx_js_trainer_run(this.trainer, count);
  }

  /** Runs count steps, and checks after each one whether the job was cancelled. */
  #runWatched(job: Job, count: number): number {
    const { heap } = this;
    const { epoch } = this.progress;
    for (let i = 1; ; i++) {
      const status = this.#steps(1);
      const now = heap.read('progress');
      const over = now.epoch !== epoch || now.done;
      if (status !== 0 || over || i >= count || job.cancelled) return status;
    }
  }

  /** Ends training after the steps so far. */
  stop(): void {
    if (this.progress.done) return;
    this.heap.c._plx_js_trainer_stop(this.trainer);
    this.#stopped = true;
    this.look();
  }

  /** Reads the progress without taking a step. */
  look(): void {
    this.heap.check(this.heap.c._plx_js_trainer_run(this.trainer, 0));
    this.#read();
  }

  #read(): void {
    const { validation, training, validationNs, own, validationOwn, ...progress } =
      this.heap.read('progress');
    this.progress = { ...progress, validating: validationNs / 1e6 };
    this.#validation = validation;
    this.#training = training;
    this.#own = { training: own, validation: validationOwn };
  }

  /** Returns the metrics to report, of training or of validation. */
  #metricsOf(all: Metrics, own: number): Record<string, number> {
    const values = this.heap.doubles(own, this.metrics.own.length);
    return Object.fromEntries([
      ...this.metrics.names.map((name) => [name, all[name]]),
      ...this.metrics.own.map((name, i) => [name, values[i]]),
    ]);
  }

  /** Creates a report on the steps since step `from`. */
  batch(from: number): BatchLog {
    const { step, steps, epoch, epochs, loss, rate, gradientNorm } = this.progress;
    const losses = this.losses(from);
    const log = { step, steps, epoch, epochs, loss, losses, rate, milliseconds: this.elapsed };
    return Number.isNaN(gradientNorm) ? log : { ...log, gradientNorm };
  }

  #endEpoch(): EpochLog {
    const { epoch, epochs, epochLoss, rate } = this.progress;
    const log: EpochLog = { epoch, epochs, loss: epochLoss, rate, milliseconds: this.elapsed };
    if (this.validates) log.validation = this.#validation;
    if (this.metrics.names.length + this.metrics.own.length > 0) {
      log.metrics = this.#metricsOf(this.#training, this.#own.training);
      if (this.validates)
        log.validationMetrics = this.#metricsOf(this.#validation, this.#own.validation);
    }
    this.epochs.push(log);
    return log;
  }

  history(): History {
    const { step, bestEpoch, stoppedEarly } = this.progress;
    const loss = this.losses(0);
    this.heap.c._plx_js_trainer_memory(this.trainer);
    return {
      loss,
      epochs: this.epochs,
      steps: step,
      ...(this.validates ? { bestEpoch } : {}),
      stoppedEarly,
      stopped: this.#stopped,
      milliseconds: this.milliseconds,
      memory: this.heap.read('memory'),
    };
  }

  losses(from: number): Float32Array {
    this.heap.c._plx_js_trainer_losses(this.trainer);
    const { address, count } = this.heap.read('losses');
    return this.heap.floats(address, count).slice(from);
  }
}

type Tell = (report: FitReport) => unknown;

/** Trains to the end, waiting for listeners; throws when the job is cancelled. */
async function train(
  training: Training,
  job: Job,
  wanted: FitRequest['reports'],
  report: Tell,
): Promise<void> {
  let from = 0;
  let due = performance.now() + SLICE_MS;
  for (let until = performance.now() + job.sliceMs; !training.progress.done; ) {
    if (job.cancelled) {
      const { step, steps } = training.progress;
      throw new PlxError('PLX_ERR_CANCELLED', `fit: cancelled after ${step} of ${steps} steps`);
    }
    const epoch = training.advance(job, until);
    if (epoch && wanted.epochs) await job.told(report({ epoch }));
    if (job.stopped) training.stop();
    const { done, step } = training.progress;
    if (!done && performance.now() < until) continue;
    if (wanted.batches && (done || performance.now() >= due)) {
      await job.told(report({ batch: training.batch(from) }));
      from = step;
      due = performance.now() + SLICE_MS;
      if (job.stopped) training.stop();
    }
    await breathe();
    until = performance.now() + job.sliceMs;
  }
}

/** Whether an error comes with the history of what was done before it. */
const keepsHistory = (error: unknown): error is PlxError =>
  error instanceof PlxError &&
  (error.codeName === 'PLX_ERR_CANCELLED' || error.codeName === 'PLX_ERR_DIVERGED');

/** Trains to the end, or until the job is cancelled or training diverges. */
export async function trainInSlices(
  training: Training,
  job: Job,
  wanted: FitRequest['reports'],
  report: Tell,
): Promise<FitReply> {
  try {
    await train(training, job, wanted, report);
    return training.history();
  } catch (error) {
    if (!keepsHistory(error)) throw error;
    const { codeName, message } = error;
    return { ...training.history(), failure: { codeName, message } };
  }
}
