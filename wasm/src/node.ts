/** The package in Node: the same API, with worker threads and files from the disk. */
import { readFile } from 'node:fs/promises';
import os, { availableParallelism } from 'node:os';
import process from 'node:process';
import type { Load } from './api.js';
import { type Host, makeLoad } from './client.js';
import { PlxError } from './errors.js';
import { packageFile } from './node_files.js';
import { NodeWorker } from './node_worker_like.js';
import { compileBytes, compileURL } from './source.js';

export type * from './api.js';
export type * from './api_generation.js';
export type * from './api_layers.js';
export type * from './api_learning.js';
export { type FailedCall, PlxError } from './errors.js';
export type * from './graph_api.js';

/** "Node 24"; the runtimes that imitate Node tell their own versions beside its. */
function runtimeOf(versions: NodeJS.Dict<string>): string {
  const names = { deno: 'Deno', bun: 'Bun', node: 'Node' };
  const known = Object.entries(names).find(([key]) => versions[key] !== undefined);
  const [key, name] = known ?? ['', 'unknown runtime'];
  return `${name} ${versions[key]?.split('.')[0] ?? ''}`.trim();
}

const host: Host = {
  async compile(tier, url) {
    const from = url ?? packageFile(`engine-${tier}.wasm`);
    if (from.protocol !== 'file:') return compileURL(from);
    try {
      return await compileBytes(new Uint8Array(await readFile(from)), from.href);
    } catch (cause) {
      if (!(cause instanceof Error) || !('syscall' in cause)) throw cause;
      throw new PlxError('PLX_ERR_IO', `load: cannot read ${from.href}: ${cause.message}`, {
        cause,
      });
    }
  },
  spawn: (tier, url) => new NodeWorker(url ?? packageFile(`engine-${tier}.mjs`)),
  cpus: availableParallelism,
  machine: () =>
    Promise.resolve({
      runtime: runtimeOf(process.versions),
      machine: {
        name: os.cpus()[0]?.model || 'unknown processor',
        cpus: availableParallelism(),
        system: `${os.type()} ${os.release()} ${os.machine()}`,
        memoryBytes: os.totalmem(),
      },
    }),
};

/** Starts an engine in a worker thread. */
export const load: Load = makeLoad(host);
