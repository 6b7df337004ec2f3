/** Locates the package's files on disk. */
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));

/**
 * Returns the address of a file of the package. It is computed at run time, since bundlers of
 * server code (webpack, Turbopack) take `new URL(name, import.meta.url)` for a reference to one
 * file, and rewrite it to a file for browsers, or to one tier's file for every tier.
 */
export const packageFile = (name: string): URL => pathToFileURL(join(folder, name));
