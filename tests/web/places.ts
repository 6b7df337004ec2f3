/** Where the programs and servers of the tests are. */
import { execFileSync } from 'node:child_process';

export const isolatedPort = 4971;
export const unisolatedPort = 4972;

function find(command: string): string | undefined {
  try {
    return execFileSync('sh', ['-c', `command -v ${command}`], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

/** The Chromium to drive: the one that scripts/setup found, else the system's. */
export function chromiumPath(): string {
  const path = process.env.PARALLAX_CHROMIUM ?? find('chromium') ?? find('google-chrome');
  if (!path) throw new Error('No Chromium was found: install it, or name it in PARALLAX_CHROMIUM.');
  return path;
}
