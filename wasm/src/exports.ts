import type { Functions } from './generated/c_functions.js';
import type { ThreadOptions } from './threads.js';

/** A module as JavaScript sees it. */
export interface Exports extends Functions {
  readonly wasmMemory: WebAssembly.Memory;
}

/** What the generated glue code takes. */
export interface GlueOptions {
  /** Gives the instance; the module was compiled by the client. */
  instantiateWasm(
    imports: WebAssembly.Imports,
    receive: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ): object;
  /** Fixed shared memory; only in modules with threads. */
  wasmMemory?: WebAssembly.Memory;
  /** Workers to spawn before the module starts. */
  plxWorkers: number;
  /** Spawns one of them. */
  plxThread(options: ThreadOptions): Worker;
}

/** The generated glue code: instantiates the module. */
export type Glue = (options: GlueOptions) => Promise<Exports>;
