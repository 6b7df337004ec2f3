/** The client's side of layers: the functions that create them, and checks that need no engine. */
import type { Layer, LayerKinds, Layers } from './api_layers.js';
import { checkWhole, told } from './arrays.js';
import { activationOf, layerHint } from './names.js';
import {
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

const named: Rule = (what, value: string) => {
  text(what, value as never);
  if (value === '') refuse(`${what} is empty: leave it out for a name of its kind and a number`);
  /* The library's strings end at the first NUL. */
  if (value.includes('\0')) refuse(`${what} contains a NUL character, which names cannot have`);
};
const shape: Rule = (what, value: unknown) => {
  if (!Array.isArray(value)) refuse(`${what} must be an array of whole numbers`);
  for (const size of value as number[]) checkWhole(what, size, 1);
};
const freeShape: Rule = (what, value: unknown) => {
  if (!Array.isArray(value)) refuse(`${what} must be an array of whole numbers`);
  for (const size of value as number[]) checkWhole(what, size, -1);
  const { length } = value as number[];
  if (length > 5) refuse(`${what} has ${length} sizes: a sample has at most 5 dimensions`);
};
const pair: Rule = (what, value: unknown) => {
  if (typeof value === 'number') {
    checkWhole(what, value, 1);
    return;
  }
  const sizes = Array.isArray(value) ? (value as number[]) : [];
  if (sizes.length !== 2) refuse(`${what} must be one number, or [rows, columns]`);
  for (const size of sizes) checkWhole(what, size, 1);
};
const rope: Rule = (what, value: unknown) => {
  if (typeof value !== 'boolean') positive(what, value as never);
};

const RULES = {
  name: named,
  inputShape: shape,
  units: count,
  filters: count,
  hidden: count,
  activation: text,
  parameter: positive,
  useBias: flag,
  rate: finite,
  dropout: finite,
  shape: freeShape,
  kernelSize: pair,
  poolSize: pair,
  size: pair,
  strides: pair,
  dilation: pair,
  padding: oneOf('valid', 'same'),
  method: oneOf('nearest', 'bilinear'),
  groups: count,
  vocabulary: count,
  epsilon: positive,
  momentum: positive,
  heads: count,
  kvHeads: count,
  causal: flag,
  rope,
  gated: flag,
  postNorm: flag,
  rmsNorm: flag,
  project: flag,
  layers: (() => {}) as Rule /* each one is checked as a layer */,
} satisfies Record<string, Rule>;

type Option = keyof typeof RULES;

const CONVOLUTION = [
  ...(['filters', 'kernelSize', 'strides', 'padding', 'dilation', 'groups'] as const),
  ...(['activation', 'parameter', 'useBias'] as const),
];
const POOL = ['poolSize', 'strides', 'padding'] as const;
const ATTENTION = ['heads', 'kvHeads', 'rope', 'useBias'] as const;
const BLOCK = [
  ...ATTENTION,
  ...(['hidden', 'activation', 'gated', 'postNorm', 'rmsNorm', 'dropout', 'epsilon'] as const),
];

/** The options of each kind; the first `needed` ones are required. */
const KINDS: Record<keyof LayerKinds, { needed: number; options: readonly Option[] }> = {
  dense: { needed: 1, options: ['units', 'activation', 'parameter', 'useBias'] },
  activation: { needed: 1, options: ['activation', 'parameter'] },
  softmax: { needed: 0, options: [] },
  dropout: { needed: 1, options: ['rate'] },
  flatten: { needed: 0, options: [] },
  reshape: { needed: 1, options: ['shape'] },
  conv2d: { needed: 2, options: CONVOLUTION },
  conv2dTranspose: { needed: 2, options: CONVOLUTION },
  maxPool2d: { needed: 0, options: POOL },
  avgPool2d: { needed: 0, options: POOL },
  globalMaxPool2d: { needed: 0, options: [] },
  globalAvgPool2d: { needed: 0, options: [] },
  globalAvgPool1d: { needed: 0, options: [] },
  upsample2d: { needed: 0, options: ['size', 'method'] },
  layerNorm: { needed: 0, options: ['epsilon'] },
  rmsNorm: { needed: 0, options: ['epsilon'] },
  groupNorm: { needed: 0, options: ['groups', 'epsilon'] },
  batchNorm: { needed: 0, options: ['momentum', 'epsilon'] },
  embedding: { needed: 2, options: ['vocabulary', 'units'] },
  positions: { needed: 0, options: [] },
  attention: { needed: 0, options: [...ATTENTION, 'causal'] },
  encoderBlock: { needed: 0, options: BLOCK },
  decoderBlock: { needed: 0, options: BLOCK },
  residual: { needed: 1, options: ['layers', 'project'] },
};

const KIND_NAMES = Object.keys(KINDS);

const COMMON: readonly Option[] = ['name', 'inputShape'];

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
  const kind = Object.hasOwn(KINDS, layer?.kind) ? KINDS[layer.kind] : noLayer(where, layer);
  if (level === MOST_LEVELS) refuse(`${where}: layers are nested more than ${MOST_LEVELS} deep`);
  const options: Record<string, unknown> = { ...layer };
  for (const [option, value] of Object.entries(options)) {
    if (option === 'kind') continue;
    checkKeys(`${where}: ${layer.kind}`, option, [...kind.options, ...COMMON]);
    if (value === undefined) delete options[option];
    else RULES[option as Option](`${where}: ${option}`, value as never);
    if (option === 'activation' && value !== undefined) {
      options.activation = activationOf(`${where}: activation`, value as string);
    }
  }
  if (kind.options === BLOCK && options.activation === 'linear') {
    refuse(`${where}: activation is "linear": a block needs a non-linear one`);
  }
  const missing = kind.options.slice(0, kind.needed).find((option) => !(option in options));
  if (missing) refuse(`${where}: ${layer.kind} needs ${missing}`);
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

/**
 * Copies the layers of a model; rejects invalid ones, as far as can be determined without the
 * engine.
 */
export function checkLayers(list: Layer[]): Layer[] {
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
  return list.map((layer, i) => checkLayer(`sequential: layer ${i}`, layer));
}
