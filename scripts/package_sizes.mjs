/**
 * What each entry of the built package fetches, after gzip. Usage: node scripts/package_sizes.mjs
 * [--json FILE]; build the package first.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { scriptRow, writeRows } from '../bench/peers/provenance.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

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
  const { values } = parseArgs({ options: { json: { type: 'string' } } });
  const measured = rows(join(root, 'wasm/dist'));
  for (const { case: name, engine, samples } of measured)
    console.log(`${name}, ${engine.tier}: ${samples.median} bytes`);
  if (values.json) writeRows(values.json, measured);
}
