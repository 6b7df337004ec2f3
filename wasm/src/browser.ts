/** The engine in a browser: files by URL, a dedicated worker. */
import type { Tier } from './api.js';
import type { Host } from './client.js';
import { PlxError } from './errors.js';
import { compileURL } from './source.js';

/** Where the files of an entry of the package lie. */
export interface Assets {
  /** What their names begin with: `engine-`. */
  prefix: string;
  wasm: Record<Tier, () => URL>;
  worker: Record<Tier, () => Worker>;
}

function missing(option: string, file: string): PlxError {
  return new PlxError(
    'PLX_ERR_ARGUMENT',
    `load: this build of the package includes no files: give ${option}, the address of ${file}`,
  );
}

/** A host with these files; without them, load must be told where they lie. */
export function browserHost(assets?: Assets): Host {
  const workerFile = (tier: Tier) => `${assets?.prefix ?? 'engine-'}${tier}.mjs`;
  return {
    workerFile,
    compile(tier, url) {
      const from = url ?? assets?.wasm[tier]();
      if (!from) throw missing('wasmURL', `engine-${tier}.wasm`);
      return compileURL(from);
    },
    spawn(tier, url) {
      if (url) return new Worker(url, { type: 'module' });
      if (!assets) throw missing('workerURL', workerFile(tier));
      return assets.worker[tier]();
    },
    cpus: () => navigator.hardwareConcurrency || 1,
  };
}
