/** The loop of fit: slices of steps, with reports between them. */
import type { BatchLog, EpochLog, Metrics } from './api.js';
import { indexOf, names } from './engine_plan.js';
import { PortData } from './engine_ports.js';
import { PlxError } from './errors.js';
import type { Heap } from './heap.js';
import type { FitRecipe, FitReply, FitReport, Samples } from './rpc.js';
import { breathe, type Job, SLICE_MS } from './slice.js';

/** What plx_js_trainer_run leaves in the results. */
interface Progress {
  step: number;
  steps: number;
  epoch: number;
  epochs: number;
  loss: number;
  epochLoss: number;
  done: boolean;
  rate: number;
  /** NaN without clipping. */
  gradientNorm: number;
  /** Milliseconds so far. */
  validating: number;
  /** 0: none yet. */
  bestEpoch: number;
  stoppedEarly: boolean;
}

/** Names a schedule, clipping, validation and the like to the trainer that is made next. */
export class Recipe {
  readonly #heap: Heap;
  readonly #recipe: FitRecipe;
  readonly #data: PortData;

  constructor(heap: Heap, recipe: FitRecipe) {
    this.#heap = heap;
    this.#recipe = recipe;
    this.#data = new PortData(heap);
  }

  /** The data stays in the module's memory until `free`. */
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

/** Steps for the rest of a slice, from what steps have cost so far; few while that is unknown. */
function stepsToRun(steps: number, milliseconds: number, left: number): number {
  if (steps === 0 || milliseconds <= 0) return 1;
  return Math.max(1, Math.floor((left * steps) / milliseconds));
}

/** A trainer at work, and how far it is. */
export class Training {
  readonly epochs: EpochLog[] = [];
  /** Time in the trainer alone. */
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

  /** Runs for about one slice, at most so many steps, and gives the epochs that ended in it. */
  slice(most = Number.POSITIVE_INFINITY): EpochLog[] {
    const until = performance.now() + SLICE_MS;
    const last = this.progress.step + most;
    const ended: EpochLog[] = [];
    do {
      const { epoch, step } = this.progress;
      this.#run(until - performance.now(), last - step);
      if (this.progress.epoch > epoch) ended.push(this.#endEpoch());
    } while (!this.progress.done && this.progress.step < last && performance.now() < until);
    return ended;
  }

  #run(left: number, most: number): void {
    const count = Math.min(most, stepsToRun(this.progress.step, this.milliseconds, left));
    const began = performance.now();
    const status = this.heap.c._plx_js_trainer_run(this.trainer, count);
    const before = this.progress.validating;
    this.#read();
    this.milliseconds += performance.now() - began - (this.progress.validating - before);
    this.heap.check(status);
  }

  /** Reads how far it is, without a step. */
  look(): void {
    this.heap.check(this.heap.c._plx_js_trainer_run(this.trainer, 0));
    this.#read();
  }

  #read(): void {
    const results = this.heap.results(0, 18);
    const at = (i: number): number => results[i] as number;
    this.progress = {
      step: at(0),
      steps: at(1),
      epoch: at(2),
      epochs: at(3),
      loss: at(4),
      epochLoss: at(5),
      done: at(6) === 1,
      rate: at(7),
      gradientNorm: at(8),
      validating: at(9) / 1e6,
      bestEpoch: at(10),
      stoppedEarly: at(11) === 1,
    };
    const [loss, accuracy, rmse, r2, top5, perplexity] = [12, 13, 14, 15, 16, 17].map(at) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    this.#validation = { loss, accuracy, rmse, r2, top5, perplexity };
  }

  /** What a report says of the steps since number from. */
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

  losses(from: number): Float32Array {
    this.heap.c._plx_js_trainer_losses(this.trainer);
    return this.heap.floats(this.heap.result(0), this.heap.result(1)).slice(from);
  }
}

/** Trains to the end, or until the job is cancelled. */
export async function trainInSlices(
  heap: Heap,
  trainer: number,
  job: Job,
  validates: boolean,
  report: (report: FitReport) => unknown,
): Promise<Omit<FitReply, 'memory'>> {
  const training = new Training(heap, trainer, validates);
  let told: unknown;
  while (!training.progress.done) {
    if (job.cancelled) {
      const { step, steps } = training.progress;
      throw new PlxError('PLX_ERR_CANCELLED', `fit: cancelled after ${step} of ${steps} steps`);
    }
    const from = training.progress.step;
    const epochs = training.slice();
    const batch = training.batch(from);
    /* Whoever listens may take their time: training then waits, one slice ahead of them. */
    await told;
    told = report({ batch, epochs });
    await breathe();
  }
  /* The reply travels on another port than the reports: wait until the last has arrived. */
  await told;
  return {
    loss: training.losses(0),
    epochs: training.epochs,
    steps: training.progress.step,
    ...(validates ? { bestEpoch: training.progress.bestEpoch } : {}),
    stoppedEarly: training.progress.stoppedEarly,
    milliseconds: training.milliseconds,
  };
}
