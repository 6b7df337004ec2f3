/** Self-tests on this page, one at a time. */
import { sentence } from './format.js';
import { wasCancelled } from './runtime.js';
import { committedBits, selfTest, type TestSize } from './self_test.js';
import { idleSelfTest, type SelfTestState } from './self_test_state.js';
import type { AppState } from './state.js';
import type { Store } from './store.js';

/** What the view of the self-test calls. */
export type SelfTestActions = Pick<SelfTest, 'start' | 'cancel'>;

export class SelfTest {
  #abort: AbortController | undefined;

  constructor(readonly store: Store<AppState>) {}

  #show(change: Partial<SelfTestState>): void {
    this.store.set({ selfTest: { ...this.store.get().selfTest, ...change } });
  }

  async start(size: TestSize): Promise<void> {
    if (this.#abort) return;
    const controller = new AbortController();
    this.#abort = controller;
    this.store.set({ selfTest: { ...idleSelfTest, phase: 'running' } });
    const { reference } = this.store.get();
    try {
      await selfTest({
        size,
        committed: committedBits(reference.phase === 'ready' ? reference.set.rows : []),
        signal: controller.signal,
        onFinding: (finding) => {
          this.#show({ findings: [...this.store.get().selfTest.findings, finding] });
        },
        onProgress: (fraction, doing) => this.#show({ fraction, doing }),
      });
      this.#show({ phase: 'done', fraction: 1 });
    } catch (error) {
      if (wasCancelled(error)) this.#show({ phase: 'cancelled' });
      else this.#show({ phase: 'failed', message: sentence(error) });
    } finally {
      this.#abort = undefined;
    }
  }

  cancel(): void {
    this.#abort?.abort();
  }
}
