import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Plugin } from 'vite';
import { browserPackages } from '../bench/peers/for_page.mjs';
import { peerNotices } from './peers_notices.ts';

const virtual = 'virtual:site-peers';
/** Where the page asks for the files, relative to itself. */
const place = 'peers';
const types: Readonly<Record<string, string>> = { '.wasm': 'application/wasm' };

interface Installed {
  name: string;
  version: string;
  /** Paths of the files by their places in the site. */
  files: Readonly<Record<string, string>>;
  bytes: number;
  /** The folder of its files in the site. */
  at: string;
}

/** A package in the folder; undefined if it is not installed. */
function find(modules: string, name: string, wanted: readonly string[]): Installed | undefined {
  const manifest = join(modules, name, 'package.json');
  if (!existsSync(manifest)) return undefined;
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  const folder = join(modules, name, 'dist');
  const files = wanted.flatMap((file) =>
    file.startsWith('*')
      ? readdirSync(folder).filter((each) => each.endsWith(file.slice(1)))
      : [file],
  );
  /* The version is in the address, so that no other one is taken from a cache. */
  const at = `${place}/${name.replace('@', '').replace('/', '-')}-${version}/`;
  const paths = files.map((file) => [`${at}${file}`, join(folder, file)] as const);
  return {
    ...{ name, version, at },
    files: Object.fromEntries(paths),
    bytes: paths.reduce((sum, [, path]) => sum + statSync(path).size, 0),
  };
}

/** All packages of the peers; undefined unless all are installed. */
function installed(modules: string): Installed[] | undefined {
  const all = Object.values(browserPackages).flatMap((packages) =>
    Object.entries(packages).map(([name, files]) => find(modules, name, files)),
  );
  return all.every((each) => each !== undefined) ? all : undefined;
}

/**
 * Gives the site the libraries that Parallax is measured beside, as they were published, if they are
 * installed in `modules`. `virtual:site-peers` tells the page where they lie; it loads them when it is
 * asked to measure.
 */
export function sitePeers(modules: string): Plugin {
  const packages = installed(modules);
  return {
    name: 'site-peers',
    resolveId: (id) => (id === virtual ? `\0${virtual}` : undefined),
    load(id) {
      if (id !== `\0${virtual}`) return undefined;
      const about = packages?.map(({ name, at, version, bytes }) => [
        name,
        { at: `./${at}`, version, bytes },
      ]);
      return `export default ${about ? JSON.stringify(Object.fromEntries(about)) : 'undefined'};`;
    },
    configureServer(server) {
      const files = Object.assign({}, ...(packages ?? []).map((each) => each.files));
      server.middlewares.use(`/${place}`, (request, response, next) => {
        const { pathname } = new URL(request.url ?? '/', 'http://site');
        const path: string | undefined = files[`${place}${pathname}`];
        if (!path) return next();
        response.setHeader('Content-Type', types[extname(path)] ?? 'text/javascript');
        createReadStream(path).pipe(response);
      });
    },
    generateBundle() {
      if (!packages) return;
      for (const { files } of packages) {
        for (const [fileName, path] of Object.entries(files)) {
          this.emitFile({ type: 'asset', fileName, source: readFileSync(path) });
        }
      }
      const fileName = 'THIRD_PARTY_NOTICES_peers.txt';
      const shipped = packages.map(({ name, files }) => [name, Object.values(files)[0] ?? '']);
      const source = peerNotices(modules, Object.fromEntries(shipped));
      this.emitFile({ type: 'asset', fileName, source });
    },
  };
}
