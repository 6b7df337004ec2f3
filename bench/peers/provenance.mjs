// Where and when a row was measured: the fields of results.schema.json about that.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { dirname } from 'node:path';

import { summarise } from './statistics.mjs';
import { cpuVendor } from './vendor.mjs';

export const machine = () => ({
  name: cpus()[0]?.model.trim() || 'unknown',
  vendor: cpuVendor(),
  cpus: availableParallelism(),
  system: `${type()} ${release()}`,
  memoryBytes: totalmem(),
});

/**
 * The commit, with "-changed" if the tree has changes that are not committed. The rows do not count:
 * the first file of a measurement would otherwise mark all that follow.
 */
export function commit(root) {
  const git = (...args) => execFileSync('git', ['-C', root, ...args], { encoding: 'utf8' }).trim();
  try {
    const tracked = ['status', '--porcelain', '--untracked-files=no'];
    const changed = git(...tracked, '--', '.', ':!bench/results') ? '-changed' : '';
    return git('rev-parse', '--short=12', 'HEAD') + changed;
  } catch {
    return 'unknown';
  }
}

/**
 * A row of a script that measures without a harness: {suite, case, parameters, metric, unit, values,
 * engine}, where lower values are better.
 */
export function scriptRow(root, { values, ...about }) {
  return {
    schema: 'parallax-results-1',
    better: 'lower',
    primary: true,
    ...about,
    samples: { ...summarise(values), values },
    machine: machine(),
    compiler: 'as built',
    commit: commit(root),
    date: new Date().toISOString(),
    data: { kind: 'synthetic', seed: 0 },
    checks: { passed: true },
  };
}

export function writeRows(file, rows) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}
