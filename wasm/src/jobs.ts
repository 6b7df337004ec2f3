/** Runs long calls, which can be cancelled and whose callbacks may fail. */
import type { AbortSignalLike, History } from './api.js';
import type { Connection } from './connection.js';
import { PlxError } from './errors.js';
import type { JobRequest } from './rpc.js';

/** Creates the error of a cancelled call. */
export function cancelled(call: string, signal: AbortSignalLike, history?: History): PlxError {
  const options = { cause: signal.reason, history };
  return new PlxError('PLX_ERR_CANCELLED', `${call}: cancelled`, options);
}

/**
 * Wraps a callback so that an error or rejection ends the job, and stopping the job ends the wait
 * for the callback. The result tells the engine whether to continue, or `"stop"` if the callback
 * returned that. After the signal has aborted, the callback is called only with afterAbort, for
 * results that are kept all the same.
 */
type Guard = <A>(
  callback: (argument: A) => unknown,
  options?: { afterAbort: boolean },
) => (argument: A) => Promise<boolean | 'stop'>;

/**
 * Starts a job and waits for it. When the signal aborts or a callback fails, the engine is told to
 * stop, and the returned promise rejects once it has.
 */
export async function runJob<T>(
  connection: Connection,
  signal: AbortSignalLike | undefined,
  call: string,
  start: (job: JobRequest, guard: Guard) => Promise<T>,
): Promise<T> {
  if (signal?.aborted) throw cancelled(call, signal);
  const job = connection.newJob(signal !== undefined);
  let thrown: { error: unknown } | undefined;
  let release = () => {};
  const stopped = new Promise<void>((resolve) => {
    release = resolve;
  });
  const stop = () => {
    release();
    if (job.stop) Atomics.store(job.stop, 0, 1);
    connection.call((engine) => engine.cancel(job.job)).catch(() => {});
  };
  const guard: Guard = (callback, options) => async (argument) => {
    if (thrown || (signal?.aborted && !options?.afterAbort)) return false;
    let answer: unknown;
    try {
      answer = await Promise.race([callback(argument), stopped]);
    } catch (error) {
      thrown = { error };
      stop();
    }
    if (thrown || signal?.aborted) return false;
    return answer === 'stop' ? answer : true;
  };
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const value = await start(job, guard);
    if (thrown) throw thrown.error;
    return value;
  } catch (error) {
    if (thrown) throw thrown.error;
    if (signal?.aborted && error instanceof PlxError && error.codeName === 'PLX_ERR_CANCELLED') {
      const { message, history } = error;
      throw new PlxError('PLX_ERR_CANCELLED', message, { cause: signal.reason, history });
    }
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
