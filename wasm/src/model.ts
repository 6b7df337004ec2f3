/** The client's side of a model: checks arguments and calls the engine. */
import type {
  Data,
  Evaluation,
  ExplainOptions,
  FitOptions,
  History,
  LossName,
  Model,
  NamedData,
  Optimizer,
  OptimizerOptions,
  Plan,
  Port,
  SavedWeight,
  ScheduleOptions,
  Summary,
  Weight,
} from './api.js';
import type { GenerateOptions, GeneratorOptions, TokenGenerator } from './api_generation.js';
import { checkFinite, checkInteger, checkName, checkWhole, shapeText } from './arrays.js';
import { type Connection, moved } from './connection.js';
import { inCall, PlxError } from './errors.js';
import { OPTIMIZER_OPTIONS, SCHEDULE_OPTIONS, SCHEDULES } from './generated/kind_lists.js';
import type { OptimizerKind } from './generated/kinds.js';
import { ClientGenerator, checkSequence, generateAfter, idsOf } from './generation.js';
import type { GraphArray } from './graph_api.js';
import { cancelled, runJob } from './jobs.js';
import {
  arraysOf,
  flattenGiven,
  type Given,
  givenValidation,
  givenWeight,
  inputsFor,
  samplesFor,
  validationFor,
} from './model_data.js';
import { lossOf, optimizerOf } from './names.js';
import { ClientOptimizer, checkRate } from './optimizer.js';
import {
  anything,
  callback,
  checkOptions,
  checkOwn,
  finite,
  flag,
  namedOptions,
  number,
  refuse,
  signal,
  text,
} from './options.js';
import type {
  ExplainRequest,
  FitRecipe,
  FitReport,
  FitRequest,
  JobRequest,
  ModelPorts,
  ModelSpec,
  SummaryData,
} from './rpc.js';
import { noTraining } from './without_training.js';

const OPTIMIZER = {
  kind: text,
  rate: finite,
  momentum: finite,
  nesterov: flag,
  beta1: finite,
  beta2: finite,
  epsilon: finite,
  weightDecay: finite,
};

/** Checks the options of an optimizer, or of one given by its name. what: "fit: optimizer". */
export function checkOptimizer(
  what: string,
  optimizer: OptimizerOptions['kind'] | OptimizerOptions = 'adam',
): OptimizerOptions {
  if (optimizer instanceof ClientOptimizer) {
    refuse(`${what}: what plx.optimizer makes is for fit only: give a name or options`);
  }
  const options = checkOptions(what, namedOptions<OptimizerOptions>(what, optimizer), OPTIMIZER);
  const kind = optimizerOf(what, options.kind);
  checkOwn(
    what,
    kind,
    options,
    `kind rate weightDecay ${OPTIMIZER_OPTIONS[kind as OptimizerKind]}`,
  );
  if (options.nesterov && !options.momentum) refuse(`${what}: nesterov needs a momentum above 0`);
  return { ...options, kind };
}

const FIT = {
  epochs: number,
  batchSize: number,
  loss: text,
  optimizer: anything,
  schedule: anything,
  clipNorm: number,
  labelSmoothing: number,
  accumulate: number,
  validation: anything,
  earlyStopping: anything,
  shuffle: flag,
  seed: number,
  onEpoch: callback,
  onBatch: callback,
  signal,
};
const STOPPING = { patience: number, minImprovement: number };
const SCHEDULE = { kind: text, warmup: number, floor: number, every: number, factor: number };
const EXPLAIN = { batchSize: number, training: flag, loss: text, optimizer: anything };
const PREDICT = { batchSize: number, output: text };
const PREDICT_ALL = { batchSize: number };
const EVALUATE = { loss: text, output: text };
const GENERATE = { seed: number, count: number, temperature: number, topK: number };

/** Rejects values that are not numbers; the engine checks their ranges. */
function checkRecipe(options: FitOptions): FitRecipe {
  const { schedule = 'constant', clipNorm = 0, labelSmoothing = 0, accumulate = 1 } = options;
  const { earlyStopping } = options;
  if (earlyStopping !== undefined) checkOptions('fit: earlyStopping', earlyStopping, STOPPING);
  const { patience, minImprovement = 0 } = earlyStopping ?? { patience: 0 };
  const given = namedOptions<ScheduleOptions>('fit: schedule', schedule);
  checkOptions('fit: schedule', given, SCHEDULE);
  const { warmup = 0, floor = 0, every = 0, factor = 0.1 } = given;
  const kind = checkName('fit: schedule', given.kind, SCHEDULES);
  checkOwn('fit: schedule', kind, given, `kind ${SCHEDULE_OPTIONS[kind]}`);
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
    patience: earlyStopping ? checkWhole('fit: earlyStopping: patience', patience, 1) : 0,
    minImprovement: checkFinite('fit: earlyStopping: minImprovement', minImprovement),
  };
}

/** Creates the history of a fit that was cancelled before its first step. */
const nothingDone = ({ validation }: Pick<FitRequest, 'validation'>): History => ({
  loss: new Float32Array(),
  epochs: [],
  steps: 0,
  ...(validation ? { bestEpoch: 0 } : {}),
  stoppedEarly: false,
  milliseconds: 0,
  memory: {
    ...{ parameters: 0, gradients: 0, optimizer: 0, activations: 0 },
    ...{ workspace: 0, inputs: 0, kept: 0, packed: 0, folded: 0 },
  },
});

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
  readonly #seed: number;
  readonly #ports: Promise<ModelPorts>;

  constructor(connection: Connection, id: number, spec: ModelSpec, seed: number) {
    this.#connection = connection;
    this.#id = id;
    this.#seed = seed;
    this.#ports = connection.call((engine) => engine.createModel(id, spec, seed));
    /* If the model cannot be created, every call reports it; it must not be an unhandled rejection.
     * */
    this.#ports.catch(() => {});
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
      loss: lossOf('explain: loss', options.loss),
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

  async fit(
    x: Data | NamedData,
    y: Data | NamedData | undefined,
    options: FitOptions = {},
  ): Promise<History> {
    if (PLX_TRAINING) {
      const call = 'fit';
      checkOptions(call, options, FIT);
      const given = {
        x: flattenGiven(`${call}: x`, x),
        y: y === undefined ? undefined : flattenGiven(`${call}: y`, y),
        validation: givenValidation(options.validation),
      };
      const { onEpoch, onBatch, signal } = options;
      const recipe: Omit<FitRequest, keyof JobRequest | 'data'> = {
        epochs: checkWhole(`${call}: epochs`, options.epochs ?? 1, 1),
        batchSize: checkWhole(`${call}: batchSize`, options.batchSize ?? 32, 1),
        loss: lossOf(`${call}: loss`, options.loss),
        ...this.#optimizer(options.optimizer),
        shuffle: options.shuffle ?? true,
        seed: checkWhole(`${call}: seed`, options.seed ?? this.#seed, 0),
        recipe: checkRecipe(options),
        reports: { epochs: onEpoch !== undefined, batches: onBatch !== undefined },
      };
      const ports = await this.#ports;
      const all = samplesFor(call, given.x, given.y, ports, recipe.loss);
      const parts = validationFor(given.validation, ports, recipe.loss, all);
      const request = {
        ...recipe,
        batchSize: Math.min(recipe.batchSize, parts.data.n),
        ...parts,
      };
      if (signal?.aborted) throw cancelled(call, signal, nothingDone(parts));
      return runJob(this.#connection, signal, call, async (job, guard) => {
        const report = this.#connection.callback(
          guard((news: FitReport) =>
            'epoch' in news ? onEpoch?.(news.epoch) : onBatch?.(news.batch),
          ),
        );
        const arrays = arraysOf(parts.data, parts.validation);
        const { failure, ...history } = await this.#connection.call((engine) =>
          engine.fit(this.#id, moved({ ...request, ...job }, arrays), report),
        );
        if (failure) throw new PlxError(failure.codeName, failure.message, { history });
        return history;
      });
    }
    throw noTraining('fit');
  }

  #optimizer(given: FitOptions['optimizer']): Pick<FitRequest, 'optimizer' | 'state'> {
    if (given instanceof ClientOptimizer) return given.request(this.#connection, this.#ports);
    const plain = given as Exclude<typeof given, Optimizer>;
    return { optimizer: checkOptimizer('fit: optimizer', plain) };
  }

  /** Predicts outputs, given by index, for flattened data. */
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
      engine.predict(this.#id, n, moved(inputs, inputs), batch, wanted),
    );
    return { n, ports, values };
  }

  async predict(
    x: Data | NamedData,
    options: { batchSize?: number; output?: string } = {},
  ): Promise<Float32Array> {
    const { batchSize, output } = checkOptions('predict', options, PREDICT);
    const given = flattenGiven('predict: x', x);
    const { values } = await this.#outputs(given, batchSize, (ports) => [
      outputOf('predict', ports, output),
    ]);
    return values[0]!;
  }

  async predictAll(
    x: Data | NamedData,
    options: { batchSize?: number } = {},
  ): Promise<Record<string, GraphArray>> {
    checkOptions('predictAll', options, PREDICT_ALL);
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
    options: { loss?: Exclude<LossName, 'own'>; output?: string } = {},
  ): Promise<Evaluation> {
    checkOptions('evaluate', options, EVALUATE);
    const loss = lossOf('evaluate: loss', options.loss);
    if (loss === 'own') refuse('evaluate: loss is "own": it must be one of mse, crossentropy');
    const given = { x: flattenGiven('evaluate: x', x), y: flattenGiven('evaluate: y', y) };
    const { output: name } = options;
    const ports = await this.#ports;
    const output = outputOf('evaluate', ports, name);
    const samples = samplesFor('evaluate', given.x, given.y, ports, loss);
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
    return new ClientGenerator(this.#connection, id);
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
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}
