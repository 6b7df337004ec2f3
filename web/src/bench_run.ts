/** Benchmark runs on this page, one at a time. */
import type { BenchParallax } from 'parallax-nn/bench';
import type { Images } from './images.js';
import { voidRow } from './measurement.js';
import { digitSuites } from './mnist.js';
import { resultSet } from './result_file.js';
import type { Row } from './rows.js';
import { type Runtime, wasCancelled } from './runtime.js';
import { type AppState, chosenSuites } from './state.js';
import type { Store } from './store.js';
import { engineSize } from './url_state.js';
import { lostThreads, watchPage } from './watch_page.js';

/** Least milliseconds between two updates while rows arrive: each is over all rows so far. */
const publishEvery = 200;

/** The rows of a run, shown as they arrive. */
class ArrivingRows {
  readonly #rows: Row[] = [];
  #published = 0;

  constructor(readonly store: Store<AppState>) {}

  add(row: Row): void {
    this.#rows.push(row);
    if (performance.now() - this.#published >= publishEvery) this.publish();
  }

  publish(): void {
    if (this.#rows.length === 0) return;
    this.store.set({ browser: resultSet('this browser', this.#rows.slice()) });
    this.#published = performance.now();
  }

  get all(): readonly Row[] {
    return this.#rows;
  }

  /** Makes all rows void. */
  void(reason: string): void {
    for (const [i, row] of this.#rows.entries()) this.#rows[i] = voidRow(row, reason);
    this.publish();
  }
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
    const { store } = this;
    const controller = new AbortController();
    this.#abort = controller;
    const began = performance.now();
    const took = () => performance.now() - began;
    const { estimate } = store.get();
    const estimated = estimate.phase === 'known' ? { estimated: estimate.milliseconds } : {};
    const rows = new ArrivingRows(store);
    store.set({ run: { phase: 'running' }, dropped: [], voided: undefined, browser: undefined });
    /* The first reason is enough. */
    const unwatch = watchPage((why) => store.set({ voided: store.get().voided ?? why }));
    try {
      await this.#measure(controller.signal, rows, unwatch);
      rows.publish();
      store.set({ run: { phase: 'done', milliseconds: took(), ...estimated } });
    } catch (error) {
      rows.publish();
      if (wasCancelled(error)) store.set({ run: { phase: 'cancelled', milliseconds: took() } });
      else await this.#fail(error, rows);
    } finally {
      unwatch();
      this.#abort = undefined;
    }
  }

  cancel(): void {
    this.#abort?.abort();
  }

  async #fail(error: unknown, rows: ArrivingRows): Promise<void> {
    const message = await this.runtime.report(error);
    if (this.store.get().engine.phase === 'lost') rows.void('the engine was lost during the run');
    this.store.set({ run: { phase: 'failed', message } });
  }

  async #measure(signal: AbortSignal, rows: ArrivingRows, measured: () => void): Promise<void> {
    const { store, images } = this;
    const plx = await this.runtime.engine();
    const suites = chosenSuites(store.get());
    const { size, rounds, seed } = store.get().options;
    const needed = suites?.some((name) => digitSuites.includes(name)) ?? true;
    const mnist = needed ? await images.load() : undefined;
    const threads = await threadsOf(plx);
    await plx.bench({
      ...(suites ? { suites } : {}),
      ...(mnist ? { data: { mnist } } : {}),
      size: engineSize[size],
      rounds,
      seed,
      signal,
      onRow: (row) => {
        /* Rows come after the last round: nothing is timed any more. */
        measured();
        const why = store.get().voided;
        rows.add(why === undefined ? row : voidRow(row, why));
      },
      onProgress: (progress) => {
        store.set({ run: { phase: 'running', progress } });
        const { failure } = progress;
        if (failure) store.set({ dropped: [...store.get().dropped, failure] });
      },
    });
    const lost = lostThreads(rows.all, threads);
    if (lost !== undefined) {
      store.set({ voided: store.get().voided ?? lost });
      rows.void(lost);
    }
  }
}

/** Threads of the engine, once all that will join have joined. */
const threadsOf = async (plx: BenchParallax): Promise<number> => (await plx.ready()).threads;
