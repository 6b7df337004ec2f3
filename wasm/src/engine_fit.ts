/** The loop of fit: slices of steps, with reports between them. */
import type { EpochLog, Metrics } from './api.js';
import { PlxError } from './errors.js';
import type { Heap } from './heap.js';
import type { FitReply, FitReport } from './rpc.js';
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
  };
  readonly #began = performance.now();

  constructor(
    readonly heap: Heap,
    readonly trainer: number,
    readonly validate: () => Metrics | undefined,
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
    this.milliseconds += performance.now() - began;
    this.#read();
    this.heap.check(status);
  }

  /** Reads how far it is, without a step. */
  look(): void {
    this.heap.check(this.heap.c._plx_js_trainer_run(this.trainer, 0));
    this.#read();
  }

  #read(): void {
    const [step, steps, epoch, epochs, loss, epochLoss, done] = this.heap.results(0, 7) as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    this.progress = { step, steps, epoch, epochs, loss, epochLoss, done: done === 1 };
  }

  #endEpoch(): EpochLog {
    const { epoch, epochs, epochLoss } = this.progress;
    const log: EpochLog = { epoch, epochs, loss: epochLoss, milliseconds: this.elapsed };
    const validation = this.validate();
    if (validation) log.validation = validation;
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
  validate: () => Metrics | undefined,
  report: (report: FitReport) => unknown,
): Promise<Omit<FitReply, 'memory'>> {
  const training = new Training(heap, trainer, validate);
  let told: unknown;
  while (!training.progress.done) {
    if (job.cancelled) {
      const { step, steps } = training.progress;
      throw new PlxError('PLX_ERR_CANCELLED', `fit: cancelled after ${step} of ${steps} steps`);
    }
    const from = training.progress.step;
    const epochs = training.slice();
    const { step, steps, epoch, epochs: inAll, loss } = training.progress;
    const milliseconds = training.elapsed;
    const losses = training.losses(from);
    /* Whoever listens may take their time: training then waits, one slice ahead of them. */
    await told;
    told = report({
      batch: { step, steps, epoch, epochs: inAll, loss, losses, milliseconds },
      epochs,
    });
    await breathe();
  }
  /* The reply travels on another port than the reports: wait until the last has arrived. */
  await told;
  return {
    loss: training.losses(0),
    epochs: training.epochs,
    steps: training.progress.step,
    milliseconds: training.milliseconds,
  };
}
