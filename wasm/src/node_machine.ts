/** Describes the machine for rows, as far as Node reveals it. */
import os, { availableParallelism } from 'node:os';
import process from 'node:process';
import type { Machine } from './machine.js';

/** Returns "Node 24"; runtimes that imitate Node list their own version besides Node's. */
function runtimeOf(versions: NodeJS.Dict<string>): string {
  const names = { deno: 'Deno', bun: 'Bun', node: 'Node' };
  const known = Object.entries(names).find(([key]) => versions[key] !== undefined);
  const [key, name] = known ?? ['', 'unknown runtime'];
  return `${name} ${versions[key]?.split('.')[0] ?? ''}`.trim();
}

export const nodeMachine = (): Promise<Machine> =>
  Promise.resolve({
    runtime: runtimeOf(process.versions),
    machine: {
      name: os.cpus()[0]?.model || 'unknown processor',
      cpus: availableParallelism(),
      system: `${os.type()} ${os.release()} ${os.machine()}`,
      memoryBytes: os.totalmem(),
    },
  });
