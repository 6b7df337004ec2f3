/** Long calls that can be cancelled, and whose callbacks may fail. */
import type { AbortSignalLike } from './api.js';
import type { Connection } from './connection.js';
import { PlxError } from './errors.js';

/** The error of a cancelled call. */
export function cancelled(call: string, signal: AbortSignalLike): PlxError {
  return new PlxError('PLX_ERR_CANCELLED', `${call}: cancelled`, { cause: signal.reason });
}

/**
 * Wraps a callback so that what it throws ends the job, and the job's end ends waiting for it. After
 * the signal aborts it is called only with afterAbort: for results that are kept all the same.
 */
type Guard = <A>(
  callback: (argument: A) => void | Promise<void>,
  options?: { afterAbort: boolean },
) => (argument: A) => Promise<void>;

/**
 * Starts a job and waits for it. When the signal aborts, or a callback throws, the engine is told
 * to stop, and the job's promise rejects once it has.
 */
export async function runJob<T>(
  connection: Connection,
  job: number,
  signal: AbortSignalLike | undefined,
  call: string,
  start: (guard: Guard) => Promise<T>,
): Promise<T> {
  if (signal?.aborted) throw cancelled(call, signal);
  let thrown: { error: unknown } | undefined;
  let release = () => {};
  const stopped = new Promise<void>((resolve) => {
    release = resolve;
  });
  const stop = () => {
    release();
    connection.call((engine) => engine.cancel(job)).catch(() => {});
  };
  const guard: Guard = (callback, options) => async (argument) => {
    if (thrown || (signal?.aborted && !options?.afterAbort)) return;
    try {
      await Promise.race([callback(argument), stopped]);
    } catch (error) {
      thrown = { error };
      stop();
    }
  };
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const value = await start(guard);
    if (thrown) throw thrown.error;
    return value;
  } catch (error) {
    if (thrown) throw thrown.error;
    if (signal?.aborted && error instanceof PlxError && error.codeName === 'PLX_ERR_CANCELLED') {
      throw new PlxError('PLX_ERR_CANCELLED', error.message, { cause: signal.reason });
    }
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
