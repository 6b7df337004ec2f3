import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';
import { unpack } from '../scripts/reference_rows.mjs';

const fileName = 'reference.jsonl.gz';

/**
 * The rows that scripts/reference wrote, as JSON lines like any other result file, compressed, as
 * hosts compress no files of this kind; undefined if there are none.
 */
function reference(folder: string): Buffer | undefined {
  const names = existsSync(folder)
    ? readdirSync(folder).filter((name) => /^reference-.*\.jsonl$/.test(name))
    : [];
  if (names.length === 0) return undefined;
  const rows = names
    .sort()
    .flatMap((name) => unpack(readFileSync(path.join(folder, name), 'utf8')));
  return gzipSync(rows.map((row) => `${JSON.stringify(row)}\n`).join(''), { level: 9 });
}

/** Provides the results of the reference machine as a file of the page. */
export function referenceResults(folder: string): Plugin {
  return {
    name: 'reference-results',
    configureServer(server) {
      server.middlewares.use(`/${fileName}`, (_, response) => {
        const source = reference(folder);
        response.statusCode = source ? 200 : 404;
        response.setHeader('Content-Type', 'application/gzip');
        response.end(source);
      });
    },
    generateBundle() {
      const source = reference(folder);
      if (source) this.emitFile({ type: 'asset', fileName, source });
    },
  };
}
