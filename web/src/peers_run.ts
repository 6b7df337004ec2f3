/** Measures the page's engine beside other libraries, one measurement at a time. */
import type { BenchParallax } from 'parallax-nn/bench';
import {
  lengths,
  type MeasuredEntry,
  type MeasureProgress,
  type MeasureSide,
  makeData,
  measureGroup,
  type PeerCase,
  separateEngines,
  toRows,
} from '../../bench/peers/for_page.mjs';
import { sentence } from './format.js';
import { voidRow } from './measurement.js';
import { type Origin, ourSlot, peerSlot } from './peers_engines.js';
import {
  casesOf,
  outcomeOf,
  type PeersChoice,
  type PeersResult,
  peersOf,
  titleOf,
} from './peers_result.js';
import { type Runtime, wasCancelled } from './runtime.js';
import type { AppState, PeersState } from './state.js';
import type { Store } from './store.js';
import { watchPage } from './watch_page.js';

/** What a row of the engine says about this machine. */
async function originOf(plx: BenchParallax): Promise<Origin> {
  const cases = ['256 x 256 x 256'];
  const [row] = await plx.bench({ suites: ['gemm'], cases, seconds: 0.01, rounds: 1 });
  if (!row) throw new Error('The engine gave no row to tell this machine from.');
  const { machine, commit, compiler, engine } = row as unknown as Omit<Origin, 'runtime'> & {
    engine: { runtime: string };
  };
  return { machine, commit, compiler, runtime: engine.runtime };
}

/** The cases of one measurement, as they are done: measureGroup calls it. */
class Arriving {
  #done = 0;
  #began = 0;
  #case = '';
  /** Why the case in progress is void. */
  #voided: string | undefined;
  #unwatch: (() => void) | undefined;

  constructor(
    readonly store: Store<AppState>,
    readonly result: () => PeersResult,
    readonly publish: (change: Partial<PeersResult>) => void,
    readonly origin: Origin,
    readonly plx: BenchParallax,
  ) {}

  begin(item: PeerCase): void {
    if (this.#began === 0) this.#began = performance.now();
    this.#case = titleOf(item);
    this.#voided = undefined;
  }

  /** Times are taken from the first round on. */
  tell({ round, fraction }: MeasureProgress): void {
    if (round > 0)
      this.#unwatch ??= watchPage((why) => {
        this.#voided ??= why;
      });
    const share = (this.#done + fraction) / this.result().choice.cases.length;
    const spent = performance.now() - this.#began;
    const { rounds } = lengths[this.result().choice.length];
    const what = round > 0 ? `round ${round} of ${rounds}` : 'comparing outputs';
    this.store.set({
      peers: {
        phase: 'running',
        progress: {
          what: `${this.#case}: ${what}`,
          fraction: share,
          ...(share > 0.02 ? { millisecondsLeft: (spent * (1 - share)) / share } : {}),
        },
      },
    });
  }

  add(item: PeerCase, { threads }: MeasureSide, entries: readonly MeasuredEntry[]): void {
    this.stop();
    this.#done += 1;
    const left = this.plx.info().threads;
    if (left < threads) this.#voided ??= `threads were lost: ${left} of ${threads} were left`;
    const voided = this.#voided;
    const before = this.result();
    const { machine, commit } = this.origin;
    const about = { threads, machine, commit, date: new Date().toISOString() };
    const rows = toRows(item, entries, { ...about, seed: before.choice.seed });
    this.publish({
      cases: [...before.cases, outcomeOf(item, entries, before, voided)],
      rows: [
        ...before.rows,
        ...(voided === undefined ? rows : rows.map((row) => voidRow(row, voided))),
      ],
    });
  }

  note(text: string): void {
    this.publish({ notes: [...this.result().notes, text] });
  }

  /** Ends the watch of the page. */
  stop(): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
  }
}

export class PeersRun {
  #abort: AbortController | undefined;

  constructor(
    readonly store: Store<AppState>,
    readonly runtime: Runtime,
  ) {}

  async start(choice: PeersChoice): Promise<void> {
    if (this.#abort) return;
    const { store } = this;
    const controller = new AbortController();
    this.#abort = controller;
    const began = performance.now();
    const end = (state: PeersState) => store.set({ peers: state });
    this.#loading('the engine');
    store.set({ peersResult: undefined });
    try {
      await this.#measure(choice, controller.signal);
      end({ phase: 'done', milliseconds: performance.now() - began });
    } catch (error) {
      if (wasCancelled(error)) end({ phase: 'cancelled', milliseconds: performance.now() - began });
      else end({ phase: 'failed', message: sentence(error) });
    } finally {
      this.#abort = undefined;
    }
  }

  cancel(): void {
    this.#abort?.abort();
  }

  #loading(what: string): void {
    const progress = { what: `Loading ${what}…`, fraction: 0 };
    this.store.set({ peers: { phase: 'running', progress } });
  }

  async #measure(choice: PeersChoice, signal: AbortSignal): Promise<void> {
    const { store, runtime } = this;
    const plx = await runtime.engine();
    const { threads, isolated } = await plx.ready();
    const origin = await originOf(plx);
    const peers = peersOf(choice).map((peer) => {
      const slot = peerSlot(peer, { threads, origin, signal });
      const start = () => {
        this.#loading(peer.name);
        return slot.start();
      };
      return { ...slot, start };
    });
    const group = await separateEngines([ourSlot(runtime, store, origin), ...peers]);
    let result: PeersResult = {
      choice,
      threads,
      isolated,
      engines: group.engines.map(({ name, version, threads: own, tier }) => ({
        name,
        version,
        threads: own,
        tier: tier ?? '',
      })),
      missing: group.missing,
      notes: [],
      cases: [],
      rows: [],
    };
    const publish = (change: Partial<PeersResult>) => {
      result = { ...result, ...change };
      store.set({ peersResult: result });
    };
    publish({});
    const arriving = new Arriving(store, () => result, publish, origin, plx);
    const method = { ...lengths[choice.length], seed: choice.seed, signal };
    try {
      await measureGroup(group, casesOf(choice), {
        out: arriving,
        side: { where: 'browser', threads },
        method: { ...method, tell: (progress) => arriving.tell(progress) },
        makeData: (item) => makeData(item, { seed: choice.seed }),
      });
    } finally {
      arriving.stop();
    }
  }
}
