/** The options of a graph's methods, and their conversion to numbers. */
import { checkInteger, told } from './arrays.js';
import type { Graph, Padding, Pair } from './graph_api.js';
import { anything, checkOptions, flag, type Rule, refuse, text } from './options.js';

/** Options of the methods that are not in the table; `anything` is checked where it is read. */
const OPTIONS = {
  input: { dtype: anything },
  layer: { name: text, training: flag, share: flag },
  weights: { state: flag },
  compile: { updates: anything },
} satisfies { [M in keyof Graph]?: Record<string, Rule> };

/** Checks the options of a method that is not in the table; rejects unknown ones. */
export const optionsOf = <T extends object>(method: keyof typeof OPTIONS, given: T): T =>
  checkOptions<Record<string, unknown>>(
    method,
    given as Record<string, unknown>,
    OPTIONS[method],
  ) as T;

/** Rejects anything but an array. */
export function listOf<T extends readonly unknown[]>(method: string, noun: string, list: T): T {
  return Array.isArray(list) ? list : refuse(`${method}: expected a list of ${noun}`);
}

/** Rejects anything but an array of whole numbers. */
export function integers(what: string, values: readonly number[]): number[] {
  if (!Array.isArray(values)) refuse(`${what} must be an array of whole numbers`);
  return values.map((value, i) => checkInteger(`${what}[${i}]`, value));
}

/** Returns rows and columns. */
export function pair(what: string, value: Pair): number[] {
  if (typeof value === 'number') return [checkInteger(what, value), value];
  if (Array.isArray(value) && value.length === 2) return integers(what, value);
  return refuse(`${what} must be one number, or [rows, columns]`);
}

/** Returns top, bottom, left, right; zeros for one of words, which the engine works out itself. */
export function sides(what: string, padding: Padding, ...words: Padding[]): number[] {
  if (words.includes(padding)) return [0, 0, 0, 0];
  if (typeof padding === 'number') return Array(4).fill(checkInteger(what, padding));
  const { length } = Array.isArray(padding) ? padding : [];
  if (length !== 2 && length !== 4) {
    const is = Array.isArray(padding) ? `has ${length} numbers` : `is ${told(padding)}`;
    const known = words.map((word) => `${told(word)}, `).join('');
    refuse(`${what} ${is}: give ${known}one number, [rows, columns] or [top, bottom, left, right]`);
  }
  const [top, second, left, right] = integers(what, padding as readonly number[]) as [
    number,
    number,
    ...number[],
  ];
  return length === 4 ? [top, second, left!, right!] : [top, top, second, second];
}
