/** The methods of a graph as builders.def describes them, and the order of their arguments. */
import { checkInteger, checkName, checkNumber } from './arrays.js';
import { DTYPES } from './dtypes.js';
import { PlxError } from './errors.js';
import { BUILDERS, BY_HAND } from './generated/builder_table.js';
import type { GraphBuilders } from './generated/graph_builders.js';
import type { DType, Padding, Pair } from './graph_api.js';
import { integers, listOf, pair, sides } from './graph_options.js';
import { anything, checkOptions, flag, number, type Rule, refuse } from './options.js';

export type BuilderMethod = keyof typeof BUILDERS;

/** The methods whose arguments are exactly those of their row. */
export const METHODS = (Object.keys(BUILDERS) as BuilderMethod[]).filter(
  (method) => !BY_HAND.includes(method),
) as (keyof GraphBuilders)[];

/** Stands for an input that was left out. */
export const NONE = null;

/** Arguments by name. */
export type Named = Readonly<Record<string, unknown>>;

interface Argument {
  kind: string;
  name: string;
  /** Default value. */
  initial: string | undefined;
}

interface Builder {
  builder: string;
  /** Results; a single result has an empty name. */
  results: { name: string; dtype: ResultDType }[];
  /** List that has as many elements as there are results, or NAME of the argument NAMECount. */
  each: string | undefined;
  /** Position of the first argument of any dtype. */
  like: number;
  own: Argument[];
  options: Argument[];
}

/** The dtype of a result: a fixed one, that of the first `any` argument, or the one asked for. */
export type ResultDType = DType | 'like' | 'asked';

const RESULT_DTYPES: Readonly<Record<string, ResultDType>> = {
  real: 'float32',
  int: 'int32',
  bool: 'uint8',
  like: 'like',
  asked: 'asked',
};

function argumentOf(text: string): Argument {
  const [, kind = 'node', name, initial] = /^(?:(\w+):)?(\w+)=?(.+)?$/.exec(text)!;
  return { kind, name: name!, initial };
}

function resultOf(text: string): Builder['results'][number] {
  const dtype = RESULT_DTYPES[text];
  if (dtype) return { name: '', dtype };
  const [name, kind] = text.split(':').reverse();
  return { name: name!, dtype: RESULT_DTYPES[kind ?? 'real']! };
}

/** Returns `max_pool2d` for `maxPool2d`. */
export const libraryName = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const known = new Map<string, Builder>();

/** Returns the row of a method, parsed. */
export function builderOf(method: BuilderMethod): Builder {
  let row = known.get(method);
  if (!row) {
    const [, builder = libraryName(method), results = 'real', own, , options] =
      /^(?:@(\w+) ?)?(?:>(\S+) ?)?([^|]*?)( ?\| (.*))?$/.exec(BUILDERS[method])! as string[];
    const list = own!.split(' ').filter(Boolean);
    const each = /^each:(\w+)$/.exec(results)?.[1];
    row = {
      builder,
      results: each ? [] : results.split(',').map(resultOf),
      each,
      like: Math.max(
        0,
        list.findIndex((argument) => argument.startsWith('any')),
      ),
      own: list.map(argumentOf),
      options: options?.split(' ').map(argumentOf) ?? [],
    };
    known.set(method, row);
  }
  return row;
}

/** Returns the number of results of a call that has one for each element of a list. */
export function countOf(given: Named, list: string): number {
  const values = given[list];
  return Array.isArray(values) ? values.length : Number(given[`${list}Count`]);
}

const RULES: Readonly<Record<string, Rule>> = { flag, number, whole: number };

/** Rejects more arguments than a method has. */
function checkCount(method: string, given: readonly unknown[], most: number): void {
  const { length } = given;
  if (length <= most || given.slice(most).every((value) => value === undefined)) return;
  refuse(`${method}: ${length} arguments were given: it has ${most}`);
}

/** Returns a method's arguments by name; the last one given may hold its options. */
export function named(method: BuilderMethod, given: readonly unknown[]): Named {
  const { own, options } = builderOf(method);
  const most = own.length + (options.length > 0 ? 1 : 0);
  checkCount(method, given, most);
  const places = own.map(({ name }, i) => [name, given[i]]);
  if (options.length === 0) return Object.fromEntries(places);
  const needed = options.filter(({ kind, initial }) => kind !== 'maybe' && initial === undefined);
  const last = given[own.length];
  const chosen = (last === undefined ? {} : last) as object;
  const rules = options.map(({ kind, name }) => [name, RULES[kind] ?? anything]);
  checkOptions(method, chosen, Object.fromEntries(rules));
  const missing = needed.filter(({ name }) => (chosen as Named)[name] === undefined);
  if (missing.length > 0) {
    refuse(`${method}: its options must include ${missing.map(({ name }) => name).join(', ')}`);
  }
  return { ...chosen, ...Object.fromEntries(places) };
}

/** The library's value for all axes of a reduction. */
const ALL_AXES = 1000;

/** Checks an axis of an array of at most six dimensions. */
function checkAxis(what: string, axis: number): number {
  if (Math.abs(checkInteger(what, axis)) <= 6) return axis;
  throw new PlxError('PLX_ERR_SHAPE', `${what} is ${axis}: arrays have at most 6 dimensions`);
}

type Writer = (what: string, value: never, initial: string, calls: number) => number[];

/** Converts an argument of each kind to numbers. */
const NUMBERS: Readonly<Record<string, Writer>> = {
  number: (what, value) => [checkNumber(what, value)],
  whole: (what, value) => [checkInteger(what, value)],
  flag: (_, value: unknown) => [Number(value === true || value === 'true')],
  axis: (what, value: unknown) => [value === 'all' ? ALL_AXES : checkAxis(what, value as number)],
  seed: (what, value: number | undefined, _, calls) => [checkInteger(what, value ?? calls)],
  choice: (what, value: unknown, initial) => {
    const names = initial.split(',');
    const name = value === initial ? names[0]! : (value as string);
    return [names.indexOf(checkName(what, name, names))];
  },
  dtype: (what, value: DType) => [DTYPES.indexOf(checkName(what, value, DTYPES))],
  pair: (what, value: Pair) => pair(what, value),
  sides: (what, value: Padding) => sides(what, value, 'valid'),
  padding: (what, value: Padding) => [
    ...sides(what, value, 'valid', 'same'),
    Number(value === 'same'),
  ],
  axes: (what, value: number[]) => integers(what, value),
  list: (what, value: number[]) => integers(what, value),
};

/**
 * Returns a default as a caller would pass it: a number, a word, or the value of another argument.
 */
function initialOf(initial: string | undefined, given: Named): unknown {
  if (initial === undefined) return undefined;
  if (initial in given) return given[initial];
  return Number.isNaN(Number(initial)) ? initial : Number(initial);
}

/** Checks that all lists with one number per axis have the same length. */
function checkLengths(method: string, lists: readonly Argument[], given: Named): void {
  const [first, second] = lists.map(
    ({ name }) => [name, (given[name] as number[]).length] as const,
  );
  if (!first || !second || first[1] === second[1]) return;
  throw new PlxError(
    'PLX_ERR_SHAPE',
    `${method}: ${first[0]} has ${first[1]} axes, but ${second[0]} has ${second[1]}`,
  );
}

function arrayOf(method: string, value: unknown): unknown[] {
  return Array.isArray(value) ? value : refuse(`${method}: expected an array of nodes`);
}

/**
 * Returns the nodes and numbers of a call in the order of its row. calls: number of earlier calls.
 */
export function placed(
  method: BuilderMethod,
  given: Named,
  calls: number,
): { nodes: unknown[]; numbers: number[] } {
  const { own, options } = builderOf(method);
  const nodes: unknown[] = [];
  const numbers: number[] = [];
  const all = [...own, ...options];
  for (const { kind, name, initial } of all) {
    const value = given[name] ?? initialOf(initial, given);
    const write = NUMBERS[kind];
    if (write) numbers.push(...write(`${method}: ${name}`, value as never, initial ?? '', calls));
    else if (kind === 'nodes') nodes.push(...listOf(method, name, value as unknown[]));
    else if (kind === 'anys') nodes.push(...arrayOf(method, value));
    else nodes.push(kind === 'maybe' ? (value ?? NONE) : value);
  }
  checkLengths(
    method,
    all.filter(({ kind }) => kind === 'axes'),
    given,
  );
  return { nodes, numbers };
}
