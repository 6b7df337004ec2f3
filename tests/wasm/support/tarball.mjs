/** Packs the package and installs it into a clean folder, as in a user's project. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

/** Packs the package into folder and returns {filename, files}. */
function pack(folder) {
  const [packed] = JSON.parse(npm(PACKAGE, 'pack', '--json', '--pack-destination', folder));
  return packed;
}

/** Unpacks the packed package into folder, replacing what was there before. */
export function unpackInto(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { filename } = pack(folder);
  execFileSync('tar', ['-xzf', filename, '--strip-components=1'], { cwd: folder });
  rmSync(join(folder, filename));
}

/** Creates a project with the package installed: {folder, files, tarball, write, remove}. */
export function newProject() {
  const folder = mkdtempSync(join(tmpdir(), 'parallax-nn-'));
  const { filename, files } = pack(folder);
  const write = (name, text) => writeFileSync(join(folder, name), text);
  write('package.json', JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  npm(folder, 'install', join(folder, filename));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const tarball = () => readFileSync(join(folder, filename));
  return { folder, files: files.map((file) => file.path), tarball, write, remove };
}
