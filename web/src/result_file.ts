/** Result files: JSON lines, one row each, as `parallax bench --json` writes and reads them. */
import { settled, toMeasurement } from './measurement.js';
import type { Elsewhere, ResultSet, Row } from './rows.js';

/** The compiled schema: returns false with the errors on the function if the row is invalid. */
export interface RowValidator {
  (row: unknown): boolean;
  errors?: { instancePath: string; message?: string }[] | null;
}

function problem(validate: RowValidator): string {
  const [error] = validate.errors ?? [];
  if (!error) return 'it does not match the schema';
  return `${error.instancePath.slice(1).replaceAll('/', '.') || 'it'} ${error.message ?? 'is wrong'}`;
}

/** Parses the rows of a file. Throws a sentence that says which line is wrong, and how. */
export function parseResults(name: string, text: string, validate: RowValidator): Row[] {
  const lines = text.split('\n').map((line) => line.trim());
  const rows: Row[] = [];
  for (const [i, line] of lines.entries()) {
    if (line === '') continue;
    let parsed: Row;
    try {
      parsed = JSON.parse(line);
    } catch {
      throw new Error(
        `${name} is not a Parallax result file: line ${i + 1} is not JSON; choose a file that "parallax bench --json" wrote. Data to train on goes to “Train a model here”, for example with its button “Choose a CSV table”.`,
      );
    }
    const row = settled(parsed);
    if (!validate(row)) {
      throw new Error(
        `${name} is not a Parallax result file of this version: on line ${i + 1}, ${problem(validate)}.`,
      );
    }
    rows.push(row);
  }
  if (rows.length === 0) throw new Error(`${name} holds no results: it is empty.`);
  return rows;
}

/**
 * Rows with impossible figures marked void, and their measurements. origin: whose machine they are
 * of, if not this one.
 */
export function resultSet(name: string, rows: readonly Row[], origin?: Elsewhere): ResultSet {
  const counted = rows.map(settled);
  const measurements = counted.map((row) => ({
    ...toMeasurement(row),
    ...(origin ? { origin } : {}),
  }));
  return { name, rows: counted, measurements };
}

export function toJsonLines(rows: readonly Row[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

/** Flattens nested fields to names such as "engine.isa"; lists become JSON. */
function flatten(value: unknown, path: string, into: Map<string, string>): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [name, inner] of Object.entries(value)) {
      flatten(inner, path ? `${path}.${name}` : name, into);
    }
  } else into.set(path, typeof value === 'string' ? value : JSON.stringify(value));
}

/** Quotes a cell as RFC 4180 requires. */
function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Lines of cells as CSV. */
export const csvText = (lines: readonly (readonly string[])[]): string =>
  lines.map((line) => `${line.map(cell).join(',')}\r\n`).join('');

/** Writes all rows as CSV, with the columns that any of them has. */
export function toCsv(rows: readonly Row[]): string {
  const flat = rows.map((row) => {
    const cells = new Map<string, string>();
    flatten(row, '', cells);
    return cells;
  });
  const columns = [...new Set(flat.flatMap((cells) => [...cells.keys()]))];
  return csvText([columns, ...flat.map((cells) => columns.map((name) => cells.get(name) ?? ''))]);
}
