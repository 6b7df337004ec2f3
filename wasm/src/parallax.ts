/** The engine on the client's side. */
import type {
  BenchOptions,
  BenchRow,
  CsvTable,
  DataReaders,
  Downgrade,
  EngineInfo,
  IdxArray,
  Layer,
  Layers,
  Model,
  ModelOptions,
  Parallax,
  SuiteInfo,
} from './api.js';
import { checkName, checkWhole } from './arrays.js';
import type { Connection } from './connection.js';
import { PlxError } from './errors.js';
import { gunzip, isGzip } from './gzip.js';
import { runJob } from './jobs.js';
import { ClientModel, checkLayers } from './model.js';
import type { BenchReport, ModelSpec } from './rpc.js';

const SIZES = ['quick', 'default', 'full'] as const;

const layers: Layers = {
  dense: (options) => ({ kind: 'dense', ...options }),
  activation: (options) => ({ kind: 'activation', ...options }),
  dropout: (options) => ({ kind: 'dropout', ...options }),
};

function bytesOf(what: string, bytes: ArrayBuffer | Uint8Array): Uint8Array<ArrayBuffer> {
  if (bytes instanceof Uint8Array || bytes instanceof ArrayBuffer) {
    return new Uint8Array(bytes as ArrayBuffer);
  }
  throw new PlxError('PLX_ERR_ARGUMENT', `${what}: expected an ArrayBuffer or a Uint8Array`);
}

export class ClientParallax implements Parallax {
  readonly layers = layers;
  readonly data: DataReaders;
  readonly #connection: Connection;
  #info: EngineInfo;
  #models = 0;

  constructor(connection: Connection, info: EngineInfo) {
    this.#connection = connection;
    this.#info = info;
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
    checkLayers(stack);
    return this.#newModel({ layers: stack.map((layer) => ({ ...layer })) }, options);
  }

  model(name: string, options: ModelOptions = {}): Model {
    if (typeof name !== 'string') {
      throw new PlxError('PLX_ERR_ARGUMENT', 'model: give a name: "mlp:784-200-10"');
    }
    return this.#newModel({ name }, options);
  }

  #newModel(spec: ModelSpec, options: ModelOptions): Model {
    const seed = checkWhole('seed', options.seed ?? 0, 0);
    return new ClientModel(this.#connection, ++this.#models, spec, seed);
  }

  suites(): Promise<SuiteInfo[]> {
    return this.#connection.call((engine) => engine.suites());
  }

  async bench(options: BenchOptions = {}): Promise<BenchRow[]> {
    const request = {
      job: this.#connection.newJob(),
      suites: options.suites ?? [],
      size: checkName('bench: size', options.size ?? 'default', SIZES),
      seed: checkWhole('bench: seed', options.seed ?? 0, 0),
    };
    const rows: BenchRow[] = [];
    await runJob(this.#connection, request.job, options.signal, 'bench', (guard) => {
      const report = this.#connection.callback(
        guard((news: BenchReport) => {
          for (const row of news.rows) {
            rows.push(row);
            options.onRow?.(row);
          }
          if (news.progress) options.onProgress?.(news.progress);
        }),
      );
      return this.#connection.call((engine) => engine.bench(request, report));
    });
    return rows;
  }

  async #idx(given: ArrayBuffer | Uint8Array): Promise<IdxArray> {
    const bytes = bytesOf('data.idx', given);
    const plain = isGzip(bytes) ? await gunzip('data.idx', bytes) : bytes;
    return this.#connection.call((engine) => engine.idx(plain));
  }

  async #csv(given: string | ArrayBuffer | Uint8Array): Promise<CsvTable> {
    const text =
      typeof given === 'string' ? new TextEncoder().encode(given) : bytesOf('data.csv', given);
    return this.#connection.call((engine) => engine.csv(text));
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
