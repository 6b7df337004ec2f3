/** Options of a graph's methods: which there are, and what they are in numbers. */
import { checkInteger, told } from './arrays.js';
import type { AvgPool2dOptions, Conv2dOptions, Graph, Padding, Pair } from './graph_api.js';
import { anything, checkOptions, flag, number, type Rule, refuse, text } from './options.js';

const CONVOLUTION = {
  bias: anything,
  stride: anything,
  padding: anything,
  dilation: anything,
  groups: number,
};
const POOL = { size: anything, stride: anything, padding: anything };
const RMS_NORM = { scale: anything, epsilon: number };
const NORM = { ...RMS_NORM, shift: anything };

/** What is anything here is checked where it is read: a node, a pair, a name. */
const OPTIONS = {
  input: { dtype: anything },
  layer: { name: text, training: flag, share: flag },
  weights: { state: flag },
  matmul: { transposeA: flag, transposeB: flag },
  conv2d: CONVOLUTION,
  conv2dTranspose: { ...CONVOLUTION, extra: anything },
  maxPool2d: POOL,
  avgPool2d: { ...POOL, countPadding: flag },
  layerNorm: NORM,
  rmsNorm: RMS_NORM,
  groupNorm: NORM,
  batchNorm: { mean: anything, variance: anything, training: flag, ...NORM, momentum: number },
  attention: { heads: number, kvHeads: number, causal: flag, scale: number, mask: anything },
  rope: { heads: number, base: number, first: number },
  hypercausal: { depth: number, futures: number, span: number, policy: anything },
  compile: { updates: anything },
} satisfies { [M in keyof Graph]?: Record<string, Rule> };

type Method = keyof typeof OPTIONS;

/** Those that a method cannot do without. */
const NEEDED: { [M in Method]?: readonly string[] } = {
  maxPool2d: ['size'],
  avgPool2d: ['size'],
  batchNorm: ['mean', 'variance', 'training'],
  attention: ['heads'],
  rope: ['heads'],
};

/** The options of a call of a method; unknown ones are refused, and calls without those it needs. */
export function optionsOf<T extends object>(method: Method, given: T): T {
  const needed = NEEDED[method] ?? [];
  if (given !== undefined || needed.length === 0) {
    checkOptions<Record<string, unknown>>(
      method,
      given as Record<string, unknown>,
      OPTIONS[method],
    );
  }
  const missing = needed.filter((name) => (given as Record<string, unknown>)?.[name] === undefined);
  if (missing.length > 0) refuse(`${method}: give it options with ${missing.join(', ')}`);
  return given;
}

/** Refuses anything but an array. */
export function listOf<T extends readonly unknown[]>(method: string, noun: string, list: T): T {
  return Array.isArray(list) ? list : refuse(`${method}: give it a list of ${noun}`);
}

/** Refuses anything but an array of whole numbers. */
export function integers(what: string, values: readonly number[]): number[] {
  if (!Array.isArray(values)) refuse(`${what} must be an array of whole numbers`);
  return values.map((value, i) => checkInteger(`${what}[${i}]`, value));
}

/** Rows and columns. */
export function pair(what: string, value: Pair): number[] {
  if (typeof value === 'number') return [checkInteger(what, value), value];
  if (Array.isArray(value) && value.length === 2) return integers(what, value);
  return refuse(`${what} must be one number, or [rows, columns]`);
}

/** Top, bottom, left, right; zeros for what the engine works out. words: those that are known. */
function sides(what: string, padding: Padding, ...words: Padding[]): number[] {
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

/** The numbers of a convolution. */
export function convolution(method: 'conv2d' | 'conv2dTranspose', given: Conv2dOptions): number[] {
  const { stride = 1, padding = 'valid', dilation = 1, groups = 1 } = optionsOf(method, given);
  return [
    ...pair(`${method}: stride`, stride),
    ...sides(`${method}: padding`, padding, 'valid', 'same'),
    ...pair(`${method}: dilation`, dilation),
    checkInteger(`${method}: groups`, groups),
    Number(padding === 'same'),
  ];
}

/** The numbers of a pooling, whose padding has no "same". */
export function pooling(method: 'maxPool2d' | 'avgPool2d', given: AvgPool2dOptions): number[] {
  const { size, stride = size, padding = 0, countPadding = false } = optionsOf(method, given);
  return [
    ...pair(`${method}: size`, size),
    ...pair(`${method}: stride`, stride),
    ...sides(`${method}: padding`, padding, 'valid'),
    Number(countPadding),
  ];
}
