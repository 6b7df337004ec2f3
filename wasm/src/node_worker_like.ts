/** A worker thread of Node that looks like a browser's Worker. */
import { Worker } from 'node:worker_threads';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { WorkerLike } from './connection.js';

/** What node_worker.ts is told. */
export interface WorkerSeed {
  /** The engine's file. */
  url: string;
  /** The worker's name, as `self.name` gives it. */
  name: string;
}

type Listener = (event: { data?: unknown; message?: string; error?: unknown }) => void;

/** Runs a file made for a browser's worker. */
export class NodeWorker implements WorkerLike {
  readonly #worker: Worker;
  readonly #endpoint: ReturnType<typeof nodeEndpoint>;
  onmessage: Listener | null = null;
  onerror: Listener | null = null;

  constructor(url: URL | string, options: { name?: string } = {}) {
    const workerData: WorkerSeed = { url: String(url), name: options.name ?? '' };
    /* The process's own flags are not for the worker: --input-type would stop it. */
    const flags = { execArgv: [] };
    this.#worker = new Worker(new URL('node-worker.mjs', import.meta.url), {
      workerData,
      ...flags,
    });
    this.#endpoint = nodeEndpoint(this.#worker);
    this.#worker.on('message', (data: unknown) => this.onmessage?.({ data }));
    this.#worker.on('error', (error: Error) => this.onerror?.({ message: error.message, error }));
  }

  postMessage(message: unknown, transfer: Transferable[] = []): void {
    this.#endpoint.postMessage(message, transfer);
  }

  addEventListener(type: string, listener: EventListener): void {
    if (type === 'message') {
      this.#endpoint.addEventListener(type, listener);
    } else {
      this.#worker.on(type, (error: Error) =>
        (listener as unknown as Listener)({ message: error.message, error }),
      );
    }
  }

  removeEventListener(type: string, listener: EventListener): void {
    this.#endpoint.removeEventListener(type, listener);
  }

  terminate(): Promise<number> {
    return this.#worker.terminate();
  }

  ref(): void {
    this.#worker.ref();
  }

  unref(): void {
    this.#worker.unref();
  }
}
