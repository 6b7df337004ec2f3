/** What the tests of the page share. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';

const command =
  process.env.PARALLAX_COMMAND ??
  fileURLToPath(new URL('../../build/release/parallax', import.meta.url));

const data = process.env.PARALLAX_DATA;

/** The images and labels of MNIST, when the tests are given them. */
export const mnistFiles: string[] = ['t10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz']
  .map((name) => (data ? [`${data}/${name}`, `${data}/mnist/${name}`].find(existsSync) : undefined))
  .filter((path) => path !== undefined);

/** Rows of a native run, as JSON lines; of the suites' noise unless they are to use the images. */
export function nativeRows(...args: string[]): string {
  return run(args, {});
}

export function nativeRowsOfImages(...args: string[]): string {
  return run(args, data ? { PARALLAX_DATA: data } : {});
}

function run(args: string[], more: Record<string, string>): string {
  if (!existsSync(command)) throw new Error(`${command} is not there: build it first.`);
  const { PARALLAX_ISA: _, PARALLAX_DATA: __, ...env } = process.env;
  return execFileSync(command, ['bench', ...args, '--quick', '--json', '-'], {
    encoding: 'utf8',
    env: { ...env, ...more },
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 1 << 26,
  });
}

/** Both native runs that the page compares with: at the best, and exact. */
export function bothNativeRuns(...args: string[]): string {
  return nativeRows(...args) + nativeRows(...args, '--reproducible');
}

/** Native results of this text; none: the page's origin has none. */
export async function serveNative(page: Page, text?: string): Promise<void> {
  await page.route('**/results/native.jsonl', (route) =>
    text === undefined
      ? route.fulfill({ status: 404 })
      : route.fulfill({ body: text, contentType: 'application/jsonl' }),
  );
}

/** Fails the test when the page complains in its console. */
export function collectComplaints(page: Page): string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    /* What a test leaves out on purpose is not a complaint. */
    if (message.type() === 'error' && !message.text().includes('404')) {
      complaints.push(message.text());
    }
  });
  return complaints;
}
