/** Gives a worker thread of Node the globals of a browser's worker, then runs the engine's file. */
import { parentPort, workerData } from 'node:worker_threads';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { NodeWorker, type WorkerSeed } from './node_worker_like.js';

type Listener = (event: { data: unknown }) => void;

const port = parentPort!;
const { url, name } = workerData as WorkerSeed;
const endpoint = nodeEndpoint(port);
let onmessage: Listener | null = null;

Object.assign(globalThis, {
  self: globalThis,
  name,
  location: new URL(url),
  Worker: NodeWorker,
  postMessage: (message: unknown, transfer?: Transferable[]) =>
    endpoint.postMessage(message, transfer ?? []),
  addEventListener: endpoint.addEventListener,
  removeEventListener: endpoint.removeEventListener,
});

/* Messages wait in the port until the first listener, so none is lost while the file loads. */
Object.defineProperty(globalThis, 'onmessage', {
  get: () => onmessage,
  set(listener: Listener | null) {
    if (!onmessage) port.on('message', (data: unknown) => onmessage?.({ data }));
    onmessage = listener;
  },
});

await import(url);
