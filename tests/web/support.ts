/** Helpers that the tests of the page share. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, type Page } from '@playwright/test';

const command =
  process.env.PARALLAX_COMMAND ??
  fileURLToPath(new URL('../../build/release/parallax', import.meta.url));

const data = process.env.PARALLAX_DATA;

/** The built page. */
export const dist = fileURLToPath(new URL('../../web/dist', import.meta.url));

/** Paths of the MNIST images and labels, if the tests have them. */
export const mnistFiles: string[] = ['t10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz']
  .map((name) => (data ? [`${data}/${name}`, `${data}/mnist/${name}`].find(existsSync) : undefined))
  .filter((path) => path !== undefined);

/** Rows of a native run as JSON lines, measured on seeded noise. */
export function nativeRows(...args: string[]): string {
  return run(args, {});
}

/** The same on the MNIST images, if there are any, otherwise on the digits that the page has. */
export function nativeRowsOfImages(...args: string[]): string {
  return run(args, { PARALLAX_DATA: data ?? `${dist}/data` });
}

function run(args: string[], more: Record<string, string>): string {
  if (!existsSync(command)) throw new Error(`${command} does not exist: build it first.`);
  const { PARALLAX_ISA: _, PARALLAX_DATA: __, ...env } = process.env;
  /* The rows have to be there, and not to be precise. */
  const brief = { '--seconds': '0.02', '--rounds': '3' };
  const missing = Object.entries(brief).filter(([name]) => !args.includes(name));
  const options = ['--quick', ...missing.flat(), '--json', '-'];
  return execFileSync(command, ['bench', ...args, ...options], {
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

/** Follows the page's links to a view by the name of its link, as a user does. */
export async function goTo(page: Page, name: string): Promise<void> {
  await page.locator('nav.views').getByRole('link', { name, exact: true }).click();
}

/** Opens the view of a suite from the start page. */
export async function openSuite(page: Page, suite: string): Promise<void> {
  await goTo(page, 'Benchmark');
  await page.locator(`#suite-${suite} h3 a`).click();
  await expect(page.locator('#view-suite h1')).toContainText(suite);
}

/** Opens a part of the suite that is shown. */
export async function openPart(page: Page, part: string): Promise<void> {
  const link = page.locator('.parts').getByRole('link', { name: part, exact: true });
  await link.click();
  await expect(link).toHaveAttribute('aria-current', 'page');
}

/** Opens the first part of the suite that has a heading of this name. */
export async function openPartWith(page: Page, name: string | RegExp): Promise<void> {
  const heading = page.getByRole('heading', { name, exact: true }).first();
  for (const part of await page.locator('.parts a').allInnerTexts()) {
    await openPart(page, part);
    if (await heading.isVisible()) break;
  }
  await expect(heading).toBeVisible();
}

/** Gives the page files, in the view for them. */
export async function giveFiles(
  page: Page,
  files: string | string[] | { name: string; mimeType: string; buffer: Buffer },
): Promise<void> {
  if (!(await page.locator('#view-files').isVisible())) await goTo(page, 'Files');
  await page.locator('#file').setInputFiles(files);
}

/** Replaces the results of the reference machine; without a text the page has none. */
export async function serveReference(page: Page, text?: string): Promise<void> {
  await page.route('**/reference.jsonl.gz', (route) =>
    text === undefined
      ? route.fulfill({ status: 404 })
      : route.fulfill({ body: text, contentType: 'application/gzip' }),
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

/** Collects violations of the page's policy, from its first script on. */
export async function watchPolicy(page: Page): Promise<() => Promise<string[]>> {
  await page.addInitScript(() => {
    const violations: string[] = [];
    Object.assign(window, { violations });
    document.addEventListener('securitypolicyviolation', (event) => {
      violations.push(`${event.violatedDirective}: ${event.blockedURI}`);
    });
  });
  return () => page.evaluate(() => (window as unknown as { violations: string[] }).violations);
}

/** Runs the chosen suites, and waits for the end. */
export async function runBenchmark(page: Page): Promise<void> {
  await goTo(page, 'Benchmark');
  await page.locator('#run').click();
  await expect(page.locator('#outcome')).toContainText('Done in', { timeout: 80_000 });
}

/** Trains a task for a few steps, and waits until its result is shown. */
export async function trainBriefly(page: Page, task: string): Promise<void> {
  await goTo(page, 'Training');
  await page.locator('.task', { hasText: task }).click();
  const steps = page.locator('#train-steps');
  if (!(await steps.isVisible())) await page.getByText('Optimizer, batch, steps and model').click();
  await steps.fill('20');
  await page.locator('#train-start').click();
  await expect(page.locator('#train-status')).toContainText(`Trained ${task}: 20 of 20 steps`);
  await expect(page.locator('#train-measures tbody tr').first()).toBeVisible();
}

/** Makes the smallest A/B test, in the view that also lists earlier runs. */
export async function testBriefly(page: Page): Promise<void> {
  await goTo(page, 'Compare');
  await page.locator('#ab-differs').selectOption('batch');
  await page.locator('#ab-model').fill('mlp:4-3');
  await page.locator('#ab-pairs').fill('6');
  await page.locator('#ab-pairs').blur();
  await page.locator('#ab-start').click();
  await expect(page.locator('#ab-result')).toContainText('6 pairs', { timeout: 60_000 });
}
