/** The client's side of timed runs: checks arguments and calls the engine. */
import type { TimedRuns, Timing, TimingOptions } from './api_timing.js';
import { checkWhole } from './arrays.js';
import { inCall } from './call_errors.js';
import type { Connection } from './connection.js';
import { disposed } from './forgotten.js';
import { optimizerOf } from './names.js';
import { anything, checkObject, checkOptions, count, flag, number, refuse } from './options.js';
import { nameWith } from './parallax.js';
import type { BenchEngineApi, TimingRequest } from './rpc_bench.js';

const TIMING = {
  batchSize: count,
  training: flag,
  optimizer: anything,
  config: checkObject,
  seed: number,
};

function requestOf(model: string, options: TimingOptions): TimingRequest {
  if (typeof model !== 'string') {
    refuse('timing: expected the name of a model, such as "gpt2-nano"');
  }
  checkOptions('timing', options, TIMING);
  const { training = false, optimizer } = options;
  if (optimizer !== undefined && !training) {
    refuse('timing: optimizer needs training: a prediction has no optimizer');
  }
  return {
    model: nameWith('timing', model, options.config ?? {}),
    batchSize: options.batchSize ?? 32,
    training,
    optimizer: optimizerOf('timing: optimizer', optimizer ?? 'adam'),
    seed: checkWhole('timing: seed', options.seed ?? 0, 0),
  };
}

class ClientTiming implements Timing {
  readonly #connection: Connection;
  readonly #id: number;

  constructor(
    connection: Connection,
    id: number,
    readonly clockNs: number,
  ) {
    this.#connection = connection;
    this.#id = id;
    const free = (engine: BenchEngineApi) => engine.disposeTiming(id);
    connection.watch(this, free, 'a timing');
  }

  async run(times: number): Promise<TimedRuns> {
    checkWhole('timing: run: times', times, 1);
    return inCall(
      'timing',
      this.#connection.call((engine: BenchEngineApi) => engine.runTiming(this.#id, times)),
    );
  }

  hash(): Promise<string> {
    return this.#connection.call((engine: BenchEngineApi) => engine.hashTiming(this.#id));
  }

  async dispose(): Promise<void> {
    await this.#connection.call((engine: BenchEngineApi) => engine.disposeTiming(this.#id));
    disposed(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}

/** Prepares the timing of this number, once the engine has all its threads. */
export async function openTiming(
  connection: Connection,
  id: number,
  model: string,
  options: TimingOptions,
  ready: Promise<unknown>,
): Promise<Timing> {
  const request = requestOf(model, options);
  await ready;
  const clockNs = await inCall(
    'timing',
    connection.call((engine: BenchEngineApi) => engine.openTiming(id, request)),
  );
  return new ClientTiming(connection, id, clockNs);
}
