/** Which suites fit into a run of a minute on this machine, by asking the engine for each. */
import type { Runtime } from './runtime.js';
import type { AppState } from './state.js';
import type { Store } from './store.js';

/** Most milliseconds that the run which the page proposes may take. */
export const minuteMs = 60_000;

/* Estimates are for a machine that does nothing else: some of the minute is kept for what they miss. */
const usable = 0.9 * minuteMs;

/** The suites that say most about a browser first; the others follow in the order of the engine. */
const worth = ['gemm', 'mlp', 'adaptive', 'inference', 'models', 'interp5d', 'bits', 'accuracy'];

/**
 * The suites that fit, in the order of the engine: the best first, and at least one. times: the
 * estimate of each in milliseconds.
 */
export function fitting(times: ReadonlyMap<string, number>): string[] {
  const names = [...times.keys()];
  const rank = (name: string) => (worth.includes(name) ? worth.indexOf(name) : worth.length);
  const chosen = new Set<string>();
  let total = 0;
  for (const name of names.toSorted((a, b) => rank(a) - rank(b))) {
    const time = times.get(name) ?? 0;
    if (chosen.size > 0 && total + time > usable) continue;
    chosen.add(name);
    total += time;
  }
  return names.filter((name) => chosen.has(name));
}

/** Keeps the choice for a minute up to date with the engine. */
export function keepMinute(store: Store<AppState>, runtime: Pick<Runtime, 'engine'>): void {
  async function ask(engine: AppState['engine']): Promise<void> {
    const { suites } = store.get();
    let minute = suites.map(({ name }) => name);
    try {
      const plx = await runtime.engine();
      const times = new Map<string, number>();
      for (const name of minute) {
        times.set(name, await plx.benchTime({ suites: [name], size: 'quick' }));
      }
      minute = fitting(times);
    } catch {
      /* All of them then: the estimate of the whole run says what is wrong. */
    }
    if (store.get().engine === engine) store.set({ minute });
  }
  store.watch(['engine'], ({ engine, run }) => {
    /* A run that has begun keeps its choice. */
    if (run.phase === 'running') return;
    store.set({ minute: 'unknown' });
    if (engine.phase === 'ready') void ask(engine);
  });
}
