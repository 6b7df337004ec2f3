/** A running engine as the client sees it, whether in a worker or in this thread. */
import { proxy, type Remote, transfer, wrap } from 'comlink';
import { PlxError } from './errors.js';
import type { EngineApi, JobRequest } from './rpc.js';
import { revive } from './rpc_errors.js';

/** What is used of a Worker; Node's is dressed up to look the same. */
export interface WorkerLike {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  addEventListener(type: string, listener: EventListener): void;
  removeEventListener(type: string, listener: EventListener): void;
  terminate(): unknown;
  /** Node: whether the process waits for this worker. */
  ref?(): void;
  unref?(): void;
}

/**
 * An argument of a call whose arrays move to the engine, instead of being copied once more. They are
 * the client's own, and gone after the call.
 */
export function moved<T extends object>(
  argument: T,
  arrays: readonly (ArrayBufferView | undefined)[],
): T {
  const buffers = arrays.flatMap((array) => (array ? [array.buffer as ArrayBuffer] : []));
  return transfer(argument, buffers);
}

/** The engine behind its worker, or in this thread. */
export type RemoteEngine = EngineApi | Remote<EngineApi>;

/**
 * Calls to one engine. Every call ends: with its answer, with the worker's failure, or with the
 * engine's disposal.
 */
export class Connection {
  readonly #engine: RemoteEngine;
  readonly #worker: WorkerLike | undefined;
  readonly #pending = new Set<(error: PlxError) => void>();
  #over: PlxError | undefined;
  #failed = false;
  #jobs = 0;

  /** shares: whether memory can be shared with the worker. */
  constructor(
    worker: WorkerLike | EngineApi,
    file: string,
    readonly shares: boolean,
  ) {
    if ('postMessage' in worker) {
      this.#worker = worker;
      this.#engine = wrap<EngineApi>(worker as Parameters<typeof wrap>[0]);
      worker.unref?.();
      worker.addEventListener('error', (event) => this.#fail(event as ErrorEvent, file));
      worker.addEventListener('messageerror', () =>
        this.end(new PlxError('PLX_ERR_STATE', 'the engine sent a message that cannot be read')),
      );
    } else {
      this.#engine = worker;
    }
  }

  /* A worker whose file does not load tells nothing but that. */
  #fail(event: ErrorEvent, file: string): void {
    const what = event.message
      ? `the engine's worker failed: ${event.message}`
      : `the engine's worker file ${file} did not load: serve it beside the package's other files, ` +
        'from the origin of the page, or give load() its workerURL';
    this.#failed = true;
    this.end(new PlxError('PLX_ERR_IO', what, { cause: event.error ?? event }));
  }

  /** Whether it has ended: no call is answered any more. */
  get over(): boolean {
    return this.#over !== undefined;
  }

  /** Whether the worker itself failed, or never loaded. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Whether calls go to another thread, so that functions need a proxy. */
  get remote(): boolean {
    return this.#worker !== undefined;
  }

  /** Names a job; stoppable: by a signal, at any time. */
  newJob(stoppable: boolean): JobRequest {
    const job = { job: ++this.#jobs, stoppable };
    if (!stoppable || !this.shares) return job;
    return { ...job, stop: new Int32Array(new SharedArrayBuffer(4)) };
  }

  /** A function that the engine may call. */
  callback<T extends (argument: never) => unknown>(target: T): T {
    return this.remote ? (proxy(target) as T) : target;
  }

  /** Asks the engine, of whatever kind it is. */
  call<T, E extends EngineApi = EngineApi>(ask: (engine: E) => T): Promise<Awaited<T>> {
    return new Promise<Awaited<T>>((resolve, reject) => {
      if (this.#over) {
        reject(this.#over);
        return;
      }
      this.#pending.add(reject);
      if (this.#pending.size === 1) this.#worker?.ref?.();
      const settle = () => {
        this.#pending.delete(reject);
        if (this.#pending.size === 0) this.#worker?.unref?.();
      };
      /* A thenable from the port or a plain value: both are awaited alike. */
      new Promise<T>((start) => start(ask(this.#engine as unknown as E))).then(
        (value) => {
          settle();
          resolve(value as Awaited<T>);
        },
        (error: unknown) => {
          settle();
          reject(revive(error));
        },
      );
    });
  }

  /** Ends the worker and all calls. */
  end(reason: PlxError): void {
    if (this.#over) return;
    this.#over = reason;
    for (const reject of this.#pending) reject(reason);
    this.#pending.clear();
    this.#worker?.terminate();
  }
}
