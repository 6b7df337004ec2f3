/** The engine's side of timed runs. */
import type { TimedRuns } from './api_timing.js';
import { PlxError } from './errors.js';
import { OPTIMIZERS } from './generated/kind_lists.js';
import type { Heap } from './heap.js';
import type { TimingRequest } from './rpc_bench.js';

/** A half of a hash as eight digits. */
const digits = (half: number): string => half.toString(16).padStart(8, '0');

/** The timings of an engine, by the client's numbers. */
export class EngineTiming {
  readonly #heap: Heap;
  readonly #addresses = new Map<number, number>();

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  #at(id: number): number {
    const address = this.#addresses.get(id);
    if (address === undefined) {
      throw new PlxError('PLX_ERR_STATE', 'timing: it was disposed of');
    }
    return address;
  }

  /** Prepares the runs; returns the step of the clock. */
  open(id: number, { model, batchSize, training, optimizer, seed }: TimingRequest): number {
    const { c } = this.#heap;
    const kind = OPTIMIZERS.indexOf(optimizer);
    this.#heap.check(
      this.#heap.withText(model, (text) =>
        c._plx_js_timing_new(text, batchSize, Number(training), kind, seed),
      ),
    );
    this.#addresses.set(id, this.#heap.made());
    return c._plx_js_clock_step_ns();
  }

  run(id: number, times: number): TimedRuns {
    this.#heap.check(this.#heap.c._plx_js_timing_run(this.#at(id), times));
    return this.#heap.read('timed');
  }

  hash(id: number): string {
    this.#heap.c._plx_js_timing_hash(this.#at(id));
    const { high, low } = this.#heap.read('hash');
    return digits(high) + digits(low);
  }

  /** Returns whether there was one to free. */
  dispose(id: number): boolean {
    const address = this.#addresses.get(id);
    if (address === undefined) return false;
    this.#addresses.delete(id);
    this.#heap.c._plx_js_timing_free(address);
    return true;
  }
}
