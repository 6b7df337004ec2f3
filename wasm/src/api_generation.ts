/** The public types of generation. */
import type { AbortSignalLike } from './api.js';

/** Options of a generator. */
export interface GeneratorOptions {
  /** Seed of the sampling (default 0). */
  seed?: number;
}

/** Options for sampling an id. */
export interface SamplingOptions {
  /** Temperature of the softmax to sample from; 0 always takes the likeliest id (default 1). */
  temperature?: number;
  /** Samples from the k likeliest ids only; 0: from all (default 0). */
  topK?: number;
}

/** Options of a generator's `generate`. */
export interface SequenceOptions extends SamplingOptions {
  /** Number of ids to generate (default: no limit; leave the loop to stop). */
  count?: number;
  /** Stops with an AbortError. */
  signal?: AbortSignalLike;
}

/** Options of a model's `generate`. */
export interface GenerateOptions extends SamplingOptions, GeneratorOptions {
  /** Number of ids to generate (default 64). */
  count?: number;
  /** Stops with an AbortError. */
  signal?: AbortSignalLike;
  /** Called with each id; generation waits for a returned promise. */
  onToken?: (id: number) => void | Promise<void>;
}

/**
 * Continues a sequence of ids. The keys and values of earlier ids are cached, so each new id costs
 * the work of one position; when the model's context is full, its second half is re-encoded as the
 * new context.
 *
 * @example
 * ```ts
 * const gpt = plx.model('gpt2-nano', { config: { width: 32, heads: 2, layers: 1 }, seed: 1 });
 * const generator = await gpt.generator({ seed: 1 });
 * await generator.feed([1, 2, 3]);
 * for await (const id of generator.generate({ temperature: 0.8, count: 10 })) console.log(id);
 * await gpt.dispose();
 * ```
 */
export interface TokenGenerator {
  /** Appends ids to the sequence. */
  feed(ids: ArrayLike<number>): Promise<void>;
  /** Samples the next id and appends it. */
  next(options?: SamplingOptions): Promise<number>;
  /** Samples ids one by one: `for await (const id of generator.generate({ count: 10 }))`. */
  generate(options?: SequenceOptions): AsyncGenerator<number, void, undefined>;
  /** Returns the logits of the next id, [vocabulary]. */
  logits(): Promise<Float32Array>;
  /** Forgets all ids. */
  reset(): Promise<void>;
  /** Frees the generator's memory. */
  dispose(): Promise<void>;
  /** Does the same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
