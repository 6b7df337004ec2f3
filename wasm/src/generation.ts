/** The client's side of a generator. */
import type {
  GenerateOptions,
  SamplingOptions,
  SequenceOptions,
  TokenGenerator,
} from './api_generation.js';
import { checkFinite, checkHeld, checkWhole, toIntegers } from './arrays.js';
import { inCall, locate } from './call_errors.js';
import type { Connection } from './connection.js';
import { PlxError } from './errors.js';
import { disposed } from './forgotten.js';
import { cancelled } from './jobs.js';
import { checkOptions, number, signal } from './options.js';
import type { Sampling } from './rpc.js';

/** Default number of ids of a model's generate. */
const COUNT = 64;

const SAMPLING = { temperature: number, topK: number };

function samplingOf(call: string, options: SamplingOptions): Sampling {
  const temperature = checkFinite(`${call}: temperature`, options.temperature ?? 1);
  if (temperature < 0) {
    throw new PlxError(
      'PLX_ERR_ARGUMENT',
      `${call}: temperature is ${temperature}: it must be 0 or more`,
    );
  }
  return { temperature, topK: checkWhole(`${call}: topK`, options.topK ?? 0, 0) };
}

/** The options of one call of generate, checked. */
interface Sequence {
  sampling: Sampling;
  count: number;
  signal: SequenceOptions['signal'];
}

/** Checks the options at once, before the first id is generated. */
export function checkSequence(options: SequenceOptions): Sequence {
  const { count, signal } = options;
  if (count !== undefined) checkWhole('generate: count', count, 0);
  const sampling = samplingOf('generate', options);
  return { sampling, count: count ?? Number.POSITIVE_INFINITY, signal };
}

/** Copies ids in the engine's form; what names them in messages: "feed: ids". */
export function idsOf(what: string, ids: ArrayLike<number>): Int32Array {
  if (typeof ids?.length !== 'number' || typeof ids === 'string') {
    throw new PlxError('PLX_ERR_ARGUMENT', `${what}: expected an array of ids`);
  }
  if (ArrayBuffer.isView(ids)) checkHeld(what, ids.buffer);
  return toIntegers(what, { values: ids }).slice();
}

export class ClientGenerator implements TokenGenerator {
  readonly #connection: Connection;
  readonly #id: number;

  /** model: kept from being forgotten while the generator is in use. */
  constructor(
    connection: Connection,
    id: number,
    readonly model: object,
  ) {
    this.#connection = connection;
    this.#id = id;
    connection.watch(this, (engine) => engine.disposeGenerator(id));
  }

  static {
    locate(ClientGenerator.prototype, ['feed', 'next', 'logits', 'reset', 'dispose']);
  }

  async feed(ids: ArrayLike<number>): Promise<void> {
    const values = idsOf('feed: ids', ids);
    await inCall(
      'feed',
      this.#connection.call((engine) => engine.feedGenerator(this.#id, values)),
    );
  }

  async next(options: SamplingOptions = {}): Promise<number> {
    checkOptions('next', options, SAMPLING);
    return inCall('next', this.#draw(samplingOf('next', options)));
  }

  #draw(sampling: Sampling): Promise<number> {
    return this.#connection.call((engine) => engine.drawToken(this.#id, sampling));
  }

  generate(options: SequenceOptions = {}): AsyncGenerator<number, void, undefined> {
    checkOptions('generate', options, { ...SAMPLING, count: number, signal });
    return this.#drawAll(checkSequence(options));
  }

  async *#drawAll({ sampling, count, signal: given }: Sequence): AsyncGenerator<number, void> {
    /* One at a time, so that leaving the loop leaves a generator that was fed exactly the ids seen.
     * */
    for (let drawn = 0; drawn < count; drawn++) {
      if (given?.aborted) throw cancelled('generate', given);
      yield await this.#draw(sampling);
    }
  }

  logits(): Promise<Float32Array> {
    return this.#connection.call((engine) => engine.generatorLogits(this.#id));
  }

  async reset(): Promise<void> {
    await this.#connection.call((engine) => engine.resetGenerator(this.#id));
  }

  async dispose(): Promise<void> {
    await this.#connection.call((engine) => engine.disposeGenerator(this.#id));
    disposed(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}

/** Feeds a prompt, generates the ids that follow, and disposes of the generator. */
export async function generateAfter(
  generator: TokenGenerator,
  prompt: Int32Array,
  options: GenerateOptions,
): Promise<Int32Array> {
  const { onToken, seed: _, count = COUNT, ...sequence } = options;
  const ids: number[] = [];
  try {
    await generator.feed(prompt);
    for await (const id of generator.generate({ ...sequence, count })) {
      ids.push(id);
      await onToken?.(id);
    }
  } finally {
    await generator.dispose();
  }
  return Int32Array.from(ids);
}
