/** The API reference that is published with the page. */
import { expect, test } from '@playwright/test';
import { collectComplaints } from './support.js';

test('leads from the page to the API reference, under the same policy', async ({ page }) => {
  const complaints = collectComplaints(page);
  await page.goto('./');
  await page.getByRole('link', { name: 'API reference of parallax-nn' }).click();
  await expect(page).toHaveTitle(/parallax-nn/);
  await expect(page.getByRole('heading', { level: 1 }).first()).toContainText('parallax-nn');
  const policy = page.locator('meta[http-equiv="Content-Security-Policy"]');
  await expect(policy).toHaveAttribute('content', /script-src 'self'/);
  expect(complaints).toEqual([]);
});

test('finds a method by its name', async ({ page }) => {
  const complaints = collectComplaints(page);
  await page.goto('./api/index.html');
  await page
    .getByRole('button', { name: 'Search' })
    .or(page.locator('#tsd-search-trigger'))
    .first()
    .click();
  await page.keyboard.type('crossEntropy');
  await page.locator('#tsd-search-results a').first().click();
  await expect(
    page.locator('h1, h2, h3').filter({ hasText: 'crossEntropy' }).first(),
  ).toBeVisible();
  expect(complaints).toEqual([]);
});
