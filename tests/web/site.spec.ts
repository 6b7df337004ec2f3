/** The built page on a host that sends no headers: threads, use without a network, updates. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, expect, type Page, test } from '@playwright/test';
import { revisionOf } from '../../web/kept_files.js';
import { type StaticServer, serveFolder } from './static_server.js';
import {
  collectComplaints,
  dist,
  goTo,
  runBenchmark,
  trainBriefly,
  watchPolicy,
} from './support.js';

test.use({ serviceWorkers: 'allow' });

let folder: string;
let server: StaticServer;
test.beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parallax-site-'));
  cpSync(dist, folder, { recursive: true });
  /* Native results of this machine, where scripts/playground has left some. */
  rmSync(join(folder, 'results'), { recursive: true, force: true });
  server = await serveFolder(folder);
});
test.afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

/** The engine that the page uses: a note below it may name others. */
const engine = (page: Page) => page.locator('#engine dd').first();

/** Waits until the page has its threads, and its files are stored. */
async function settle(page: Page): Promise<void> {
  await expect(engine(page)).toHaveText('relaxed-threads');
  await expect(offline(page)).toContainText('opens without a network');
}

const isolated = (page: Page) => page.evaluate(() => crossOriginIsolated);
const offline = (page: Page) => page.locator('#offline');

/** Counts how often the page is loaded from now on. */
function countLoads(page: Page): () => number {
  let loads = 0;
  page.on('load', () => {
    loads += 1;
  });
  return () => loads;
}

/** Makes the site another version, whose page has this title. */
function publish(version: string): void {
  const page = join(folder, 'index.html');
  const worker = join(folder, 'service_worker.js');
  const before = revisionOf(page);
  writeFileSync(
    page,
    readFileSync(page, 'utf8').replace(
      /<html lang="en"[^>]*>/,
      `<html lang="en" data-version="${version}">`,
    ),
  );
  const script = readFileSync(worker, 'utf8');
  expect(script.split(before)).toHaveLength(2);
  writeFileSync(worker, script.replace(before, revisionOf(page)));
}

test('the first visit ends with threads, after one reload', async ({ page }) => {
  const complaints = collectComplaints(page);
  const loads = countLoads(page);
  await page.goto(`${server.url}?size=quick&rounds=3&suites=gemm&threads=2`);
  await expect(engine(page)).toHaveText('relaxed-threads');
  await expect(page.locator('#engine')).toContainText('2 of');
  expect(await isolated(page)).toBe(true);
  expect(loads()).toBe(2);
  await runBenchmark(page);
  expect(loads()).toBe(2);
  expect(complaints).toEqual([]);
});

test('a page that was touched is not reloaded, but offers it', async ({ page }) => {
  const loads = countLoads(page);
  /* The service worker is slow to arrive, and the visitor is not. */
  const release = server.hold('service_worker.js');
  await page.goto(`${server.url}?size=quick&rounds=3&suites=gemm`);
  await expect(page.locator('#isolation')).toContainText('Preparing threads');
  await page.locator('#title').click();
  release();
  await expect(page.locator('#isolate')).toBeVisible();
  expect(loads()).toBe(1);
  await page.locator('#isolate').click();
  await expect(engine(page)).toHaveText('relaxed-threads');
  expect(await isolated(page)).toBe(true);
  expect(loads()).toBe(2);
});

test('a browser that gives no isolation is reloaded once, and told so', async ({ page }) => {
  /* As in a frame of another page: the headers are there, and change nothing. */
  await page.addInitScript(() => {
    Object.defineProperty(window, 'crossOriginIsolated', { value: false });
  });
  const loads = countLoads(page);
  await page.goto(server.url);
  await expect(page.locator('#isolation')).toContainText('still gives this page no threads');
  expect(loads()).toBe(2);
  await page.reload();
  await expect(page.locator('#isolation')).toContainText('still gives this page no threads');
  expect(loads()).toBe(3);
});

test('without service workers the page says why it has no threads', async ({ page }) => {
  await page.addInitScript(() => {
    Reflect.deleteProperty(Navigator.prototype, 'serviceWorker');
  });
  await page.goto(`${server.url}?size=quick&rounds=3&suites=gemm`);
  await expect(page.locator('#isolation')).toContainText('Private windows');
  await expect(offline(page)).toBeEmpty();
  await runBenchmark(page);
});

test('after one visit the page works without a network', async ({ page, context }) => {
  const complaints = collectComplaints(page);
  await page.goto(`${server.url}?size=quick&rounds=3&suites=gemm`);
  await settle(page);
  await page.goto(`${server.url}api/index.html`);
  await expect(page.locator('h1').first()).toContainText('parallax-nn');
  await context.setOffline(true);
  await server.close();
  await page.goto(`${server.url}?size=quick&rounds=3&suites=gemm&seed=3`);
  await expect(engine(page)).toHaveText('relaxed-threads');
  expect(await isolated(page)).toBe(true);
  await runBenchmark(page);
  /* The charts are loaded when they are drawn. */
  await trainBriefly(page, 'interp5d');
  await expect(page.locator('#trainer .canvas-box canvas').first()).toBeVisible();
  await page.goto(`${server.url}minimal.html`);
  await expect(page.locator('#result')).toContainText('Learnt XOR');
  /* The digits are large, and were not needed before. */
  await page.goto(server.url);
  await goTo(page, 'Training');
  await page.locator('.task', { hasText: 'mnist' }).click();
  await page.locator('#train-start').click();
  await expect(page.locator('#train-failure')).toContainText('is there a network?');
  expect(complaints.filter((text) => !text.includes('ERR_'))).toEqual([]);
  /* Of the API reference, what was opened. */
  await page.goto(`${server.url}api/index.html`);
  await expect(page.locator('h1').first()).toContainText('parallax-nn');
  await page.goto(`${server.url}api/modules/other.html`);
  await expect(page.locator('h1')).toHaveText('Not stored in this browser');
  await expect(page.locator('main')).toHaveCSS('font-size', '16px');
  await page.getByRole('link', { name: 'The benchmark' }).click();
  await expect(engine(page)).toHaveText('relaxed-threads');
});

test('digits that were loaded once are there without a network', async ({ page, context }) => {
  await page.goto(server.url);
  await settle(page);
  expect(server.requests.filter((path) => path.startsWith('data/'))).toEqual([]);
  await trainBriefly(page, 'mnist');
  await context.setOffline(true);
  await page.reload();
  await trainBriefly(page, 'mnist');
});

test('libraries that were measured once are there without a network', async ({ page, context }) => {
  const measure = async () => {
    await page.locator('#peers-run').click();
    await expect(page.locator('#peers-status')).toContainText('Done in', { timeout: 80_000 });
    await expect(page.locator('#peers-summary')).toContainText('Beside onnxruntime-web, Parallax');
    await expect(page.locator('#peers-summary')).toContainText('Beside jax-js, Parallax');
  };
  await page.goto(server.url);
  await settle(page);
  expect(server.requests.filter((path) => path.startsWith('peers/'))).toEqual([]);
  await page.goto(
    `${server.url}?view=peers&peers=ort,jax&peer-cases=predict-784-200-10-batch-1&threads=1`,
  );
  await measure();
  await context.setOffline(true);
  await server.close();
  await page.reload();
  await measure();
});

test('an update is offered, and not forced', async ({ page }) => {
  await page.goto(`${server.url}?size=quick&rounds=3&suites=gemm`);
  await settle(page);
  const loads = countLoads(page);
  publish('Second version');
  await page.reload();
  await expect(page.locator('#update-notice')).toContainText(
    'A newer version of this page is ready',
  );
  await expect(page.locator('html')).not.toHaveAttribute('data-version', 'Second version');
  /* Not while something runs. */
  await page.locator('#run').click();
  await expect(page.locator('#update')).toBeDisabled();
  await expect(page.locator('#update-notice')).toContainText('A benchmark run is in progress');
  await expect(page.locator('#outcome')).toContainText('Done in', { timeout: 80_000 });
  expect(loads()).toBe(1);
  /* The rows are not kept, and were not downloaded: someone may want to stay. */
  await goTo(page, 'Compare');
  page.once('dialog', (dialog) => void dialog.accept());
  await page.locator('#earlier-remove-all').click();
  await expect(page.locator('#earlier-status')).toContainText('No run is kept yet.');
  await goTo(page, 'Benchmark');
  page.once('dialog', (dialog) => void dialog.dismiss());
  await page.locator('#update').click();
  await expect(page.locator('html')).not.toHaveAttribute('data-version', 'Second version');
  page.once('dialog', (dialog) => void dialog.accept());
  await page.locator('#update').click();
  await expect(page.locator('html')).toHaveAttribute('data-version', 'Second version');
  await expect(engine(page)).toHaveText('relaxed-threads');
  await expect(page.locator('#update-notice')).toHaveCount(0);
  expect(loads()).toBe(2);
});

test('another tab is told of an update that was taken elsewhere', async ({ page, context }) => {
  await page.goto(server.url);
  await settle(page);
  const other = await context.newPage();
  await other.goto(server.url);
  await settle(other);
  publish('Second version');
  await page.reload();
  await page.locator('#update').click();
  await expect(page.locator('html')).toHaveAttribute('data-version', 'Second version');
  await expect(other.locator('#update-notice')).toBeVisible();
  await expect(other.locator('html')).not.toHaveAttribute('data-version', 'Second version');
  await other.locator('#update').click();
  await expect(other.locator('html')).toHaveAttribute('data-version', 'Second version');
});

test('nothing is asked of another host, and the policy is never violated', async ({
  page,
  context,
}) => {
  test.setTimeout(180_000);
  const foreign: string[] = [];
  context.on('request', (request) => {
    const address = request.url();
    if (!address.startsWith(server.url) && !/^(blob|data):/.test(address)) foreign.push(address);
  });
  const violations = await watchPolicy(page);
  const complaints = collectComplaints(page);
  await page.goto(`${server.url}?size=quick&rounds=3&suites=gemm`);
  await settle(page);
  await page.locator('#theme').click();
  await runBenchmark(page);
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.locator('#download-jsonl').click(),
  ]);
  await goTo(page, 'Files');
  await page.locator('#file').setInputFiles(await file.path());
  await expect(page.locator('#exchange .file-list li')).toHaveCount(1);
  await trainBriefly(page, 'mnist');
  await expect(
    page.locator('#train-exhibits section, #train-exhibits figure').first(),
  ).toBeVisible();
  await trainBriefly(page, 'gpt2-nano');
  expect(await violations()).toEqual([]);
  await page.goto(`${server.url}minimal.html`);
  await expect(page.locator('#result')).toContainText('Learnt XOR');
  expect(await violations()).toEqual([]);
  expect(foreign).toEqual([]);
  expect(complaints).toEqual([]);
});

test('the page can be installed', async ({ launchOptions }) => {
  /* From a window that is not private, as those of the other tests are. */
  const profile = mkdtempSync(join(tmpdir(), 'parallax-profile-'));
  const context = await chromium.launchPersistentContext(profile, launchOptions);
  const page = await context.newPage();
  await page.goto(server.url);
  await settle(page);
  const session = await context.newCDPSession(page);
  const { errors, url } = await session.send('Page.getAppManifest');
  expect(url).toBe(`${server.url}manifest.webmanifest`);
  expect(errors).toEqual([]);
  const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
  expect(installabilityErrors).toEqual([]);
  await context.close();
  rmSync(profile, { recursive: true });
});
