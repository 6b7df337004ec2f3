import type { History } from './api.js';
import { STATUS } from './generated/kind_lists.js';
import type { PlxErrorName } from './generated/kinds.js';

/** A call of a graph's method. */
export interface FailedCall {
  /** Its name: `"conv2d"`. */
  method: string;
  /** Its place among the calls that added to the graph, from 0. */
  index: number;
}

/**
 * Every failure of the package.
 *
 * `message` is one sentence with the numbers and what to do; `codeName` and `code` are the
 * library's status. When a call was cancelled through its `AbortSignal`, `name` is `"AbortError"`
 * and `cause` the signal's reason.
 */
export class PlxError extends Error {
  /** The status as a number: -1 to -9. */
  readonly code: number;
  /** The status as a name. */
  readonly codeName: PlxErrorName;
  /** The call of a graph that was wrong, when it is told later; `stack` is that of this call. */
  declare readonly call?: FailedCall;
  /** What a `fit` that was cancelled, or diverged, had done by then. */
  declare readonly history?: History;

  constructor(
    codeName: PlxErrorName,
    message: string,
    options?: { cause?: unknown; call?: FailedCall; history?: History | undefined },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    if (options?.call) this.call = options.call;
    /* Not enumerable: a sentence is printed, not thousands of losses. */
    if (options?.history) Object.defineProperty(this, 'history', { value: options.history });
    this.name = codeName === 'PLX_ERR_CANCELLED' ? 'AbortError' : 'PlxError';
    this.codeName = codeName;
    this.code = STATUS[codeName];
  }
}
