/** Files given to the page: results, images to measure with, and data to train on. */
import { sentence } from './format.js';
import type { Images } from './images.js';
import { idxKind, unzip } from './mnist.js';
import { parseResults, resultSet } from './result_file.js';
import type { ResultSet } from './rows.js';
import { rowsOf, sharedHash } from './share.js';
import { smallFile } from './small_file.js';
import type { AppState } from './state.js';
import type { Store } from './store.js';

/** The schema is a tenth of the first view's scripts, which needs it only for what is not ours. */
const schema = async () => (await import('./row_schema.js')).validateRow;

/** The reference is built with the page, and held against the schema by the tests. */
const trusted = () => true;

/** The kinds of files that a task can learn from instead of its own data. */
export type TrainingFileKind = 'text' | 'table' | 'digits';

const nativeResults = './results/native.jsonl';
const referenceResults = './reference.jsonl.gz';

const bytesOf = async (file: File) => unzip(file.name, new Uint8Array(await file.arrayBuffer()));

/** Reads the results that are served with the page. */
export async function loadNative(store: Store<AppState>): Promise<void> {
  store.set({ native: { phase: 'loading' } });
  try {
    const answer = await fetch(nativeResults);
    const type = answer.headers.get('content-type') ?? '';
    /* Some hosts answer with their start page if a file is missing. */
    if (answer.status === 404 || type.includes('text/html')) {
      store.set({ native: { phase: 'absent' } });
      return;
    }
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    const rows = parseResults('native.jsonl', await answer.text(), await schema());
    store.set({ native: { phase: 'ready', set: resultSet('native.jsonl', rows) } });
  } catch (error) {
    store.set({
      native: {
        phase: 'failed',
        message: `The native results (${nativeResults}) could not be read: ${sentence(error)}`,
      },
    });
  }
}

/** Reads the results of another machine that come with the page. */
export async function loadReference(store: Store<AppState>): Promise<void> {
  try {
    const answer = await fetch(referenceResults);
    const type = answer.headers.get('content-type') ?? '';
    if (answer.status === 404 || type.includes('text/html')) {
      store.set({ reference: { phase: 'absent' } });
      return;
    }
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    const bytes = await unzip(referenceResults, new Uint8Array(await answer.arrayBuffer()));
    const text = new TextDecoder().decode(bytes);
    const set = resultSet('reference', parseResults('The file', text, trusted), 'reference');
    store.set({ reference: { phase: 'ready', set } });
  } catch (error) {
    const message = `The reference results (${referenceResults}) could not be read: ${sentence(error)}`;
    store.set({ reference: { phase: 'failed', message } });
  }
}

/** Reads the result in the address, if it has one. */
export async function loadShared(store: Store<AppState>, hash: string): Promise<void> {
  if (!hash.startsWith(sharedHash)) return;
  store.set({ shared: { phase: 'loading' } });
  try {
    const set = resultSet('shared link', await rowsOf(hash, await schema()), 'shared');
    store.set({ shared: { phase: 'ready', set } });
  } catch (error) {
    store.set({ shared: { phase: 'failed', message: sentence(error) } });
  }
}

async function addFile(store: Store<AppState>, images: Images, file: File): Promise<void> {
  const bytes = await bytesOf(file);
  const kind = idxKind(bytes);
  if (kind) {
    images.add(kind, file.name, bytes);
    return;
  }
  const rows = parseResults(file.name, new TextDecoder().decode(bytes), await schema());
  const set: ResultSet = resultSet(file.name, rows);
  const others = store.get().files.filter(({ name }) => name !== file.name);
  store.set({ files: [...others, set] });
}

/** Reads result files and IDX files. A file that cannot be read is reported; the rest are kept. */
export async function addFiles(
  store: Store<AppState>,
  images: Images,
  files: readonly File[],
): Promise<void> {
  store.set({ fileErrors: [] });
  for (const file of files) {
    try {
      await addFile(store, images, file);
    } catch (error) {
      store.set({ fileErrors: [...store.get().fileErrors, sentence(error)] });
    }
  }
}

async function giveDigits(images: Images, files: readonly File[]): Promise<void> {
  for (const file of files) {
    const bytes = await bytesOf(file);
    const kind = idxKind(bytes);
    if (!kind)
      throw new Error(`${file.name} is not an IDX file of digits: choose the MNIST files.`);
    images.add(kind, file.name, bytes);
  }
}

/** Reads files to train on: a text, a table, or the two files of digits. */
export async function giveTrainingFiles(
  store: Store<AppState>,
  images: Images,
  kind: TrainingFileKind,
  files: readonly File[],
): Promise<void> {
  store.set({ trainingFileError: undefined });
  try {
    const [file] = files;
    if (kind === 'digits') await giveDigits(images, files);
    else if (file) {
      const given = await smallFile(file);
      store.set({ trainingFiles: { ...store.get().trainingFiles, [kind]: given } });
    }
  } catch (error) {
    store.set({ trainingFileError: sentence(error) });
  }
}
