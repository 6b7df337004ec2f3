/** Converts what callers pass into the flat arrays that the library reads, and checks it. */
import type { Data, NestedArray, NumericArray } from './api.js';
import { PlxError } from './errors.js';

/** "[3, 2]" */
export const shapeText = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** Number of elements of an array of this shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Describes the type of a value for messages: "null", "an array", "a Float32Array", "a string". */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  const made = typeof value === 'object' ? Object.getPrototypeOf(value)?.constructor?.name : '';
  const name = typeof value === 'object' ? made || 'Object' : typeof value;
  const noun = name === 'Object' || name === 'Array' ? name.toLowerCase() : name;
  return `${/^[aeio]/i.test(noun) ? 'an' : 'a'} ${noun}`;
}

/**
 * Formats a value for messages: a number as it is, a string in quotes, anything else by its type.
 */
export function told(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'number' ? String(value) : kindOf(value);
}

/** Turns the object that JSON makes of a typed array, { "0": 1.5, "1": 2 }, back into an array. */
function unpacked(data: unknown): unknown {
  if (typeof data !== 'object' || data === null || isRow(data) || !('0' in data)) return data;
  return Object.keys(data).every((key, i) => +key === i) ? Object.values(data) : data;
}

/** Flat numbers; shape is known only if the caller nested them. */
export interface Flat {
  values: ArrayLike<number>;
  shape?: number[];
}

/** Whether a value is a row: an array, or a typed array. */
const isRow = (data: unknown): data is ArrayLike<unknown> & Iterable<unknown> =>
  Array.isArray(data) || (ArrayBuffer.isView(data) && !(data instanceof DataView));

function shapeOf(data: NestedArray): number[] {
  const shape: number[] = [];
  let level: unknown = data;
  while (isRow(level)) {
    shape.push(level.length);
    level = level[0];
  }
  return shape;
}

/** Whole numbers up to this one are exact in single precision. */
const EXACT = 2 ** 24;

/** Copies the numbers of nested arrays in one pass over the caller's own rows. */
class Rows {
  #at = 0;

  /** limit: the largest number that values can hold exactly. */
  constructor(
    readonly what: string,
    readonly shape: readonly number[],
    readonly values: Float32Array | Float64Array,
    readonly limit: number,
  ) {}

  /** Rejects rows of other lengths than the first ones'; returns false at a number past the limit. */
  copy(data: unknown, depth = 0): boolean {
    const { shape, what } = this;
    if (!isRow(data) || data.length !== shape[depth]) {
      const got = isRow(data) ? `${data.length} values` : 'a single value';
      throw new PlxError(
        'PLX_ERR_SHAPE',
        `${what}: rows differ in length: ${got} where ${shape[depth]} were expected`,
      );
    }
    if (shape.length === 1) return this.#copyList(data);
    if (depth + 1 === shape.length) return this.#copyRow(data);
    for (let i = 0; i < data.length; i++) if (!this.copy(data[i], depth + 1)) return false;
    return true;
  }

  /* Rows and lists are copied by methods of their own: the numbers of one are often whole (labels)
   * and those of the other not, and an engine that has compiled a loop for one kind would begin anew.
   * Millions of numbers must not block a page. */

  #copyRow(row: ArrayLike<unknown>): boolean {
    const { values, limit } = this;
    const at = this.#at;
    for (let i = 0; i < row.length; i++) {
      const value = row[i];
      if (typeof value !== 'number') return this.#refuse(value);
      if (value > limit || value < -limit) return false;
      values[at + i] = value;
    }
    this.#at = at + row.length;
    return true;
  }

  #copyList(list: ArrayLike<unknown>): boolean {
    const { values, limit } = this;
    for (let i = 0; i < list.length; i++) {
      const value = list[i];
      if (typeof value !== 'number') return this.#refuse(value);
      if (value > limit || value < -limit) return false;
      values[i] = value;
    }
    return true;
  }

  #refuse(value: unknown): never {
    const got = kindOf(value);
    throw new PlxError('PLX_ERR_ARGUMENT', `${this.what}: expected a number, got ${got}`);
  }
}

/** Makes an array of this many values, for which there may be no memory; then check may know why. */
function withRoom<T>(what: string, count: number, make: () => T, check = () => {}): T {
  try {
    return make();
  } catch (cause) {
    check();
    const message = `${what}: not enough memory to copy its ${count} values`;
    throw new PlxError('PLX_ERR_MEMORY', message, { cause });
  }
}

/** Rejects a buffer that was transferred to another thread: its length is now 0. */
export function checkHeld(what: string, buffer: ArrayBufferLike): void {
  try {
    new Uint8Array(buffer);
  } catch (cause) {
    const message = `${what}: its buffer was transferred elsewhere, so its values are gone`;
    throw new PlxError('PLX_ERR_ARGUMENT', message, { cause });
  }
}

/**
 * Copies the caller's numbers as they are now, since the caller may change them before the engine
 * has read them.
 */
function copyOf(what: string, values: NumericArray): NumericArray {
  if (values.length === 0) {
    checkHeld(what, values.buffer);
    return new Float32Array();
  }
  /* Not values.slice: that of a Buffer does not copy. */
  return withRoom(what, values.length, () => Float32Array.prototype.slice.call(values));
}

/** Copies data as flat numbers; what names it in messages: "fit: x". */
export function flatten(what: string, given: Data): Flat {
  const data = unpacked(given) as Data;
  if (ArrayBuffer.isView(data) && !(data instanceof DataView)) {
    if (typeof (data as { 0?: unknown })[0] === 'bigint') {
      throw new PlxError('PLX_ERR_ARGUMENT', `${what}: 64-bit integers are not supported`);
    }
    return { values: copyOf(what, data) };
  }
  if (!Array.isArray(data)) {
    throw new PlxError(
      'PLX_ERR_ARGUMENT',
      `${what}: expected a typed array or nested arrays, got ${kindOf(data)}`,
    );
  }
  const shape = shapeOf(data);
  const count = sizeOf(shape);
  const single = withRoom(
    what,
    count,
    () => new Float32Array(count),
    () => {
      /* Perhaps only the first row is long. Writing past the end of an array does nothing. */
      new Rows(what, shape, new Float32Array(), Number.POSITIVE_INFINITY).copy(data);
    },
  );
  /* It is not known yet whether these will be whole numbers, which must not be rounded. */
  if (new Rows(what, shape, single, EXACT).copy(data)) return { values: single, shape };
  const values = withRoom(what, count, () => new Float64Array(count));
  new Rows(what, shape, values, Number.POSITIVE_INFINITY).copy(data);
  return { values, shape };
}

/**
 * Returns how many samples of this shape the data holds. A flat array must be a whole number of
 * samples; nested arrays must have exactly the shape, but samples of one number need not be nested.
 */
export function countSamples(what: string, flat: Flat, sample: readonly number[]): number {
  const size = sizeOf(sample);
  const { values, shape } = flat;
  const given = shape?.slice(1);
  const scalar = size === 1 && given?.length === 0;
  const unnested = shape === undefined || (shape.length === 1 && size > 1);
  if (!unnested && !scalar && shapeText(given ?? []) !== shapeText(sample)) {
    throw new PlxError(
      'PLX_ERR_SHAPE',
      `${what}: samples are ${shapeText(given ?? [])}, but the model takes ${shapeText(sample)}`,
    );
  }
  if (size === 0 || values.length % size !== 0) {
    throw new PlxError(
      'PLX_ERR_SHAPE',
      `${what}: ${values.length} values are not a whole number of samples of ${shapeText(sample)}`,
    );
  }
  return values.length / size;
}

/** Converts to single precision; rejects a value that is not finite, naming its sample, if any. */
export function toFloats(what: string, flat: Flat, sampleSize?: number): Float32Array {
  const { values } = flat;
  const floats =
    values instanceof Float32Array
      ? values
      : withRoom(what, values.length, () => new Float32Array(values));
  /* The sum is finite unless a value is not, or the values are huge: only then check each one. */
  let sum = 0;
  for (let i = 0; i < floats.length; i++) sum += floats[i]!;
  if (!Number.isFinite(sum)) {
    const i = floats.findIndex((value) => !Number.isFinite(value));
    if (i >= 0) {
      const place = sampleSize
        ? `${i % sampleSize} of sample ${Math.floor(i / sampleSize)}`
        : String(i);
      const value = values[i]!;
      const why = Number.isFinite(value) ? 'single precision ends at 3.4e38' : 'replace or drop it';
      throw new PlxError('PLX_ERR_ARGUMENT', `${what}: value ${place} is ${value}: ${why}`);
    }
  }
  return floats;
}

/** A value for messages, as the caller is likely to have written it: 0.1, not 0.10000000149011612. */
function written(values: ArrayLike<number>, i: number): number {
  const value = values[i]!;
  const rounded = values instanceof Float32Array && !Number.isInteger(value);
  return rounded ? Number(value.toPrecision(7)) : value;
}

/** Converts to 32-bit integers. */
export function toIntegers(what: string, flat: Flat): Int32Array {
  const { values } = flat;
  if (values instanceof Int32Array) return values;
  const integers = withRoom(what, values.length, () => new Int32Array(values));
  for (let i = 0; i < integers.length; i++) {
    if (integers[i] === values[i]) continue;
    throw new PlxError(
      'PLX_ERR_ARGUMENT',
      `${what}: value ${i} is ${written(values, i)}, not a 32-bit whole number`,
    );
  }
  return integers;
}

/** Flattens the values of an array of this shape, nested or flat; a number is a scalar. */
export function flattenTo(what: string, data: Data | number, shape: readonly number[]): Flat {
  const flat = typeof data === 'number' ? { values: [data], shape: [] } : flatten(what, data);
  const given = flat.shape ?? [flat.values.length];
  const fits =
    given.length <= 1 && shape.length !== 1
      ? flat.values.length === sizeOf(shape)
      : shapeText(given) === shapeText(shape);
  if (!fits) {
    throw new PlxError(
      'PLX_ERR_SHAPE',
      `${what}: the values are ${shapeText(given)}, but ${shapeText(shape)} is expected`,
    );
  }
  return flat;
}

/** The label to ignore: PLX_IGNORED_LABEL, the same as in PyTorch. */
const IGNORED_LABEL = -100;

/** Converts to class labels (or ids) from 0 to classes - 1. */
export function toLabels(
  what: string,
  flat: Flat,
  classes: number,
  noun: 'label' | 'id' = 'label',
): Int32Array {
  const { values } = flat;
  for (let i = 0; i < values.length; i++) {
    const label = values[i]!;
    if (label === IGNORED_LABEL && noun === 'label') continue;
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new PlxError(
        'PLX_ERR_ARGUMENT',
        `${what}: ${noun} ${i} is ${written(values, i)}, not a whole number from 0 to ${classes - 1}`,
      );
    }
  }
  if (values instanceof Int32Array) return values;
  return withRoom(what, values.length, () => new Int32Array(values));
}

/** The part of a message about the largest whole number, if value is above it. */
const most = (value: number): string =>
  value > Number.MAX_SAFE_INTEGER ? `, at most ${Number.MAX_SAFE_INTEGER}` : '';

/** Rejects anything but a whole number of at least `least`. */
export function checkWhole(what: string, value: number, least: number): number {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new PlxError(
      'PLX_ERR_ARGUMENT',
      `${what} is ${told(value)}: it must be a whole number of at least ${least}${most(value)}`,
    );
  }
  return value;
}

/** Rejects anything but a whole number. */
export function checkInteger(what: string, value: number): number {
  if (!Number.isSafeInteger(value)) {
    throw new PlxError(
      'PLX_ERR_ARGUMENT',
      `${what} is ${told(value)}: it must be a whole number${most(value)}`,
    );
  }
  return value;
}

/** Rejects anything but a number. */
export function checkNumber(what: string, value: number): number {
  if (typeof value !== 'number') {
    throw new PlxError('PLX_ERR_ARGUMENT', `${what} must be a number, not ${kindOf(value)}`);
  }
  return value;
}

/** Rejects anything but a finite number. */
export function checkFinite(what: string, value: number): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new PlxError('PLX_ERR_ARGUMENT', `${what} is ${told(value)}: it must be a finite number`);
  }
  return value;
}

/** Rejects anything but one of the names. */
export function checkName<T extends string>(what: string, value: T, names: readonly T[]): T {
  if (!names.includes(value)) {
    throw new PlxError(
      'PLX_ERR_ARGUMENT',
      `${what} is ${told(value)}: it must be one of ${names.join(', ')}`,
    );
  }
  return value;
}
