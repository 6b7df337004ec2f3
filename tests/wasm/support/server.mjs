/** Serves a folder over HTTP for a test. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** The headers that make a page cross-origin isolated. */
export const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** The strictest policy under which the package must run. */
export const STRICT_CSP = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'",
};

/**
 * Serves folder with these headers. answer(path) may return {status, type, body, headers} for some
 * paths. Returns {url, requests, close}; requests lists the requested paths.
 */
export async function serve(folder, headers = {}, answer = () => undefined) {
  const requests = [];
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://local').pathname));
    requests.push(path);
    const own = answer(path);
    try {
      const file = path.endsWith('/') ? `${path}index.html` : path;
      const body = own?.body ?? (await readFile(join(folder, file)));
      const type = own?.type ?? TYPES[extname(file)] ?? 'application/octet-stream';
      const sent = { ...headers, ...own?.headers, 'Content-Type': type };
      response.writeHead(own?.status ?? 200, sent).end(body);
    } catch {
      response.writeHead(404, headers).end('not found');
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${server.address().port}`, requests, close };
}
