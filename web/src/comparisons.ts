/** What measures this browser beside others, or one setting beside another. */
import type { AbChoice } from './ab_choice.js';
import type { AbRun } from './ab_run.js';
import { EarlierRuns } from './earlier_runs.js';
import { sentence } from './format.js';
import type { PeersChoice } from './peers_result.js';
import type { PeersRun } from './peers_run.js';
import type { Runtime } from './runtime.js';
import type { AppState } from './state.js';
import type { Store } from './store.js';

export interface ComparisonActions {
  /** Measures the engine beside other libraries, which are loaded now. */
  measurePeers(choice: PeersChoice): Promise<void>;
  cancelPeers(): void;
  /** Measures two settings in turns. */
  test(choice: AbChoice): Promise<void>;
  cancelTest(): void;
  /** Runs that this browser keeps. */
  readonly earlier: Pick<EarlierRuns, 'load' | 'compare' | 'download' | 'remove' | 'removeAll'>;
}

/**
 * Creates them all; their code is loaded when it is first needed. show: keeps the numbers of the earlier
 * runs that are shown in the address. around: what a benchmark run calls before and after it.
 */
export function createComparisons(
  store: Store<AppState>,
  runtime: Runtime,
  show: (ids: string) => void,
): { actions: ComparisonActions; around: Pick<EarlierRuns, 'begin' | 'keep'> } {
  const earlier = new EarlierRuns(store, show);
  let peers: PeersRun | undefined;
  let ab: Promise<AbRun> | undefined;
  const tests = () => {
    ab ??= import('./ab_run.js').then(({ AbRun }) => new AbRun(store));
    return ab;
  };
  const actions: ComparisonActions = {
    async measurePeers(choice) {
      try {
        const module = await import('./peers_run.js');
        peers ??= new module.PeersRun(store, runtime);
      } catch (error) {
        store.set({ peers: { phase: 'failed', message: sentence(error) } });
      }
      await peers?.start(choice);
    },
    cancelPeers: () => peers?.cancel(),
    test: async (choice) => (await tests()).start(choice),
    cancelTest: () => void ab?.then((run) => run.cancel()),
    earlier,
  };
  return { actions, around: earlier };
}
