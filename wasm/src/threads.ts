/** Starts the workers of an engine's threads, from within the engine's own. */
import { PlxError } from './errors.js';
import { breathe } from './slice.js';

/** What the generated glue code asks for. */
export interface ThreadOptions {
  /** By which the worker's script knows that it is a thread's. */
  name: string;
}

/** What is used of the glue code's pool. A thread can start only on a worker that is in it. */
export interface ThreadPool {
  readonly unusedWorkers: Worker[];
  /** Spawns one, by `plxThread`. */
  allocateUnusedWorker(): void;
  /** Resolves when it has the module. */
  loadWasmModuleToWorker(worker: Worker): Promise<unknown>;
}

/**
 * A bundler decides whether the engine's worker is a module or a classic script, and a thread's must
 * be the same: webpack and Turbopack (in Next.js) write scripts that no module may be. Only in a
 * classic worker does importScripts do anything but throw.
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

/** The threads' workers: another copy of this one, wherever a bundler put it. */
export class Threads {
  #reject: ((error: PlxError) => void) | undefined;
  #started = false;
  /** Rejects when a worker fails before all have the module. */
  readonly #failure = new Promise<never>((_, reject) => {
    this.#reject = reject;
  });

  constructor() {
    /* Whoever adds workers is told; until then it is not unhandled. */
    this.#failure.catch(() => {});
  }

  /** A new worker; the glue code gives it the module. */
  spawn({ name }: ThreadOptions): Worker {
    try {
      /* With the fragment: Turbopack keeps there what the script is to load. */
      const worker = new Worker(self.location.href, { type: ownType(), name });
      worker.addEventListener('error', (event) => this.#fail(event));
      return worker;
    } catch (error) {
      /* Some browsers throw where a policy forbids the worker. */
      throw this.#error((error as Error).message);
    }
  }

  /** Adds workers to the pool, between the calls that come meanwhile. When one fails, none stays. */
  async add(pool: ThreadPool, count: number, timeout: number): Promise<void> {
    try {
      while (pool.unusedWorkers.length < count) {
        pool.allocateUnusedWorker();
        await breathe();
      }
      const loaded = pool.unusedWorkers.map((worker) => pool.loadWasmModuleToWorker(worker));
      await Promise.race([Promise.all(loaded), this.#failure, this.#late(timeout)]);
      /* From now on a failure is one of the engine as a whole. */
      this.#started = true;
    } catch (error) {
      for (const worker of pool.unusedWorkers.splice(0)) worker.terminate();
      throw error;
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

  /* Before the glue code's own handler, which would throw the event, of which nothing can be read. */
  #fail(event: ErrorEvent): void {
    event.preventDefault();
    event.stopImmediatePropagation();
    const error = this.#error(nameOf(event));
    if (this.#started) throw error;
    this.#reject?.(error);
  }
}
