/** The licences of the libraries that Parallax is measured beside, and of what they depend on. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Manifest {
  name: string;
  version: string;
  license?: string;
  author?: string | { name: string };
  repository?: string | { url: string };
  dependencies?: Readonly<Record<string, string>>;
}

const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/** The MIT licence, without a copyright: that of this repository. */
function mit(): string {
  const text = readFileSync(fileURLToPath(new URL('../LICENSE', import.meta.url)), 'utf8');
  return text.replace(/^Copyright .*\n\n/m, '');
}

/** The Apache licence, which Comlink comes with. */
function apache(): string {
  const main = createRequire(import.meta.url).resolve('comlink');
  return readFileSync(join(dirname(main), '../../LICENSE'), 'utf8');
}

/** Texts for packages that name their licence, but come without it. */
const standard: Readonly<Record<string, () => string>> = { MIT: mit, 'Apache-2.0': apache };

/** The text of a package's licence; undefined if it neither has one nor names a standard one. */
function textOf(folder: string, { license = '' }: Manifest): string | undefined {
  const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
  return file ? readFileSync(join(folder, file), 'utf8') : standard[license]?.();
}

/** The comment at the beginning of a published file, which names who holds its copyright. */
const headerOf = (file: string): string =>
  /^\s*\/\*[\s\S]*?\*\//.exec(readFileSync(file, 'utf8'))?.[0] ?? '';

function entryOf(folder: string, header: string): string {
  const manifest = manifestOf(folder);
  const { name, version, license, author, repository } = manifest;
  const source = typeof repository === 'string' ? repository : repository?.url;
  const by = typeof author === 'string' ? author : author?.name;
  const text = textOf(folder, manifest);
  if (!text && header) throw new Error(`${name} ${version} has no licence that is known here`);
  return [
    `## ${name} ${version} (${license ?? 'no licence named'})`,
    source && `Source${header ? ', and notices of what its binaries are made of' : ''}: ${source}`,
    header || (by && `Author: ${by}`),
    (text ?? 'Its package has no text of its licence.').trim(),
  ]
    .filter(Boolean)
    .join('\n\n');
}

/** shipped: a published file of each package that the site has. A package without a licence stops the build. */
export function peerNotices(modules: string, shipped: Readonly<Record<string, string>>): string {
  const entries = new Map<string, string>();
  const add = (name: string, header: string): void => {
    const folder = join(modules, name);
    /* Types are no part of what is published. */
    if (entries.has(name) || name.startsWith('@types/') || !existsSync(folder)) return;
    entries.set(name, entryOf(folder, header));
    for (const inner of Object.keys(manifestOf(folder).dependencies ?? {})) add(inner, '');
  };
  for (const [name, file] of Object.entries(shipped)) add(name, headerOf(file));
  return `${[...entries.values()].join('\n\n')}\n`;
}
