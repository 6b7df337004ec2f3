/** How long a run would take: asked of the engine, which measures, whenever the choice changes. */
import { sentence } from './format.js';
import type { Runtime } from './runtime.js';
import { type AppState, chosenSuites, type EstimateState } from './state.js';
import type { Store } from './store.js';
import { engineSize } from './url_state.js';

/** Whether the engine is at work whose figures a question would disturb. */
function isBusy({ run, training }: AppState): boolean {
  return run.phase === 'running' || training.phase === 'preparing' || training.phase === 'running';
}

/** What is known without asking; undefined: ask. */
function withoutAsking(state: AppState): EstimateState | undefined {
  switch (state.engine.phase) {
    case 'starting':
      return { phase: 'waiting' };
    case 'failed':
    case 'lost':
      return { phase: 'unknown', message: 'the engine is not running' };
    case 'ready':
      if (chosenSuites(state)?.length === 0) return { phase: 'nothing' };
      return isBusy(state) ? { phase: 'waiting' } : undefined;
  }
}

/** Keeps the state's estimate that of the choice. One question at a time: the last choice counts. */
export function keepEstimate(store: Store<AppState>, runtime: Pick<Runtime, 'engine'>): void {
  /** Answers of the engine that runs. */
  const answers = new Map<string, EstimateState>();
  let engine: AppState['engine'] | undefined;
  let asking = false;

  async function ask(state: AppState): Promise<EstimateState> {
    const suites = chosenSuites(state);
    const size = engineSize[state.options.size];
    try {
      const plx = await runtime.engine();
      const milliseconds = await plx.benchTime({ ...(suites ? { suites } : {}), size });
      if (Number.isFinite(milliseconds) && milliseconds >= 0) {
        return { phase: 'known', milliseconds };
      }
      return { phase: 'unknown', message: 'the engine could not tell' };
    } catch (error) {
      return { phase: 'unknown', message: sentence(error) };
    }
  }

  async function update(): Promise<void> {
    const state = store.get();
    if (engine !== state.engine) answers.clear();
    engine = state.engine;
    const key = JSON.stringify([chosenSuites(state), state.options.size]);
    const estimate = answers.get(key) ?? withoutAsking(state);
    store.set({ estimate: estimate ?? { phase: 'asking' } });
    if (estimate || asking) return;
    asking = true;
    const answer = await ask(state);
    asking = false;
    const now = store.get();
    /* An engine that was replaced meanwhile said nothing about the new one, and one that was put to
     * other work is asked again afterwards. */
    const stale = now.engine !== state.engine || (answer.phase === 'unknown' && isBusy(now));
    if (!stale) answers.set(key, answer);
    await update();
  }

  store.watch(['suites', 'options', 'engine', 'run', 'training'], () => void update());
}
