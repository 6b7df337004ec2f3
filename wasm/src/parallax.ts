/** The engine on the client's side. */
import type {
  BenchChoice,
  BenchData,
  BenchOptions,
  BenchRow,
  CsvTable,
  DataReaders,
  Downgrade,
  EngineInfo,
  IdxArray,
  Model,
  ModelOptions,
  NamedModelOptions,
  Optimizer,
  OptimizerOptions,
  Parallax,
  SuiteInfo,
} from './api.js';
import type { Layer } from './api_layers.js';
import type { Learning, LearnOptions, TaskInfo } from './api_learning.js';
import { checkFinite, checkName, checkWhole, told } from './arrays.js';
import { type Connection, moved } from './connection.js';
import { PlxError } from './errors.js';
import { plainBytes, readDigits, textBytes } from './file_bytes.js';
import { graphMaker } from './graph.js';
import { runJob } from './jobs.js';
import { checkLayers, layers } from './layers.js';
import { openLearning, SIZES } from './learning.js';
import type { Machine } from './machine.js';
import { ClientModel, checkOptimizer } from './model.js';
import { ClientOptimizer } from './optimizer.js';
import { anything, callback, checkObject, checkOptions, number, signal, text } from './options.js';
import type { BenchPlan, BenchReport, ModelSpec } from './rpc.js';

/** Of measuring one case. */
const MOST_SECONDS = 3600;

/** A name with what differs: `gpt2-nano:width=192,heads=6`. */
function nameWith(name: string, config: Record<string, number>): string {
  const settings = Object.entries(config).map(
    ([key, value]) => `${key}=${checkFinite(`model: config: ${key}`, value)}`,
  );
  if (settings.length === 0) return name;
  if (name.startsWith('mlp:')) {
    throw new PlxError(
      'PLX_ERR_ARGUMENT',
      'model: the dimensions of an mlp are in its name, "mlp:784-200-10": leave config out',
    );
  }
  return `${name}${name.includes(':') ? ',' : ':'}${settings.join(',')}`;
}

function checkData(data: BenchData): BenchData {
  if (typeof data === 'object' && data !== null) {
    const unknown = Object.keys(data).find((key) => key !== 'mnist');
    if (unknown === undefined && typeof (data.mnist ?? {}) === 'object') return data;
  }
  throw new PlxError(
    'PLX_ERR_ARGUMENT',
    'bench: data: expected { mnist: { images, labels } }, or nothing',
  );
}

/** Texts that the library can take as one list between commas. */
function checkTexts(what: string, texts: unknown = []): string[] {
  if (!Array.isArray(texts) || !texts.every((text) => typeof text === 'string')) {
    throw new PlxError('PLX_ERR_ARGUMENT', `${what}: expected an array of strings`);
  }
  const wrong = texts.find((text) => text.trim() === '' || text.includes(','));
  if (wrong === undefined) return [...texts];
  throw new PlxError(
    'PLX_ERR_ARGUMENT',
    `${what}: "${wrong}" is ${wrong.includes(',') ? 'a text with a comma' : 'empty'}: ` +
      'give texts without commas, or leave the option out for all',
  );
}

function checkSeconds(call: string, seconds: number): number {
  if (seconds >= 0 && seconds <= MOST_SECONDS) return seconds;
  throw new PlxError(
    'PLX_ERR_ARGUMENT',
    `${call}: seconds is ${told(seconds)}: give a number from 0 to ${MOST_SECONDS}`,
  );
}

/** What says which cases are measured, and how long. */
function planOf(call: string, options: BenchChoice): BenchPlan {
  return {
    suites: checkTexts(`${call}: suites`, options.suites),
    cases: checkTexts(`${call}: cases`, options.cases),
    size: checkName(`${call}: size`, options.size ?? 'default', SIZES),
    seed: 0,
    seconds: checkSeconds(call, options.seconds ?? 0),
    rounds: checkWhole(`${call}: rounds`, options.rounds ?? 0, 0),
  };
}

const BENCH_TIME = {
  suites: anything,
  cases: anything,
  size: text,
  seconds: number,
  rounds: number,
};
const BENCH = {
  ...BENCH_TIME,
  seed: number,
  data: anything,
  onRow: callback,
  onProgress: callback,
  signal,
};

export class ClientParallax implements Parallax {
  readonly layers = layers;
  readonly data: DataReaders;
  readonly graph: Parallax['graph'];
  readonly #connection: Connection;
  readonly #machine: () => Promise<Machine>;
  #info: EngineInfo;
  #models = 0;
  #optimizers = 0;
  #runs = 0;

  constructor(connection: Connection, info: EngineInfo, machine: () => Promise<Machine>) {
    this.#connection = connection;
    this.#info = info;
    this.#machine = machine;
    this.graph = graphMaker(connection);
    this.data = {
      idx: (bytes) => this.#idx(bytes),
      csv: (text) => this.#csv(text),
    };
  }

  /** Puts what was given up before this start in front. */
  addDowngrades(downgrades: Downgrade[]): void {
    this.#info = { ...this.#info, downgrades: [...downgrades, ...this.#info.downgrades] };
  }

  info(): EngineInfo {
    return structuredClone(this.#info);
  }

  sequential(stack: Layer[], options: ModelOptions = {}): Model {
    checkOptions('sequential', options, { seed: number });
    return this.#newModel({ layers: checkLayers(stack) }, options);
  }

  model(name: string, options: NamedModelOptions = {}): Model {
    if (typeof name !== 'string') {
      throw new PlxError('PLX_ERR_ARGUMENT', 'model: give a name: "mlp:784-200-10"');
    }
    checkOptions('model', options, { seed: number, config: checkObject });
    return this.#newModel({ name: nameWith(name, options.config ?? {}) }, options);
  }

  models(): Promise<string[]> {
    return this.#connection.call((engine) => engine.modelNames());
  }

  #newModel(spec: ModelSpec, options: ModelOptions): Model {
    const seed = checkWhole('seed', options.seed ?? 0, 0);
    return new ClientModel(this.#connection, ++this.#models, spec, seed);
  }

  optimizer(options: OptimizerOptions['kind'] | OptimizerOptions): Optimizer {
    return new ClientOptimizer(this.#connection, ++this.#optimizers, checkOptimizer(options));
  }

  tasks(): Promise<TaskInfo[]> {
    return this.#connection.call((engine) => engine.tasks());
  }

  learn(options: LearnOptions): Promise<Learning> {
    return openLearning(this.#connection, ++this.#runs, options);
  }

  suites(): Promise<SuiteInfo[]> {
    return this.#connection.call((engine) => engine.suites());
  }

  async benchTime(options: BenchChoice = {}): Promise<number> {
    checkOptions('benchTime', options, BENCH_TIME);
    const plan = planOf('benchTime', options);
    return this.#connection.call((engine) => engine.benchTime(plan));
  }

  async bench(options: BenchOptions = {}): Promise<BenchRow[]> {
    checkOptions('bench', options, BENCH);
    const plan = planOf('bench', options);
    const { signal, onRow, onProgress } = options;
    const seed = checkWhole('bench: seed', options.seed ?? 0, 0);
    const given = checkData(options.data ?? {}).mnist;
    const mnist = given && (await readDigits('bench', given));
    const request: BenchPlan = { ...plan, seed, ...(mnist ? { mnist } : {}) };
    const rows: BenchRow[] = [];
    let failures = 0;
    const complete = this.#completeRow(await this.#machine());
    await runJob(this.#connection, signal, 'bench', (job, guard) => {
      const report = this.#connection.callback(
        guard(
          async ({ rows: measured, progress }: BenchReport) => {
            const news = measured.map(complete);
            rows.push(...news);
            /* All at once: whoever aborts waits for none of them, and still gets every row. */
            const told = news.map(async (row) => onRow?.(row));
            if (progress && !signal?.aborted) {
              if (progress.failure !== undefined) failures++;
              told.push((async () => onProgress?.(progress))());
            }
            await Promise.all(told);
          },
          { afterAbort: true },
        ),
      );
      const files = [mnist?.images, mnist?.labels];
      return this.#connection.call((engine) =>
        engine.bench(moved({ ...request, ...job }, files), report),
      );
    });
    if (rows.length > 0 || failures > 0 || plan.cases.length === 0) return rows;
    const texts = plan.cases.map((text) => `"${text}"`).join(' or ');
    throw new PlxError(
      'PLX_ERR_ARGUMENT',
      `bench: no case of size "${plan.size}" has ${texts} in its name`,
    );
  }

  /** Adds what the engine does not know of itself. */
  #completeRow({ runtime, machine }: Machine): (row: BenchRow) => BenchRow {
    const { tier, fma } = this.#info;
    return (row) => ({
      ...row,
      engine: { ...(row.engine as object), fma, kind: 'wasm', tier, runtime },
      machine: { ...machine },
      date: new Date().toISOString(),
    });
  }

  async #idx(given: ArrayBuffer | Uint8Array): Promise<IdxArray> {
    const plain = await plainBytes('data.idx', given);
    return this.#connection.call((engine) => engine.idx(moved(plain, [plain])));
  }

  async #csv(given: string | ArrayBuffer | Uint8Array): Promise<CsvTable> {
    const text = textBytes('data.csv', given);
    return this.#connection.call((engine) => engine.csv(moved(text, [text])));
  }

  dispose(): void {
    this.#connection.end(new PlxError('PLX_ERR_STATE', 'this engine was disposed'));
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }
}
