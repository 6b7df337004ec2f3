/** Entries of the performance timeline, which the profilers of browsers and of Node show. */
import { PlxError } from './errors.js';

/** The calls that leave an entry of the name `parallax:CALL`. */
type Marked = 'load' | 'compile' | 'run' | 'fit' | 'predict' | 'evaluate';

/** Replaces the entry of the last such call, so that the timeline does not grow with every call. */
function leave(call: Marked, start: number, failed: string | undefined): void {
  const name = `parallax:${call}`;
  /* Some edge runtimes have a clock and no timeline. */
  const timeline: Partial<Performance> = performance;
  timeline.clearMeasures?.(name);
  timeline.measure?.(name, { start, detail: failed ? { failed } : null });
}

/**
 * Runs a call and leaves an entry of its time, from the call to its answer; `detail.failed` is the
 * status of one that failed.
 */
export async function marked<T>(call: Marked, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  let failed: string | undefined;
  try {
    return await work();
  } catch (error) {
    failed = error instanceof PlxError ? error.codeName : String(error);
    throw error;
  } finally {
    leave(call, start, failed);
  }
}
