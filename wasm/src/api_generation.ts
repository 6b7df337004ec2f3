/** The public types of generation. */
import type { AbortSignalLike } from './api.js';

/** Options of a generator. */
export interface GeneratorOptions {
  /** Of the draws (default 0). */
  seed?: number;
}

/** How an id is drawn. */
export interface SamplingOptions {
  /** Of the softmax that is drawn from; 0: always the likeliest (default 1). */
  temperature?: number;
  /** Only the k likeliest; 0: all (default 0). */
  topK?: number;
}

/** Options of a generator's `generate`. */
export interface SequenceOptions extends SamplingOptions {
  /** Ids to draw (default: until the loop is left). */
  count?: number;
  /** Stops with an AbortError. */
  signal?: AbortSignalLike;
}

/** Options of a model's `generate`. */
export interface GenerateOptions extends SamplingOptions, GeneratorOptions {
  /** Ids to draw (default 64). */
  count?: number;
  /** Stops with an AbortError. */
  signal?: AbortSignalLike;
  /** Called with each id; generation waits for the promise if it gives one. */
  onToken?: (id: number) => void | Promise<void>;
}

/**
 * Continues a sequence of ids. Keys and values of the ids so far are kept, so that one more costs the
 * work of one position; when the model's context is full, the later half of it is taken in anew.
 */
export interface TokenGenerator {
  /** Takes ids in. */
  feed(ids: ArrayLike<number>): Promise<void>;
  /** Draws the next id, and feeds it. */
  next(options?: SamplingOptions): Promise<number>;
  /** Draws ids one after the other: `for await (const id of generator.generate({ count: 10 }))`. */
  generate(options?: SequenceOptions): AsyncGenerator<number, void, undefined>;
  /** Of the id that follows: [vocabulary]. */
  logits(): Promise<Float32Array>;
  /** Forgets all ids. */
  reset(): Promise<void>;
  /** Gives its memory back. */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
