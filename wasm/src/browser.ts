/** The engine in a browser: files by URL, a dedicated worker. */
import type { Tier } from './api.js';
import type { Host } from './client.js';
import { PlxError } from './errors.js';
import { browserMachine } from './machine.js';
import { compileURL } from './source.js';

/** Where the package's files lie. */
export interface Assets {
  wasm: Record<Tier, () => URL>;
  worker: Record<Tier, () => Worker>;
}

function missing(option: string, file: string): PlxError {
  return new PlxError(
    'PLX_ERR_ARGUMENT',
    `load: this build of the package brings no files: give ${option}, the address of ${file}`,
  );
}

/** A host with these files; without them, load must be told where they lie. */
export function browserHost(assets?: Assets): Host {
  return {
    compile(tier, url) {
      const from = url ?? assets?.wasm[tier]();
      if (!from) throw missing('wasmURL', `engine-${tier}.wasm`);
      return compileURL(from);
    },
    spawn(tier, url) {
      if (url) return new Worker(url, { type: 'module' });
      if (!assets) throw missing('workerURL', `engine-${tier}.mjs`);
      return assets.worker[tier]();
    },
    cpus: () => navigator.hardwareConcurrency || 1,
    machine: browserMachine,
  };
}
