/** The store of earlier runs, in this browser's IndexedDB. Loaded when it is first needed. */
import { type DBSchema, type IDBPTransaction, openDB } from 'idb';
import { sentence } from './format.js';
import { type KeptRun, leaving, mostKeptBytes, readKept } from './kept_run.js';
import { unpack } from './packing.js';
import { parseResults } from './result_file.js';
import { validateRow } from './row_schema.js';
import type { Row } from './rows.js';

/* What the values are is checked when they are read: another version may have written them. */
interface Schema extends DBSchema {
  runs: { key: string; value: unknown };
  rows: { key: string; value: unknown };
}
const stores = ['runs', 'rows'] as const;
type Open<M extends IDBTransactionMode> = IDBPTransaction<Schema, ['runs', 'rows'], M>;

/** The most that the rows of a run may unpack to. */
const mostUnpacked = 64e6;

function undo(transaction: Open<IDBTransactionMode>): void {
  try {
    transaction.abort();
  } catch {
    /* It has ended with its failure already. */
  }
}

/**
 * Runs body in one transaction, of which nothing remains if it fails. The connection is not kept, so
 * that no other page waits for it.
 */
async function within<T, M extends IDBTransactionMode>(
  mode: M,
  body: (transaction: Open<M>) => Promise<T>,
): Promise<T> {
  const database = await openDB<Schema>('parallax', 1, {
    upgrade(made) {
      for (const name of stores) made.createObjectStore(name);
    },
  });
  try {
    const transaction = database.transaction([...stores], mode) as unknown as Open<M>;
    /* Its failure is that of the body, if there is one. */
    transaction.done.catch(() => undefined);
    try {
      const value = await body(transaction);
      await transaction.done;
      return value;
    } catch (error) {
      undo(transaction);
      throw error;
    }
  } finally {
    database.close();
  }
}

/** What went wrong with the store, as a sentence. */
export function storeProblem(error: unknown): string {
  const name = error instanceof Error || error instanceof DOMException ? error.name : '';
  if (typeof indexedDB === 'undefined') return 'this browser has no storage for pages (IndexedDB)';
  if (name === 'QuotaExceededError') return 'the storage of this browser is full';
  if (['SecurityError', 'InvalidStateError', 'UnknownError'].includes(name))
    return `this browser does not let this page store anything (${sentence(error)})`;
  if (name === 'VersionError') return 'a newer version of this page has changed the storage';
  return sentence(error);
}

/** What is in the store, the newest first. */
export interface Kept {
  runs: KeptRun[];
  /** Entries that this version cannot read. */
  unreadable: number;
}

function sorted(values: readonly unknown[]): Kept {
  const runs = values.flatMap((value) => readKept(value) ?? []);
  return {
    runs: runs.sort((a, b) => (a.id < b.id ? 1 : -1)),
    unreadable: values.length - runs.length,
  };
}

export const listRuns = (): Promise<Kept> =>
  within('readonly', async (transaction) => sorted(await transaction.objectStore('runs').getAll()));

async function forget(transaction: Open<'readwrite'>, id: string): Promise<void> {
  for (const name of stores) await transaction.objectStore(name).delete(id);
}

const isFull = (error: unknown) =>
  error instanceof DOMException && error.name === 'QuotaExceededError';

/**
 * Adds a run with its compressed rows; the oldest leave where there is no room. Returns those that
 * left.
 */
export async function addRun(run: KeptRun, bytes: Uint8Array<ArrayBuffer>): Promise<KeptRun[]> {
  if (bytes.length > mostKeptBytes) {
    throw new Error(
      `its compressed rows have ${bytes.length} bytes, and all runs together at most ${mostKeptBytes}`,
    );
  }
  const gone: KeptRun[] = [];
  for (;;) {
    const { runs } = await listRuns();
    /* A browser may have less room than this page would take. */
    const [oldest] = runs.toReversed();
    const more = leaving(runs, bytes.length);
    try {
      await within('readwrite', async (transaction) => {
        for (const { id } of more) await forget(transaction, id);
        await transaction.objectStore('runs').put(run, run.id);
        await transaction.objectStore('rows').put(bytes, run.id);
      });
      return [...gone, ...more];
    } catch (error) {
      if (!isFull(error) || !oldest) throw error;
      await removeRun(oldest.id);
      gone.push(oldest);
    }
  }
}

/** The rows of a run, checked like those of a file. */
export async function rowsOfRun(run: KeptRun, name: string): Promise<Row[]> {
  const bytes = await within('readonly', (transaction) =>
    transaction.objectStore('rows').get(run.id),
  );
  if (!(bytes instanceof Uint8Array)) throw new Error(`The rows of the ${name} are missing.`);
  let text: string;
  try {
    text = await unpack(bytes as Uint8Array<ArrayBuffer>, mostUnpacked);
  } catch (cause) {
    throw new Error(`The rows of the ${name} cannot be read: they are damaged.`, { cause });
  }
  return parseResults(`The ${name}`, text, validateRow);
}

export const removeRun = (id: string): Promise<void> =>
  within('readwrite', (transaction) => forget(transaction, id));

export const removeAllRuns = (): Promise<void> =>
  within('readwrite', async (transaction) => {
    for (const name of stores) await transaction.objectStore(name).clear();
  });
