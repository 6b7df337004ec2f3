/** A worker thread of Node that looks like a browser's Worker. */
import { Worker } from 'node:worker_threads';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { WorkerLike } from './connection.js';
import { packageFile } from './node_files.js';

/** What node_worker.ts is told. */
export interface WorkerSeed {
  /** The engine's file. */
  url: string;
  /** The worker's name, as `self.name` gives it. */
  name: string;
}

type Listener = (event: { data?: unknown; message?: string; error?: unknown }) => void;

/** A failure of the worker: what is used of a browser's ErrorEvent. */
class Failure {
  readonly message: string;
  stopped = false;

  constructor(readonly error: Error) {
    this.message = error.message;
  }

  preventDefault(): void {}

  stopImmediatePropagation(): void {
    this.stopped = true;
  }
}

/** Runs a file made for a browser's worker. */
export class NodeWorker implements WorkerLike {
  readonly #worker: Worker;
  readonly #endpoint: ReturnType<typeof nodeEndpoint>;
  readonly #failed: Listener[] = [];
  onmessage: Listener | null = null;
  onerror: Listener | null = null;

  constructor(url: URL | string, options: { name?: string } = {}) {
    const workerData: WorkerSeed = { url: String(url), name: options.name ?? '' };
    /* The process's own flags are not for the worker: --input-type would stop it. */
    const flags = { execArgv: [] };
    this.#worker = new Worker(packageFile('node-worker.mjs'), { workerData, ...flags });
    this.#endpoint = nodeEndpoint(this.#worker);
    this.#worker.on('message', (data: unknown) => this.onmessage?.({ data }));
    this.#worker.on('error', (error: Error) => this.#fail(new Failure(error)));
  }

  #fail(event: Failure): void {
    for (const listener of this.#failed) {
      listener(event);
      if (event.stopped) return;
    }
    this.onerror?.(event);
  }

  postMessage(message: unknown, transfer: Transferable[] = []): void {
    this.#endpoint.postMessage(message, transfer);
  }

  addEventListener(type: string, listener: EventListener): void {
    if (type === 'message') {
      this.#endpoint.addEventListener(type, listener);
    } else if (type === 'error') {
      this.#failed.push(listener as unknown as Listener);
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
