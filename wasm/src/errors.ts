import type { History } from './api.js';
import { STATUS } from './generated/kind_lists.js';
import type { PlxErrorName } from './generated/kinds.js';

/** The call of a graph's method that failed. */
export interface FailedCall {
  /** Name of the method: `"conv2d"`. */
  method: string;
  /** Index among the calls that added to the graph, from 0. */
  index: number;
}

/**
 * The error of every failure in the package.
 *
 * `message` is one sentence with the numbers and what to do; `codeName` and `code` are the
 * library's status. If a call was cancelled through its `AbortSignal`, `name` is `"AbortError"`
 * and `cause` is the signal's reason.
 */
export class PlxError extends Error {
  /** Status as a number, -1 to -9. */
  readonly code: number;
  /** Status as a name. */
  readonly codeName: PlxErrorName;
  /** The wrong call of a graph, if it is reported later; `stack` is the stack of that call. */
  declare readonly call?: FailedCall;
  /** What a cancelled or diverged `fit` had done by then. */
  declare readonly history?: History;

  constructor(
    codeName: PlxErrorName,
    message: string,
    options?: { cause?: unknown; call?: FailedCall; history?: History | undefined },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    if (options?.call) this.call = options.call;
    /* Not enumerable, so that consoles print the sentence and not thousands of losses. */
    if (options?.history) Object.defineProperty(this, 'history', { value: options.history });
    this.name = codeName === 'PLX_ERR_CANCELLED' ? 'AbortError' : 'PlxError';
    this.codeName = codeName;
    this.code = STATUS[codeName];
  }
}

/**
 * Names the caller's call in an error of the library, which names the one that it is made of:
 * "explain: batch is 9" instead of "fit: batch is 9".
 */
export async function inCall<T>(call: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof PlxError)
      error.message = error.message.replace(
        /^(fit|generate|bench): |^(?=there is no )/,
        `${call}: `,
      );
    throw error;
  }
}
