/** The engine in Node: files from disk and worker threads. */
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Host } from './client.js';
import { PlxError } from './errors.js';
import { packageFile } from './node_files.js';
import { NodeWorker } from './node_worker_like.js';
import { compileBytes, compileURL } from './source.js';

/** Creates the host for Node. prefix: that of the names of the engine's files. */
export const nodeHost = (prefix: string): Host => ({
  async compile(tier, url, told) {
    const from = url ?? packageFile(`${prefix}${tier}.wasm`);
    if (from.protocol !== 'file:') return compileURL(from, told);
    try {
      const bytes = new Uint8Array(await readFile(from));
      told?.(bytes.length, bytes.length);
      return await compileBytes(bytes, from.href);
    } catch (cause) {
      if (!(cause instanceof Error) || !('syscall' in cause)) throw cause;
      throw new PlxError('PLX_ERR_IO', `load: cannot read ${from.href}: ${cause.message}`, {
        cause,
      });
    }
  },
  spawn: (tier, url) => new NodeWorker(url ?? packageFile(`${prefix}${tier}.mjs`)),
  workerFile: (tier) => `${prefix}${tier}.mjs`,
  cpus: availableParallelism,
});
