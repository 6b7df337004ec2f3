/** Samples in the module's memory, in the library's form: one address for each port. */
import type { Heap } from './heap.js';
import type { Samples } from './rpc.js';

/** Number of addresses in a list: PLX_PORTS. */
export const PORTS = 4;

export class PortData {
  readonly #heap: Heap;
  readonly #copies: number[] = [];

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  #copy(values: Float32Array | Int32Array): number {
    const address = this.#heap.copyIn(values);
    this.#copies.push(address);
    return address;
  }

  /**
   * Copies samples, which stay until `free`, and returns the addresses of the two lists. That of the
   * targets ends with the address of the weights.
   */
  place({ inputs, targets, weights }: Samples): { inputs: number; targets: number } {
    const lists = new Int32Array(2 * PORTS + 1);
    for (const [i, values] of inputs.entries()) lists[i] = this.#copy(values);
    for (const [i, values] of targets.entries()) lists[PORTS + i] = this.#copy(values);
    if (weights) lists[2 * PORTS] = this.#copy(weights);
    const list = this.#copy(lists);
    return { inputs: list, targets: list + 4 * PORTS };
  }

  free(): void {
    for (const address of this.#copies.splice(0)) this.#heap.c._plx_js_free(address);
  }
}
