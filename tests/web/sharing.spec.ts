/** Results that are passed on: by a link without a server, and as Markdown. */
import { expect, test } from '@playwright/test';
import { bothNativeRuns, collectComplaints, openSuite, serveNative } from './support.js';

test('a result survives its way through a link, and through Markdown', async ({
  page,
  context,
}) => {
  test.setTimeout(120_000);
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const complaints = collectComplaints(page);
  await serveNative(page, bothNativeRuns('gemm', '--seconds', '0.05'));
  await page.goto('?size=quick&rounds=3&suites=gemm&seed=3');
  await page.locator('#run').click();
  await expect(page.locator('#outcome')).toContainText('Done in', { timeout: 80_000 });
  const answer = await page.locator('#answer').innerText();
  /* What follows its subject, which is another one there. */
  const [, said = 'nothing'] = /^Your browser (.*)$/s.exec(answer) ?? [];

  await page.locator('#copy-markdown').click();
  await expect(page.locator('#shared-note')).toContainText('Copied');
  const markdown = await page.evaluate(() => navigator.clipboard.readText());
  expect(markdown).toContain(answer);
  expect(markdown).toMatch(/^\| gemm \| 256 x 256 x 256 \|.*GFLOP\/s.*%/m);

  await page.locator('#copy-link').click();
  await expect(page.locator('#shared-note')).toContainText(/a link of [\d,]+ characters/);
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(link).toContain('suites=gemm');

  const other = await context.newPage();
  await serveNative(other);
  await other.goto(link);
  await expect(other.locator('#origin')).toContainText('Shared by link');
  await expect(other.locator('#answer')).toContainText(said);
  await expect(other.locator('#suite-gemm .badge')).toHaveText('shared');
  /* It stays in the address from view to view. */
  await openSuite(other, 'gemm');
  await expect(other.locator('#suite-origin')).toContainText('Shared by link');
  await expect(other).toHaveURL(/view=suite\/gemm.*#result=/);
  expect(complaints).toEqual([]);
});

test('a damaged link gives a sentence, and the page works', async ({ page }) => {
  await serveNative(page);
  await page.goto('#result=abc');
  await expect(page.locator('#notices')).toContainText('cannot be read: the link is damaged');
  await expect(page.locator('#origin')).toContainText('Reference');
  await expect(page.locator('#run')).toBeEnabled();
});
