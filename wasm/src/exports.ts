import type { Functions } from './generated/c_functions.js';
import type { ThreadOptions, ThreadPool } from './threads.js';

/** What the generated glue code gives. */
export interface GlueModule {
  readonly wasmMemory: WebAssembly.Memory;
  /** Only in modules with threads. */
  readonly PThread?: ThreadPool;
}

/** A module as JavaScript sees it; the build gives its functions the short names that they have there. */
export interface Exports extends Functions, GlueModule {}

/** What the generated glue code takes. */
export interface GlueOptions {
  /** Gives the instance; the module was compiled by the client. */
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
