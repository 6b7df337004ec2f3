/** A model on the client's side: checks what is passed and asks the engine. */
import type {
  Data,
  Evaluation,
  ExplainOptions,
  FitOptions,
  History,
  Loss,
  Model,
  NamedData,
  NumericArray,
  OptimizerOptions,
  Plan,
  Port,
  Summary,
  Weight,
} from './api.js';
import type { GenerateOptions, GeneratorOptions, TokenGenerator } from './api_generation.js';
import { checkFinite, checkName, checkWhole, flatten, shapeText, toFloats } from './arrays.js';
import type { Connection } from './connection.js';
import { PlxError } from './errors.js';
import { ClientGenerator, generateAfter } from './generation.js';
import type { GraphArray } from './graph_api.js';
import { cancelled, runJob } from './jobs.js';
import { flattenGiven, type Given, inputsFor, samplesFor, split } from './model_data.js';
import type { FitReport, FitRequest, ModelPorts, ModelSpec, Samples, SummaryData } from './rpc.js';

const LOSSES: readonly Loss[] = ['mse', 'crossentropy', 'own'];
const OPTIMIZERS: readonly OptimizerOptions['kind'][] = ['sgd', 'adam', 'adamw'];

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

/** The place of an output by its name; the first without one. */
function outputOf(call: string, ports: ModelPorts, name: string | undefined): number {
  const i = name === undefined ? 0 : ports.outputs.findIndex((port) => port.name === name);
  if (i >= 0) return i;
  const known = ports.outputs.map((port) => `"${port.name}"`).join(', ');
  throw new PlxError('PLX_ERR_ARGUMENT', `${call}: no output "${name}": there are ${known}`);
}

/** Where a model's generators get their numbers from. */
let generators = 0;

export class ClientModel implements Model {
  readonly #connection: Connection;
  readonly #id: number;
  readonly #seed: number;
  readonly #ports: Promise<ModelPorts>;

  constructor(connection: Connection, id: number, spec: ModelSpec, seed: number) {
    this.#connection = connection;
    this.#id = id;
    this.#seed = seed;
    this.#ports = connection.call((engine) => engine.createModel(id, spec, seed));
    /* A model that could not be made says so in every call, not as an unhandled rejection. */
    this.#ports.catch(() => {});
  }

  async summary(): Promise<Summary> {
    await this.#ports;
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
    await this.#ports;
    return this.#connection.call((engine) => engine.explain(this.#id, request));
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

  async fit(
    x: Data | NamedData,
    y: Data | NamedData | undefined,
    options: FitOptions = {},
  ): Promise<History> {
    const call = 'fit';
    const given = {
      x: flattenGiven(`${call}: x`, x),
      y: y === undefined ? undefined : flattenGiven(`${call}: y`, y),
    };
    const loss = checkName(`${call}: loss`, options.loss ?? 'mse', LOSSES);
    const ports = await this.#ports;
    const all = samplesFor(call, given.x, given.y, ports, loss);
    const parts = this.#validation(ports, loss, all, options.validation);
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

  #validation(
    ports: ModelPorts,
    loss: Loss,
    all: Samples,
    validation: FitOptions['validation'],
  ): { data: Samples; validation?: Samples } {
    if (validation === undefined) return { data: all };
    if (loss === 'own') {
      throw new PlxError(
        'PLX_ERR_ARGUMENT',
        'fit: validation needs targets, which the loss "own" does not take',
      );
    }
    if (typeof validation === 'number') return split(all, validation);
    const call = 'fit: validation';
    const x = flattenGiven(`${call}: x`, validation.x);
    const y = flattenGiven(`${call}: y`, validation.y);
    return { data: all, validation: samplesFor(call, x, y, ports, loss) };
  }

  /** Outputs by their places, for data that was flattened. */
  async #outputs(
    given: Given,
    batchSize: number | undefined,
    outputs: (ports: ModelPorts) => number[],
  ): Promise<{ n: number; ports: ModelPorts; values: Float32Array[] }> {
    const batch = batchSize === undefined ? 0 : checkWhole('predict: batchSize', batchSize, 1);
    const ports = await this.#ports;
    const wanted = outputs(ports);
    const { n, inputs } = inputsFor(given, ports);
    const values = await this.#connection.call((engine) =>
      engine.predict(this.#id, n, inputs, batch, wanted),
    );
    return { n, ports, values };
  }

  async predict(
    x: Data | NamedData,
    options: { batchSize?: number; output?: string } = {},
  ): Promise<Float32Array> {
    const given = flattenGiven('predict: x', x);
    const { values } = await this.#outputs(given, options.batchSize, (ports) => [
      outputOf('predict', ports, options.output),
    ]);
    return values[0]!;
  }

  async predictAll(
    x: Data | NamedData,
    options: { batchSize?: number } = {},
  ): Promise<Record<string, GraphArray>> {
    const given = flattenGiven('predictAll: x', x);
    const { n, ports, values } = await this.#outputs(given, options.batchSize, ({ outputs }) =>
      outputs.map((_, i) => i),
    );
    const entries = ports.outputs.map(({ name, shape }, i) => [
      name,
      { data: values[i]!, shape: [n, ...shape] },
    ]);
    return Object.fromEntries(entries);
  }

  async evaluate(
    x: Data | NamedData,
    y: Data | NamedData,
    options: { loss?: Loss; output?: string } = {},
  ): Promise<Evaluation> {
    const given = { x: flattenGiven('evaluate: x', x), y: flattenGiven('evaluate: y', y) };
    const loss = checkName('evaluate: loss', options.loss ?? 'mse', LOSSES);
    const ports = await this.#ports;
    const output = outputOf('evaluate', ports, options.output);
    const samples = samplesFor('evaluate', given.x, given.y, ports, loss);
    return this.#connection.call((engine) => engine.evaluate(this.#id, output, loss, samples));
  }

  async generator(options: GeneratorOptions = {}): Promise<TokenGenerator> {
    const seed = checkWhole('generator: seed', options.seed ?? 0, 0);
    await this.#ports;
    const id = ++generators;
    await this.#connection.call((engine) => engine.createGenerator(id, this.#id, seed));
    return new ClientGenerator(this.#connection, id);
  }

  async generate(prompt: ArrayLike<number>, options: GenerateOptions = {}): Promise<Int32Array> {
    const { seed, signal } = options;
    if (signal?.aborted) throw cancelled('generate', signal);
    const generator = await this.generator(seed === undefined ? {} : { seed });
    return generateAfter(generator, prompt, options);
  }

  async getWeights(): Promise<Weight[]> {
    await this.#ports;
    return this.#connection.call((engine) => engine.getWeights(this.#id));
  }

  async setWeights(weights: (Weight | NumericArray)[]): Promise<void> {
    const arrays = weights.map((weight, i) => {
      const what = `setWeights: array ${i}`;
      const values = ArrayBuffer.isView(weight) ? weight : weight.data;
      return toFloats(what, flatten(what, values), values.length);
    });
    await this.#ports;
    await this.#connection.call((engine) => engine.setWeights(this.#id, arrays));
  }

  async setRate(rate: number): Promise<void> {
    checkFinite('setRate: rate', rate);
    /* Behind a fit that was called just before. */
    await this.#ports;
    await this.#connection.call((engine) => engine.setRate(this.#id, rate));
  }

  async dispose(): Promise<void> {
    await this.#connection.call((engine) => engine.disposeModel(this.#id));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}
