/** The client's side of a run of a learning task: checks arguments and calls the engine. */
import type { Weight } from './api.js';
import type { BenchSize } from './api_bench.js';
import type {
  Exhibit,
  HeldSample,
  Learning,
  LearningAbout,
  LearnOptions,
  Measure,
  TrainOptions,
  TrainOutcome,
} from './api_learning.js';
import { checkFinite, checkName, checkWhole } from './arrays.js';
import { inCall } from './call_errors.js';
import { type Connection, moved } from './connection.js';
import { PlxError } from './errors.js';
import { checkSource, readDigits, textBytes } from './file_bytes.js';
import { disposed } from './forgotten.js';
import { runJob } from './jobs.js';
import { optimizerOf } from './names.js';
import {
  anything,
  callback,
  checkObject,
  checkOptions,
  number,
  refuse,
  signal,
  text,
} from './options.js';
import type { BenchEngineApi, LearnRequest, TrainReport } from './rpc_bench.js';

export const SIZES: readonly BenchSize[] = ['quick', 'default', 'full'];

function checkText(what: string, text: string): string {
  if (typeof text === 'string' && text.length > 0) return text;
  throw new PlxError('PLX_ERR_ARGUMENT', `${what}: expected a non-empty string`);
}

function checkRate(what: string, rate: number): number {
  if (checkFinite(what, rate) > 0) return rate;
  throw new PlxError('PLX_ERR_ARGUMENT', `${what} is ${rate}: it must be above 0`);
}

/** Reads the files in the options. */
async function filesOf(options: LearnOptions): Promise<Partial<LearnRequest>> {
  const { source, data = {} } = options;
  const unknown = Object.keys(data).find((key) => key !== 'mnist' && key !== 'csv');
  if (unknown !== undefined) {
    throw new PlxError(
      'PLX_ERR_ARGUMENT',
      `learn: data.${unknown} is unknown: expected { mnist: { images, labels } } or { csv: { text } }`,
    );
  }
  const files: Partial<LearnRequest> = {};
  if (source !== undefined) {
    checkSource('learn: source', source);
    if (options.text === undefined) refuse('learn: source names the text: give text too');
  }
  if (options.text !== undefined) {
    const bytes = textBytes('learn: text', options.text);
    if (bytes.length === 0) throw new PlxError('PLX_ERR_ARGUMENT', 'learn: the text is empty');
    files.text = { bytes, source: source ?? 'text' };
  }
  if (data.csv) {
    const named = checkSource('learn: data.csv.source', data.csv.source ?? 'table');
    files.table = { bytes: textBytes('learn: data.csv.text', data.csv.text), source: named };
  }
  if (data.mnist) files.mnist = await readDigits('learn', data.mnist);
  return files;
}

const LEARN = {
  task: anything,
  size: text,
  seed: number,
  model: anything,
  text: anything,
  source: anything,
  data: checkObject,
  steps: number,
  batchSize: number,
  rate: number,
  optimizer: anything,
};

/** Checks the options; zeros stand for the task's own values. */
async function requestOf(options: LearnOptions): Promise<LearnRequest> {
  if (typeof options !== 'object' || options === null) {
    throw new PlxError('PLX_ERR_ARGUMENT', 'learn: expected options: learn({ task: "gpt2-nano" })');
  }
  checkOptions('learn', options, LEARN);
  const { model, optimizer, steps, batchSize, rate } = options;
  return {
    task: checkText('learn: task', options.task),
    size: checkName('learn: size', options.size ?? 'default', SIZES),
    seed: checkWhole('learn: seed', options.seed ?? 0, 0),
    steps: steps === undefined ? 0 : checkWhole('learn: steps', steps, 1),
    batchSize: batchSize === undefined ? 0 : checkWhole('learn: batchSize', batchSize, 1),
    rate: rate === undefined ? 0 : checkRate('learn: rate', rate),
    ...(model === undefined ? {} : { model: checkText('learn: model', model) }),
    ...(optimizer === undefined ? {} : { optimizer: optimizerOf('learn: optimizer', optimizer) }),
    ...(await filesOf(options)),
  };
}

class ClientLearning implements Learning {
  readonly #connection: Connection;
  readonly #id: number;
  /** Steps done, as of the last report. */
  #step = 0;
  /** Options with which resume continues. */
  #paused: TrainOptions | undefined;

  constructor(
    connection: Connection,
    id: number,
    readonly about: LearningAbout,
  ) {
    this.#connection = connection;
    this.#id = id;
    const free = (engine: BenchEngineApi) => engine.disposeRun(id);
    connection.watch(this, free, 'a run of a learning task');
  }

  async train(given: TrainOptions = {}): Promise<TrainOutcome> {
    checkOptions('train', given, { steps: number, onProgress: callback, signal });
    const options = { ...given };
    const steps =
      options.steps === undefined
        ? Number.POSITIVE_INFINITY
        : checkWhole('train: steps', options.steps, 1);
    const first = this.#step;
    const outcome = await runJob(this.#connection, options.signal, 'train', (job, guard) => {
      const report = this.#connection.callback(
        guard(async (progress: TrainReport) => {
          this.#step = progress.step;
          await options.onProgress?.(progress);
        }),
      );
      return this.#connection.call((engine: BenchEngineApi) =>
        engine.trainRun(this.#id, { ...job, steps }, report),
      );
    });
    this.#step = outcome.step;
    const left = steps - (outcome.step - first);
    this.#paused =
      outcome.reason === 'paused'
        ? { ...options, ...(Number.isFinite(left) ? { steps: left } : {}) }
        : undefined;
    return outcome;
  }

  pause(): Promise<void> {
    return this.#connection.call((engine: BenchEngineApi) => engine.pauseRun(this.#id));
  }

  async resume(): Promise<TrainOutcome> {
    if (this.#paused) return this.train(this.#paused);
    throw new PlxError('PLX_ERR_STATE', 'resume: this run is not paused: call train');
  }

  async setRate(rate: number): Promise<void> {
    checkRate('setRate: rate', rate);
    await this.#connection.call((engine: BenchEngineApi) => engine.setRunRate(this.#id, rate));
  }

  evaluate(): Promise<Measure[]> {
    return this.#connection.call((engine: BenchEngineApi) => engine.evaluateRun(this.#id));
  }

  exhibits(): Promise<Exhibit[]> {
    return this.#connection.call((engine: BenchEngineApi) => engine.exhibitRun(this.#id));
  }

  getWeights(): Promise<Weight[]> {
    return this.#connection.call((engine: BenchEngineApi) => engine.runWeights(this.#id));
  }

  async heldOut(i: number): Promise<HeldSample> {
    checkWhole('heldOut: i', i, 0);
    return this.#connection.call((engine: BenchEngineApi) => engine.heldSample(this.#id, i));
  }

  async losses(from = 0): Promise<Float32Array> {
    checkWhole('losses: from', from, 0);
    return this.#connection.call((engine: BenchEngineApi) => engine.runLosses(this.#id, from));
  }

  async dispose(): Promise<void> {
    await this.#connection.call((engine: BenchEngineApi) => engine.disposeRun(this.#id));
    disposed(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}

/** Creates the run of this number, once the engine has all its threads. */
export async function openLearning(
  connection: Connection,
  id: number,
  options: LearnOptions,
  ready: Promise<unknown>,
): Promise<Learning> {
  const request = await requestOf(options);
  await ready;
  const { text, table, mnist } = request;
  const files = [text?.bytes, table?.bytes, mnist?.images, mnist?.labels];
  const about = await inCall(
    'learn',
    connection.call((engine: BenchEngineApi) => engine.learn(id, moved(request, files))),
  );
  return new ClientLearning(connection, id, about);
}
