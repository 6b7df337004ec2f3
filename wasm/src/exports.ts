import type { Functions } from './generated/c_functions.js';
import type { ThreadOptions, ThreadPool } from './threads.js';

/** The module object of the generated glue code. */
export interface GlueModule {
  readonly wasmMemory: WebAssembly.Memory;
  /** Only in modules with threads. */
  readonly PThread?: ThreadPool;
}

/**
 * A module as JavaScript sees it; the build renames its functions to their short names in the
 * module.
 */
export interface Exports extends Functions, GlueModule {}

/** Options of the generated glue code. */
export interface GlueOptions {
  /** Creates the instance; the client has compiled the module. */
  instantiateWasm(
    imports: WebAssembly.Imports,
    receive: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ): object;
  /** Fixed shared memory; only in modules with threads. */
  wasmMemory?: WebAssembly.Memory;
  /** Spawns the worker of a thread. */
  plxThread(options: ThreadOptions): Worker;
}

/** The generated glue code: instantiates the module. */
export type Glue = (options: GlueOptions) => Promise<GlueModule>;
