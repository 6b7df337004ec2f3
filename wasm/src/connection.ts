/** The client's connection to a running engine, in a worker or in this thread. */
import { proxy, type Remote, transfer, wrap } from 'comlink';
import { PlxError } from './errors.js';
import { disposed, warnForgotten, whenForgotten } from './forgotten.js';
import type { EngineApi, JobRequest } from './rpc.js';
import { revive } from './rpc_errors.js';

/** The part of a Worker that is used; Node's is wrapped to look the same. */
export interface WorkerLike {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  addEventListener(type: string, listener: EventListener): void;
  removeEventListener(type: string, listener: EventListener): void;
  terminate(): unknown;
  /** In Node, makes the process wait for this worker, or not. */
  ref?(): void;
  unref?(): void;
}

/**
 * Marks arrays in an argument to be transferred to the engine instead of being copied once more.
 * They must be the client's own, as they are detached by the call.
 */
export function moved<T extends object>(
  argument: T,
  arrays: readonly (ArrayBufferView | undefined)[],
): T {
  const buffers = arrays.flatMap((array) => (array ? [array.buffer as ArrayBuffer] : []));
  return transfer(argument, buffers);
}

/* The next two are no methods: what a worker reaches must not hold its connection, or a forgotten
 * one would stay with its worker. */

/** Tells a connection of the failures of its worker. */
function listen(worker: WorkerLike, file: string, connection: WeakRef<Connection>): void {
  worker.addEventListener('error', (event) => connection.deref()?.fail(event as ErrorEvent, file));
  worker.addEventListener('messageerror', () => {
    const message = 'the engine sent a message that cannot be read';
    connection.deref()?.end(new PlxError('PLX_ERR_STATE', message));
  });
}

/** Returns what ends the worker of a forgotten connection. */
const ending = (worker: WorkerLike, debug: boolean | undefined) => () => {
  worker.terminate();
  warnForgotten('an engine', debug);
};

/** The engine, in its worker or in this thread. */
export type RemoteEngine = EngineApi | Remote<EngineApi>;

/**
 * Calls to one engine. Every call settles: with its answer, with the failure of the worker, or with
 * the disposal of the engine.
 */
export class Connection {
  readonly #engine: RemoteEngine;
  readonly #worker: WorkerLike | undefined;
  readonly #pending = new Set<(error: PlxError) => void>();
  readonly #debug: boolean | undefined;
  #over: PlxError | undefined;
  #failed = false;
  #jobs = 0;

  /**
   * shares: whether memory can be shared with the worker. debug: whether to warn of what was
   * forgotten, if the caller has decided.
   */
  constructor(
    worker: WorkerLike | EngineApi,
    file: string,
    readonly shares: boolean,
    debug?: boolean,
  ) {
    this.#debug = debug;
    if ('postMessage' in worker) {
      this.#worker = worker;
      this.#engine = wrap<EngineApi>(worker as Parameters<typeof wrap>[0]);
      worker.unref?.();
      listen(worker, file, new WeakRef(this));
      whenForgotten(this, ending(worker, debug));
    } else {
      this.#engine = worker;
    }
  }

  /** Ends the connection with the failure of its worker; without a message its file did not load. */
  fail(event: ErrorEvent, file: string): void {
    const what = event.message
      ? `the engine's worker failed: ${event.message}`
      : `the engine's worker file ${file} did not load: serve it beside the package's other files, ` +
        'from the origin of the page, or give load() its workerURL';
    this.#failed = true;
    this.end(new PlxError('PLX_ERR_IO', what, { cause: event.error ?? event }));
  }

  /** Whether the connection has ended, so that no call is answered any more. */
  get over(): boolean {
    return this.#over !== undefined;
  }

  /** Whether the worker failed, or never loaded. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Whether calls go to another thread, for which functions need a proxy. */
  get remote(): boolean {
    return this.#worker !== undefined;
  }

  /** Creates a job; stoppable: whether a signal may stop it at any time. */
  newJob(stoppable: boolean): JobRequest {
    const job = { job: ++this.#jobs, stoppable };
    if (!stoppable || !this.shares) return job;
    return { ...job, stop: new Int32Array(new SharedArrayBuffer(4)) };
  }

  /** Wraps a function so that the engine can call it. */
  callback<T extends (argument: never) => unknown>(target: T): T {
    return this.remote ? (proxy(target) as T) : target;
  }

  /** Calls the engine, whatever its kind. */
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
      /* Works for a thenable from the port and for a plain value alike. */
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

  /**
   * Frees an object of the caller's in the engine if it is garbage-collected without having been
   * disposed of. free must not hold it, and returns whether there was something to free. noun: how a
   * warning names it; left out for what its owner frees anyway.
   */
  watch<E extends EngineApi = EngineApi>(
    target: object,
    free: (engine: E) => unknown,
    noun?: string,
  ): void {
    whenForgotten(target, () => {
      if (this.#over) return;
      this.call<unknown, E>(free).then(
        (freed) => {
          if (noun && freed) warnForgotten(noun, this.#debug);
        },
        () => {},
      );
    });
  }

  /** Ends the worker and all calls. */
  end(reason: PlxError): void {
    if (this.#over) return;
    disposed(this);
    this.#over = reason;
    for (const reject of this.#pending) reject(reason);
    this.#pending.clear();
    this.#worker?.terminate();
  }
}
