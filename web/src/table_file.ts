/** Reading a table: its separator, its columns' names and its rows, each with its line in the file. */
import type { ParseResult, Parser } from 'papaparse';

export interface Table {
  name: string;
  columns: readonly string[];
  /** One cell for each column. */
  rows: readonly (readonly string[])[];
  /** The line on which each row begins, from 1. */
  lines: readonly number[];
  /** Whether the first line names the columns. */
  named: boolean;
  separator: string;
}

export const tableLimits = { rows: 50_000, columns: 200, cells: 1_000_000, least: 10 } as const;

/** Characters between two pauses: a few milliseconds, so that no frame is late. */
const chunk = 1 << 17;

/** The cells that stand for a missing value. */
const missing = new Set(['', 'na', 'n/a', 'nan', 'null', 'none', '?', '-']);

export const isMissing = (cell: string): boolean => missing.has(cell.trim().toLowerCase());

/** The number in a cell; undefined if it is none. With semicolons between cells, commas are decimal. */
export function numberIn(cell: string, separator: string): number | undefined {
  const text = cell.trim();
  const plain = separator === ';' ? text.replace(',', '.') : text;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : undefined;
}

/** The number of line breaks within the cells of a row, which make it longer than a line. */
const breaks = (cells: readonly string[]): number =>
  cells.reduce((sum, cell) => sum + (cell.match(/\r\n|\r|\n/g)?.length ?? 0), 0);

/** Collects rows, and rejects those that do not fit. */
class Rows {
  readonly rows: string[][] = [];
  readonly lines: number[] = [];
  #line = 1;

  constructor(readonly name: string) {}

  add({ data, errors }: ParseResult<string[]>): void {
    const wrongAt = new Map(errors.map(({ row = 0, message }) => [row, message]));
    for (const [i, cells] of data.entries()) {
      const line = this.#line;
      const wrong = wrongAt.get(i);
      if (wrong !== undefined) throw new Error(this.#quotes(line, cells, wrong));
      this.#line += 1 + breaks(cells);
      if (cells.every((cell) => cell.trim() === '') && cells.length < 2) continue;
      this.#check(line, cells);
      this.rows.push(cells);
      this.lines.push(line);
    }
  }

  #quotes(line: number, cells: readonly string[], message: string): string {
    const where = `${this.name}: line ${line}, column ${cells.length}`;
    return `${where}: ${message}. A cell in quotes ends with a quote; one within it is written twice.`;
  }

  #check(line: number, cells: readonly string[]): void {
    const { rows: mostRows, columns: mostColumns, cells: mostCells } = tableLimits;
    const columns = this.rows[0]?.length ?? cells.length;
    const say = (text: string) => new Error(`${this.name}: ${text}`);
    if (columns > mostColumns) {
      throw say(`the first line has ${columns} cells: at most ${mostColumns} columns are allowed.`);
    }
    if (cells.length !== columns) {
      const few = cells.length < columns;
      const last = few
        ? `column ${cells.length + 1} is missing`
        : `column ${columns + 1} is too much`;
      throw say(
        `line ${line} has ${cells.length} cells, but the first line has ${columns}: ${last}. Every line needs as many; a cell that contains the separator stands in quotes.`,
      );
    }
    if (this.rows.length >= mostRows || (this.rows.length + 1) * columns > mostCells) {
      const most = Math.min(mostRows, Math.floor(mostCells / columns));
      throw say(
        `it has more than ${most.toLocaleString('en')} lines with ${columns} columns: at most ${mostRows.toLocaleString('en')} rows and ${mostCells.toLocaleString('en')} cells are allowed.`,
      );
    }
  }
}

/** Names for all columns, each once. */
function columnNames(given: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return given.map((text, i) => {
    const name = text.trim() || `column ${i + 1}`;
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return times > 1 ? `${name} (${times})` : name;
  });
}

const defined = <T>(value: T | undefined): value is T => value !== undefined;

/** Makes a table of rows whose first one may name the columns, as the engine's reader has it. */
function tableOf(name: string, { rows, lines }: Rows, separator: string): Table {
  const [first = []] = rows;
  const named = !first.map((cell) => numberIn(cell, separator)).some(defined);
  const columns = columnNames(named ? first : first.map(() => ''));
  const from = named ? 1 : 0;
  if (columns.length < 2) {
    throw new Error(
      `${name} has a single column: a table needs a target and at least one column to predict it from, separated by commas, semicolons or tabs.`,
    );
  }
  if (rows.length - from < tableLimits.least) {
    throw new Error(
      `${name} has ${rows.length - from} rows${named ? ' below the names of its columns' : ''}: at least ${tableLimits.least} are needed.`,
    );
  }
  return { name, columns, rows: rows.slice(from), lines: lines.slice(from), named, separator };
}

/** Parses text into rows, a piece at a time; separator: found in the text if empty. */
async function parseRows(name: string, text: string, separator: string) {
  const { default: papa } = await import('papaparse');
  const rows = new Rows(name);
  let found = separator;
  await new Promise<void>((resolve, reject) => {
    papa.parse<string[]>(text, {
      delimiter: separator,
      delimitersToGuess: [',', ';', '\t'],
      chunkSize: chunk,
      chunk(result: ParseResult<string[]>, parser: Parser) {
        try {
          found = result.meta.delimiter;
          /* That there is only one column is said below. */
          const errors = result.errors.filter(({ type }) => type !== 'Delimiter');
          rows.add({ ...result, errors });
        } catch (error) {
          /* First: an abort completes. */
          reject(error);
          parser.abort();
          return;
        }
        parser.pause();
        setTimeout(() => parser.resume());
      },
      complete: () => resolve(),
    });
  });
  return { rows, separator: found };
}

/** Decodes UTF-8. Throws a sentence if the bytes are something else. */
function decode(name: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Error(`${name} is not a text in UTF-8: save the table as CSV in UTF-8.`, { cause });
  }
}

/** Reads a table from the bytes of a file. Throws a sentence with line and column of what is wrong. */
export async function readTable(name: string, bytes: Uint8Array): Promise<Table> {
  const { rows, separator } = await parseRows(name, decode(name, bytes), '');
  return tableOf(name, rows, separator);
}

/**
 * Reads rows to predict: the cells of the wanted columns, in their order. A first line with the
 * names of all of them puts the columns in any order.
 */
export async function readRows(
  text: string,
  separator: string,
  wanted: readonly string[],
): Promise<{ rows: string[][]; lines: number[] }> {
  const name = 'The rows';
  /* Pasted from a spreadsheet, cells are separated by tabs. */
  const { rows: all } = await parseRows(name, text, text.includes('\t') ? '\t' : separator);
  const [first = []] = all.rows;
  const names = first.map((cell) => cell.trim());
  const places = wanted.map((column) => names.indexOf(column));
  if (places.every((place) => place >= 0)) {
    const pick = (cells: readonly string[]) => places.map((place) => cells[place] ?? '');
    return { rows: all.rows.slice(1).map(pick), lines: all.lines.slice(1) };
  }
  if (all.rows.length > 0 && first.length !== wanted.length) {
    throw new Error(
      `${name}: line ${all.lines[0]} has ${first.length} cells: ${wanted.length} are needed, for ${wanted.join(', ')}; or a first line with these names.`,
    );
  }
  return { rows: all.rows, lines: all.lines };
}
