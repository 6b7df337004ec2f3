/** Packs the package and installs it into a clean folder, as a user's project has it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE = fileURLToPath(new URL('../../../wasm', import.meta.url));

const npm = (cwd, ...args) =>
  execFileSync('npm', [...args, '--offline', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/** A new project with the packed package installed: {folder, files, write, remove}. */
export function newProject() {
  const folder = mkdtempSync(join(tmpdir(), 'parallax-nn-'));
  const [{ filename, files }] = JSON.parse(
    npm(PACKAGE, 'pack', '--json', '--pack-destination', folder),
  );
  const write = (name, text) => writeFileSync(join(folder, name), text);
  write('package.json', JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  npm(folder, 'install', join(folder, filename));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  return { folder, files: files.map((file) => file.path), write, remove };
}
