/** The engine of this page: one at a time, restarted when its options change. */
import { type BenchParallax, load } from 'parallax-nn/bench';
import { sentence } from './format.js';
import type { AppState } from './state.js';
import type { Store } from './store.js';
import type { TierChoice } from './url_state.js';

export interface Runtime {
  /** The running engine; starts it if it is not. Fails with a PlxError. */
  engine(): Promise<BenchParallax>;
  /** Ends the engine and starts one of the options of the state. */
  restart(): Promise<void>;
  /** The sentence of a call that failed; tells the page when the engine is lost with it. */
  report(error: unknown): Promise<string>;
}

/** Whether a call ended because it was asked to. */
export function wasCancelled(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

export function createRuntime(store: Store<AppState>): Runtime {
  let current: Promise<BenchParallax> | undefined;

  async function start(tier: TierChoice, threads: number): Promise<BenchParallax> {
    store.set({ engine: { phase: 'starting' } });
    try {
      const plx = await load({
        ...(tier === 'auto' ? {} : { tier }),
        ...(threads > 0 ? { threads } : {}),
      });
      const [info, suites, tasks] = await Promise.all([plx.ready(), plx.suites(), plx.tasks()]);
      store.set({ engine: { phase: 'ready', info }, suites, tasks });
      return plx;
    } catch (error) {
      store.set({ engine: { phase: 'failed', message: sentence(error) } });
      throw error;
    }
  }

  function open(): Promise<BenchParallax> {
    if (!current) {
      const { tier, threads } = store.get().options;
      const started = start(tier, threads);
      current = started;
      /* The next call tries again. */
      started.catch(() => {
        if (current === started) current = undefined;
      });
    }
    return current;
  }

  return {
    engine: open,
    async restart() {
      const old = current;
      current = undefined;
      await old?.then(
        (plx) => plx.dispose(),
        () => undefined,
      );
      await open().catch(() => undefined);
    },
    async report(error) {
      const engine = current;
      try {
        /* An engine that still answers has only refused. */
        await (await engine)?.suites();
      } catch {
        if (current === engine) {
          current = undefined;
          void engine?.then((plx) => plx.dispose()).catch(() => undefined);
          store.set({ engine: { phase: 'lost', message: sentence(error) } });
        }
      }
      return sentence(error);
    },
  };
}
