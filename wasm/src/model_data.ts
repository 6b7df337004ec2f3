/** Checks samples and targets from callers against a model's ports. */
import type { Data, FitOptions, Loss, NamedData, Port, SavedWeight } from './api.js';
import {
  checkFinite,
  countSamples,
  type Flat,
  flatten,
  kindOf,
  shapeText,
  sizeOf,
  toFloats,
  toIntegers,
  toLabels,
  told,
} from './arrays.js';
import { PlxError } from './errors.js';
import { anything, checkObject, checkOptions, refuse } from './options.js';
import type { GivenWeight, ModelPorts, Samples, Values } from './rpc.js';

/** Flattened data, of one port or of several by name. */
export type Given = { what: string; one: Flat } | { what: string; named: Record<string, Flat> };

function isNamed(data: unknown): data is NamedData {
  /* If its names are numbers, it is a typed array that went through JSON. */
  if (typeof data !== 'object' || data === null || '0' in data) return false;
  const prototype: unknown = Object.getPrototypeOf(data);
  /* Also accept plain objects of another realm, such as an iframe. */
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Flattens data at once, before the first await; what names it in messages: "fit: x". */
export function flattenGiven(what: string, data: Data | NamedData): Given {
  if (!isNamed(data)) return { what, one: flatten(what, data) };
  const entries = Object.entries(data).map(
    ([name, values]) => [name, flatten(`${what}.${name}`, values)] as const,
  );
  return { what, named: Object.fromEntries(entries) };
}

/** The data that a port takes: the shape of a sample, and the range of whole numbers. */
interface Wanted {
  name: string;
  shape: number[];
  /** Undefined for values in single precision. */
  classes?: number;
  labels?: boolean;
}

const inputsOf = (ports: readonly Port[]): Wanted[] =>
  ports.map(({ name, shape, dtype, classes }) =>
    dtype === 'int32' ? { name, shape, classes } : { name, shape },
  );

function targetsOf(ports: readonly Port[], loss: Loss): Wanted[] {
  if (loss === 'own') return [];
  return ports.map(({ name, shape }) =>
    loss === 'crossentropy'
      ? { name, shape: shape.slice(0, -1), classes: shape.at(-1) ?? 1, labels: true }
      : { name, shape },
  );
}

const list = (ports: readonly Wanted[]) => ports.map(({ name }) => `"${name}"`).join(' and ');

/** Returns the data of each port in order, with its name in messages. */
function assign(given: Given, ports: readonly Wanted[], kind: string): [string, Flat][] {
  const { what } = given;
  if ('one' in given) {
    if (ports.length === 1) return [[what, given.one]];
    const names = ports.map(({ name }) => name).join(', ');
    throw new PlxError(
      'PLX_ERR_ARGUMENT',
      `${what}: this model has ${ports.length} ${kind}s, ${list(ports)}: give { ${names} }`,
    );
  }
  const unknown = Object.keys(given.named).find((name) => !ports.some((p) => p.name === name));
  if (unknown !== undefined) {
    throw new PlxError(
      'PLX_ERR_ARGUMENT',
      `${what}: this model has no ${kind} "${unknown}": it has ${list(ports)}`,
    );
  }
  return ports.map(({ name }) => {
    const flat = given.named[name];
    if (flat) return [`${what}.${name}`, flat];
    throw new PlxError('PLX_ERR_ARGUMENT', `${what}: no data for ${kind} "${name}"`);
  });
}

function valuesOf(what: string, flat: Flat, port: Wanted): Values {
  if (port.classes === undefined) return toFloats(what, flat, sizeOf(port.shape));
  if (port.labels) return toLabels(what, flat, port.classes);
  if (port.classes === 0) return toIntegers(what, flat);
  return toLabels(what, flat, port.classes, 'id');
}

/** Rejects rows of probabilities or logits given instead of labels. */
function refuseRows(what: string, flat: Flat, n: number, port: Wanted): void {
  const rows = n * sizeOf(port.shape);
  if (!port.labels || flat.values.length !== rows * port.classes! || port.classes === 1) return;
  throw new PlxError(
    'PLX_ERR_SHAPE',
    `${what} has a row for each sample: crossentropy takes class labels, one whole number each`,
  );
}

/** Returns samples for prediction. */
export function inputsFor(given: Given, ports: ModelPorts): { n: number; inputs: Values[] } {
  const wanted = inputsOf(ports.inputs);
  let n = -1;
  const inputs = assign(given, wanted, 'input').map(([what, flat], i) => {
    const count = countSamples(what, flat, wanted[i]!.shape);
    if (n >= 0 && count !== n) {
      throw new PlxError(
        'PLX_ERR_SHAPE',
        `${what} has ${count} samples, but ${wanted[0]!.name} has ${n}`,
      );
    }
    n = count;
    return valuesOf(what, flat, wanted[i]!);
  });
  return { n, inputs };
}

/** Rejects what looks like class labels where the loss, which was left out, needs other values. */
function refuseLabels(call: string, flat: Flat, n: number, { shape }: Wanted): void {
  const classes = shape.at(-1) ?? 1;
  const isLabel = (value: number) => Number.isInteger(value) && value >= 0 && value < classes;
  if (classes < 2 || n === 0 || flat.values.length !== n * sizeOf(shape.slice(0, -1))) return;
  if (!Array.from(flat.values).every(isLabel)) return;
  throw new PlxError(
    'PLX_ERR_SHAPE',
    `${call}: y looks like class labels, but without a loss it is "mse", which needs ` +
      `${shapeText(shape)} values for each sample: give loss: "crossentropy"`,
  );
}

/** Checks the weights of n samples. */
function weightsOf(call: string, flat: Flat | undefined, n: number): { weights?: Float32Array } {
  if (!flat) return {};
  const what = `${call}: sampleWeight`;
  const weights = toFloats(what, flat);
  if (weights.length !== n) {
    const message = `${what} has ${weights.length} values, but x has ${n} samples`;
    throw new PlxError('PLX_ERR_SHAPE', message);
  }
  const i = weights.findIndex((weight) => weight < 0);
  if (i >= 0) refuse(`${what}: value ${i} is ${weights[i]}: it must be 0 or more`);
  return { weights };
}

/** What may come with samples besides x and y. */
export interface Extras {
  /** Weights of the samples. */
  sampleWeight?: Flat | undefined;
  /** Whether the caller left the loss out. */
  lossless?: boolean;
}

/** Flattens the weights of samples at once, before the first await. */
export const givenWeights = (call: string, data: Data | undefined): Pick<Extras, 'sampleWeight'> =>
  data === undefined ? {} : { sampleWeight: flatten(`${call}: sampleWeight`, data) };

/** Returns samples with their targets; y is undefined if none were given. */
export function samplesFor(
  call: string,
  x: Given,
  y: Given | undefined,
  ports: ModelPorts,
  loss: Loss,
  { sampleWeight, lossless }: Extras = {},
): Samples {
  const wanted = targetsOf(ports.outputs, loss);
  const { n, inputs } = inputsFor(x, ports);
  if (!y || wanted.length === 0) {
    if (sampleWeight) refuse(`${call}: sampleWeight needs targets, which the loss "own" lacks`);
    if (!y === (wanted.length === 0)) return noneMissing(call, { n, inputs, targets: [] });
    throw new PlxError(
      'PLX_ERR_ARGUMENT',
      y
        ? `${call}: y is given: the loss "own" takes no targets, so leave y undefined`
        : `${call}: y is missing: the loss "${loss}" needs targets`,
    );
  }
  const targets = assign(y, wanted, 'output').map(([what, flat], i) => {
    const port = wanted[i]!;
    refuseRows(what === y.what ? `${call}: y` : what, flat, n, port);
    if (lossless) refuseLabels(call, flat, n, port);
    const count = countSamples(what, flat, port.shape);
    if (n > 0 && count !== n) {
      throw new PlxError('PLX_ERR_SHAPE', `${call}: x has ${n} samples, but y has ${count}`);
    }
    return valuesOf(what, flat, port);
  });
  return noneMissing(call, { n, inputs, targets, ...weightsOf(call, sampleWeight, n) });
}

/** Multiplies the weights of samples by those of their classes. */
export function withClassWeights(
  call: string,
  samples: Samples,
  classWeight: { readonly [label: number]: number } | undefined,
  loss: Loss,
): Samples {
  if (classWeight === undefined) return samples;
  const what = `${call}: classWeight`;
  const given = Array.isArray(classWeight) ? classWeight : checkObject(what, classWeight);
  for (const [label, weight] of Object.entries<number>(given)) {
    if (!/^\d+$/.test(label)) refuse(`${what} has "${label}": it must have class labels, { 0: 2 }`);
    if (checkFinite(`${what}: ${label}`, weight) < 0)
      refuse(`${what}: ${label} is ${weight}: it must be 0 or more`);
  }
  const [labels, ...others] = samples.targets;
  const fits = loss === 'crossentropy' || loss === 'binarycrossentropy';
  if (!fits || others.length > 0 || labels?.length !== samples.n) {
    refuse(
      `${what} needs one class label for each sample, with the loss crossentropy or ` +
        'binarycrossentropy: use sampleWeight instead',
    );
  }
  const weights = Float32Array.from(labels!, (label, i) => {
    return (classWeight[Math.round(label)] ?? 1) * (samples.weights?.[i] ?? 1);
  });
  return { ...samples, weights };
}

function noneMissing(call: string, samples: Samples): Samples {
  if (samples.n > 0) return samples;
  throw new PlxError('PLX_ERR_SHAPE', `${call}: x has no samples`);
}

/** Validation data, or the share of the samples to hold out. */
type GivenValidation = number | ({ x: Given; y: Given } & Extras) | undefined;

const VALIDATION = 'fit: validation';

/** Flattens validation data at once, before the first await. */
export function givenValidation(validation: FitOptions['validation']): GivenValidation {
  if (validation === undefined || validation === 0) return undefined;
  if (typeof validation === 'number') return validation;
  if (typeof validation !== 'object' || validation === null) {
    refuse(`${VALIDATION} must be a share from 0 to below 1, or { x, y }, not ${told(validation)}`);
  }
  checkOptions(VALIDATION, validation, { x: anything, y: anything, sampleWeight: anything });
  const x = flattenGiven(`${VALIDATION}: x`, validation.x);
  const y = flattenGiven(`${VALIDATION}: y`, validation.y);
  return { x, y, ...givenWeights(VALIDATION, validation.sampleWeight) };
}

/** Returns the samples to train on and those to validate on. */
export function validationFor(
  given: GivenValidation,
  ports: ModelPorts,
  loss: Loss,
  all: Samples,
): { data: Samples; validation?: Samples } {
  if (given === undefined) return { data: all };
  if (loss === 'own') {
    throw new PlxError(
      'PLX_ERR_ARGUMENT',
      `${VALIDATION} needs targets, which the loss "own" does not take`,
    );
  }
  if (typeof given === 'number') return split(all, given);
  return { data: all, validation: samplesFor(VALIDATION, given.x, given.y, ports, loss, given) };
}

/**
 * Reads a caller's weight array: its values alone, or with the name and shape of where they belong.
 */
export function givenWeight(what: string, weight: SavedWeight | Data): GivenWeight {
  /* A typed array that went through JSON is an object whose keys are numbers. */
  const alone = Array.isArray(weight) || '0' in Object(weight) || ArrayBuffer.isView(weight);
  const { data, name, shape } = alone
    ? ({ data: weight } as SavedWeight)
    : ((weight ?? {}) as SavedWeight);
  if (typeof name === 'string') what += ` ("${name}")`;
  if (shape !== undefined && !Array.isArray(shape)) {
    throw new PlxError('PLX_ERR_ARGUMENT', `${what}: its shape is ${kindOf(shape)}, not an array`);
  }
  const flat = flatten(what, data as Data);
  const values = toFloats(what, flat);
  /* A flat array fits any shape of its size. */
  const nested = flat.shape && flat.shape.length > 1 ? flat.shape : undefined;
  return { values, name, shape: nested ?? shape };
}

/** Returns all arrays of samples. */
export const arraysOf = (...parts: readonly (Samples | undefined)[]): Values[] =>
  parts.flatMap((part) =>
    part ? [...part.inputs, ...part.targets, ...(part.weights ? [part.weights] : [])] : [],
  );

/** Holds out the last share of the samples for validation. */
function split(samples: Samples, share: number): { data: Samples; validation: Samples } {
  const held = Math.floor(samples.n * share);
  if (!(share > 0 && share < 1) || held === 0) {
    throw new PlxError(
      'PLX_ERR_ARGUMENT',
      `fit: validation ${share} of ${samples.n} samples leaves ${held} to validate on: ` +
        'it must be between 0 and 1 and hold out at least one sample',
    );
  }
  const n = samples.n - held;
  const range = (from: number, to: number): Samples => {
    const part = (array: Values): Values => {
      const size = array.length / samples.n;
      return array.slice(from * size, to * size);
    };
    return {
      n: to - from,
      inputs: samples.inputs.map(part),
      targets: samples.targets.map(part),
      ...(samples.weights && { weights: samples.weights.slice(from, to) }),
    };
  };
  return { data: range(0, n), validation: range(n, samples.n) };
}
