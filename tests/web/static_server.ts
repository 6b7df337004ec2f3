/** A host of static files that sends no header but the type, as GitHub Pages does. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};

export interface StaticServer {
  /** Address of the folder, ending with a slash. */
  url: string;
  /** Paths that were asked for, relative to the folder. */
  requests: string[];
  /** Holds a file back until the returned function is called. */
  hold(file: string): () => void;
  close(): Promise<void>;
}

/** Serves a folder below a path, as hosts of projects do. */
export async function serveFolder(folder: string, below = '/parallax/'): Promise<StaticServer> {
  const requests: string[] = [];
  const held = new Map<string, Promise<void>>();
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://host');
    const path = normalize(decodeURIComponent(pathname));
    const file = path.slice(below.length) || 'index.html';
    requests.push(file);
    await held.get(file);
    try {
      if (!path.startsWith(below)) throw new Error('outside');
      const body = await readFile(join(folder, file));
      const type = types[extname(file)] ?? 'application/octet-stream';
      response.writeHead(200, { 'Content-Type': type }).end(body);
    } catch {
      response.writeHead(404).end('not found');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${below}`,
    requests,
    hold(file) {
      let release = () => {};
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      held.set(file, released);
      return release;
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
