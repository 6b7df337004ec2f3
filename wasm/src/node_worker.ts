/** Gives a Node worker thread the globals of a browser's worker, then runs the engine's file. */
import { parentPort, workerData } from 'node:worker_threads';
import { NodeWorker, type WorkerSeed } from './node_worker_like.js';

type Listener = (event: { data: unknown }) => void;

const port = parentPort!;
const { url, name } = workerData as WorkerSeed;

/* Messages are kept for the first listener while the engine's file loads, as Deno's port drops
 * them. */
const waiting: unknown[] = [];
const listeners = new Set<Listener>();
let onmessage: Listener | null = null;

function deliver(): void {
  while (waiting.length > 0 && (onmessage || listeners.size > 0)) {
    const event = { data: waiting.shift() };
    onmessage?.(event);
    for (const listener of listeners) listener(event);
  }
}

port.on('message', (data: unknown) => {
  waiting.push(data);
  deliver();
});

/** The worker of a thread; it runs the same file. */
class ThreadWorker extends NodeWorker {
  constructor(_location: unknown, options?: { name?: string }) {
    super(url, options);
  }
}

/* Defined, not assigned: runtimes that imitate Node have some of them already, perhaps without a
 * setter (Deno's `location`) or with one that acts as in a browser. */
const values = {
  self: globalThis,
  name,
  location: new URL(url),
  Worker: ThreadWorker,
  postMessage: (message: unknown, transfer?: Transferable[]) =>
    port.postMessage(message, (transfer ?? []) as Parameters<typeof port.postMessage>[1]),
  addEventListener(type: string, listener: Listener) {
    if (type === 'message') listeners.add(listener);
    queueMicrotask(deliver);
  },
  removeEventListener: (_: string, listener: Listener) => listeners.delete(listener),
};
for (const [key, value] of Object.entries(values)) {
  Object.defineProperty(globalThis, key, { value, configurable: true, writable: true });
}
Object.defineProperty(globalThis, 'onmessage', {
  configurable: true,
  get: () => onmessage,
  set(listener: Listener | null) {
    onmessage = listener;
    queueMicrotask(deliver);
  },
});

await import(url);
