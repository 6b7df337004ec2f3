/** What the user can do. Views call these; they alone change the state. */
import { sentence } from './format.js';
import { isolate } from './isolation.js';
import { voidRow } from './measurement.js';
import {
  digitsOf,
  fetchIdx,
  type IdxFile,
  type IdxKind,
  idxCount,
  idxKind,
  idxName,
  mnistFiles,
  unzip,
} from './mnist.js';
import { parseResults, resultSet } from './result_file.js';
import { validateRow } from './row_schema.js';
import type { ResultSet, Row } from './rows.js';
import { type Runtime, wasCancelled } from './runtime.js';
import { type AppState, chosenSuites } from './state.js';
import type { Store } from './store.js';
import { createTrainer, type Trainer } from './training.js';
import { engineSize, type RunOptions, writeRun } from './url_state.js';

export interface Actions {
  choose(change: Partial<Omit<RunOptions, 'suites'>>): void;
  /** Undefined: all. */
  chooseSuites(names: readonly string[] | undefined): void;
  run(): Promise<void>;
  cancel(): void;
  /** Starts the engine again after it failed. */
  restart(): Promise<void>;
  /** Asks for headers by a service worker. */
  isolate(): Promise<void>;
  loadNative(): Promise<void>;
  /** Looks for MNIST images on this host. */
  loadImages(): Promise<void>;
  /** Reads result files and IDX files. */
  addFiles(files: readonly File[]): Promise<void>;
  removeFile(name: string): void;
  /** Reads files to train on: a text, a table, or the two files of digits. */
  giveTrainingFiles(kind: 'text' | 'table' | 'digits', files: readonly File[]): Promise<void>;
  /** The task learns from its own data again. */
  removeTrainingFile(kind: 'text' | 'table'): void;
  readonly trainer: Trainer;
}

export const nativeResults = './results/native.jsonl';

export function createActions(store: Store<AppState>, runtime: Runtime): Actions {
  let abort: AbortController | undefined;
  let images: Promise<void> | undefined;
  const idx: Partial<Record<IdxKind, IdxFile>> = {};
  const trainer = createTrainer(store, runtime, () => digitsOf(idx));

  function setOptions(options: RunOptions): void {
    store.set({ options });
    history.replaceState(null, '', `${location.pathname}${writeRun(options)}${location.hash}`);
  }

  function choose(change: Partial<RunOptions>): void {
    const before = store.get().options;
    setOptions({ ...before, ...change });
    const { tier, threads } = store.get().options;
    if (tier !== before.tier || threads !== before.threads) {
      trainer.stop();
      void runtime.restart();
    }
  }

  /** Watches whether the page is hidden until told to stop. */
  function watchHidden(): () => void {
    const look = () => {
      if (document.visibilityState === 'hidden') store.set({ hidden: true });
    };
    look();
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }

  async function measure(signal: AbortSignal): Promise<void> {
    const rows: Row[] = [];
    const plx = await runtime.engine();
    const suites = chosenSuites(store.get());
    const { size, seed } = store.get().options;
    await images;
    const mnist = digitsOf(idx);
    await plx.bench({
      ...(suites ? { suites } : {}),
      ...(mnist ? { data: { mnist } } : {}),
      size: engineSize[size],
      seed,
      signal,
      onRow: (row) => {
        rows.push(store.get().hidden ? voidRow(row, 'the page was hidden') : row);
        store.set({ browser: resultSet('this browser', rows.slice()) });
      },
      onProgress: (progress) => {
        store.set({ run: { phase: 'running', progress } });
        const { failure } = progress;
        if (failure) store.set({ dropped: [...store.get().dropped, failure] });
      },
    });
  }

  async function run(): Promise<void> {
    if (store.get().run.phase === 'running') return;
    trainer.stop();
    const controller = new AbortController();
    abort = controller;
    const began = performance.now();
    store.set({ run: { phase: 'running' }, dropped: [], hidden: false, browser: undefined });
    const unwatch = watchHidden();
    try {
      await measure(controller.signal);
      store.set({ run: { phase: 'done', milliseconds: performance.now() - began } });
    } catch (error) {
      if (wasCancelled(error)) {
        store.set({ run: { phase: 'cancelled', milliseconds: performance.now() - began } });
      } else {
        store.set({ run: { phase: 'failed', message: await runtime.report(error) } });
      }
    } finally {
      unwatch();
      abort = undefined;
    }
  }

  async function loadNative(): Promise<void> {
    store.set({ native: { phase: 'loading' } });
    try {
      const answer = await fetch(nativeResults);
      const type = answer.headers.get('content-type') ?? '';
      /* A host may answer a missing file with its start page. */
      if (answer.status === 404 || type.includes('text/html')) {
        store.set({ native: { phase: 'absent' } });
        return;
      }
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      const rows = parseResults('native.jsonl', await answer.text(), validateRow);
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

  async function lookForImages(): Promise<void> {
    try {
      const [images, labels] = await Promise.all([
        fetchIdx(mnistFiles.images, 'images'),
        fetchIdx(mnistFiles.labels, 'labels'),
      ]);
      /* Files that were dropped in meanwhile come first. */
      if (store.get().mnist.phase !== 'looking') return;
      if (images && labels) {
        addIdx('images', mnistFiles.images, images);
        addIdx('labels', mnistFiles.labels, labels);
        return;
      }
    } catch {
      /* No images is the common case, and shown as such. */
    }
    if (store.get().mnist.phase === 'looking') store.set({ mnist: { phase: 'synthetic' } });
  }

  function addIdx(kind: IdxKind, path: string, bytes: Uint8Array<ArrayBuffer>): void {
    const name = idxName(path);
    idx[kind] = { name, bytes };
    const { images, labels } = idx;
    const mnist = digitsOf(idx);
    if (mnist) {
      store.set({
        mnist: { phase: 'real', source: mnist.source, images: idxCount(mnist.images) },
      });
    } else {
      const message =
        images && labels
          ? `${idxCount(images.bytes)} images do not go with ${idxCount(labels.bytes)} labels: drop in the file that belongs to ${name}.`
          : `${name} has ${kind}; drop in the file of ${images ? 'labels' : 'images'} too.`;
      store.set({ mnist: { phase: 'synthetic', message } });
    }
  }

  async function addFile(file: File): Promise<void> {
    const bytes = await unzip(new Uint8Array(await file.arrayBuffer()));
    const kind = idxKind(bytes);
    if (kind) {
      addIdx(kind, file.name, bytes);
      return;
    }
    const rows = parseResults(file.name, new TextDecoder().decode(bytes), validateRow);
    const set: ResultSet = resultSet(file.name, rows);
    const others = store.get().files.filter(({ name }) => name !== file.name);
    store.set({ files: [...others, set] });
  }

  async function giveDigits(files: readonly File[]): Promise<void> {
    for (const file of files) {
      const bytes = await unzip(new Uint8Array(await file.arrayBuffer()));
      const kind = idxKind(bytes);
      if (!kind) throw new Error(`${file.name} holds no digits: choose the IDX files of MNIST.`);
      addIdx(kind, file.name, bytes);
    }
  }

  return {
    trainer,
    async giveTrainingFiles(kind, files) {
      store.set({ trainingFileError: undefined });
      try {
        const [file] = files;
        if (kind === 'digits') await giveDigits(files);
        else if (file) {
          const bytes = await unzip(new Uint8Array(await file.arrayBuffer()));
          const given = { name: file.name, bytes };
          store.set({ trainingFiles: { ...store.get().trainingFiles, [kind]: given } });
        }
      } catch (error) {
        store.set({ trainingFileError: sentence(error) });
      }
    },
    removeTrainingFile(kind) {
      const { [kind]: _, ...others } = store.get().trainingFiles;
      store.set({ trainingFiles: others });
    },
    choose,
    chooseSuites(names) {
      const { suites: _, ...others } = store.get().options;
      setOptions(names ? { ...others, suites: names } : others);
    },
    run,
    cancel: () => abort?.abort(),
    restart: () => runtime.restart(),
    async isolate() {
      try {
        await isolate();
      } catch (error) {
        store.set({ fileErrors: [sentence(error)] });
      }
    },
    loadNative,
    loadImages() {
      images ??= lookForImages();
      return images;
    },
    async addFiles(files) {
      store.set({ fileErrors: [] });
      for (const file of files) {
        try {
          await addFile(file);
        } catch (error) {
          store.set({ fileErrors: [...store.get().fileErrors, sentence(error)] });
        }
      }
    },
    removeFile(name) {
      store.set({ files: store.get().files.filter((set) => set.name !== name) });
    },
  };
}
