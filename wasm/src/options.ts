/** Checks the options that callers pass: their names and their values. */
import { checkFinite, checkName, checkNumber, checkWhole, kindOf } from './arrays.js';
import { PlxError } from './errors.js';

/** Throws unless an option's value is valid; what names it: "sequential: layer 0: units". */
export type Rule = (what: string, value: never) => unknown;

export const refuse = (message: string): never => {
  throw new PlxError('PLX_ERR_ARGUMENT', message);
};

export const count: Rule = (what, value) => checkWhole(what, value, 1);
export const finite: Rule = checkFinite;
export const positive: Rule = (what, value: number) => {
  if (checkFinite(what, value) <= 0) refuse(`${what} is ${value}: it must be above 0`);
};
export const flag: Rule = (what, value: unknown) => {
  if (typeof value !== 'boolean') refuse(`${what} must be true or false, not ${kindOf(value)}`);
};
export const text: Rule = (what, value: unknown) => {
  if (typeof value !== 'string') refuse(`${what} must be a string, not ${kindOf(value)}`);
};

export const number: Rule = checkNumber;
export const oneOf =
  (...names: string[]): Rule =>
  (what, value: string) =>
    checkName(what, value, names);
const method =
  (wanted: string, name?: string): Rule =>
  (what, value: unknown) => {
    const found = name ? (value as Record<string, unknown> | null)?.[name] : value;
    if (typeof found !== 'function') refuse(`${what} must be ${wanted}, not ${kindOf(value)}`);
  };
export const callback = method('a function');
export const signal = method('an AbortSignal', 'addEventListener');
/** Accepts any value, for options that are checked elsewhere. */
export const anything: Rule = () => {};

/** Rejects an unknown option; who names what has the options: "fit". */
export function checkKeys(who: string, option: string, known: readonly string[]): void {
  if (known.includes(option)) return;
  refuse(`${who} has no option "${option}": it has ${known.join(', ')}`);
}

/** Rejects anything but a plain object; a Map or a typed array has no options. */
export function checkObject<T extends object>(what: string, given: T): T {
  if (Object.prototype.toString.call(given) === '[object Object]') return given;
  return refuse(`${what}: options must be an object, not ${kindOf(given)}`);
}

/** Returns options; a name stands for those of that kind alone. */
export function namedOptions<T extends { kind: string }>(what: string, given: T['kind'] | T): T {
  if (typeof given === 'string') return { kind: given } as T;
  if (Object.prototype.toString.call(given) === '[object Object]') return given as T;
  return refuse(`${what} must be a name or options, not ${kindOf(given)}`);
}

/** Rejects options that a kind does not have, though others may; own: those that it has. */
export function checkOwn(what: string, kind: string, given: object, own: string): void {
  for (const [option, value] of Object.entries(given))
    if (value !== undefined) checkKeys(`${what}: ${kind}`, option, own.trim().split(' '));
}

/** Rejects options that are not an object, unknown options, and invalid values. */
export function checkOptions<T extends object>(
  call: string,
  given: T,
  rules: Record<keyof T & string, Rule>,
): T {
  for (const [option, value] of Object.entries(checkObject(call, given))) {
    checkKeys(call, option, Object.keys(rules));
    if (value !== undefined)
      rules[option as keyof T & string](`${call}: ${option}`, value as never);
  }
  return given;
}
