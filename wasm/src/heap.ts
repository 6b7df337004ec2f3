/** Moves values between JavaScript and the module's memory, and turns statuses into PlxErrors. */
import { PlxError } from './errors.js';
import type { Exports } from './exports.js';
import { RESULTS, type Results } from './generated/c_results.js';
import { isErrorName } from './status.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** "12.3 MiB" */
export function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MiB`;
}

/** PLX_MAX_RANK. */
const MOST_DIMENSIONS = 6;
/** More values than any result has. */
const MOST_VALUES = 64;

/** A field of a result: a number, a flag, a text, a shape, or a part, which is a result itself. */
interface Field {
  name: string;
  kind: string;
  part: string;
}

const parsed = new Map<string, Field[]>();

/** Adds results that only some engines leave. */
export const knowResults = (more: Record<string, string>): void => {
  Object.assign(RESULTS, more);
};

/** Parses the list of a result's fields once, since training reads its progress after every epoch. */
function fieldsOf(result: string): Field[] {
  let fields = parsed.get(result);
  if (!fields) {
    fields = RESULTS[result]!.split(' ').map((field) => {
      const [name, part = ''] = field.slice(1).split(':') as [string, string?];
      return { name, kind: field[0]!, part };
    });
    parsed.set(result, fields);
  }
  return fields;
}

/** The module's memory. Views are created anew each time, since the memory may grow. */
export class Heap {
  readonly #results: number;

  constructor(readonly c: Exports) {
    this.#results = c._plx_js_results();
  }

  get bytes(): number {
    return this.c.wasmMemory.buffer.byteLength;
  }

  /** Reads this result of the last call. */
  read<R extends keyof Results>(result: R): Results[R] {
    const values = new Float64Array(this.c.wasmMemory.buffer, this.#results, MOST_VALUES);
    let at = 0;
    const read = (name: string): Record<string, unknown> => {
      const fields: Record<string, unknown> = {};
      for (const field of fieldsOf(name)) fields[field.name] = value(field);
      return fields;
    };
    const value = ({ kind, part }: Field): unknown => {
      if (kind === 'p') return read(part);
      const first = values[at++]!;
      if (kind === 'n') return first;
      if (kind === 'f') return first === 1;
      if (kind === 't') return this.text(first);
      const shape = [...values.subarray(at, at + first)];
      at += MOST_DIMENSIONS;
      return shape;
    };
    return read(result) as Results[R];
  }

  /** Returns the address of the object that the last call created. */
  made(): number {
    return this.read('made').address;
  }

  text(address: number): string {
    if (address === 0) return '';
    const bytes = new Uint8Array(this.c.wasmMemory.buffer);
    /* slice, not subarray: TextDecoder rejects shared memory. */
    return decoder.decode(bytes.slice(address, bytes.indexOf(0, address)));
  }

  floats(address: number, count: number): Float32Array {
    return new Float32Array(this.c.wasmMemory.buffer, address, count);
  }

  doubles(address: number, count: number): number[] {
    return [...new Float64Array(this.c.wasmMemory.buffer, address, count)];
  }

  /** Throws an error with the library's sentence unless status is 0. */
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

  /** Copies data into the module's memory and returns its address. */
  copyIn(data: Float32Array | Int32Array | Float64Array | Uint8Array): number {
    const address = this.alloc(data.byteLength);
    new Uint8Array(this.c.wasmMemory.buffer).set(
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      address,
    );
    return address;
  }

  /** Runs body with the addresses of copies of the arrays, which are freed afterwards. */
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
