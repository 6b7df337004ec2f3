/** The loop of fit, which runs slices of steps with reports between them. */
import type { BatchLog, EpochLog, History, Metrics } from './api.js';
import { indexOf, names } from './engine_plan.js';
import { PortData } from './engine_ports.js';
import { PlxError } from './errors.js';
import type { Results } from './generated/c_results.js';
import type { Heap } from './heap.js';
import type { FitRecipe, FitReply, FitReport, FitRequest, Samples } from './rpc.js';
import { breathe, type Job, SLICE_MS } from './slice.js';

/** The progress of training. */
interface Progress extends Omit<Results['progress'], 'validation' | 'validationNs'> {
  /** Milliseconds of validation so far. */
  validating: number;
}

/** Sets the schedule, clipping, validation and so on of the next trainer. */
export class Recipe {
  readonly #heap: Heap;
  readonly #recipe: FitRecipe;
  readonly #data: PortData;

  constructor(heap: Heap, recipe: FitRecipe) {
    this.#heap = heap;
    this.#recipe = recipe;
    this.#data = new PortData(heap);
  }

  /** Applies the settings; the data stays in the module's memory until `free`. */
  choose(validation: Samples | undefined): void {
    const { c } = this.#heap;
    const { schedule, clipNorm, labelSmoothing, accumulate, ...stopping } = this.#recipe;
    const lists = validation ? this.#data.place(validation) : { inputs: 0, targets: 0 };
    const schedules = names(this.#heap, (i) => c._plx_js_schedule_name(i));
    const kind = indexOf(schedules, schedule.kind, 'schedule');
    const { warmup, floor, every, factor } = schedule;
    c._plx_js_recipe(kind, warmup, floor, every, factor, clipNorm, labelSmoothing, accumulate);
    const { patience, minImprovement } = stopping;
    const n = validation?.n ?? 0;
    c._plx_js_validation(n, lists.inputs, lists.targets, patience, minImprovement);
  }

  free(): void {
    this.#heap.c._plx_js_validation(0, 0, 0, 0, 0);
    this.#data.free();
  }
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
  #validation: Metrics = { loss: 0, accuracy: 0, rmse: 0, r2: 0, top5: 0, perplexity: 0 };
  readonly #began = performance.now();

  constructor(
    readonly heap: Heap,
    readonly trainer: number,
    readonly validates: boolean,
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

  /** Reads the progress without taking a step. */
  look(): void {
    this.heap.check(this.heap.c._plx_js_trainer_run(this.trainer, 0));
    this.#read();
  }

  #read(): void {
    const { validation, validationNs, ...progress } = this.heap.read('progress');
    this.progress = { ...progress, validating: validationNs / 1e6 };
    this.#validation = validation;
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
    const { done, step } = training.progress;
    if (!done && performance.now() < until) continue;
    if (wanted.batches && (done || performance.now() >= due)) {
      await job.told(report({ batch: training.batch(from) }));
      from = step;
      due = performance.now() + SLICE_MS;
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
