/** What the tests of the page share. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';

const command =
  process.env.PARALLAX_COMMAND ??
  fileURLToPath(new URL('../../build/release/parallax', import.meta.url));

/** Rows of a native run, as JSON lines. */
export function nativeRows(...args: string[]): string {
  if (!existsSync(command)) throw new Error(`${command} is not there: build it first.`);
  const { PARALLAX_ISA: _, PARALLAX_DATA: __, ...env } = process.env;
  return execFileSync(command, ['bench', ...args, '--quick', '--json', '-'], {
    encoding: 'utf8',
    env,
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
