/** What the columns of a table hold, and what becomes of them: inputs, a target, or nothing. */
import { count, list, significant } from './format.js';
import { isMissing, numberIn, type Table } from './table_file.js';

/** Most different words of an input, and classes of a target. */
export const mostWords = 20;
/** Most inputs of a network. */
export const mostInputs = 1_000;
/** Most different whole numbers that count as classes, unless regression is asked for. */
const fewNumbers = 10;
/** Share of a column's cells from which on the others are taken for mistakes in a column of numbers. */
const mostlyNumbers = 0.9;

export type Problem = 'regression' | 'classification';

export interface Column {
  name: string;
  /** constant: the same in every row, or empty. */
  holds: 'numbers' | 'words' | 'constant';
  /** Cells without a value. */
  missing: number;
  /** The different words, most frequent first; those of numbers only if they are few and whole. */
  words: readonly string[];
  /** Number of different words, of which `words` may list only some. */
  different: number;
  /** Of numbers: the least and the largest. */
  low: number;
  high: number;
}

const breath = () => new Promise((resolve) => setTimeout(resolve));

/** Rejects a cell that is no number in a column where nearly all are. */
function checkNumbers(table: Table, at: number, numbers: number, wrong: readonly number[]): void {
  const [row] = wrong;
  if (row === undefined || numbers < mostlyNumbers * (numbers + wrong.length)) return;
  const others = wrong.length > 1 ? ` (and ${count(wrong.length - 1, 'more cell')} like it)` : '';
  throw new Error(
    `${table.name}: line ${table.lines[row]}, column ${at + 1} (${table.columns[at]}): “${table.rows[row]![at]}” is not a number, as ${count(numbers, 'other cell')} of this column are${others}. Correct it, or leave the cell empty.`,
  );
}

function frequencies(words: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([word]) => word);
}

function describe(table: Table, at: number): Column {
  const { rows, separator, columns } = table;
  const words: string[] = [];
  const wrong: number[] = [];
  const values: number[] = [];
  for (const [row, cells] of rows.entries()) {
    const cell = cells[at]!;
    if (isMissing(cell)) continue;
    words.push(cell.trim());
    const value = numberIn(cell, separator);
    if (value === undefined) wrong.push(row);
    else values.push(value);
  }
  checkNumbers(table, at, values.length, wrong);
  const all = frequencies(words);
  const numbers = wrong.length === 0;
  const whole = numbers && all.length <= fewNumbers && values.every(Number.isInteger);
  return {
    name: columns[at]!,
    holds: all.length < 2 ? 'constant' : numbers ? 'numbers' : 'words',
    missing: rows.length - words.length,
    words: (numbers && !whole ? [] : all).slice(0, mostWords + 1),
    different: all.length,
    low: values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    high: values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
  };
}

/** Describes all columns, with a pause after each, so that no frame is late. */
export async function describeColumns(table: Table): Promise<Column[]> {
  const columns: Column[] = [];
  for (let at = 0; at < table.columns.length; at++) {
    columns.push(describe(table, at));
    await breath();
  }
  return columns;
}

/** "numbers from 1.2 to 9", "3 words: a, b, c" */
export function columnText({ holds, words, different, low, high }: Column): string {
  const some = `${words.slice(0, 5).join(', ')}${different > 5 ? ', …' : ''}`;
  switch (holds) {
    case 'constant':
      return different === 0 ? 'empty' : `always ${words[0] ?? significant(low)}`;
    case 'numbers':
      return words.length > 0
        ? `${different} whole numbers: ${some}`
        : `numbers from ${significant(low)} to ${significant(high)}`;
    case 'words':
      return `${count(different, 'different word')}: ${some}`;
  }
}

/** What can be learnt of a column: words, and few whole numbers, are classes. */
export function problemOf(column: Column, asked: string | undefined): Problem {
  if (asked === 'regression' || asked === 'classification') return asked;
  return column.holds === 'words' || column.words.length > 0 ? 'classification' : 'regression';
}

/** Why a column cannot be the target of this problem; undefined if it can. */
export function whyNotTarget(column: Column, problem: Problem): string | undefined {
  const { name, holds, different } = column;
  if (holds === 'constant') return `${name} is the same in every row: there is nothing to learn.`;
  if (problem === 'regression') {
    return holds === 'words'
      ? `${name} holds words: choose classes to tell them apart.`
      : undefined;
  }
  const numbers = holds === 'numbers' && column.words.length === 0;
  return different > mostWords || numbers
    ? `${name} has ${different.toLocaleString('en')} different values: 2 to ${holds === 'words' ? mostWords : `${fewNumbers} whole numbers as`} classes can be told apart. Choose another target${holds === 'numbers' ? ', or a number' : ''}.`
    : undefined;
}

/** How a column enters the network: one input, or one for each word. */
export interface Input {
  at: number;
  name: string;
  /** Undefined for numbers. */
  words?: readonly string[];
}

/** The columns that a target is predicted from, and what is said about the others. */
export function inputsFor(columns: readonly Column[], target: number) {
  const inputs: Input[] = [];
  const notes: string[] = [];
  const hot: string[] = [];
  for (const [at, column] of columns.entries()) {
    if (at === target) continue;
    const { name, holds, words, different } = column;
    if (holds === 'constant') notes.push(`${name} is left out: it is the same in every row.`);
    else if (holds === 'numbers') inputs.push({ at, name });
    else if (different > mostWords) {
      notes.push(
        `${name} is left out: it has ${different.toLocaleString('en')} different words; at most ${mostWords} become inputs.`,
      );
    } else {
      inputs.push({ at, name, words });
      hot.push(`${name} (${different})`);
    }
  }
  if (hot.length > 0) {
    notes.unshift(`Each word is an input of its own, 1 or 0, for ${list(hot)}.`);
  }
  return { inputs, notes };
}

export const widthOf = (inputs: readonly Input[]): number =>
  inputs.reduce((sum, { words }) => sum + (words?.length ?? 1), 0);
