/** A model on the client's side: checks what is passed and asks the engine. */
import type {
  Data,
  Evaluation,
  ExplainOptions,
  FitOptions,
  History,
  Layer,
  Loss,
  Model,
  NumericArray,
  OptimizerOptions,
  Plan,
  ScheduleOptions,
  Summary,
  Weight,
} from './api.js';
import {
  checkFinite,
  checkInteger,
  checkName,
  checkWhole,
  countSamples,
  type Flat,
  flatten,
  shapeText,
  sizeOf,
  toFloats,
  toLabels,
} from './arrays.js';
import type { Connection } from './connection.js';
import { PlxError } from './errors.js';
import { runJob } from './jobs.js';
import type {
  FitRecipe,
  FitReport,
  FitRequest,
  ModelShape,
  ModelSpec,
  Samples,
  SummaryData,
} from './rpc.js';

const LOSSES: readonly Loss[] = ['mse', 'crossentropy'];
const OPTIMIZERS: readonly OptimizerOptions['kind'][] = ['sgd', 'adam', 'adamw', 'lion', 'rmsprop'];
const SCHEDULES: readonly ScheduleOptions['kind'][] = [
  'constant',
  'step',
  'cosine',
  'linear',
  'one-cycle',
];

function checkLayer(layer: Layer, i: number): void {
  const where = `sequential: layer ${i}`;
  if (layer.kind === 'dense') checkWhole(`${where}: units`, layer.units, 1);
  if (layer.kind === 'dropout') checkFinite(`${where}: rate`, layer.rate);
  for (const size of layer.inputShape ?? []) checkWhole(`${where}: inputShape`, size, 1);
}

/** Refuses layers that cannot make a model, as far as can be told without the engine. */
export function checkLayers(layers: Layer[]): void {
  if (!Array.isArray(layers) || layers.length === 0) {
    throw new PlxError('PLX_ERR_ARGUMENT', 'sequential: give a list of at least one layer');
  }
  if (!layers[0]!.inputShape) {
    throw new PlxError(
      'PLX_ERR_ARGUMENT',
      'sequential: the first layer needs inputShape, the shape of one sample: inputShape: [5]',
    );
  }
  layers.forEach(checkLayer);
}

/** The options of an optimizer, or of one that was given by its name. */
export function checkOptimizer(
  optimizer: OptimizerOptions['kind'] | OptimizerOptions,
): OptimizerOptions {
  const options = typeof optimizer === 'string' ? { kind: optimizer } : { ...optimizer };
  checkName('optimizer', options.kind, OPTIMIZERS);
  for (const [name, value] of Object.entries(options)) {
    if (typeof value === 'number') checkFinite(`optimizer: ${name}`, value);
  }
  return options;
}

/** Refuses what is no number at all; which numbers there can be is for the engine to say. */
function checkRecipe(options: FitOptions): FitRecipe {
  const { schedule = 'constant', clipNorm = 0, labelSmoothing = 0, accumulate = 1 } = options;
  const { patience, minImprovement = 0 } = options.earlyStopping ?? { patience: 0 };
  const given = typeof schedule === 'string' ? { kind: schedule } : schedule;
  const { warmup = 0, floor = 0, every = 0, factor = 0.1 } = given;
  const kind = checkName('fit: schedule', given.kind, SCHEDULES);
  return {
    schedule: {
      kind,
      warmup: checkInteger('fit: schedule: warmup', warmup),
      floor: checkFinite('fit: schedule: floor', floor),
      every: checkInteger('fit: schedule: every', every),
      factor: checkFinite('fit: schedule: factor', factor),
    },
    clipNorm: checkFinite('fit: clipNorm', clipNorm),
    labelSmoothing: checkFinite('fit: labelSmoothing', labelSmoothing),
    accumulate: checkWhole('fit: accumulate', accumulate, 1),
    patience: options.earlyStopping ? checkWhole('fit: earlyStopping: patience', patience, 1) : 0,
    minImprovement: checkFinite('fit: earlyStopping: minImprovement', minImprovement),
  };
}

const COLUMNS = ['layer', 'output', 'parameters', 'FLOPs'] as const;

function tableOf(summary: SummaryData): string {
  const rows = [
    [...COLUMNS],
    ['input', shapeText(summary.inputShape), '', ''],
    ...summary.layers.map((layer) => [
      layer.name,
      shapeText(layer.outputShape),
      String(layer.parameters),
      String(layer.flops),
    ]),
    ['total', '', String(summary.parameters), String(summary.flops)],
  ];
  const widths = COLUMNS.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const pad = (cell: string, i: number) =>
    i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!);
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

/** Keeps the last share of the samples for validation. */
function split(samples: Samples, share: number): { data: Samples; validation: Samples } {
  const held = Math.floor(samples.n * share);
  if (!(share > 0 && share < 1) || held === 0) {
    throw new PlxError(
      'PLX_ERR_ARGUMENT',
      `fit: validation ${share} of ${samples.n} samples leaves ${held} to validate on: ` +
        'it must be between 0 and 1, and hold out at least one',
    );
  }
  const n = samples.n - held;
  const part = (array: Float32Array | Int32Array, from: number, to: number) => {
    const size = array.length / samples.n;
    return array.slice(from * size, to * size);
  };
  const range = (from: number, to: number): Samples => ({
    n: to - from,
    x: part(samples.x, from, to) as Float32Array,
    y: part(samples.y, from, to),
  });
  return { data: range(0, n), validation: range(n, samples.n) };
}

export class ClientModel implements Model {
  readonly #connection: Connection;
  readonly #id: number;
  readonly #seed: number;
  readonly #shape: Promise<ModelShape>;

  constructor(connection: Connection, id: number, spec: ModelSpec, seed: number) {
    this.#connection = connection;
    this.#id = id;
    this.#seed = seed;
    this.#shape = connection.call((engine) => engine.createModel(id, spec, seed));
    /* A model that could not be made says so in every call, not as an unhandled rejection. */
    this.#shape.catch(() => {});
  }

  async summary(): Promise<Summary> {
    await this.#shape;
    const data = await this.#connection.call((engine) => engine.summary(this.#id));
    /* Not enumerable, so that the summary prints, compares and clones as data. */
    return Object.defineProperty(data as Summary, 'toString', { value: () => tableOf(data) });
  }

  async explain(options: ExplainOptions = {}): Promise<Plan> {
    const request: Required<ExplainOptions> = {
      batchSize: checkWhole('explain: batchSize', options.batchSize ?? 32, 1),
      training: options.training ?? false,
      loss: checkName('explain: loss', options.loss ?? 'mse', LOSSES),
      optimizer: checkOptimizer(options.optimizer ?? 'adam'),
    };
    await this.#shape;
    return this.#connection.call((engine) => engine.explain(this.#id, request));
  }

  async fit(x: Data, y: Data, options: FitOptions = {}): Promise<History> {
    const call = 'fit';
    const given = { x: flatten(`${call}: x`, x), y: flatten(`${call}: y`, y) };
    const loss = checkName(`${call}: loss`, options.loss ?? 'mse', LOSSES);
    const shape = await this.#shape;
    const all = this.#samples(call, shape, loss, given.x, given.y);
    const parts = this.#validation(shape, loss, all, options.validation);
    const { n } = parts.data;
    const batchSize = options.batchSize ?? Math.min(32, n);
    if (checkWhole(`${call}: batchSize`, batchSize, 1) > n) {
      throw new PlxError(
        'PLX_ERR_ARGUMENT',
        `${call}: batchSize is ${batchSize}, but there are ${n} samples to train on`,
      );
    }
    const request: FitRequest = {
      job: this.#connection.newJob(),
      epochs: checkWhole(`${call}: epochs`, options.epochs ?? 1, 1),
      batchSize,
      loss,
      optimizer: checkOptimizer(options.optimizer ?? 'adam'),
      shuffle: options.shuffle ?? true,
      seed: checkWhole(`${call}: seed`, options.seed ?? this.#seed, 0),
      recipe: checkRecipe(options),
      ...parts,
    };
    return runJob(this.#connection, request.job, options.signal, call, (guard) => {
      const report = this.#connection.callback(
        guard(async (progress: FitReport) => {
          for (const epoch of progress.epochs) options.onEpoch?.(epoch);
          if (progress.batch) await options.onBatch?.(progress.batch);
        }),
      );
      return this.#connection.call((engine) => engine.fit(this.#id, request, report));
    });
  }

  /** Checks x and y against each other and the model. */
  #samples(call: string, shape: ModelShape, loss: Loss, x: Flat, y: Flat): Samples {
    const n = countSamples(`${call}: x`, x, shape.inputShape);
    const labels = loss === 'crossentropy';
    const target = labels ? shape.outputShape.slice(0, -1) : shape.outputShape;
    if (labels && y.values.length === n * sizeOf(shape.outputShape) && y.values.length > n) {
      throw new PlxError(
        'PLX_ERR_SHAPE',
        `${call}: y has a row for each sample; crossentropy takes class labels, one whole number each`,
      );
    }
    const count = countSamples(`${call}: y`, y, target);
    if (n === 0 || count !== n) {
      throw new PlxError(
        'PLX_ERR_SHAPE',
        n === 0 ? `${call}: x has no samples` : `${call}: x has ${n} samples, but y has ${count}`,
      );
    }
    return {
      n,
      x: toFloats(`${call}: x`, x, sizeOf(shape.inputShape)),
      y: labels
        ? toLabels(`${call}: y`, y, shape.outputShape.at(-1) ?? 1)
        : toFloats(`${call}: y`, y, sizeOf(target)),
    };
  }

  #validation(
    shape: ModelShape,
    loss: Loss,
    all: Samples,
    validation: FitOptions['validation'],
  ): { data: Samples; validation?: Samples } {
    if (validation === undefined) return { data: all };
    if (typeof validation === 'number') return split(all, validation);
    const call = 'fit: validation';
    const x = flatten(`${call}: x`, validation.x);
    const y = flatten(`${call}: y`, validation.y);
    return { data: all, validation: this.#samples(call, shape, loss, x, y) };
  }

  async predict(x: Data, options: { batchSize?: number } = {}): Promise<Float32Array> {
    const flat = flatten('predict: x', x);
    const batchSize =
      options.batchSize === undefined ? 0 : checkWhole('predict: batchSize', options.batchSize, 1);
    const shape = await this.#shape;
    const n = countSamples('predict: x', flat, shape.inputShape);
    const values = toFloats('predict: x', flat, sizeOf(shape.inputShape));
    return this.#connection.call((engine) => engine.predict(this.#id, n, values, batchSize));
  }

  async evaluate(x: Data, y: Data, options: { loss?: Loss } = {}): Promise<Evaluation> {
    const given = { x: flatten('evaluate: x', x), y: flatten('evaluate: y', y) };
    const loss = checkName('evaluate: loss', options.loss ?? 'mse', LOSSES);
    const shape = await this.#shape;
    const samples = this.#samples('evaluate', shape, loss, given.x, given.y);
    return this.#connection.call((engine) => engine.evaluate(this.#id, loss, samples));
  }

  async getWeights(): Promise<Weight[]> {
    await this.#shape;
    return this.#connection.call((engine) => engine.getWeights(this.#id));
  }

  async setWeights(weights: (Weight | NumericArray)[]): Promise<void> {
    const arrays = weights.map((weight, i) => {
      const what = `setWeights: array ${i}`;
      const values = ArrayBuffer.isView(weight) ? weight : weight.data;
      return toFloats(what, flatten(what, values), values.length);
    });
    await this.#shape;
    await this.#connection.call((engine) => engine.setWeights(this.#id, arrays));
  }

  async setRate(rate: number): Promise<void> {
    checkFinite('setRate: rate', rate);
    /* Behind a fit that was called just before. */
    await this.#shape;
    await this.#connection.call((engine) => engine.setRate(this.#id, rate));
  }

  async dispose(): Promise<void> {
    await this.#connection.call((engine) => engine.disposeModel(this.#id));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}
