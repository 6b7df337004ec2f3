/** The engine of this page: only one at a time, restarted when its options change. */
import { type BenchParallax, load } from 'parallax-nn/bench';
import { sentence } from './format.js';
import type { AppState } from './state.js';
import type { Store } from './store.js';
import type { TierChoice } from './url_state.js';

export interface Runtime {
  /** Returns the engine, starting it if needed. Fails with a PlxError. */
  engine(): Promise<BenchParallax>;
  /** Ends the engine and starts one with the current options. */
  restart(): Promise<void>;
  /** Returns the message of a failed call; tells the page if the engine was lost with it. */
  report(error: unknown): Promise<string>;
}

/** Whether a call ended because it was cancelled. */
export function wasCancelled(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

export function createRuntime(store: Store<AppState>): Runtime {
  let current: Promise<BenchParallax> | undefined;
  let first = true;

  async function start(tier: TierChoice, threads: number): Promise<BenchParallax> {
    store.set({ engine: { phase: 'starting' } });
    const about = { began: performance.now(), first };
    first = false;
    try {
      const plx = await load({
        ...(tier === 'auto' ? {} : { tier }),
        ...(threads > 0 ? { threads } : {}),
      });
      const [info, suites, tasks, optimizers, models] = await Promise.all([
        ...([plx.ready(), plx.suites(), plx.tasks(), plx.optimizers(), plx.models()] as const),
      ]);
      store.set({ engine: { phase: 'ready', info, ...about }, suites, tasks, optimizers, models });
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
        /* An engine that still answers has only refused the call. */
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
