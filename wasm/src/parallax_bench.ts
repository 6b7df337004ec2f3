/** The client's side of the engine with tasks and suites. */
import type { EngineInfo } from './api.js';
import type {
  BenchChoice,
  BenchData,
  BenchOptions,
  BenchParallax,
  BenchRow,
  SuiteInfo,
} from './api_bench.js';
import type { Learning, LearnOptions, TaskInfo } from './api_learning.js';
import type { Profile, ProfileOptions } from './api_profile.js';
import type { Timing, TimingOptions } from './api_timing.js';
import { checkName, checkWhole, told } from './arrays.js';
import { inCall } from './call_errors.js';
import { type Connection, moved } from './connection.js';
import { PlxError } from './errors.js';
import { readDigits } from './file_bytes.js';
import type { OptimizerKind } from './generated/kinds.js';
import { runJob } from './jobs.js';
import { openLearning, SIZES } from './learning.js';
import type { Machine } from './machine.js';
import { lossOf } from './names.js';
import {
  anything,
  callback,
  checkObject,
  checkOptions,
  count,
  flag,
  number,
  refuse,
  signal,
  text,
} from './options.js';
import { ClientParallax, nameWith } from './parallax.js';
import type { BenchEngineApi, BenchPlan, BenchReport } from './rpc_bench.js';
import { openTiming } from './timing.js';

/** Most seconds of measuring one case. */
const MOST_SECONDS = 3600;

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

/** Checks texts that the library receives as one list, in which this character ends each of them. */
function checkTexts(what: string, texts: unknown, end: ',' | '\n'): string[] {
  if (texts === undefined) return [];
  if (Array.isArray(texts) && texts.length === 0) {
    refuse(`${what} is empty: name at least one, or leave the option out for all`);
  }
  if (!Array.isArray(texts) || !texts.every((text) => typeof text === 'string')) {
    throw new PlxError('PLX_ERR_ARGUMENT', `${what}: expected an array of strings`);
  }
  const wrong = texts.find((text) => text.trim() === '' || text.includes(end));
  if (wrong === undefined) return [...texts];
  const sign = end === ',' ? 'comma' : 'line break';
  throw new PlxError(
    'PLX_ERR_ARGUMENT',
    `${what}: "${wrong}" ${wrong.includes(end) ? `contains a ${sign}` : 'is empty'}: ` +
      `give texts without ${sign}s, or leave the option out for all`,
  );
}

function checkSeconds(call: string, seconds: number): number {
  if (seconds >= 0 && seconds <= MOST_SECONDS) return seconds;
  throw new PlxError(
    'PLX_ERR_ARGUMENT',
    `${call}: seconds is ${told(seconds)}: it must be a number from 0 to ${MOST_SECONDS}`,
  );
}

/** Rejects a choice that no case matches; otherwise returns nothing, which was measured. */
function noCase<T>(call: string, { cases, size }: BenchPlan, nothing: T): T {
  if (cases.length === 0) return nothing;
  const texts = cases.map((text) => `"${text}"`).join(' or ');
  return refuse(`${call}: no case of size "${size}" has ${texts} in its name`);
}

/** Checks the options that choose which cases are measured, and for how long. */
function planOf(call: string, options: BenchChoice): BenchPlan {
  return {
    suites: checkTexts(`${call}: suites`, options.suites, ','),
    cases: checkTexts(`${call}: cases`, options.cases, '\n'),
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

const PROFILE = {
  batchSize: count,
  training: flag,
  loss: anything,
  config: checkObject,
  seed: number,
  onProgress: callback,
  signal,
};

export class ClientBench extends ClientParallax implements BenchParallax {
  readonly #connection: Connection;
  readonly #machine: () => Promise<Machine>;
  #runs = 0;
  #timings = 0;

  /** machine: describes the runtime and the machine. */
  constructor(
    connection: Connection,
    info: EngineInfo,
    later: Promise<EngineInfo>,
    machine: () => Promise<Machine>,
  ) {
    super(connection, info, later);
    this.#connection = connection;
    this.#machine = machine;
  }

  tasks(): Promise<TaskInfo[]> {
    return this.#connection.call((engine: BenchEngineApi) => engine.tasks());
  }

  optimizers(): Promise<OptimizerKind[]> {
    return this.#connection.call((engine: BenchEngineApi) => engine.optimizers());
  }

  learn(options: LearnOptions): Promise<Learning> {
    return openLearning(this.#connection, ++this.#runs, options, this.ready());
  }

  suites(): Promise<SuiteInfo[]> {
    return this.#connection.call((engine: BenchEngineApi) => engine.suites());
  }

  async profile(model: string, options: ProfileOptions = {}): Promise<Profile> {
    if (typeof model !== 'string') {
      refuse('profile: expected the name of a model, such as "gpt2-nano"');
    }
    checkOptions('profile', options, PROFILE);
    const { signal, onProgress, loss, training = false } = options;
    if (loss !== undefined && !training) {
      refuse('profile: loss needs training: a prediction has no loss');
    }
    const request = {
      model: nameWith('profile', model, options.config ?? {}),
      batchSize: options.batchSize ?? 32,
      training,
      ...(loss === undefined ? {} : { loss: lossOf('profile: loss', loss).loss }),
      seed: checkWhole('profile: seed', options.seed ?? 0, 0),
    };
    await this.ready();
    return runJob(this.#connection, signal, 'profile', (job, guard) => {
      const report = this.#connection.callback(
        guard(async (fraction: number) => onProgress?.(fraction)),
      );
      return inCall(
        'profile',
        this.#connection.call((engine: BenchEngineApi) =>
          engine.profile({ ...request, ...job }, report),
        ),
      );
    });
  }

  timing(model: string, options: TimingOptions = {}): Promise<Timing> {
    return openTiming(this.#connection, ++this.#timings, model, options, this.ready());
  }

  async benchTime(options: BenchChoice = {}): Promise<number> {
    checkOptions('benchTime', options, BENCH_TIME);
    const plan = planOf('benchTime', options);
    await this.ready();
    const time = await inCall(
      'benchTime',
      this.#connection.call((engine: BenchEngineApi) => engine.benchTime(plan)),
    );
    return time > 0 ? time : noCase('benchTime', plan, 0);
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
    await this.ready();
    const complete = this.#completeRow(await this.#machine());
    await runJob(this.#connection, signal, 'bench', (job, guard) => {
      const report = this.#connection.callback(
        guard(
          async ({ rows: measured, progress }: BenchReport) => {
            const news = measured.map(complete);
            rows.push(...news);
            /* All at once, so that after an abort, which ends the waiting, every row is still
             * reported. */
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
      return inCall(
        'bench',
        this.#connection.call((engine: BenchEngineApi) =>
          engine.bench(moved({ ...request, ...job }, files), report),
        ),
      );
    });
    return rows.length > 0 || failures > 0 ? rows : noCase('bench', plan, rows);
  }

  /** Adds the fields that the engine does not know about itself. */
  #completeRow({ runtime, machine }: Machine): (row: BenchRow) => BenchRow {
    const { tier, fma } = this.info();
    return (row) => ({
      ...row,
      engine: { ...(row.engine as object), fma, kind: 'wasm', tier, runtime },
      machine: { ...machine },
      date: new Date().toISOString(),
    });
  }
}
