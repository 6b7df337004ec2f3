/** Long work in slices, so that messages (cancel, a new rate) are read in between. */

import type { JobRequest } from './rpc.js';

/** Milliseconds of work between two looks at the messages, and between two reports. */
export const SLICE_MS = 25;
/** Of a job that a signal may stop where only a message can say so. */
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

/** Resolves after the messages that wait now have been handled. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    /* Node has setImmediate; an open message port would keep its process alive. */
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

/** What runs in slices and can be stopped from outside: by a message, an answer, or shared memory. */
export class Job {
  /** Milliseconds that it works at a time. */
  readonly sliceMs: number;
  readonly #flag: Int32Array | undefined;
  #cancelled = false;

  constructor(request: JobRequest) {
    this.#flag = request.stop;
    this.sliceMs = request.stoppable && !request.stop ? SHORT_MS : SLICE_MS;
  }

  /** Whether it may be cancelled between two messages, so that a look after every step pays. */
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
   * Waits for the answer to a report: false cancels. Calls that the listener made meanwhile, and did
   * not wait for, are answered first.
   */
  async told(answer: unknown): Promise<void> {
    if ((await answer) === false) this.cancel();
    await breathe();
  }
}
