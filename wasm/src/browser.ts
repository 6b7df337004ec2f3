/** The engine in a browser: files by URL and a dedicated worker. */
import type { Tier } from './api.js';
import type { Host } from './client.js';
import { PlxError } from './errors.js';
import { compileURL } from './source.js';

declare global {
  /**
   * Whether this build includes the engine's files: a constant that the bundler replaces.
   */
  const PLX_FILES: boolean;
}

/** The files of an entry of the package. */
export interface Assets {
  wasm: Record<Tier, () => URL>;
  worker: Record<Tier, () => Worker>;
}

function missing(option: string, file: string): PlxError {
  return new PlxError(
    'PLX_ERR_ARGUMENT',
    `load: this build of the package includes no files: give ${option}, the address of ${file}`,
  );
}

/**
 * Creates a host with these files, whose names begin with prefix; without them, load needs their
 * addresses as options.
 */
export function browserHost(prefix: string, assets: Assets | false): Host {
  const workerFile = (tier: Tier) => `${prefix}${tier}.mjs`;
  return {
    workerFile,
    compile(tier, url, told) {
      if (url) return compileURL(url, told);
      if (!assets) throw missing('wasmURL', `${prefix}${tier}.wasm`);
      return compileURL(assets.wasm[tier](), told);
    },
    spawn(tier, url) {
      if (url) return new Worker(url, { type: 'module' });
      if (!assets) throw missing('workerURL', workerFile(tier));
      return assets.worker[tier]();
    },
    cpus: () => navigator.hardwareConcurrency || 1,
    freezes: () => navigator.userAgent.includes('Firefox/'),
  };
}
