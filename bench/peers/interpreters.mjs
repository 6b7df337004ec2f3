// The Python interpreters that the caller named, which have to do what they were named for.
import { spawnSync } from 'node:child_process';

import { Wrong } from './peer_arguments.mjs';

const PACKAGES = { python: 'torch', jax: 'jax' };

/** Throws Wrong if an interpreter cannot be run, or lacks its package. */
export function checkInterpreters(options) {
  for (const [option, name] of Object.entries(PACKAGES)) {
    const file = options[option];
    if (file === undefined) continue;
    const { error, status, stderr } = spawnSync(file, ['-c', `import ${name}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    });
    if (error) throw new Wrong(`--${option}: "${file}" cannot be run: ${error.code}.`);
    if (status === 0) continue;
    const last = stderr.trim().split('\n').at(-1);
    throw new Wrong(`--${option}: "${file}" has no ${name}${last ? `: ${last}` : '.'}`);
  }
}
