/** A Node worker thread that looks like a browser's Worker. */
import { Worker } from 'node:worker_threads';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { WorkerLike } from './connection.js';
import { packageFile } from './node_files.js';

/** The workerData of node_worker.ts. */
export interface WorkerSeed {
  /** Address of the engine's file. */
  url: string;
  /** Name of the worker, for `self.name`. */
  name: string;
}

type Listener = (event: { data?: unknown; message?: string; error?: unknown }) => void;

/** A failure of the worker: the part of a browser's ErrorEvent that is used. */
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

/** A worker thread that runs a file made for a browser's worker. */
export class NodeWorker implements WorkerLike {
  readonly #worker: Worker;
  readonly #endpoint: ReturnType<typeof nodeEndpoint>;
  readonly #failed: Listener[] = [];
  /** Whether it has failed, or was told to end. */
  #over = false;
  onmessage: Listener | null = null;
  onerror: Listener | null = null;

  constructor(url: URL | string, options: { name?: string } = {}) {
    const workerData: WorkerSeed = { url: String(url), name: options.name ?? '' };
    /* Do not pass on the process's flags: --input-type would stop the worker. */
    const flags = { execArgv: [] };
    this.#worker = new Worker(packageFile('node-worker.mjs'), { workerData, ...flags });
    this.#endpoint = nodeEndpoint(this.#worker);
    this.#worker.on('message', (data: unknown) => this.onmessage?.({ data }));
    this.#worker.on('error', (error: Error) => this.#fail(new Failure(error)));
    /* Also one that was killed, or that called process.exit, must not leave its calls waiting. */
    this.#worker.on('exit', (code: number) =>
      this.#fail(new Failure(new Error(`it ended with exit code ${code}`))),
    );
  }

  #fail(event: Failure): void {
    if (this.#over) return;
    this.#over = true;
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
    this.#over = true;
    return this.#worker.terminate();
  }

  ref(): void {
    this.#worker.ref();
  }

  unref(): void {
    this.#worker.unref();
  }
}
