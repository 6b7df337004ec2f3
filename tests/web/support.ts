/** Helpers that the tests of the page share. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';

const command =
  process.env.PARALLAX_COMMAND ??
  fileURLToPath(new URL('../../build/release/parallax', import.meta.url));

const data = process.env.PARALLAX_DATA;

/** Paths of the MNIST images and labels, if the tests have them. */
export const mnistFiles: string[] = ['t10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz']
  .map((name) => (data ? [`${data}/${name}`, `${data}/mnist/${name}`].find(existsSync) : undefined))
  .filter((path) => path !== undefined);

/** Rows of a native run as JSON lines, measured on seeded noise. */
export function nativeRows(...args: string[]): string {
  return run(args, {});
}

/** The same on the MNIST images, if there are any. */
export function nativeRowsOfImages(...args: string[]): string {
  return run(args, data ? { PARALLAX_DATA: data } : {});
}

function run(args: string[], more: Record<string, string>): string {
  if (!existsSync(command)) throw new Error(`${command} does not exist: build it first.`);
  const { PARALLAX_ISA: _, PARALLAX_DATA: __, ...env } = process.env;
  return execFileSync(command, ['bench', ...args, '--quick', '--json', '-'], {
    encoding: 'utf8',
    env: { ...env, ...more },
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 1 << 26,
  });
}

/** Rows of both native runs that the page compares with: at its best, and exact. */
export function bothNativeRuns(...args: string[]): string {
  return nativeRows(...args) + nativeRows(...args, '--reproducible');
}

/** Serves this text as the native results; without a text the page finds none. */
export async function serveNative(page: Page, text?: string): Promise<void> {
  await page.route('**/results/native.jsonl', (route) =>
    text === undefined
      ? route.fulfill({ status: 404 })
      : route.fulfill({ body: text, contentType: 'application/jsonl' }),
  );
}

/** Collects errors of the page and of its console. */
export function collectComplaints(page: Page): string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    /* A file that a test leaves out on purpose is not a complaint. */
    if (message.type() === 'error' && !message.text().includes('404')) {
      complaints.push(message.text());
    }
  });
  return complaints;
}
