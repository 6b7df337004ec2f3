/** Moves values between JavaScript and the module's memory, and turns a status into a PlxError. */
import { PlxError } from './errors.js';
import type { Exports } from './exports.js';
import { isErrorName } from './status.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** "12.3 MB" */
export function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MiB`;
}

/** Memory of the module, as the engine uses it. Views are made anew each time: memory may grow. */
export class Heap {
  readonly #results: number;

  constructor(readonly c: Exports) {
    this.#results = c._plx_js_results();
  }

  get bytes(): number {
    return this.c.wasmMemory.buffer.byteLength;
  }

  /** Result i of the last call. */
  result(i: number): number {
    return new Float64Array(this.c.wasmMemory.buffer, this.#results, 32)[i]!;
  }

  /** count results from i on. */
  results(i: number, count: number): number[] {
    return [...new Float64Array(this.c.wasmMemory.buffer, this.#results + 8 * i, count)];
  }

  /** The string whose address is result i. */
  resultText(i: number): string {
    return this.text(this.result(i));
  }

  text(address: number): string {
    if (address === 0) return '';
    const bytes = new Uint8Array(this.c.wasmMemory.buffer);
    /* slice, not subarray: TextDecoder refuses shared memory. */
    return decoder.decode(bytes.slice(address, bytes.indexOf(0, address)));
  }

  floats(address: number, count: number): Float32Array {
    return new Float32Array(this.c.wasmMemory.buffer, address, count);
  }

  doubles(address: number, count: number): number[] {
    return [...new Float64Array(this.c.wasmMemory.buffer, address, count)];
  }

  /** Throws the library's sentence unless status is 0. */
  check(status: number): void {
    if (status === 0) return;
    const name = this.text(this.c._plx_js_status_name(status));
    throw new PlxError(
      isErrorName(name) ? name : 'PLX_ERR_STATE',
      this.text(this.c._plx_js_message()),
    );
  }

  alloc(bytes: number): number {
    const address = this.c._plx_js_alloc(bytes);
    if (address === 0) {
      throw new PlxError(
        'PLX_ERR_MEMORY',
        `no room for ${megabytes(bytes)} of data in the engine's ${megabytes(this.bytes)}: ` +
          'use less data at a time, or give load() a larger memoryMB',
      );
    }
    return address;
  }

  /** A copy of data in the module's memory. */
  copyIn(data: Float32Array | Int32Array | Float64Array | Uint8Array): number {
    const address = this.alloc(data.byteLength);
    new Uint8Array(this.c.wasmMemory.buffer).set(
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      address,
    );
    return address;
  }

  /** Runs body with copies of the arrays, which are gone afterwards. */
  with<T>(
    arrays: (Float32Array | Int32Array | Float64Array | Uint8Array)[],
    body: (...addresses: number[]) => T,
  ): T {
    const addresses: number[] = [];
    try {
      for (const array of arrays) addresses.push(this.copyIn(array));
      return body(...addresses);
    } finally {
      for (const address of addresses) this.c._plx_js_free(address);
    }
  }

  withText<T>(text: string, body: (address: number) => T): T {
    return this.with([encoder.encode(`${text}\0`)], body);
  }
}
