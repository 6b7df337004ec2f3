/** Where the package's files lie on the disk. */
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));

/**
 * The address of a file of the package. Worked out when it runs: bundlers of server code (webpack,
 * Turbopack) rewrite what they take for a reference to one file, `new URL(name, import.meta.url)`,
 * to a file for a browser, or to one tier's file for every tier.
 */
export const packageFile = (name: string): URL => pathToFileURL(join(folder, name));
