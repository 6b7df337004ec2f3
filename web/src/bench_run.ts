/** Benchmark runs on this page, one at a time. */
import type { Images } from './images.js';
import { voidRow } from './measurement.js';
import { resultSet } from './result_file.js';
import type { Row } from './rows.js';
import { type Runtime, wasCancelled } from './runtime.js';
import { type AppState, chosenSuites } from './state.js';
import type { Store } from './store.js';
import { engineSize } from './url_state.js';

/** Records whether the page is ever hidden; returns a function that ends the watch. */
function watchHidden(store: Store<AppState>): () => void {
  const look = () => {
    if (document.visibilityState === 'hidden') store.set({ hidden: true });
  };
  look();
  document.addEventListener('visibilitychange', look);
  return () => document.removeEventListener('visibilitychange', look);
}

/** Runs the chosen suites, and shows rows as they arrive. */
export class BenchRun {
  #abort: AbortController | undefined;

  constructor(
    readonly store: Store<AppState>,
    readonly runtime: Runtime,
    readonly images: Images,
  ) {}

  async start(): Promise<void> {
    const { store, runtime } = this;
    const controller = new AbortController();
    this.#abort = controller;
    const began = performance.now();
    store.set({ run: { phase: 'running' }, dropped: [], hidden: false, browser: undefined });
    const unwatch = watchHidden(store);
    try {
      await this.#measure(controller.signal);
      store.set({ run: { phase: 'done', milliseconds: performance.now() - began } });
    } catch (error) {
      if (wasCancelled(error)) {
        store.set({ run: { phase: 'cancelled', milliseconds: performance.now() - began } });
      } else {
        store.set({ run: { phase: 'failed', message: await runtime.report(error) } });
      }
    } finally {
      unwatch();
      this.#abort = undefined;
    }
  }

  cancel(): void {
    this.#abort?.abort();
  }

  async #measure(signal: AbortSignal): Promise<void> {
    const { store, images } = this;
    const rows: Row[] = [];
    const plx = await this.runtime.engine();
    const suites = chosenSuites(store.get());
    const { size, seed } = store.get().options;
    await images.settled;
    const mnist = images.digits;
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
}
