/** Estimates how long a run would take, by asking the engine whenever the choice changes. */
import { sentence } from './format.js';
import type { Runtime } from './runtime.js';
import {
  type AppState,
  awaitsMinute,
  chosenSuites,
  type EstimateState,
  isTesting,
} from './state.js';
import type { Store } from './store.js';
import { engineSize } from './url_state.js';

/** Whether the engine is doing work that a question would disturb. */
function isBusy(state: AppState): boolean {
  const { run, training } = state;
  return (
    run.phase === 'running' ||
    training.phase === 'preparing' ||
    training.phase === 'running' ||
    isTesting(state)
  );
}

/** The estimate if it is known without asking; undefined means ask. */
function withoutAsking(state: AppState): EstimateState | undefined {
  switch (state.engine.phase) {
    case 'starting':
      return { phase: 'waiting' };
    case 'failed':
    case 'lost':
      return { phase: 'unknown', message: 'the engine is not running' };
    case 'ready':
      if (awaitsMinute(state)) return { phase: 'asking' };
      if (chosenSuites(state)?.length === 0) return { phase: 'nothing' };
      return isBusy(state) ? { phase: 'waiting' } : undefined;
  }
}

/** Keeps the estimate up to date with the choice. One question at a time: the last choice counts. */
export function keepEstimate(store: Store<AppState>, runtime: Pick<Runtime, 'engine'>): void {
  /** Answers of the current engine, by choice. */
  const answers = new Map<string, EstimateState>();
  let engine: AppState['engine'] | undefined;
  let asking = false;

  async function ask(state: AppState): Promise<EstimateState> {
    const suites = chosenSuites(state);
    const { rounds } = state.options;
    const size = engineSize[state.options.size];
    try {
      const plx = await runtime.engine();
      const milliseconds = await plx.benchTime({ ...(suites ? { suites } : {}), size, rounds });
      if (Number.isFinite(milliseconds) && milliseconds >= 0) {
        return { phase: 'known', milliseconds };
      }
      return { phase: 'unknown', message: 'the engine gave no estimate' };
    } catch (error) {
      return { phase: 'unknown', message: sentence(error) };
    }
  }

  async function update(): Promise<void> {
    const state = store.get();
    if (engine !== state.engine) answers.clear();
    engine = state.engine;
    const { size, rounds } = state.options;
    const key = JSON.stringify([chosenSuites(state), size, rounds]);
    const estimate = answers.get(key) ?? withoutAsking(state);
    store.set({ estimate: estimate ?? { phase: 'asking' } });
    if (estimate || asking) return;
    asking = true;
    const answer = await ask(state);
    asking = false;
    const now = store.get();
    /* The answer of an engine that has since been replaced does not count, and an engine that was
     * given other work is asked again afterwards. */
    const stale = now.engine !== state.engine || (answer.phase === 'unknown' && isBusy(now));
    if (!stale) answers.set(key, answer);
    await update();
  }

  store.watch(
    ['suites', 'minute', 'options', 'engine', 'run', 'training', 'ab'],
    () => void update(),
  );
}
