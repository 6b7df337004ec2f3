/** User actions. Views call them, and nothing else changes the state. */
import { BenchRun } from './bench_run.js';
import { sentence } from './format.js';
import { addFiles, giveTrainingFiles, loadNative, type TrainingFileKind } from './given_files.js';
import { Images } from './images.js';
import { isolate } from './isolation.js';
import { type ProfileChoice, ProfileRun } from './profile_run.js';
import type { Runtime } from './runtime.js';
import type { AppState } from './state.js';
import type { Store } from './store.js';
import { PageTrainer, type Trainer } from './training.js';
import { type RunOptions, writeRun } from './url_state.js';

export interface Actions {
  choose(change: Partial<Omit<RunOptions, 'suites'>>): void;
  /** Undefined stands for all. */
  chooseSuites(names: readonly string[] | undefined): void;
  run(): Promise<void>;
  cancel(): void;
  /** Starts the engine again after it failed. */
  restart(): Promise<void>;
  /** Installs a service worker that adds the isolation headers. */
  isolate(): Promise<void>;
  loadNative(): Promise<void>;
  /** Looks for MNIST images on this host. */
  loadImages(): Promise<void>;
  /** Reads result files and IDX files. */
  addFiles(files: readonly File[]): Promise<void>;
  removeFile(name: string): void;
  /** Reads files to train on: a text, a table, or the two files of digits. */
  giveTrainingFiles(kind: TrainingFileKind, files: readonly File[]): Promise<void>;
  /** Removes a file, so that the task learns from its own data again. */
  removeTrainingFile(kind: Exclude<TrainingFileKind, 'digits'>): void;
  /** Measures where the time of a model goes. */
  profile(choice: ProfileChoice): Promise<void>;
  cancelProfile(): void;
  readonly trainer: Trainer;
}

/** Stores options, in the address too, so that a link repeats the run. */
function setOptions(store: Store<AppState>, options: RunOptions): void {
  store.set({ options });
  history.replaceState(null, '', `${location.pathname}${writeRun(options)}${location.hash}`);
}

export function createActions(store: Store<AppState>, runtime: Runtime): Actions {
  const images = new Images(store);
  const bench = new BenchRun(store, runtime, images);
  const trainer = new PageTrainer(store, runtime, () => images.digits);
  const profile = new ProfileRun(store, runtime);
  return {
    trainer,
    profile: (choice) => profile.start(choice),
    cancelProfile: () => profile.cancel(),
    choose(change) {
      const before = store.get().options;
      setOptions(store, { ...before, ...change });
      const { tier, threads } = store.get().options;
      if (tier !== before.tier || threads !== before.threads) {
        trainer.stop();
        void runtime.restart();
      }
    },
    chooseSuites(names) {
      const { suites: _, ...others } = store.get().options;
      setOptions(store, names ? { ...others, suites: names } : others);
    },
    async run() {
      if (store.get().run.phase === 'running') return;
      trainer.stop();
      profile.cancel();
      await bench.start();
    },
    cancel: () => bench.cancel(),
    restart: () => runtime.restart(),
    async isolate() {
      try {
        await isolate();
      } catch (error) {
        store.set({ fileErrors: [sentence(error)] });
      }
    },
    loadNative: () => loadNative(store),
    loadImages: () => images.look(),
    addFiles: (files) => addFiles(store, images, files),
    removeFile(name) {
      store.set({ files: store.get().files.filter((set) => set.name !== name) });
    },
    giveTrainingFiles: (kind, files) => giveTrainingFiles(store, images, kind, files),
    removeTrainingFile(kind) {
      const { [kind]: _, ...others } = store.get().trainingFiles;
      store.set({ trainingFiles: others });
    },
  };
}
