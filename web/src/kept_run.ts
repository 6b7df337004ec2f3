/** An earlier run as this browser keeps it: what the list shows, without its rows. */

import type { Row } from './rows.js';
import type { RunSize } from './url_state.js';
import { runSizes } from './url_state.js';

export interface KeptRun {
  /** When it ended, to the millisecond in UTC: its name in the store, in the order of time. */
  id: string;
  suites: readonly string[];
  size: RunSize;
  /** "Chromium 156". */
  runtime: string;
  tier: string;
  threads: number;
  commit: string;
  rows: number;
  /** Of the compressed rows. */
  bytes: number;
  /** Why all of it is void. */
  voided?: string;
}

/** The most that is kept; the oldest runs leave first. */
export const mostRuns = 30;
export const mostKeptBytes = 8e6;

/** The longest text of an entry, as in the schema of rows. */
const longest = 400;
const mostSuites = 64;

/** The fields of a row that the list shows. */
interface Told {
  suite: string;
  engine: { tier?: string; runtime?: string; threads?: number };
  commit?: string;
  checks: { passed: boolean; failure?: string };
}

/** Describes a run by its rows, of which there is at least one. */
export function describeRun(
  rows: readonly Row[],
  size: RunSize,
  ended: Date,
  bytes: number,
): KeptRun {
  const told = rows as unknown as readonly Told[];
  const [first] = told;
  const failures = new Set(told.map(({ checks }) => (checks.passed ? '' : checks.failure)));
  const [failure] = failures;
  return {
    id: ended.toISOString(),
    suites: [...new Set(told.map(({ suite }) => suite))],
    size,
    runtime: first?.engine.runtime ?? 'this browser',
    tier: first?.engine.tier ?? '',
    threads: Math.max(1, ...told.map(({ engine }) => engine.threads ?? 1)),
    commit: first?.commit ?? '',
    rows: rows.length,
    bytes,
    ...(failures.size === 1 && failure ? { voided: failure } : {}),
  };
}

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= longest;
const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) > 0;
const isTime = (value: unknown): value is string =>
  isText(value) && !Number.isNaN(Date.parse(value)) && new Date(value).toISOString() === value;

/** An entry of the store, which any page of this origin may have written; undefined if it is wrong. */
export function readKept(value: unknown): KeptRun | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { id, suites, size, runtime, tier, threads, commit, rows, bytes, voided } =
    value as Partial<Record<keyof KeptRun, unknown>>;
  const known = runSizes.find((each) => each === size);
  if (!isTime(id) || !known || !isText(runtime) || !isText(tier) || !isText(commit))
    return undefined;
  if (!isCount(threads) || !isCount(rows) || !isCount(bytes)) return undefined;
  if (!Array.isArray(suites) || suites.length > mostSuites || !suites.every(isText))
    return undefined;
  return {
    ...{ id, suites, size: known, runtime, tier, threads, commit, rows, bytes },
    ...(isText(voided) ? { voided } : {}),
  };
}

/** The runs that must leave, the oldest first, so that one of this many bytes has room. */
export function leaving(runs: readonly KeptRun[], bytes: number): KeptRun[] {
  const oldest = runs.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  let total = bytes + runs.reduce((sum, run) => sum + run.bytes, 0);
  let number = runs.length + 1;
  const gone: KeptRun[] = [];
  for (const run of oldest) {
    if (number <= mostRuns && total <= mostKeptBytes) break;
    gone.push(run);
    total -= run.bytes;
    number -= 1;
  }
  return gone;
}

const two = (value: number) => String(value).padStart(2, '0');

/** Its date and time where the reader is: "2026-11-30 13:20:05". */
export function timeOf({ id }: Pick<KeptRun, 'id'>): string {
  const at = new Date(id);
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-');
  return `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')}`;
}

/** The name of its results in charts and tables. */
export const nameOfRun = (run: Pick<KeptRun, 'id'>): string => `run of ${timeOf(run)}`;
