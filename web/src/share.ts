/** A result in the address, behind "#": no server is needed to pass it on. */
import { largest } from './accuracy_figures.js';
import { machineSuite } from './machine_movement.js';
import { pack, unpack } from './packing.js';
import { parseResults, type RowValidator, toJsonLines } from './result_file.js';
import type { Row } from './rows.js';

/** What the part of an address begins with that holds a result. */
export const sharedHash = '#result=';

/** The most that a link may unpack to: far more than any link of this page holds. */
const mostBytes = 16e6;

/** Enough digits for every figure that the page shows. */
const digits = 5;

/** The samples of a row that the page reads. */
const kept = ['count', 'median', 'p10', 'p90', 'low', 'high', 'rounds'];

const rounded = (value: unknown): unknown => {
  if (typeof value === 'number') return Number(value.toPrecision(digits));
  return Array.isArray(value) ? value.map(rounded) : value;
};

/** The fields of a row that only a file has room for. */
const leftOut = [
  'run',
  'calls',
  'memory',
  'ceiling',
  'roofline',
  'curve',
  'worst',
  'histogram',
  'scatter',
];

/** A row for a link: its figure, its rounds, and where it comes from. */
function slim(row: Row): Row {
  const samples = Object.entries(row.samples as object).filter(([name]) => kept.includes(name));
  return {
    ...Object.fromEntries(Object.entries(row).filter(([name]) => !leftOut.includes(name))),
    samples: Object.fromEntries(samples.map(([name, value]) => [name, rounded(value)])),
  };
}

/** Whether a row is needed for the answer and for the lines of the suites. */
const counts = ({ primary, suite, metric, checks, parameters, bound }: Row) =>
  primary === true ||
  bound !== undefined ||
  suite === machineSuite ||
  metric === largest ||
  (parameters as { mode?: string }).mode === 'sequential' ||
  (checks as { lossBits?: string }).lossBits !== undefined;

/** Base 64 with letters that an address may hold. */
function toText(bytes: Uint8Array): string {
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function fromText(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}

/** The part of the address that holds these rows. */
export async function hashOf(rows: readonly Row[]): Promise<string> {
  return `${sharedHash}${toText(await pack(toJsonLines(rows.filter(counts).map(slim))))}`;
}

/** The rows in a part of an address. Throws a sentence if they cannot be read. */
export async function rowsOf(hash: string, validate: RowValidator): Promise<Row[]> {
  let text: string;
  try {
    text = await unpack(fromText(hash.slice(sharedHash.length)), mostBytes);
  } catch (cause) {
    throw new Error('The result in this link cannot be read: the link is damaged or cut off.', {
      cause,
    });
  }
  return parseResults('The link', text, validate);
}
