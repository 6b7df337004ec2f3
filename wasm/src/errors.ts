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
 *
 * @example
 * ```ts
 * try {
 *   await model.predict([[1, 2, 3]]);
 * } catch (error) {
 *   console.log(error.codeName); // PLX_ERR_SHAPE
 *   console.log(error.message); // predict: x: samples are [3], but the model takes [2]
 * }
 * ```
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

  /** Creates an error; the package throws its own. */
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
