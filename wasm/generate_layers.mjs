/** Makes the types of layers and the tables by which layers.ts checks and packs them. */
import { argumentsOf, camel, comment, rowsOf, textOf } from './tables.mjs';

/** TypeScript types of options; CHOICE and PADDING have that of their texts. */
const TYPES = {
  COUNT: 'number',
  PAIR: 'Pair',
  LENGTH: 'number',
  POSITIVE: 'number',
  NUMBER: 'number',
  FLAG: 'boolean',
  NOT: 'boolean',
  CHOICE: '',
  PADDING: '',
  ACTIVATION: 'Activation',
  WAVES: 'number | boolean',
  INITIALIZER: 'Initializer',
  REGULARIZER: 'Regularizer',
  SHAPE: 'readonly number[]',
  LAYERS: 'readonly Layer[]',
  LAYER: 'Layer',
  BRANCHES: 'readonly (Layer | readonly Layer[])[]',
  NAME: 'string',
  SAMPLE: 'readonly number[]',
};

/** The options that may set a field, by the field's row; others set a member of its own. */
const SETS = {
  PLX_LAYER_COUNT: ['COUNT', 'INITIALIZER'],
  PLX_LAYER_PAIR: ['PAIR', 'LENGTH'],
  PLX_LAYER_FLAG: ['FLAG', 'NOT', 'CHOICE', 'PADDING'],
  PLX_LAYER_REAL: ['POSITIVE', 'NUMBER', 'WAVES', 'REGULARIZER'],
};
/** The options that set two fields, and the one after theirs. */
const TWO = { start: 'start_value', l1: 'l2', same: 'causal' };
const FIELDS = Object.keys(SETS);
const PADDINGS = ['valid', 'same', 'causal'];
export const LAYER_ROWS = ['PLX_LAYER', ...FIELDS];
/** All rows of parallax.def. */
export const TABLE_ROWS = [
  ...['PLX_STATUS', 'PLX_ACTIVATION', 'PLX_OPTIMIZER', 'PLX_SCHEDULE', 'PLX_LOSS', 'PLX_START'],
  ...LAYER_ROWS,
];

/** The members of plx_layer with their places among its numbers, as in exports_model.c. */
const OWN = { kind: 0, activation: 1, p: 2, inner: 3, rank: 4, dims: 5 };
const OWN_SIZE = 11;
/** Which option sets a member of its own. */
const OWN_SETS = {
  activation: ['ACTIVATION'],
  p: ['POSITIVE'],
  dims: ['SHAPE'],
  layers: ['LAYERS', 'LAYER', 'BRANCHES'],
};

const fail = (message) => {
  throw new Error(`layers.def: ${message}`);
};

/** Returns ` (default 1)`; empty if there is nothing to say. */
function defaultText(macro, initial) {
  if (initial === 'NEEDED' || initial === 'NONE') return '';
  if (macro === 'ACTIVATION') return ` (default \`"${initial}"\`)`;
  if (!initial.startsWith('"')) return ` (default ${initial})`;
  return macro === 'CHOICE' || macro === 'PADDING'
    ? ` (default \`${initial}\`)`
    : ` (default: ${textOf(initial)})`;
}

function optionOf({ macro, parts: [name, field, initial, about, ...texts] }) {
  const choices = texts.map(textOf);
  if (macro === 'CHOICE' && (choices.length !== 2 || textOf(initial) !== choices[0]))
    fail(`${name} needs two texts, of which the first is the default`);
  return {
    ...{ macro, name, field, initial, choices },
    needed: initial === 'NEEDED',
    type: choices.length > 0 ? choices.map((text) => `'${text}'`).join(' | ') : TYPES[macro],
    about: textOf(about).replace(/\.$/, `${defaultText(macro, initial)}.`),
  };
}

/** Reads the interfaces in their order; each row has the options of its base, too. */
function interfacesOf(text) {
  const made = [];
  for (const { parts } of rowsOf('layers.def', text, ['OPTIONS'])) {
    const [type, base, kinds, about, list] = parts;
    const rows = argumentsOf(type, list, [...Object.keys(TYPES), 'EXCEPT']);
    const except = rows.filter(({ macro }) => macro === 'EXCEPT').map(({ parts: [name] }) => name);
    const own = rows.filter(({ macro }) => macro !== 'EXCEPT').map(optionOf);
    const from = made.find((row) => row.type === base);
    if (!from && base !== 'NONE') fail(`${type} has the base ${base}, which is not above it`);
    const inherited = (from?.all ?? []).filter(({ name }) => !except.includes(name));
    made.push({
      ...{ type, except, own, about: textOf(about) },
      base: from && base,
      kinds: argumentsOf(type, kinds, ['OF']).map(({ parts: [kind] }) => kind),
      all: [...inherited.filter(({ name }) => !own.some((o) => o.name === name)), ...own],
    });
  }
  return made;
}

/** Returns the first place of each field, and how many numbers a layer has. */
function placesOf(rows) {
  const places = { ...OWN };
  let size = OWN_SIZE;
  for (const { macro, parts } of rows.filter(({ macro }) => FIELDS.includes(macro))) {
    places[parts[0]] = size;
    size += macro === 'PLX_LAYER_PAIR' ? 2 : 1;
  }
  for (const [field, next] of Object.entries(TWO))
    if (next in places && places[next] !== places[field] + 1)
      fail(`${next} must come right after ${field}`);
  return { places, size };
}

/** Checks that an option suits its field, and that an option needs what the library needs. */
function checkOption(kind, options, { macro, name, field }, rows) {
  const row = rows.find(({ macro: of, parts }) => FIELDS.includes(of) && parts[0] === field);
  const may = row ? SETS[row.macro] : (OWN_SETS[field] ?? []);
  if (!may.includes(macro)) fail(`${name} of ${kind} cannot set ${field}`);
  const twins = options.filter((other) => other.field === field);
  if (twins.length > 1) fail(`${kind}: ${twins.map((twin) => twin.name).join(', ')} set ${field}`);
}

function checkNeeded({ parts: [field, needed] }, kinds) {
  for (const { parts } of argumentsOf(field, needed, ['IN'])) {
    const kind = kinds.find(({ NAME }) => NAME === parts[0]) ?? fail(`there is no ${parts[0]}`);
    if (!kind.options.some((option) => option.field === field && option.needed))
      fail(`${kind.method} must need the option for ${field}`);
  }
}

/** Reads both tables: interfaces, kinds with their options, and all options by name. */
function read(rows, text) {
  const interfaces = interfacesOf(text);
  const common = interfaces[0].own.map(({ name }) => name);
  const kinds = rows
    .filter(({ macro }) => macro === 'PLX_LAYER')
    .map(({ parts: [NAME, name, , about] }) => {
      const method = camel(name);
      const of = interfaces.filter((row) => row.kinds.includes(method));
      if (of.length !== 1) fail(`${method} is a kind of ${of.length} rows, not of one`);
      const options = of[0].all.filter((option) => !common.includes(option.name));
      return { NAME, method, about: textOf(about), type: of[0].type, options };
    });
  for (const kind of interfaces.flatMap((row) => row.kinds))
    if (!kinds.some(({ method }) => method === kind)) fail(`there is no layer ${kind}`);
  for (const { method, options } of kinds)
    for (const option of options) checkOption(method, options, option, rows);
  for (const row of rows)
    if (['PLX_LAYER_COUNT', 'PLX_LAYER_PAIR'].includes(row.macro)) checkNeeded(row, kinds);
  const options = {};
  for (const { macro, name, field, choices } of interfaces.flatMap((row) => row.own)) {
    /* They have one form each; the library knows which layers are causal, and which have one size. */
    const one = {
      macro: macro === 'LENGTH' ? 'PAIR' : macro,
      field,
      choices: macro === 'PADDING' ? PADDINGS : choices,
    };
    if (options[name] && JSON.stringify(options[name]) !== JSON.stringify(one))
      fail(`${name} is not the same option in all layers`);
    options[name] = one;
  }
  return { interfaces, kinds, options, common };
}

function types({ interfaces, kinds }) {
  const blocks = interfaces.map(({ type, base, except, own, about }) => {
    const from = except.length
      ? `Omit<${base}, ${except.map((name) => `'${name}'`).join(' | ')}>`
      : base;
    const lines = own.map(
      ({ name, type: of, needed, about: text }) =>
        `${comment(text)}\n${name}${needed ? '' : '?'}: ${of};`,
    );
    const head = `export interface ${type} ${from ? `extends ${from} ` : ''}{`;
    return `${comment(about)}\n${head}\n${lines.join('\n')}\n}\n`;
  });
  const methods = kinds.map(({ method, type, about, options }) => {
    const optional = options.some(({ needed }) => needed) ? '' : '?';
    return `${comment(about)}\n${method}(options${optional}: ${type}): Layer;`;
  });
  return `import type { Activation, Initializer, Regularizer } from '../api_activations.js';
import type { Pair } from '../graph_api.js';

${blocks.join('\n')}
${comment('The options of each kind of layer.')}
export interface LayerKinds {
${kinds.map(({ method, type, about }) => `${comment(about)}\n${method}: ${type};`).join('\n')}
}

${comment('A layer created by `plx.layers`.')}
export type Layer = {
  [K in keyof LayerKinds]: {
    ${comment('Which kind it is.')}
    kind: K;
  } & LayerKinds[K];
}[keyof LayerKinds];

${comment(
  'The layers of sequential models and graphs. Weights are initialised as in the papers: He et al. ' +
    '(2015) in a layer whose own activation is a rectifier, Glorot and Bengio (2010) elsewhere, ' +
    'also before a rectifier that is a separate layer; biases start at 0, tables with a standard ' +
    'deviation of 0.02.',
)}
export interface Layers {
${methods.join('\n')}
}
`;
}

function table({ kinds, options, common }, { places, size }) {
  const optionLines = Object.entries(options).map(([name, { macro, field, choices }]) => {
    const texts = choices.length > 0 ? `=${choices}` : '';
    return `  ${name}: '${macro.toLowerCase()}:${places[field] ?? ''}${texts}',`;
  });
  const kindLines = kinds.map(({ method, options: own }) => {
    const needed = own.filter((option) => option.needed).map(({ name }) => `${name}!`);
    const others = own.filter((option) => !option.needed).map(({ name }) => name);
    return `  ${method}: '${[...needed, ...others].join(' ')}',`;
  });
  return `/** The options of each kind, in the library's order of kinds; those with ! are required. */
export const LAYER_KINDS = {
${kindLines.join('\n')}
} as const;

/** Options of all kinds. */
export const COMMON = '${common.join(' ')}';

/** Of each option, its form and the place of its field among the numbers of a layer. */
export const LAYER_OPTIONS = {
${optionLines.join('\n')}
} as const;

/** The places of other numbers, and how many numbers a layer has. */
export const PLACES = { kind: ${places.kind}, inner: ${places.inner}, rank: ${places.rank} } as const;
export const LAYER_SIZE = ${size};
`;
}

/** Returns the value of a default, or undefined if it is only described. */
function defaultOf({ macro, initial, choices }) {
  if (initial === 'NEEDED' || initial === 'NONE') return undefined;
  if (macro === 'ACTIVATION') return initial;
  if (choices.length > 0) return choices[0];
  return initial.startsWith('"') ? undefined : JSON.parse(initial);
}

/** Returns the required options of each kind and the default values of others, for the tests. */
export const layerDefaults = (rows, text) =>
  Object.fromEntries(
    read(rows, text).kinds.map(({ method, options }) => {
      const values = options.map((option) => [option.name, defaultOf(option)]);
      return [
        method,
        {
          needed: options.filter(({ needed }) => needed).map(({ name }) => name),
          defaults: Object.fromEntries(values.filter(([, value]) => value !== undefined)),
        },
      ];
    }),
  );

/** rows: those of parallax.def that describe layers. text: layers.def. */
export function layerFiles(rows, text) {
  const made = read(rows, text);
  return { 'layer_types.ts': types(made), 'layer_table.ts': table(made, placesOf(rows)) };
}
