/** Long work in slices, so that messages (cancel, a new rate) are read in between. */

/** Milliseconds of work between two looks at the messages. */
export const SLICE_MS = 25;

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

/** What runs in slices and can be stopped from outside. */
export interface Job {
  cancelled: boolean;
}
