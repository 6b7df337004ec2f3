/**
 * The layers of a model: the functions that create them, checks that need no engine, and the form in
 * which the library reads them.
 */
import { checkWhole, told } from './arrays.js';
import { ACTIVATIONS } from './generated/kind_lists.js';
import type { ActivationName } from './generated/kinds.js';
import { COMMON, LAYER_KINDS, LAYER_OPTIONS, LAYER_SIZE, PLACES } from './generated/layer_table.js';
import type { Layer, Layers } from './generated/layer_types.js';
import { activationOf, layerHint } from './names.js';
import {
  anything,
  checkKeys,
  checkObject,
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

/** Base of the wavelengths of rotary positions (Su et al., 2021). */
const ROPE_BASE = 10_000;

/** A form of options: its check, and its numbers. */
interface Form {
  check: Rule;
  numbers?: (value: never, texts: string[]) => readonly number[];
}

const one = (value: number | boolean) => [Number(value)];

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
  layers: { check: anything /* each one is checked as a layer */ },
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
    if (option === 'activation') options.activation = activationOf(what, value as string);
  }
  if (known.includes('hidden') && options.activation === 'linear') {
    refuse(`${where}: activation is "linear": a block needs a non-linear one`);
  }
  const missing = names.find((name) => name.endsWith('!') && !(name.slice(0, -1) in options));
  if (missing) refuse(`${where}: ${layer.kind} needs ${missing.slice(0, -1)}`);
  if (layer.kind === 'residual') {
    options.layers = checkList(`${where}: layers`, layer.layers, level + 1);
  }
  return structuredClone(options) as unknown as Layer;
}

/** Rejects an inputShape where the layer has the shape of what it is given. */
export function checkLater(where: string, layer: Layer): void {
  if (layer?.inputShape === undefined) return;
  refuse(`${where}: inputShape is for the first layer of plx.sequential: leave it out here`);
}

function checkList(what: string, list: Layer[], level: number): Layer[] {
  if (!Array.isArray(list) || list.length === 0) {
    refuse(`${what}: expected a list of at least one layer`);
  }
  return list.map((layer, i) => {
    const where = `${what.replace(/s$/, '')} ${i}`;
    checkLater(where, layer);
    return checkLayer(where, layer, level);
  });
}

/** Returns a checked layer, followed by those inside it, in the form that the library reads. */
export function packed(layer: Layer): PackedLayer {
  const inner = layer.kind === 'residual' ? layer.layers : [];
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
export function stackOf(list: Layer[]): ModelSpec {
  if (!Array.isArray(list) || list.length === 0) {
    refuse('sequential: expected a list of at least one layer');
  }
  /* What else is wrong with the first layer comes first. */
  checkLayer('sequential: layer 0', list[0]!);
  list.slice(1).forEach((layer, i) => {
    checkLater(`sequential: layer ${i + 1}`, layer);
  });
  if (list[0] && !list[0].inputShape) {
    refuse(
      'sequential: the first layer needs inputShape, the shape of one sample: inputShape: [5]',
    );
  }
  const layers = list.map((layer, i) => checkLayer(`sequential: layer ${i}`, layer));
  const first = layers[0]!;
  return {
    layers: layers.map(packed),
    inputShape: first.inputShape!,
    vocabulary: first.kind === 'embedding' ? first.vocabulary : 0,
  };
}
