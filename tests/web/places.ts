/** The programs and server ports of the tests. */
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

/** Path of the Chromium to drive: the one that scripts/setup found, otherwise the system's. */
export function chromiumPath(): string {
  const path = process.env.PARALLAX_CHROMIUM ?? find('chromium') ?? find('google-chrome');
  if (!path)
    throw new Error('Chromium was not found: install it, or set PARALLAX_CHROMIUM to its path.');
  return path;
}
