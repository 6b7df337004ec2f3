/** The client's side of the engine. */
import type {
  CsvTable,
  DataReaders,
  EngineInfo,
  IdxArray,
  Model,
  ModelOptions,
  NamedModelOptions,
  Optimizer,
  OptimizerOptions,
  Parallax,
} from './api.js';
import { checkFinite, checkWhole } from './arrays.js';
import { traced } from './call_errors.js';
import { type Connection, moved } from './connection.js';
import { PlxError } from './errors.js';
import { bytesOf, plainBytes, textBytes } from './file_bytes.js';
import type { Layer } from './generated/layer_types.js';
import { graphMaker } from './graph.js';
import { withText } from './info_text.js';
import { layers, stackOf } from './layers.js';
import { ClientModel } from './model.js';
import { sourceOf } from './model_file.js';
import { ClientOptimizer, checkOptimizer } from './optimizer.js';
import { checkObject, checkOptions, number } from './options.js';
import type { ModelSpec } from './rpc.js';
import { noTraining } from './without_training.js';

/** Returns a name with changed settings: `gpt2-nano:width=192,heads=6`. */
export function nameWith(call: string, name: string, config: Record<string, number>): string {
  const settings = Object.entries(config).map(
    ([key, value]) => `${key}=${checkFinite(`${call}: config: ${key}`, value)}`,
  );
  if (settings.length === 0) return name;
  if (name.startsWith('mlp:')) {
    throw new PlxError(
      'PLX_ERR_ARGUMENT',
      `${call}: the dimensions of an mlp are in its name, "mlp:784-200-10": leave config out`,
    );
  }
  return `${name}${name.includes(':') ? ',' : ':'}${settings.join(',')}`;
}

export class ClientParallax implements Parallax {
  readonly layers = layers;
  readonly data: DataReaders;
  readonly graph: Parallax['graph'];
  readonly #connection: Connection;
  readonly #ready: Promise<EngineInfo>;
  #info: EngineInfo;
  #models = 0;
  #optimizers = 0;

  /** later: the info once all threads have joined. */
  constructor(connection: Connection, info: EngineInfo, later: Promise<EngineInfo>) {
    this.#connection = connection;
    this.#info = info;
    this.#ready = later.then((joined) => {
      this.#info = joined;
      return this.info();
    });
    /* Only callers that await it get its error; otherwise it must not count as unhandled. */
    this.#ready.catch(() => {});
    this.graph = graphMaker(connection);
    this.data = {
      idx: (bytes) => traced(this.data.idx, () => this.#idx(bytes)),
      csv: (text) => traced(this.data.csv, () => this.#csv(text)),
    };
  }

  info(): EngineInfo {
    return withText(structuredClone(this.#info));
  }

  ready(): Promise<EngineInfo> {
    return this.#ready;
  }

  sequential(stack: readonly Layer[], options: ModelOptions = {}): Model {
    checkOptions('sequential', options, { seed: number });
    return this.#newModel('sequential', stackOf(stack), { layers: stack }, options);
  }

  model(name: string, options: NamedModelOptions = {}): Model {
    if (typeof name !== 'string') {
      throw new PlxError('PLX_ERR_ARGUMENT', 'model: expected a name, such as "mlp:784-200-10"');
    }
    checkOptions('model', options, { seed: number, config: checkObject });
    const spec = { name: nameWith('model', name, options.config ?? {}) };
    return this.#newModel('model', spec, spec, options);
  }

  models(): Promise<string[]> {
    return traced(this.models, () => this.#connection.call((engine) => engine.modelNames()));
  }

  #newModel(
    call: 'sequential' | 'model',
    spec: ModelSpec,
    source: object,
    options: ModelOptions,
  ): Model {
    const seed = checkWhole(`${call}: seed`, options.seed ?? 0, 0);
    const made = this[call];
    const text = JSON.stringify({ ...source, seed });
    return new ClientModel(this.#connection, ++this.#models, spec, seed, text, made);
  }

  load(file: ArrayBuffer | Uint8Array): Promise<Model> {
    return traced(this.load, () => this.#load(file));
  }

  async #load(file: ArrayBuffer | Uint8Array): Promise<Model> {
    const bytes = bytesOf('load', file);
    const { name, layers: stack, seed } = sourceOf(bytes);
    const options = { seed: seed as number };
    const model =
      name === undefined
        ? this.sequential(stack as Layer[], options)
        : this.model(name as string, options);
    try {
      await model.loadWeights(bytes);
      return model;
    } catch (error) {
      await model.dispose();
      throw error;
    }
  }

  optimizer(options: OptimizerOptions['kind'] | OptimizerOptions): Optimizer {
    if (PLX_TRAINING) {
      return new ClientOptimizer(
        this.#connection,
        ++this.#optimizers,
        checkOptimizer('optimizer', options),
      );
    }
    throw noTraining('optimizer');
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

/** Creates an engine's client, for makeLoad. */
export const newParallax = (
  ...made: ConstructorParameters<typeof ClientParallax>
): ClientParallax => new ClientParallax(...made);
