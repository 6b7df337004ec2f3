/** The training of a model: what engines with training add to it. */
import type { Data, EpochLog, FitOptions, History, Model, NamedData, Optimizer } from './api.js';
import type {
  Batch,
  Batches,
  BatchOptions,
  DatasetHistory,
  DatasetOptions,
  StepLog,
} from './api_batches.js';
import { checkWhole } from './arrays.js';
import { inCall } from './call_errors.js';
import { type Connection, moved } from './connection.js';
import { PlxError } from './errors.js';
import {
  checkRecipe,
  FIT,
  nothingDone,
  objectiveOf,
  rowsOf,
  STEP,
  saverOf,
} from './fit_options.js';
import { recordAll } from './graph_scalar.js';
import { cancelled, runJob } from './jobs.js';
import { fitBatches } from './model_batches.js';
import {
  arraysOf,
  flattenGiven,
  givenValidation,
  givenWeights,
  samplesFor,
  validationFor,
  withClassWeights,
} from './model_data.js';
import { ClientOptimizer, checkOptimizer } from './optimizer.js';
import { anything, checkOptions } from './options.js';
import type { FitReport, FitRequest, JobRequest, ModelPorts } from './rpc.js';

type Steps = Pick<FitRequest, 'optimizer' | 'state'>;

export class ModelTraining {
  readonly #connection: Connection;
  readonly #id: number;
  readonly #seed: number;
  readonly #ports: Promise<ModelPorts>;
  readonly #model: Pick<Model, 'getWeights' | 'evaluate'>;
  /** The options of the optimizer of single steps, as text. */
  #stepping = '';

  constructor(
    connection: Connection,
    id: number,
    seed: number,
    ports: Promise<ModelPorts>,
    model: Pick<Model, 'getWeights' | 'evaluate'>,
  ) {
    this.#connection = connection;
    this.#id = id;
    this.#seed = seed;
    this.#ports = ports;
    this.#model = model;
  }

  async fit(
    x: Data | NamedData,
    y: Data | NamedData | undefined,
    options: FitOptions,
  ): Promise<History> {
    checkOptions('fit', options, FIT);
    const optimizer = () => this.#optimizer('fit', options.optimizer);
    return (await this.#train('fit', x, y, options, optimizer)).history;
  }

  /** Trains with options whose names are checked. All data is copied before the first await. */
  async #train(
    call: string,
    x: Data | NamedData,
    y: Data | NamedData | undefined,
    options: FitOptions,
    optimizer: () => Steps,
  ): Promise<{ history: History; samples: number }> {
    const { onEpoch, onBatch, signal, classWeight } = options;
    const given = {
      x: flattenGiven(`${call}: x`, x),
      y: y === undefined ? undefined : flattenGiven(`${call}: y`, y),
      extras: { ...givenWeights(call, options.sampleWeight), lossless: options.loss === undefined },
      validation: givenValidation(options.validation),
    };
    const epochs = checkWhole(`${call}: epochs`, options.epochs ?? 1, 1);
    const batch = checkWhole(`${call}: batchSize`, options.batchSize ?? 32, 1);
    const { loss, metrics, functions } = objectiveOf(call, options);
    const steps = optimizer();
    const seed = checkWhole(`${call}: seed`, options.seed ?? this.#seed, 0);
    const recipe = checkRecipe(options);
    const save = saverOf(call, options.checkpoint, () => this.#model.getWeights());
    const ports = await this.#ports;
    const all = samplesFor(call, given.x, given.y, ports, loss.loss, given.extras);
    const held = validationFor(given.validation, ports, loss.loss, all);
    const parts = { ...held, data: withClassWeights(call, held.data, classWeight, loss.loss) };
    const samples = parts.data.n;
    const batchSize = Math.min(batch, samples);
    const labels = loss.loss === 'crossentropy';
    const request: Omit<FitRequest, keyof JobRequest> = {
      ...{ ...loss, ...steps, ...parts, epochs, batchSize, seed, recipe, metrics },
      functions: recordAll(functions, rowsOf(batchSize, parts), ports.outputs[0]!.shape, labels),
      shuffle: options.shuffle ?? true,
      reports: { epochs: (onEpoch ?? save) !== undefined, batches: onBatch !== undefined },
    };
    if (signal?.aborted) throw cancelled(call, signal, nothingDone(parts));
    return runJob(this.#connection, signal, call, async (job, guard) => {
      const tell = async (log: EpochLog) => {
        await save?.(log);
        return onEpoch?.(log);
      };
      const report = this.#connection.callback(
        guard((news: FitReport) => ('epoch' in news ? tell(news.epoch) : onBatch?.(news.batch))),
      );
      const arrays = arraysOf(parts.data, parts.validation);
      const answer = this.#connection.call((engine) =>
        engine.fit(this.#id, moved({ ...request, ...job }, arrays), report),
      );
      const { failure, ...history } = await inCall(call, answer);
      if (failure) throw new PlxError(failure.codeName, failure.message, { history });
      return { history, samples };
    });
  }

  #optimizer(call: string, given: FitOptions['optimizer']): Steps {
    if (given instanceof ClientOptimizer) return given.request(this.#connection, this.#ports);
    const plain = given as Exclude<typeof given, Optimizer>;
    return { optimizer: checkOptimizer(`${call}: optimizer`, plain) };
  }

  /** The same for single steps, between which the state of the same plain options carries over. */
  #stepper(call: string, given: FitOptions['optimizer']): Steps {
    const steps = this.#optimizer(call, given);
    if (steps.state !== undefined) return steps;
    const { optimizer } = steps;
    const key = JSON.stringify({ ...optimizer, rate: optimizer.rate === undefined });
    /* Below 0: no number of an optimizer of the caller's. */
    const state = -this.#id;
    if (this.#stepping !== '' && key !== this.#stepping) {
      /* Sent before the step, so that it starts afresh; while training runs, the step is refused. */
      this.#connection.call((engine) => engine.disposeOptimizer(state)).catch(() => {});
    }
    this.#stepping = key;
    return { optimizer, state };
  }

  async #step(call: string, { x, y, ...own }: Batch, options: BatchOptions) {
    const wanted = { ...options, ...own, shuffle: false, batchSize: Number.MAX_SAFE_INTEGER };
    const optimizer = () => this.#stepper(call, options.optimizer);
    const { history, samples } = await this.#train(call, x, y, wanted, optimizer);
    const { metrics } = history.epochs[0]!;
    return { log: { loss: history.loss[0]!, ...(metrics && { metrics }) }, samples };
  }

  async trainOnBatch(
    x: Data | NamedData,
    y: Data | NamedData,
    options: BatchOptions,
  ): Promise<StepLog> {
    const call = 'trainOnBatch';
    checkOptions(call, options, { ...STEP, sampleWeight: anything });
    return (await this.#step(call, { x, y }, options)).log;
  }

  async fitDataset(batches: Batches, options: DatasetOptions): Promise<DatasetHistory> {
    return fitBatches(batches, options, {
      step: (batch, own) => this.#step('fitDataset', batch, own),
      evaluate: (x, y, own) => this.#model.evaluate(x, y, own),
    });
  }
}
