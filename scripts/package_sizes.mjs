/** What each entry of the built package fetches, after gzip. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { scriptRow, writeRows } from '../bench/peers/provenance.mjs';
import { commandLine } from './options.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const USAGE = `usage: node scripts/package_sizes.mjs [--json FILE]

Prints what each entry of the package in wasm/dist fetches in each tier, in bytes after gzip -9.

  --json FILE   writes a row for each`;

export const TIERS = ['simd', 'simd-threads', 'relaxed-threads'];

/** The names of the entries in rows, and of their engines. */
const ENTRIES = {
  index: { name: 'load()', engine: 'engine' },
  inference: { name: 'inference', engine: 'engine-inference' },
  bench: { name: 'bench', engine: 'engine-bench' },
};

/** The files of the package that an entry fetches in a tier, in a page that uses its threads. */
export function filesOf(entry, tier) {
  const engine = `${ENTRIES[entry].engine}-${tier}`;
  return [`${engine}.wasm`, `${engine}.mjs`, `${entry}.mjs`];
}

export const compressed = (bytes) => gzipSync(bytes, { level: 9 }).length;

function rows(dist) {
  const { version } = JSON.parse(readFileSync(join(root, 'wasm/package.json'), 'utf8'));
  const size = (name) => compressed(readFileSync(join(dist, name)));
  return Object.entries(ENTRIES).flatMap(([entry, { name }]) =>
    TIERS.map((tier) =>
      scriptRow(root, {
        suite: 'package',
        case: name,
        parameters: {},
        metric: 'download',
        unit: 'bytes',
        values: [filesOf(entry, tier).reduce((sum, file) => sum + size(file), 0)],
        engine: { kind: 'wasm', name: 'parallax-nn', version, threads: 1, tier },
      }),
    ),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = commandLine('package_sizes', USAGE, { options: { json: { type: 'string' } } });
  const measured = rows(join(root, 'wasm/dist'));
  for (const { case: name, engine, samples } of measured)
    console.log(`${name}, ${engine.tier}: ${samples.median} bytes`);
  if (values.json) writeRows(values.json, measured);
}
