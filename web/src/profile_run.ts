/** Profiles on this page, one at a time. */
import type { ProfileOptions } from 'parallax-nn/bench';
import { type Runtime, wasCancelled } from './runtime.js';
import type { AppState } from './state.js';
import type { Store } from './store.js';

/** What to profile. */
export interface ProfileChoice extends Required<Pick<ProfileOptions, 'batchSize' | 'training'>> {
  model: string;
}

/** Measures where the time of a model goes. The last result stays until there is a new one. */
export class ProfileRun {
  #abort: AbortController | undefined;

  constructor(
    readonly store: Store<AppState>,
    readonly runtime: Runtime,
  ) {}

  async start(choice: ProfileChoice): Promise<void> {
    const { store, runtime } = this;
    if (this.#abort) return;
    const controller = new AbortController();
    this.#abort = controller;
    const show = (state: Omit<AppState['profile'], 'result'>) => {
      const { result } = store.get().profile;
      store.set({ profile: result ? { ...state, result } : state });
    };
    show({ phase: 'running', fraction: 0 });
    try {
      const plx = await runtime.engine();
      const { model, batchSize, training } = choice;
      const profile = await plx.profile(model, {
        batchSize,
        training,
        signal: controller.signal,
        onProgress: (fraction) => show({ phase: 'running', fraction }),
      });
      store.set({ profile: { phase: 'done', result: { choice, profile, info: plx.info() } } });
    } catch (error) {
      if (wasCancelled(error)) show({ phase: 'cancelled' });
      else show({ phase: 'failed', message: await runtime.report(error) });
    } finally {
      this.#abort = undefined;
    }
  }

  cancel(): void {
    this.#abort?.abort();
  }
}
