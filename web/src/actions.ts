/** User actions. Views call them, and nothing else changes the state. */
import digits from 'virtual:site-digits';
import { BenchRun } from './bench_run.js';
import { type ComparisonActions, createComparisons } from './comparisons.js';
import {
  addFiles,
  giveTrainingFiles,
  loadNative,
  loadReference,
  loadShared,
  type TrainingFileKind,
} from './given_files.js';
import { Images } from './images.js';
import { createLearners, type LearningActions } from './learners.js';
import { workAtStake } from './leave_guard.js';
import { type Preset, withPreset } from './presets.js';
import { type ProfileChoice, ProfileRun } from './profile_run.js';
import { addressOf } from './router.js';
import type { Runtime } from './runtime.js';
import type { SiteWorker } from './service_worker_client.js';
import type { AppState } from './state.js';
import type { Store } from './store.js';
import type { FormName, RunOptions } from './url_state.js';

export interface Actions extends LearningActions, ComparisonActions {
  choose(change: Partial<Omit<RunOptions, 'suites'>>): void;
  /** Undefined stands for those of a minute. */
  chooseSuites(names: RunOptions['suites']): void;
  /** Keeps a setting of another form in the address; an empty one stands for the default. */
  setForm(name: FormName, value: string): void;
  /** Replaces the settings of training by those of a preset. */
  choosePreset(preset: Preset): void;
  run(): Promise<void>;
  cancel(): void;
  /** Starts the engine again after it failed. */
  restart(): Promise<void>;
  /** Loads the page again: its newest version, with threads. Asks if work would be lost. */
  reloadSite(): void;
  /** Notes that a result was downloaded: the rows of a run, or the description of a training run. */
  saved(result: object): void;
  loadNative(): Promise<void>;
  /** Reads the results of another machine that come with the page. */
  loadReference(): Promise<void>;
  /** Reads the results in the address. */
  loadShared(): Promise<void>;
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
}

/** Stores options, in the address too, so that a link repeats the run. */
function setOptions(store: Store<AppState>, options: RunOptions): void {
  store.set({ options });
  history.replaceState(null, '', addressOf(store.get()));
}

export function createActions(store: Store<AppState>, runtime: Runtime, site: SiteWorker): Actions {
  const images = new Images(store, digits);
  const bench = new BenchRun(store, runtime, images);
  const profile = new ProfileRun(store, runtime);
  const setForm: Actions['setForm'] = (name, value) => {
    const { [name]: _, ...others } = store.get().form;
    store.set({ form: value ? { ...others, [name]: value } : others });
    history.replaceState(null, '', addressOf(store.get()));
  };
  const { stopAll, ...learners } = createLearners(store, runtime, images);
  const { actions: comparisons, around } = createComparisons(store, runtime, (ids) =>
    setForm('with', ids),
  );
  return {
    ...learners,
    ...comparisons,
    profile: (choice) => profile.start(choice),
    cancelProfile: () => profile.cancel(),
    choose(change) {
      const before = store.get().options;
      setOptions(store, { ...before, ...change });
      const { tier, threads } = store.get().options;
      if (tier !== before.tier || threads !== before.threads) {
        stopAll();
        comparisons.cancelPeers();
        void runtime.restart();
      }
    },
    chooseSuites(names) {
      const { suites: _, ...others } = store.get().options;
      setOptions(store, names ? { ...others, suites: names } : others);
    },
    setForm,
    choosePreset(preset) {
      store.set({ form: withPreset(store.get().form, preset) });
      history.replaceState(null, '', addressOf(store.get()));
    },
    async run() {
      if (store.get().run.phase === 'running') return;
      stopAll();
      profile.cancel();
      comparisons.cancelPeers();
      comparisons.cancelTest();
      around.begin();
      await bench.start();
      await around.keep();
    },
    cancel: () => bench.cancel(),
    restart: () => runtime.restart(),
    reloadSite() {
      const stake = workAtStake(store.get());
      if (stake && !confirm(`${stake} Reload the page all the same?`)) return;
      store.set({ leaving: true });
      /* After the watchers have seen that. */
      queueMicrotask(() => site.reload());
    },
    saved: (result) => store.set({ saved: [...store.get().saved, result] }),
    loadNative: () => loadNative(store),
    loadReference: () => loadReference(store),
    loadShared: () => loadShared(store, location.hash),
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
