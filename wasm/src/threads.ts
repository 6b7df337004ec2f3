/** Starts the workers of an engine's threads, from within the engine's own. */
import { PlxError } from './errors.js';
import { breathe } from './slice.js';

/** The options that the generated glue code passes. */
export interface ThreadOptions {
  /** Name by which the worker's script knows that it is that of a thread. */
  name: string;
}

/**
 * The part of the glue code's pool that is used. A thread can start only on a worker in the pool.
 */
export interface ThreadPool {
  readonly unusedWorkers: Worker[];
  /** Spawns a worker through `plxThread`. */
  allocateUnusedWorker(): void;
  /** Resolves when the worker has the module. */
  loadWasmModuleToWorker(worker: Worker): Promise<unknown>;
}

/**
 * Returns the type of this worker. A bundler decides whether the engine's worker is a module or a
 * classic script, and a thread's worker must be the same: webpack and Turbopack (in Next.js) write
 * scripts that cannot run as modules. In a module worker, importScripts always throws.
 */
function ownType(): WorkerType {
  try {
    (self as unknown as { importScripts(): void }).importScripts();
    return 'classic';
  } catch {
    return 'module';
  }
}

const nameOf = (event: ErrorEvent): string => event.message || 'its file did not load';

/** The workers of the threads, which are copies of this one, wherever a bundler put it. */
export class Threads {
  #reject: ((error: PlxError) => void) | undefined;
  #started = false;
  /** Rejects if a worker fails before all have the module. */
  readonly #failure = new Promise<never>((_, reject) => {
    this.#reject = reject;
  });

  constructor() {
    /* `add` awaits it; until then a failure must not count as unhandled. */
    this.#failure.catch(() => {});
  }

  /** Creates a worker; the glue code sends it the module. */
  spawn({ name }: ThreadOptions): Worker {
    try {
      /* Keep the fragment, in which Turbopack names the files to load. */
      const worker = new Worker(self.location.href, { type: ownType(), name });
      worker.addEventListener('error', (event) => this.#fail(event));
      return worker;
    } catch (error) {
      /* Some browsers throw if a policy forbids the worker. */
      throw this.#error((error as Error).message);
    }
  }

  /** Makes workers at once, which `add` finds in the pool. */
  make(pool: ThreadPool, count: number): void {
    while (pool.unusedWorkers.length < count) pool.allocateUnusedWorker();
  }

  /** Adds workers to the pool, between calls that arrive meanwhile. If one fails, none is kept. */
  async add(pool: ThreadPool, count: number, timeout: number): Promise<void> {
    try {
      while (pool.unusedWorkers.length < count) {
        pool.allocateUnusedWorker();
        await breathe();
      }
      const loaded = pool.unusedWorkers.map((worker) => pool.loadWasmModuleToWorker(worker));
      await Promise.race([Promise.all(loaded), this.#failure, this.#late(timeout)]);
      /* From now on, a failure is one of the whole engine. */
      this.#started = true;
    } catch (error) {
      for (const worker of pool.unusedWorkers.splice(0)) worker.terminate();
      throw error;
    }
  }

  /**
   * Starts threads on these workers, and waits until they run, with messages handled meanwhile. Waiting
   * in memory would last for ever where one of them never gets its thread.
   */
  async begin(start: () => boolean, timeout: number): Promise<void> {
    const began = performance.now();
    while (!start()) {
      if (performance.now() - began > timeout) {
        throw this.#error(`it ran no thread within ${timeout} ms`);
      }
      await breathe();
    }
  }

  #late(timeout: number): Promise<never> {
    return new Promise((_, reject) => {
      const error = this.#error(`it did not answer within ${timeout} ms`);
      setTimeout(() => reject(error), timeout);
    });
  }

  #error(what: string): PlxError {
    return new PlxError('PLX_ERR_UNSUPPORTED', `the worker of a thread failed: ${what}`);
  }

  /* Runs before the glue code's own handler, which would throw the event, an unreadable error. */
  #fail(event: ErrorEvent): void {
    event.preventDefault();
    event.stopImmediatePropagation();
    const error = this.#error(nameOf(event));
    if (this.#started) throw error;
    this.#reject?.(error);
  }
}
