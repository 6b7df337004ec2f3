/** Notices of third-party code in dist/: in the bundles, and linked into the modules by emcc. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** Third-party code on the C side, which bundlers do not see. */
const LINKED = [
  {
    title: 'Emscripten (MIT)',
    where: 'its runtime, in engine-*.mjs, engine-*.wasm and inline.mjs',
    text: readFileSync(join(here, 'licenses/emscripten.txt'), 'utf8'),
  },
  {
    title: 'musl, the C library that Emscripten brings (MIT)',
    where: 'parts of it, in engine-*.wasm and inline.mjs',
    text: readFileSync(join(here, 'licenses/musl.txt'), 'utf8'),
  },
];

/**
 * Returns the folders of the packages in the bundles, by esbuild's metafiles, and the bundles'
 * names.
 */
function bundledFolders(metafiles, base) {
  const folders = new Map();
  for (const { outputs } of metafiles) {
    for (const [output, { inputs }] of Object.entries(outputs)) {
      for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
        const [folder] = /^.*node_modules\/(@[^/]+\/)?[^/]+(?=\/)/.exec(resolve(base, path)) ?? [];
        if (!folder || bytesInOutput === 0) continue;
        folders.set(folder, (folders.get(folder) ?? new Set()).add(output.replace(/^.*\//, '')));
      }
    }
  }
  return folders;
}

function packageNotice(folder, bundles) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  if (files.length === 0) {
    throw new Error(`${name} has no licence text in its package, so it cannot be bundled`);
  }
  return {
    title: `${name} ${version} (${license})`,
    where: `in ${[...bundles].sort().join(', ')}`,
    text: files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n'),
  };
}

/** Returns the whole text; the paths in the metafiles are relative to base. */
export function noticesOf(metafiles, base) {
  const bundled = [...bundledFolders(metafiles, base)].map(([folder, bundles]) =>
    packageNotice(folder, bundles),
  );
  bundled.sort((a, b) => a.title.localeCompare(b.title, 'en'));
  const parts = [...bundled, ...LINKED].map(
    ({ title, where, text }) => `${'-'.repeat(80)}\n${title}\n${where}\n\n${text.trimEnd()}\n`,
  );
  return `What parallax-nn contains of others' work, and under which terms.\n\n${parts.join('\n')}`;
}
