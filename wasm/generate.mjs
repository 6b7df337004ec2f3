/**
 * Generates src/generated/ from the tables that C reads (builders.def, results.def,
 * src/parallax.def, the dtypes of src/parallax.h), from layers.def, and from the functions that the
 * files exports*.c define. Usage: node generate.mjs.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LAYER_ROWS, layerFiles, TABLE_ROWS } from './generate_layers.mjs';
import { argumentsOf, camel, comment, functionsOf, rowsOf, textOf } from './tables.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, 'src/generated');
const read = (file) => readFileSync(join(here, file), 'utf8');
const kinds = rowsOf('parallax.def', read('../src/parallax.def'), TABLE_ROWS);
const kind = (macro) => kinds.filter((row) => row.macro === macro).map((row) => row.parts);

// ---- Builders ------------------------------------------------------------------------------------

const NODES = {
  NODE: 'GraphNode',
  INDEX: "GraphNode<'int32'>",
  ANY: 'GraphNode<D>',
  STATE: 'GraphParameter',
  VALUE: 'Operand',
  MAYBE: 'GraphNode',
  INPUT: 'GraphNode<D>',
  SAME: 'OperandOf<D>',
  CONDITION: "GraphNode<'uint8' | 'int32'>",
  STORED: 'GraphNode<DType>',
  NODES: 'readonly GraphNode[]',
  ANYS: 'readonly GraphNode<D>[]',
};
const NUMBERS = {
  NUMBER: 'number',
  WHOLE: 'number',
  FLAG: 'boolean',
  AXIS: 'number',
  SEED: 'number',
  CHOICE: '',
  DTYPE: 'D',
  PAIR: 'Pair',
  SIDES: 'Padding',
  PADDING: 'Padding',
  AXES: 'readonly number[]',
  LIST: 'readonly number[]',
};
const TYPES = { ...NODES, ...NUMBERS };

/** Returns the arguments of a row, split at OPTIONS. */
function argumentList(where, text) {
  const list = argumentsOf(where, text, [...Object.keys(TYPES), 'OPTIONS']);
  const at = list.findIndex(({ macro }) => macro === 'OPTIONS');
  const one = ({ macro, parts: [name, ...rest] }) => {
    const names = macro === 'CHOICE' ? rest.map(textOf) : [];
    const type = names.length > 0 ? names.map((choice) => `'${choice}'`).join(' | ') : TYPES[macro];
    const initial = macro === 'CHOICE' ? names.join() : rest[0]?.replace(/^"|"$/g, '');
    const given = initial === undefined || initial === 'NEEDED' ? undefined : initial.toLowerCase();
    const optional = given !== undefined || macro === 'MAYBE' || macro === 'SEED';
    return { macro, name: camel(name), type, initial: given, optional };
  };
  const own = at < 0 ? list : list.slice(0, at);
  const options = at < 0 ? [] : list.slice(at + 1);
  return {
    own: own.map(one),
    options: options.map(one),
    optionsType: at < 0 ? undefined : list[at].parts[0].replace(/^"|"$/g, ''),
  };
}

function builderRows() {
  const rows = rowsOf('builders.def', read('builders.def'), ['SECTION', 'ONE', 'MANY']);
  const activation = ([NAME, name, parameter, initial, , about]) => ({
    macro: 'ONE',
    parts: [
      ...[name, camel(name), 'REAL', about],
      `NODE(x)${parameter === 'NONE' ? '' : ` NUMBER(${parameter}, ${initial})`}`,
      `PLX_${NAME}`,
    ],
  });
  const at = rows.findIndex(
    ({ macro, parts }) => macro === 'SECTION' && textOf(parts[0]) === 'Activations',
  );
  rows.splice(at + 1, 0, ...kind('PLX_ACTIVATION').map(activation));
  return rows.map(({ macro, parts }) => {
    if (macro === 'SECTION') return { section: textOf(parts[0]) };
    if (parts.length !== 6)
      throw new Error(`builders.def: ${parts[0]} has ${parts.length} parts, not 6`);
    const [builder, method, results, about, list] = parts;
    return {
      builder,
      method,
      several: macro === 'MANY',
      results,
      about,
      ...argumentList(builder, list),
    };
  });
}

const SINGLE = {
  REAL: 'GraphNode',
  INT: "GraphNode<'int32'>",
  BOOL: "GraphNode<'uint8'>",
  LIKE: 'GraphNode<D>',
  ASKED: 'GraphNode<D>',
};

/** Returns the result of a method: its type parameters, its type, and its form in the table. */
function resultsOf({ builder, several, results, own }) {
  const has = (...macros) => own.some(({ macro }) => macros.includes(macro));
  const generic = has('INPUT')
    ? '<D extends InputDType>'
    : has('ANY', 'ANYS', 'DTYPE')
      ? '<D extends DType>'
      : '';
  if (!several) {
    const type = SINGLE[results];
    if (!type) throw new Error(`builders.def: ${builder} gives ${results}`);
    return { generic, type, table: results.toLowerCase() };
  }
  const parts = argumentsOf(builder, results, ['OUT', 'OUT_INT', 'EACH', 'AS']);
  if (parts[0].macro === 'EACH') {
    return {
      generic: '<const T extends readonly GraphNode[]>',
      type: '{ -readonly [K in keyof T]: GraphNode }',
      each: camel(parts[0].parts[0]),
      table: `each:${camel(parts[0].parts[0])}`,
    };
  }
  const outs = parts.filter(({ macro }) => macro !== 'AS');
  const fields = outs.map(
    ({ macro, parts: [name] }) =>
      `${name}: ${macro === 'OUT_INT' ? "GraphNode<'int32'>" : 'GraphNode'}`,
  );
  return {
    generic,
    type: parts[0].macro === 'AS' ? parts[0].parts[0] : `{ ${fields.join('; ')} }`,
    table: outs
      .map(({ macro, parts: [name] }) => (macro === 'OUT_INT' ? `int:${name}` : name))
      .join(),
  };
}

function signature(row) {
  const { generic, type, each } = resultsOf(row);
  const list = row.own.map(
    ({ name, type: of, optional }) => `${name}${optional ? '?' : ''}: ${each === name ? 'T' : of}`,
  );
  if (row.optionsType) {
    const optional = row.options.every((option) => option.optional);
    list.push(`options${optional ? '?' : ''}: ${row.optionsType}`);
  }
  const line = `${row.method}${generic}(${list.join(', ')}): ${type};`;
  if (row.own[0]?.macro !== 'ANYS') return line;
  /* Overloads, since a union would accept a mix of both types. */
  const as = (dtype) => line.replace(generic, '').replaceAll('GraphNode<D>', dtype);
  const stored = line.replace(generic, '<D extends Exclude<DType, InputDType>>');
  return [
    as('GraphNode'),
    `${comment('The same for integers.')}\n${as("GraphNode<'int32'>")}`,
    `${comment('The same for nodes of one storage dtype.')}\n${stored}`,
  ].join('\n');
}

function graphBuilders(rows) {
  const lines = rows.map((row) => {
    if (row.section) return `\n// ---- ${row.section} ----`;
    if (row.about === 'BY_HAND') return '';
    return `${comment(textOf(row.about))}\n${signature(row)}`;
  });
  const signatures = rows.flatMap((row) =>
    row.about === undefined || row.about === 'BY_HAND' ? [] : signature(row),
  );
  const types = signatures
    .join()
    .replace(/\/\*.*?\*\//g, '')
    .match(/\b[A-Z]\w+\b/g)
    .filter((type) => !['Omit', 'Exclude'].includes(type));
  return `import type {
  ${[...new Set(types)].sort().join(',\n  ')},
} from '../graph_api.js';

${comment('The methods of a graph that add an operation.')}
export interface GraphBuilders {
${lines.filter(Boolean).join('\n')}
}
`;
}

function builderTable(rows) {
  const argument = ({ macro, name, initial }) =>
    (macro === 'NODE' ? '' : `${macro.toLowerCase()}:`) +
    `${name}${initial === undefined ? '' : `=${initial}`}`;
  const lines = rows
    .filter((row) => !row.section)
    .map((row) => {
      const { table } = resultsOf(row);
      const list = row.own.map(argument);
      if (table !== 'real') list.unshift(`>${table}`);
      if (row.method !== camel(row.builder)) list.unshift(`@${row.builder}`);
      if (row.optionsType) list.push('|', ...row.options.map(argument));
      return `  ${row.method}: '${list.join(' ')}',`;
    });
  const hand = rows.filter(({ about }) => about === 'BY_HAND').map(({ method }) => `'${method}'`);
  return `/**
 * For each method: its builder after @, unless that has the same name; its results after >, unless
 * they are one array of reals; its arguments, which are nodes unless a kind is given; after |, its
 * options.
 */
export const BUILDERS = {
${lines.join('\n')}
} as const;

/** Methods that graph.ts implements itself. */
export const BY_HAND: readonly string[] = [${hand.join(', ')}];
`;
}

// ---- Names ---------------------------------------------------------------------------------------

const union = (names) => names.map((name) => `\n  | '${name}'`).join('');
const list = (names) => `[\n${names.map((name) => `  '${name}',\n`).join('')}]`;
const errors = kind('PLX_STATUS').map(([NAME, value]) => [`PLX_ERR_${NAME}`, value]);
const activations = ['linear', ...kind('PLX_ACTIVATION').map(([, name]) => name)];
const optimizers = kind('PLX_OPTIMIZER').map(([, name]) => textOf(name));
const schedules = kind('PLX_SCHEDULE').map(([, name]) => textOf(name));
const losses = kind('PLX_LOSS').map(([, name]) => textOf(name));
const starts = kind('PLX_START').map(([, name]) => textOf(name));

/** Returns the dtypes in their order, each with the typed array of its element type in C. */
function dtypeRows() {
  const list = /#define PLX_DTYPE_LIST\(DTYPE\)((?:.*\\\n)+.*)/.exec(read('../src/parallax.h'))[1];
  const rows = argumentsOf('PLX_DTYPE_LIST', list.replaceAll('\\\n', ''), ['DTYPE']);
  return rows.map(({ parts: [name, value, type, text] }, i) => {
    /* plx_real is float in WebAssembly; its name there is the last one of a condition. */
    const stored = type === 'plx_real' ? 'float32_t' : type;
    const array = `${stored[0].toUpperCase()}${stored.slice(1, -2)}Array`;
    if (Number(value) !== i || !(array in globalThis))
      throw new Error(`PLX_DTYPE_LIST: ${name} is number ${value}, of ${type}`);
    return { name: text.match(/"(\w+)"$/)[1], array };
  });
}
const dtypes = dtypeRows();

const kindTypes = () => `${comment('Name of an error: `"PLX_ERR_SHAPE"`.')}
export type PlxErrorName =${union(errors.map(([name]) => name))};

${comment('Names of activations in the library.')}
export type ActivationName =${union(activations)};

${comment('Names of optimizers.')}
export type OptimizerKind =${union(optimizers)};

${comment('Names of schedules.')}
export type ScheduleKind =${union(schedules)};

${comment('Names of losses.')}
export type LossKind =${union(losses)};

${comment('Names of initialisations of kernels.')}
export type InitializerKind =${union(starts)};

${comment('The typed array for each element type; 16-bit floats come as their bits.')}
export interface DTypeArrays {
${dtypes.map(({ name, array }) => `${comment(`Elements of ${name}.`)}\n${name}: ${array};`).join('\n')}
}
`;

const kindLists = () => `import type {
  ActivationName,
  InitializerKind,
  LossKind,
  OptimizerKind,
  PlxErrorName,
  ScheduleKind,
} from './kinds.js';

/** The status codes of the library, by name. Their values never change. */
export const STATUS: Readonly<Record<PlxErrorName, number>> = {
${errors.map(([name, value]) => `  ${name}: ${value},`).join('\n')}
};

/** All activations, in the library's order. */
export const ACTIVATIONS: readonly ActivationName[] = ${list(activations)};

/** All losses and initialisations of kernels, in the library's order. */
export const LOSSES: readonly LossKind[] = ${list(losses)};
export const STARTS: readonly InitializerKind[] = ${list(starts)};

/** The options that only some kinds have. */
export const OPTIMIZER_OPTIONS: Readonly<Record<OptimizerKind, string>> = {
${kind('PLX_OPTIMIZER')
  .map(([, name, , , , , , own]) => `  ${textOf(name)}: '${textOf(own)}',`)
  .join('\n')}
};
export const SCHEDULE_OPTIONS: Readonly<Record<ScheduleKind, string>> = {
${kind('PLX_SCHEDULE')
  .map(([, name, own]) => `  '${textOf(name)}': '${textOf(own)}',`)
  .join('\n')}
};

export const OPTIMIZERS = /* @__PURE__ */ Object.keys(OPTIMIZER_OPTIONS) as readonly OptimizerKind[];
export const SCHEDULES = /* @__PURE__ */ Object.keys(SCHEDULE_OPTIONS) as readonly ScheduleKind[];

/** The element types in the order of plx_dtype, and their typed arrays. */
export const DTYPES = ${list(dtypes.map(({ name }) => name))} as const;
export const ARRAYS = {
${dtypes.map(({ name, array }) => `  ${name}: ${array},`).join('\n')}
};
`;

// ---- Functions and results -----------------------------------------------------------------------

function exportedFunctions() {
  const files = readdirSync(here).filter((name) => /^exports.*\.c$/.test(name));
  const functions = files.sort().flatMap((name) => functionsOf(name, read(name)));
  const lines = functions.map(({ name, parameters, gives }) => {
    const given = parameters.map((parameter) => `${camel(parameter)}: number`);
    return `  _${name}(${given.join(', ')}): ${gives ? 'number' : 'void'};`;
  });
  return `/**
 * The functions of exports.c and of the files exports_*.c beside it. Pointers and counts are numbers,
 * booleans 0 or 1; the comment of each function in C says which results it leaves.
 */
export interface Functions {
${lines.join('\n')}
}
`;
}

const RESULTS = { NUMBER: 'number', FLAG: 'boolean', TEXT: 'string', SHAPE: 'number[]', PART: '' };

function resultTable() {
  const rows = rowsOf('results.def', read('results.def'), ['RESULT', 'BENCH_RESULT']).map(
    ({ macro: kind, parts: [name, text] }) => ({
      kind,
      name: camel(name),
      fields: argumentsOf(name, text, Object.keys(RESULTS)).map(({ macro, parts }) => ({
        macro,
        name: camel(parts.at(-1)),
        part: macro === 'PART' ? camel(parts[0]) : '',
      })),
    }),
  );
  const types = rows.map(({ name, fields }) => {
    const lines = fields.map(
      (field) =>
        `    ${field.name}: ${field.part ? `Results['${field.part}']` : RESULTS[field.macro]};`,
    );
    return `  ${name}: {\n${lines.join('\n')}\n  };`;
  });
  const layouts = (wanted) =>
    rows
      .filter(({ kind }) => kind === wanted)
      .map(({ name, fields }) => {
        const list = fields.map(
          (field) =>
            `${field.macro[0].toLowerCase()}${field.name}${field.part && `:${field.part}`}`,
        );
        return `  ${name}: '${list.join(' ')}',`;
      })
      .join('\n');
  return `/** The results that functions leave. */
export interface Results {
${types.join('\n')}
}

/**
 * Their fields in order, each after the first letter of its kind: number, flag, text, shape, part.
 */
export const RESULTS: Record<string, string> = {
${layouts('RESULT')}
};

/** The same of results that only engines with tasks and suites leave. */
export const BENCH_RESULTS: Readonly<Record<string, string>> = {
${layouts('BENCH_RESULT')}
};
`;
}

// ---- Files ---------------------------------------------------------------------------------------

const rows = builderRows();
const layerRows = kinds.filter(({ macro }) => LAYER_ROWS.includes(macro));
const files = {
  'graph_builders.ts': graphBuilders(rows),
  'builder_table.ts': builderTable(rows),
  'kinds.ts': kindTypes(),
  'kind_lists.ts': kindLists(),
  'c_functions.ts': exportedFunctions(),
  'c_results.ts': resultTable(),
  ...layerFiles(layerRows, read('layers.def')),
};
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
for (const [name, text] of Object.entries(files)) {
  writeFileSync(join(out, name), `/* Made by generate.mjs. */\n${text}`);
}
