/** The generators of an engine. */
import { PlxError } from './errors.js';
import type { Heap } from './heap.js';
import type { Sampling } from './rpc.js';

interface LiveGenerator {
  address: number;
  /** The model, which must outlive the generator. */
  model: number;
  vocabulary: number;
}

export class EngineGenerators {
  readonly #heap: Heap;
  readonly #live = new Map<number, LiveGenerator>();

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  create(id: number, model: number, vocabulary: number, seed: number): void {
    const heap = this.#heap;
    heap.check(heap.c._plx_js_generator_new(model, seed));
    this.#live.set(id, { address: heap.made(), model, vocabulary });
  }

  #generator(id: number): LiveGenerator {
    const generator = this.#live.get(id);
    if (!generator) throw new PlxError('PLX_ERR_STATE', 'this generator was disposed');
    return generator;
  }

  feed(id: number, ids: Int32Array): void {
    const heap = this.#heap;
    const { address } = this.#generator(id);
    heap.with([ids], (from) =>
      heap.check(heap.c._plx_js_generator_feed(address, ids.length, from as number)),
    );
  }

  draw(id: number, { temperature, topK }: Sampling): number {
    const heap = this.#heap;
    const { address } = this.#generator(id);
    heap.check(heap.c._plx_js_generator_next(address, temperature, topK));
    return heap.read('token').id;
  }

  logits(id: number): Float32Array {
    const heap = this.#heap;
    const { address, vocabulary } = this.#generator(id);
    const logits = heap.c._plx_js_generator_logits(address);
    if (logits !== 0) return heap.floats(logits, vocabulary).slice();
    throw new PlxError('PLX_ERR_STATE', 'logits: feed the generator at least one id first');
  }

  reset(id: number): void {
    this.#heap.c._plx_js_generator_reset(this.#generator(id).address);
  }

  dispose(id: number): void {
    const generator = this.#live.get(id);
    if (!generator) return;
    this.#live.delete(id);
    this.#heap.c._plx_js_generator_free(generator.address);
  }

  /** Frees the generators of a model that is about to be freed. */
  disposeOf(model: number): void {
    for (const [id, generator] of this.#live) if (generator.model === model) this.dispose(id);
  }
}
