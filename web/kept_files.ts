import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** Licences and host settings, and what the page loads only when it needs it. */
const notKept = /^(_headers|THIRD_PARTY_|api\/|data\/|peers\/|results\/|service_worker\.js)/;
/** Vite puts a hash of its content into the name of a file in this folder. */
const named = /^assets\//;

/** A file to keep, as Workbox takes it; revision: of its content, null if its name changes with it. */
export interface KeptFile {
  url: string;
  revision: string | null;
}

/** The files of a built site that its service worker keeps. */
export function keptFiles(folder: string): KeptFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((url) => !notKept.test(url))
    .sort()
    .map((url) => ({ url, revision: named.test(url) ? null : revisionOf(join(folder, url)) }));
}

/** A text that changes with the content of a file. */
export function revisionOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16);
}
