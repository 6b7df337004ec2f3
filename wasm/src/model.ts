/** The client's side of a model: checks arguments and calls the engine. */
import type {
  Data,
  Evaluation,
  ExplainOptions,
  FitOptions,
  History,
  Model,
  NamedData,
  Plan,
  Port,
  Predictions,
  PredictOptions,
  SavedWeight,
  SaveOptions,
  Summary,
  Weight,
} from './api.js';
import type {
  Batches,
  BatchOptions,
  DatasetHistory,
  DatasetOptions,
  StepLog,
} from './api_batches.js';
import type { GenerateOptions, GeneratorOptions, TokenGenerator } from './api_generation.js';
import { checkWhole, shapeText } from './arrays.js';
import { inCall, locate, traced } from './call_errors.js';
import { type Connection, moved } from './connection.js';
import { PlxError } from './errors.js';
import { bytesOf } from './file_bytes.js';
import { disposed } from './forgotten.js';
import { ClientGenerator, checkSequence, generateAfter, idsOf } from './generation.js';
import type { GraphArray } from './graph_api.js';
import { cancelled } from './jobs.js';
import { marked } from './marks.js';
import {
  arraysOf,
  flattenGiven,
  type Given,
  givenWeight,
  givenWeights,
  inputsFor,
  samplesFor,
} from './model_data.js';
import { metadataWith } from './model_file.js';
import { ModelTraining } from './model_training.js';
import { lossOf } from './names.js';
import { checkOptimizer, checkRate } from './optimizer.js';
import {
  anything,
  callback,
  checkObject,
  checkOptions,
  flag,
  number,
  refuse,
  signal,
  text,
} from './options.js';
import { inParts } from './predict_parts.js';
import type { ExplainRequest, ModelPorts, ModelSpec, SummaryData, Values } from './rpc.js';
import { noTraining } from './without_training.js';

const EXPLAIN = { batchSize: number, training: flag, loss: anything, optimizer: anything };
const PREDICT_ALL = { batchSize: number, onProgress: callback, signal };
const PREDICT = { ...PREDICT_ALL, output: text };
const EVALUATE = { loss: anything, output: text, sampleWeight: anything };
const GENERATE = { seed: number, count: number, temperature: number, topK: number };

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

/** Returns the index of an output by its name, by default 0. */
function outputOf(call: string, ports: ModelPorts, name: string | undefined): number {
  const i = name === undefined ? 0 : ports.outputs.findIndex((port) => port.name === name);
  if (i >= 0) return i;
  const known = ports.outputs.map((port) => `"${port.name}"`).join(', ');
  throw new PlxError('PLX_ERR_ARGUMENT', `${call}: no output "${name}": the model has ${known}`);
}

/** Numbers the generators of models. */
let generators = 0;

export class ClientModel implements Model {
  readonly #connection: Connection;
  readonly #id: number;
  readonly #ports: Promise<ModelPorts>;
  readonly #training: ModelTraining | undefined;
  readonly #source: string;

  /** source: how a file describes the model. made: the method that was called, for the stack of an error. */
  constructor(
    connection: Connection,
    id: number,
    spec: ModelSpec,
    seed: number,
    source: string,
    made: unknown,
  ) {
    this.#connection = connection;
    this.#id = id;
    this.#source = source;
    this.#ports = traced(made, () =>
      connection.call((engine) => engine.createModel(id, spec, seed)),
    );
    /* If the model cannot be created, every call reports it; it must not be an unhandled rejection.
     * */
    this.#ports.catch(() => {});
    if (PLX_TRAINING) this.#training = new ModelTraining(connection, id, seed, this.#ports, this);
    connection.watch(this, (engine) => engine.disposeModel(id), 'a model');
  }

  static {
    locate(ClientModel.prototype, [
      ...(['summary', 'explain', 'setting', 'fit', 'trainOnBatch', 'fitDataset'] as const),
      ...(['predict', 'predictAll', 'evaluate', 'generator', 'generate'] as const),
      ...(['getWeights', 'setWeights', 'save', 'loadWeights', 'setRate', 'dispose'] as const),
    ]);
  }

  async summary(): Promise<Summary> {
    await this.#ports;
    const data = await this.#connection.call((engine) => engine.summary(this.#id));
    /* Not enumerable, so that the summary prints, compares and clones as data. */
    return Object.defineProperty(data as Summary, 'toString', { value: () => tableOf(data) });
  }

  async explain(options: ExplainOptions = {}): Promise<Plan> {
    checkOptions('explain', options, EXPLAIN);
    const request: ExplainRequest = {
      batchSize: checkWhole('explain: batchSize', options.batchSize ?? 32, 1),
      training: options.training ?? false,
      ...lossOf('explain: loss', options.loss),
      optimizer: checkOptimizer('explain: optimizer', options.optimizer),
    };
    await this.#ports;
    return inCall(
      'explain',
      this.#connection.call((engine) => engine.explain(this.#id, request)),
    );
  }

  inputs(): Promise<Port[]> {
    return this.#ports.then(({ inputs }) => structuredClone(inputs));
  }

  outputs(): Promise<Port[]> {
    return this.#ports.then(({ outputs }) => structuredClone(outputs));
  }

  async setting(key: string): Promise<number | undefined> {
    await this.#ports;
    const value = await this.#connection.call((engine) => engine.modelSetting(this.#id, key));
    return value < 0 ? undefined : value;
  }

  fit(
    x: Data | NamedData,
    y: Data | NamedData | undefined,
    options: FitOptions = {},
  ): Promise<History> {
    return marked('fit', () => this.#fit(x, y, options));
  }

  async #fit(
    x: Data | NamedData,
    y: Data | NamedData | undefined,
    options: FitOptions,
  ): Promise<History> {
    if (PLX_TRAINING) return this.#training!.fit(x, y, options);
    throw noTraining('fit');
  }

  async trainOnBatch(
    x: Data | NamedData,
    y: Data | NamedData,
    options: BatchOptions = {},
  ): Promise<StepLog> {
    if (PLX_TRAINING) return this.#training!.trainOnBatch(x, y, options);
    throw noTraining('trainOnBatch');
  }

  async fitDataset(batches: Batches, options: DatasetOptions = {}): Promise<DatasetHistory> {
    if (PLX_TRAINING) return this.#training!.fitDataset(batches, options);
    throw noTraining('fitDataset');
  }

  /** Predicts outputs, given by index, for flattened data. */
  async #outputs(
    given: Given,
    options: PredictOptions,
    outputs: (ports: ModelPorts) => number[],
  ): Promise<{ n: number; ports: ModelPorts; values: Float32Array[] }> {
    const { batchSize, signal, onProgress } = options;
    const batch = batchSize === undefined ? 0 : checkWhole('predict: batchSize', batchSize, 1);
    const ports = await this.#ports;
    const wanted = outputs(ports);
    const { n, inputs } = inputsFor(given, ports);
    const ask = (count: number, part: Values[]) =>
      this.#connection.call((engine) =>
        engine.predict(this.#id, count, moved(part, part), batch, wanted),
      );
    const whole = !signal && !onProgress;
    const values = await (whole ? ask(n, inputs) : inParts(n, inputs, options, ask));
    return { n, ports, values };
  }

  predict(x: Data | NamedData, options: PredictOptions = {}): Promise<Predictions> {
    return marked('predict', async () => {
      const own = { ...checkOptions('predict', options, PREDICT) };
      const given = flattenGiven('predict: x', x);
      let chosen = 0;
      const { n, ports, values } = await this.#outputs(given, own, (known) => {
        chosen = outputOf('predict', known, own.output);
        return [chosen];
      });
      /* Not enumerable, so that the values print, compare and clone as an array. */
      const shape = [n, ...ports.outputs[chosen]!.shape];
      return Object.defineProperty(values[0]!, 'shape', { value: shape }) as Predictions;
    });
  }

  predictAll(
    x: Data | NamedData,
    options: Omit<PredictOptions, 'output'> = {},
  ): Promise<Record<string, GraphArray>> {
    return marked('predict', () => this.#predictAll(x, options));
  }

  async #predictAll(
    x: Data | NamedData,
    options: Omit<PredictOptions, 'output'>,
  ): Promise<Record<string, GraphArray>> {
    const own = { ...checkOptions('predictAll', options, PREDICT_ALL) };
    const given = flattenGiven('predictAll: x', x);
    const { n, ports, values } = await this.#outputs(given, own, ({ outputs }) =>
      outputs.map((_, i) => i),
    );
    const entries = ports.outputs.map(({ name, shape }, i) => [
      name,
      { data: values[i]!, shape: [n, ...shape] },
    ]);
    return Object.fromEntries(entries);
  }

  evaluate(
    x: Data | NamedData,
    y: Data | NamedData,
    options: Parameters<Model['evaluate']>[2] = {},
  ): Promise<Evaluation> {
    return marked('evaluate', () => this.#evaluate(x, y, options));
  }

  async #evaluate(
    x: Data | NamedData,
    y: Data | NamedData,
    options: NonNullable<Parameters<Model['evaluate']>[2]>,
  ): Promise<Evaluation> {
    const call = 'evaluate';
    checkOptions(call, options, EVALUATE);
    const loss = lossOf(`${call}: loss`, options.loss);
    if (loss.loss === 'own') refuse(`${call}: loss is "own": it needs one that has targets`);
    const given = { x: flattenGiven(`${call}: x`, x), y: flattenGiven(`${call}: y`, y) };
    const extras = { ...givenWeights(call, options.sampleWeight), lossless: !options.loss };
    const { output: name } = options;
    const ports = await this.#ports;
    const output = outputOf(call, ports, name);
    const samples = samplesFor(call, given.x, given.y, ports, loss.loss, extras);
    return this.#connection.call((engine) =>
      engine.evaluate(this.#id, output, loss, moved(samples, arraysOf(samples))),
    );
  }

  generator(options: GeneratorOptions = {}): Promise<TokenGenerator> {
    return this.#generator('generator', options);
  }

  async #generator(call: string, options: GeneratorOptions): Promise<TokenGenerator> {
    checkOptions(call, options, { seed: number });
    const seed = checkWhole(`${call}: seed`, options.seed ?? 0, 0);
    await this.#ports;
    const id = ++generators;
    const made = this.#connection.call((engine) => engine.createGenerator(id, this.#id, seed));
    await inCall(call, made);
    return new ClientGenerator(this.#connection, id, this);
  }

  async generate(prompt: ArrayLike<number>, options: GenerateOptions = {}): Promise<Int32Array> {
    checkOptions('generate', options, { ...GENERATE, signal, onToken: callback });
    const ids = idsOf('generate: prompt', prompt);
    const given = { ...options };
    checkSequence(given);
    if (given.signal?.aborted) throw cancelled('generate', given.signal);
    const generator = await this.#generator('generate', { seed: given.seed ?? 0 });
    return generateAfter(generator, ids, given);
  }

  async getWeights(): Promise<Weight[]> {
    await this.#ports;
    return this.#connection.call((engine) => engine.getWeights(this.#id));
  }

  async setWeights(weights: readonly (SavedWeight | Data)[]): Promise<void> {
    if (!Array.isArray(weights)) refuse('setWeights: expected an array as getWeights returns it');
    const given = weights.map((weight, i) => givenWeight(`setWeights: array ${i}`, weight));
    const arrays = given.map(({ values }) => values);
    await this.#ports;
    await this.#connection.call((engine) => engine.setWeights(this.#id, moved(given, arrays)));
  }

  async save(options: SaveOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    const { metadata } = checkOptions('save', options, { metadata: checkObject });
    const pairs = metadataWith(this.#source, metadata);
    await this.#ports;
    return this.#connection.call((engine) => engine.saveWeights(this.#id, pairs));
  }

  async loadWeights(file: ArrayBuffer | Uint8Array): Promise<void> {
    const bytes = bytesOf('loadWeights', file);
    await this.#ports;
    await this.#connection.call((engine) => engine.loadWeights(this.#id, moved(bytes, [bytes])));
  }

  async setRate(rate: number): Promise<void> {
    if (!PLX_TRAINING) throw noTraining('setRate');
    checkRate(rate);
    /* Wait, so as not to overtake a fit that was called just before. */
    await this.#ports;
    await this.#connection.call((engine) => engine.setRate(this.#id, rate));
  }

  async dispose(): Promise<void> {
    /* Wait, so as not to overtake earlier calls, which wait for the same promise. */
    try {
      await this.#ports;
    } catch {
      /* The model could not be created: earlier calls have said why. */
    }
    await this.#connection.call((engine) => engine.disposeModel(this.#id));
    disposed(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}
