/** Divides long work into slices, so that messages (cancel, a new rate) are read in between. */

import type { JobRequest } from './rpc.js';

/** Milliseconds of work before messages are read again, and between two reports. */
export const SLICE_MS = 25;
/** The same for a job that a signal may stop, if only a message can do so. */
const SHORT_MS = 4;

const waiting: (() => void)[] = [];
let channel: MessageChannel | undefined;

function postToSelf(): void {
  if (!channel) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => waiting.shift()?.();
  }
  channel.port2.postMessage(0);
}

/** Resolves after the messages that are waiting now have been handled. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    /* Node has setImmediate; there, an open message port would keep the process alive. */
    const immediate = (globalThis as { setImmediate?: (callback: () => void) => void })
      .setImmediate;
    if (immediate) {
      immediate(resolve);
    } else {
      waiting.push(resolve);
      postToSelf();
    }
  });
}

/** A job that runs in slices and can be stopped by a message, an answer, or shared memory. */
export class Job {
  /** Milliseconds of work in a slice. */
  readonly sliceMs: number;
  readonly #flag: Int32Array | undefined;
  #cancelled = false;
  /** Whether a listener asked to end the job with its result so far. */
  stopped = false;

  constructor(request: JobRequest) {
    this.#flag = request.stop;
    this.sliceMs = request.stoppable && !request.stop ? SHORT_MS : SLICE_MS;
  }

  /**
   * Whether it may be cancelled between two messages, so that checking after every step pays off.
   */
  get watched(): boolean {
    return this.#flag !== undefined;
  }

  get cancelled(): boolean {
    return this.#cancelled || (this.#flag !== undefined && Atomics.load(this.#flag, 0) !== 0);
  }

  cancel(): void {
    this.#cancelled = true;
  }

  /**
   * Waits for the answer to a report; false cancels the job, "stop" stops it. Calls that the
   * listener made meanwhile without awaiting them are answered first.
   */
  async told(answer: unknown): Promise<void> {
    const given = await answer;
    if (given === false) this.cancel();
    if (given === 'stop') this.stopped = true;
    await breathe();
  }
}
