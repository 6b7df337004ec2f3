/** Rows of a table as numbers: split by seed, scaled by what is trained on. */
import { count, list } from './format.js';
import { type Column, type Input, type Problem, widthOf } from './table_columns.js';
import { isMissing, numberIn, type Table } from './table_file.js';

/** Every row whose place in a seeded order is in the last fifth is held out. */
const heldShare = 0.2;
/** Rows between two pauses, so that no frame is late. */
const together = 2_000;
/** Most lines that a note names. */
const namedLines = 5;

/** Mean and deviation by which numbers are scaled. */
export interface Scaling {
  mean: number;
  deviation: number;
}

/** How rows become inputs and outputs of a network, and back. */
export interface Encoding {
  problem: Problem;
  inputs: readonly Input[];
  /** One for each input; words are not scaled. */
  scalings: readonly Scaling[];
  target: { at: number; name: string };
  /** Of a target of numbers. */
  scaling: Scaling;
  /** Names of the classes; empty for a target of numbers. */
  classes: readonly string[];
  separator: string;
}

/** Samples with the line that each comes from. */
export interface Part {
  x: Float32Array<ArrayBuffer>;
  /** Scaled numbers, or labels. */
  y: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
  lines: number[];
}

export interface Prepared {
  encoding: Encoding;
  train: Part;
  held: Part;
  notes: readonly string[];
}

/**
 * A number for each pair of seed and row that looks random: the finalizer of MurmurHash3 (Austin
 * Appleby, public domain) twice.
 */
function mixed(seed: number, row: number): number {
  const mix = (h: number) => {
    let x = h;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return (x ^ (x >>> 16)) >>> 0;
  };
  return mix(mix(seed + 1) + row);
}

/** The rows in a seeded order. */
export function seededOrder(rows: readonly number[], seed: number): number[] {
  return rows
    .map((row) => [mixed(seed, row), row] as const)
    .sort(([a, i], [b, j]) => a - b || i - j)
    .map(([, row]) => row);
}

const breath = () => new Promise((resolve) => setTimeout(resolve));

function scalingOf(values: readonly number[]): Scaling {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const squares = values.reduce((a, b) => a + (b - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / values.length);
  /* A column may be constant in the rows that are trained on. */
  return { mean, deviation: deviation > 0 ? deviation : 1 };
}

const numberAt = ({ rows, separator }: Table, row: number, at: number): number =>
  numberIn(rows[row]![at]!, separator) ?? Number.NaN;

/** The rows without a missing value in the columns that are used, and a note about the others. */
function completeRows(table: Table, used: readonly number[]) {
  const complete: number[] = [];
  const gaps: number[] = [];
  for (const [row, cells] of table.rows.entries()) {
    (used.some((at) => isMissing(cells[at]!)) ? gaps : complete).push(row);
  }
  if (gaps.length === 0) return { complete, notes: [] };
  const lines = gaps.slice(0, namedLines).map((row) => String(table.lines[row]));
  const more = gaps.length - lines.length;
  const where = list(more > 0 ? [...lines, `${more.toLocaleString('en')} more`] : lines);
  const notes = [
    `${count(gaps.length, 'row')} with a missing value ${gaps.length === 1 ? 'is' : 'are'} left out: ${gaps.length === 1 ? 'line' : 'lines'} ${where}.`,
  ];
  return { complete, notes };
}

/** Writes the inputs of one row. Returns the place after them. */
function writeInputs(
  { inputs, scalings, separator }: Encoding,
  cell: (input: Input, i: number) => string,
  to: Float32Array,
  from: number,
): number {
  let place = from;
  for (const [i, input] of inputs.entries()) {
    const text = cell(input, i).trim();
    if (input.words) {
      for (const word of input.words) to[place++] = word === text ? 1 : 0;
    } else {
      const { mean, deviation } = scalings[i]!;
      to[place++] = ((numberIn(text, separator) ?? Number.NaN) - mean) / deviation;
    }
  }
  return place;
}

async function partOf(table: Table, encoding: Encoding, rows: readonly number[]): Promise<Part> {
  const { inputs, target, scaling, classes } = encoding;
  const x = new Float32Array(rows.length * widthOf(inputs));
  const y = new (classes.length > 0 ? Int32Array : Float32Array)(rows.length);
  let place = 0;
  for (const [i, row] of rows.entries()) {
    const cells = table.rows[row]!;
    place = writeInputs(encoding, ({ at }) => cells[at]!, x, place);
    y[i] =
      classes.length > 0
        ? classes.indexOf(cells[target.at]!.trim())
        : (numberAt(table, row, target.at) - scaling.mean) / scaling.deviation;
    if (i % together === together - 1) await breath();
  }
  return { x, y, lines: rows.map((row) => table.lines[row]!) };
}

/** Splits and encodes a table for this target. Throws a sentence if too little is left. */
export async function prepare(
  table: Table,
  columns: readonly Column[],
  target: number,
  problem: Problem,
  inputs: readonly Input[],
  seed: number,
): Promise<Prepared> {
  const { complete, notes } = completeRows(table, [target, ...inputs.map(({ at }) => at)]);
  const order = seededOrder(complete, seed);
  const held = Math.max(1, Math.floor(order.length * heldShare));
  const trained = order.slice(0, order.length - held);
  if (trained.length < 5) {
    throw new Error(
      `${table.name}: ${count(complete.length, 'row')} without a missing value: at least 6 are needed. Leave columns with many gaps out of the table.`,
    );
  }
  const scale = (at: number) => scalingOf(trained.map((row) => numberAt(table, row, at)));
  const plain: Scaling = { mean: 0, deviation: 1 };
  const encoding: Encoding = {
    problem,
    inputs,
    scalings: inputs.map(({ at, words }) => (words ? plain : scale(at))),
    target: { at: target, name: columns[target]!.name },
    scaling: problem === 'regression' ? scale(target) : plain,
    classes: problem === 'classification' ? columns[target]!.words.toSorted() : [],
    separator: table.separator,
  };
  return {
    encoding,
    train: await partOf(table, encoding, trained),
    held: await partOf(table, encoding, order.slice(order.length - held)),
    notes,
  };
}

/** Encodes rows to predict, given as the cells of the inputs. Throws a sentence with line and column. */
export function encodeRows(
  encoding: Encoding,
  rows: readonly (readonly string[])[],
  lines: readonly number[],
): Float32Array<ArrayBuffer> {
  const { inputs, separator } = encoding;
  const x = new Float32Array(rows.length * widthOf(inputs));
  let place = 0;
  for (const [i, cells] of rows.entries()) {
    const where = (at: number) =>
      `The rows: line ${lines[i]}, column ${at + 1} (${inputs[at]!.name})`;
    if (cells.length !== inputs.length) {
      throw new Error(
        `The rows: line ${lines[i]} has ${cells.length} cells: ${inputs.length} are needed, for ${list(inputs.map(({ name }) => name))}.`,
      );
    }
    for (const [at, { words }] of inputs.entries()) {
      const text = cells[at]!.trim();
      if (words && !words.includes(text)) {
        throw new Error(`${where(at)}: “${text}” did not occur in the table: ${list(words)} did.`);
      }
      if (!words && numberIn(text, separator) === undefined) {
        throw new Error(`${where(at)}: “${text}” is not a number.`);
      }
    }
    place = writeInputs(encoding, (_, at) => cells[at]!, x, place);
  }
  return x;
}
