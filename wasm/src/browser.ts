/** The engine in a browser: files by URL and a dedicated worker. */
import type { Tier } from './api.js';
import type { Host } from './client.js';
import { PlxError } from './errors.js';
import { compileURL } from './source.js';

/** The files of an entry of the package. */
export interface Assets {
  /** Prefix of their names: `engine-`. */
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

/** Creates a host with these files; without them, load needs their addresses as options. */
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
