/**
 * The layers of a model: the functions that create them, checks that need no engine, and the form in
 * which the library reads them.
 */
import type { Regularizer } from './api_activations.js';
import { checkFinite, checkWhole, told } from './arrays.js';
import { ACTIVATIONS, STARTS } from './generated/kind_lists.js';
import type { ActivationName, InitializerKind } from './generated/kinds.js';
import { COMMON, LAYER_KINDS, LAYER_OPTIONS, LAYER_SIZE, PLACES } from './generated/layer_table.js';
import type { Layer, Layers } from './generated/layer_types.js';
import { activationOf, isSoftmax, layerHint, startOf } from './names.js';
import {
  anything,
  checkKeys,
  checkObject,
  checkOptions,
  checkOwn,
  count,
  finite,
  flag,
  oneOf,
  positive,
  type Rule,
  refuse,
  text,
} from './options.js';
import type { ModelSpec, PackedLayer } from './rpc.js';

const sizes = (what: string, value: unknown, least: number): readonly number[] => {
  if (!Array.isArray(value)) return refuse(`${what} must be an array of whole numbers`);
  for (const size of value as number[]) checkWhole(what, size, least);
  return value as number[];
};

/** Stands for the activation until it has become a layer. */
const SOFTMAX = 'softmax';

/** Base of the wavelengths of rotary positions (Su et al., 2021). */
const ROPE_BASE = 10_000;

/** A form of options: its check, and its numbers. */
interface Form {
  check: Rule;
  numbers?: (value: never, texts: string[]) => readonly number[];
}

const one = (value: number | boolean) => [Number(value)];

const amount: Rule = (what, value: number) => {
  if (checkFinite(what, value) < 0) refuse(`${what} is ${value}: it must be 0 or more`);
};

/** An initialisation in the library's form: its value is 0 unless it has one. */
interface Started {
  kind: InitializerKind;
  value: number;
}

const withoutValue = (what: string): string =>
  `${what}: a constant needs its value: { kind: "constant", value: 0.1 }`;

function initializer(what: string, given: unknown): Started {
  if (typeof given === 'string') {
    const kind = startOf(what, given);
    if (kind === 'constant') refuse(withoutValue(what));
    return { kind, value: 0 };
  }
  const options = checkOptions(
    what,
    given as { kind: string; value?: number; deviation?: number },
    {
      kind: text,
      value: finite,
      deviation: positive,
    },
  );
  const kind = startOf(what, options.kind);
  const constant = kind === 'constant';
  const own = constant ? 'value' : kind === 'randomNormal' ? 'deviation' : '';
  checkOwn(what, kind, options, `kind ${own}`);
  if (constant && options.value === undefined) refuse(withoutValue(what));
  return { kind, value: options.value ?? options.deviation ?? 0 };
}

const INITIALIZER: Form = {
  check: initializer,
  numbers: ({ kind, value }: Started) => [STARTS.indexOf(kind) + 1, value],
};
const REGULARIZER: Form = {
  check(what, value: object) {
    checkOptions(what, value, { l1: amount, l2: amount });
  },
  numbers: ({ l1 = 0, l2 = 0 }: Regularizer) => [l1, l2],
};
/** What only training needs, where there is none: weights come from `setWeights`. */
const IGNORED: Form = { check: anything };

/** The forms of options in layers.def. */
const FORMS: Readonly<Record<string, Form>> = {
  count: { check: count, numbers: one },
  positive: { check: positive, numbers: one },
  number: { check: finite, numbers: one },
  flag: { check: flag, numbers: one },
  not: { check: flag, numbers: (value: boolean) => [Number(!value)] },
  pair: {
    check(what, value: unknown) {
      const pair = typeof value === 'number' ? [value, value] : value;
      if (!Array.isArray(pair) || pair.length !== 2)
        refuse(`${what} must be one number, or [rows, columns]`);
      sizes(what, pair, 1);
    },
    numbers: (value: number | number[]) => (typeof value === 'number' ? [value, value] : value),
  },
  choice: {
    check: anything /* by its texts */,
    numbers: (value: string, texts) => [texts.indexOf(value)],
  },
  padding: {
    check: anything /* by its texts */,
    numbers: (value: string) => [Number(value === 'same'), Number(value === 'causal')],
  },
  activation: {
    check: text,
    numbers: (value: string) => [ACTIVATIONS.indexOf(value as ActivationName)],
  },
  waves: {
    check(what, value: unknown) {
      if (typeof value !== 'boolean') positive(what, value as never);
    },
    numbers: (value: number | boolean) => [value === true ? ROPE_BASE : Number(value)],
  },
  shape: {
    check(what, value: unknown) {
      const { length } = sizes(what, value, -1);
      if (length > 5) refuse(`${what} has ${length} sizes: a sample has at most 5 dimensions`);
    },
    numbers: (value: number[]) => value,
  },
  initializer: PLX_TRAINING ? INITIALIZER : IGNORED,
  regularizer: PLX_TRAINING ? REGULARIZER : IGNORED,
  /* Each one is checked as a layer. */
  layers: { check: anything },
  layer: { check: anything },
  branches: { check: anything },
  sample: { check: (what, value: unknown) => sizes(what, value, 1) },
  name: {
    check(what, value: string) {
      text(what, value as never);
      if (value === '')
        refuse(`${what} is empty: leave it out for a name of its kind and a number`);
      /* The library's strings end at the first NUL. */
      if (value.includes('\0')) refuse(`${what} contains a NUL character, which names cannot have`);
    },
  },
};

/** Returns the form of an option, its place among the numbers of a layer, and the texts of a choice. */
function optionOf(name: string): { form: Form; place: number; texts: string[] } {
  const [form, rest] = LAYER_OPTIONS[name as keyof typeof LAYER_OPTIONS].split(':');
  const [place, texts] = rest!.split('=');
  return { form: FORMS[form!]!, place: Number(place), texts: texts?.split(',') ?? [] };
}

type Kind = keyof typeof LAYER_KINDS;

const KIND_NAMES = Object.keys(LAYER_KINDS) as Kind[];

const makers = Object.fromEntries(
  KIND_NAMES.map((kind) => [
    kind,
    (options: object = {}) => ({ ...checkObject(kind, options), kind }),
  ]),
);

/** The object plx.layers; for another library's name of a layer, the error says what to use. */
export const layers = new Proxy(makers, {
  get(target, name) {
    const own: unknown = Reflect.get(target, name);
    if (own || typeof name !== 'string') return own;
    const hint = layerHint(name, KIND_NAMES, (kind) => `layers.${kind}`);
    return hint && (() => refuse(`layers.${name}: ${hint}`));
  },
}) as unknown as Layers;

/** Deepest nesting of layers; beyond it, their names would be too long. */
const MOST_LEVELS = 16;

function noLayer(where: string, layer: unknown): never {
  const { kind } = Object(layer) as { kind?: unknown };
  const hint = typeof kind === 'string' && layerHint(kind, KIND_NAMES, told);
  if (hint) refuse(`${where}: kind is ${told(kind)}: ${hint}`);
  return refuse(`${where} is not a layer: create it with plx.layers`);
}

/** Copies a layer; rejects an invalid one, as far as can be determined without the engine. */
export function checkLayer(where: string, layer: Layer, level = 0): Layer {
  const row = Object.hasOwn(LAYER_KINDS, layer?.kind)
    ? LAYER_KINDS[layer.kind]
    : noLayer(where, layer);
  if (level === MOST_LEVELS) refuse(`${where}: layers are nested more than ${MOST_LEVELS} deep`);
  const names = `${row} ${COMMON}`.trim().split(' ');
  const known = names.map((name) => name.replace('!', ''));
  const options: Record<string, unknown> = { ...layer };
  for (const [option, value] of Object.entries(options)) {
    if (option === 'kind') continue;
    checkKeys(`${where}: ${layer.kind}`, option, known);
    const what = `${where}: ${option}`;
    if (value === undefined) {
      delete options[option];
      continue;
    }
    const { form, texts } = optionOf(option);
    form.check(what, value as never);
    if (texts.length > 0) oneOf(...texts)(what, value as never);
    if (option === 'activation')
      options.activation = isSoftmax(value) ? SOFTMAX : activationOf(what, value as string);
    if (PLX_TRAINING && option === 'kernelInitializer') options[option] = initializer(what, value);
  }
  if (known.includes('hidden') && options.activation === SOFTMAX) {
    refuse(`${where}: activation is "softmax": a block needs one that takes each value alone`);
  }
  if (known.includes('hidden') && options.activation === 'linear') {
    refuse(`${where}: activation is "linear": a block needs a non-linear one`);
  }
  const missing = names.find((name) => name.endsWith('!') && !(name.slice(0, -1) in options));
  if (missing) refuse(`${where}: ${layer.kind} needs ${missing.slice(0, -1)}`);
  if (layer.kind === 'residual' || layer.kind === 'chain') {
    options.layers = checkList(`${where}: layers`, layer.layers, level + 1);
  } else if (layer.kind === 'add' || layer.kind === 'concatenate') {
    options.branches = checkBranches(`${where}: branch`, layer.branches, level + 1);
  } else if (layer.kind === 'bidirectional') {
    const inner = `${where}: layer`;
    checkLater(inner, layer.layer);
    options.layer = checkLayer(inner, layer.layer, level + 1);
  }
  return structuredClone(options) as unknown as Layer;
}

/** Returns a checked layer, with a softmax as its activation as a layer of its own. */
export function apart(layer: Layer): Layer[] {
  if (!('activation' in layer) || layer.activation !== SOFTMAX) return [layer];
  const { activation, ...rest } = layer;
  const { name, inputShape } = layer;
  if (layer.kind === 'activation')
    return [{ kind: SOFTMAX, ...(name && { name }), ...(inputShape && { inputShape }) }];
  return [rest as unknown as Layer, { kind: SOFTMAX }];
}

/** Rejects an inputShape where the layer has the shape of what it is given. */
export function checkLater(where: string, layer: Layer): void {
  if (layer?.inputShape === undefined) return;
  refuse(`${where}: inputShape is for the first layer of plx.sequential: leave it out here`);
}

/** Returns `layer 2 ("head")`. */
const placeOf = (what: string, i: number, layer: Layer): string =>
  `${what} ${i}${typeof layer?.name === 'string' && layer.name ? ` ("${layer.name}")` : ''}`;

/** Checks layer i inside another; a softmax as its activation follows it. */
function checkInner(what: string, i: number, layer: Layer, level: number): Layer[] {
  const where = placeOf(what, i, layer);
  checkLater(where, layer);
  return apart(checkLayer(where, layer, level));
}

function checkList(what: string, list: readonly Layer[], level: number): Layer[] {
  if (!Array.isArray(list) || list.length === 0) {
    refuse(`${what}: expected a list of at least one layer`);
  }
  return list.flatMap((layer, i) => checkInner(what.replace(/s$/, ''), i, layer, level));
}

/** Returns one layer for each branch. */
function checkBranches(
  what: string,
  branches: readonly (Layer | readonly Layer[])[],
  level: number,
): Layer[] {
  if (!Array.isArray(branches) || branches.length === 0) {
    refuse(`${what}es: expected a list of at least one layer, or list of layers`);
  }
  return branches.map((branch: Layer | readonly Layer[], i) => {
    const layers = Array.isArray(branch)
      ? branch.flatMap((layer: Layer, k) => checkInner(`${what} ${i}: layer`, k, layer, level + 1))
      : checkInner(what, i, branch as Layer, level);
    return layers.length === 1 ? layers[0]! : { kind: 'chain', layers };
  });
}

/** Returns the layers inside a checked one. */
function innerOf(layer: Layer): readonly Layer[] {
  if (layer.kind === 'residual' || layer.kind === 'chain') return layer.layers;
  if (layer.kind === 'bidirectional') return [layer.layer];
  const merges = layer.kind === 'add' || layer.kind === 'concatenate';
  return merges ? (layer.branches as readonly Layer[]) : [];
}

/** Returns a checked layer, followed by those inside it, in the form that the library reads. */
export function packed(layer: Layer): PackedLayer {
  const inner = innerOf(layer);
  const numbers = new Array<number>(LAYER_SIZE).fill(0);
  const set = (place: number, values: readonly number[]) =>
    numbers.splice(place, values.length, ...values);
  for (const [option, value] of Object.entries(layer)) {
    if (option === 'kind') continue;
    const { form, place, texts } = optionOf(option);
    if (form.numbers) set(place, form.numbers(value as never, texts));
  }
  set(PLACES.kind, [KIND_NAMES.indexOf(layer.kind)]);
  set(PLACES.inner, [inner.length]);
  if (layer.kind === 'reshape') set(PLACES.rank, [layer.shape.length]);
  const rest = inner.map(packed);
  return {
    numbers: [numbers, ...rest.map((one) => one.numbers)].flat(),
    names: [layer.name ?? '', ...rest.flatMap((one) => one.names)],
  };
}

/**
 * Returns the layers of a model for the engine; rejects invalid ones, as far as can be determined
 * without it.
 */
export function stackOf(list: readonly Layer[]): ModelSpec {
  if (!Array.isArray(list) || list.length === 0) {
    refuse('sequential: expected a list of at least one layer');
  }
  const where = (i: number) => placeOf('sequential: layer', i, list[i]!);
  /* What else is wrong with the first layer comes first. */
  checkLayer(where(0), list[0]!);
  list.forEach((layer: Layer, i) => {
    if (i > 0) checkLater(where(i), layer);
  });
  if (list[0] && !list[0].inputShape) {
    refuse(
      'sequential: the first layer needs inputShape, the shape of one sample: inputShape: [5]',
    );
  }
  const layers = list.flatMap((layer: Layer, i) => apart(checkLayer(where(i), layer)));
  const first = layers[0]!;
  return {
    layers: layers.map(packed),
    inputShape: first.inputShape!,
    vocabulary: first.kind === 'embedding' ? first.vocabulary : 0,
  };
}
