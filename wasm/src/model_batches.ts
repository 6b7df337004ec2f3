/** Training on batches that are made or loaded as it goes. */
import type { AbortSignalLike, Evaluation, Model } from './api.js';
import type {
  Batch,
  Batches,
  BatchOptions,
  DatasetEpoch,
  DatasetHistory,
  DatasetOptions,
  StepLog,
} from './api_batches.js';
import { checkWhole, kindOf } from './arrays.js';
import { STEP } from './fit_options.js';
import { cancelled } from './jobs.js';
import { anything, callback, checkOptions, number, refuse } from './options.js';

const DATASET = {
  ...STEP,
  epochs: number,
  batchesPerEpoch: number,
  validation: anything,
  onEpoch: callback,
  onBatch: callback,
};

/** What a model does for it. */
export interface Trainee {
  /** Takes a step; returns its log and the number of samples. */
  step(batch: Batch, options: BatchOptions): Promise<{ log: StepLog; samples: number }>;
  evaluate(...given: Parameters<Model['evaluate']>): Promise<Evaluation>;
}

/** Waits for a source, but no longer than until an abort. */
function unlessAborted<T>(wait: Promise<T>, signal: AbortSignalLike | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(cancelled('fitDataset', signal!));
    signal?.addEventListener('abort', abort);
    wait.then(resolve, reject).finally(() => signal?.removeEventListener('abort', abort));
  });
}

/** Batches that are fetched one ahead, so that the next is being made while a step runs. */
class Reader {
  readonly #iterator: Iterator<Batch> | AsyncIterator<Batch>;
  #next: Promise<IteratorResult<Batch>> | undefined;
  /** How many it has given. */
  taken = 0;

  constructor(given: Exclude<Batches, () => unknown>) {
    const source = Object(given) as Partial<AsyncIterable<Batch> & Iterable<Batch>>;
    const iterator = source[Symbol.asyncIterator]?.() ?? source[Symbol.iterator]?.();
    if (!iterator) {
      const message = 'fitDataset: batches must be iterable, or a function that makes them';
      refuse(`${message}: got ${kindOf(given)}`);
    }
    this.#iterator = iterator!;
  }

  #fetch(): Promise<IteratorResult<Batch>> {
    const fetched = Promise.resolve(this.#iterator.next());
    /* Reported when it is taken; until then it must not count as unhandled. */
    fetched.catch(() => {});
    return fetched;
  }

  /** Returns the next batch, if there is one; more: whether the one after it is wanted, too. */
  async take(more: boolean, signal?: AbortSignalLike): Promise<Batch | undefined> {
    const { done, value } = await unlessAborted(this.#next ?? this.#fetch(), signal);
    this.#next = !done && more ? this.#fetch() : undefined;
    if (done) return undefined;
    this.taken += 1;
    return value;
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}

/** Means over the steps of an epoch, weighted by their samples. */
class Means {
  #samples = 0;
  #loss = 0;
  readonly #metrics: Record<string, number> = {};

  add({ loss, metrics = {} }: StepLog, samples: number): void {
    this.#samples += samples;
    this.#loss += loss * samples;
    for (const [name, value] of Object.entries(metrics))
      this.#metrics[name] = (this.#metrics[name] ?? 0) + value * samples;
  }

  log(): StepLog {
    const entries = Object.entries(this.#metrics).map(([name, sum]) => [name, sum / this.#samples]);
    const metrics = entries.length > 0 && { metrics: Object.fromEntries(entries) };
    return { loss: this.#loss / this.#samples, ...metrics };
  }
}

/** Runs epochs over batches; the data of validation is evaluated after each. */
export async function fitBatches(
  given: Batches,
  options: DatasetOptions,
  model: Trainee,
): Promise<DatasetHistory> {
  const call = 'fitDataset';
  checkOptions(call, options, DATASET);
  const { epochs = 1, batchesPerEpoch, validation, onEpoch, onBatch, ...step } = options;
  checkWhole(`${call}: epochs`, epochs, 1);
  const most = batchesPerEpoch ?? Number.POSITIVE_INFINITY;
  if (batchesPerEpoch !== undefined) checkWhole(`${call}: batchesPerEpoch`, most, 1);
  const { loss, signal } = options;
  if (validation && (!validation.x || typeof loss === 'function'))
    refuse(`${call}: validation needs { x, y }, and a loss by name, not a function`);
  const losses: number[] = [];
  const logs: DatasetEpoch[] = [];
  let stopped = false;
  let reader: Reader | undefined;
  try {
    for (let epoch = 1; epoch <= epochs && !stopped; epoch++) {
      const means = new Means();
      let steps = 0;
      while (steps < most && !stopped) {
        if (signal?.aborted) throw cancelled(call, signal);
        reader ??= new Reader(typeof given === 'function' ? given() : given);
        const batch = await reader.take(steps + 1 < most, signal);
        if (!batch) {
          const empty = reader.taken === 0;
          reader = undefined;
          if (steps > 0 || empty) break;
          continue;
        }
        checkOptions(`${call}: batch`, batch, { x: anything, y: anything, sampleWeight: anything });
        const { log, samples } = await model.step(batch, step);
        means.add(log, samples);
        losses.push(log.loss);
        steps += 1;
        stopped = (await onBatch?.({ ...log, step: losses.length, epoch })) === 'stop';
      }
      if (steps === 0) refuse(emptyText(call, epoch));
      const log: DatasetEpoch = { ...means.log(), epoch, steps };
      if (validation) {
        const { sampleWeight } = validation;
        const own = { ...(loss && { loss }), ...(sampleWeight && { sampleWeight }) };
        const { confusion, ...metrics } = await model.evaluate(
          validation.x,
          validation.y,
          own as Parameters<Model['evaluate']>[2],
        );
        log.validation = metrics;
      }
      logs.push(log);
      stopped = (await onEpoch?.(log)) === 'stop' || stopped;
    }
  } finally {
    const closed = reader?.close();
    /* A source closes after the batch that it is making, which may never be ready. */
    if (signal?.aborted) closed?.catch(() => {});
    else await closed;
  }
  return { loss: Float32Array.from(losses), epochs: logs, steps: losses.length, stopped };
}

const emptyText = (call: string, epoch: number): string =>
  epoch === 1
    ? `${call}: there are no batches`
    : `${call}: there are no batches for epoch ${epoch}: give a function that makes them, or an array`;
