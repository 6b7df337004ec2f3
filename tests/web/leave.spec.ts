/** The browser asks before the page is left while work would be lost, and only then. */
import { readFileSync } from 'node:fs';
import { expect, type Page, test } from '@playwright/test';
import { goTo, runBenchmark, serveNative, trainBriefly } from './support.js';

/** Reloads the page; says whether the browser asked, and answers that. */
async function asksToLeave(page: Page, answer: 'stay' | 'leave'): Promise<boolean> {
  let asked = false;
  page.once('dialog', (dialog) => {
    expect(dialog.type()).toBe('beforeunload');
    asked = true;
    void (answer === 'leave' ? dialog.accept() : dialog.dismiss());
  });
  const reloaded = page.reload({ timeout: 10_000 }).then(
    () => true,
    () => false,
  );
  expect(await reloaded).toBe(!asked || answer === 'leave');
  page.removeAllListeners('dialog');
  return asked;
}

test('a run in progress, and rows that are neither kept nor downloaded', async ({ page }) => {
  await serveNative(page);
  await page.goto('?size=quick&rounds=3&suites=gemm&threads=1');
  await page.locator('#title').click();
  expect(await asksToLeave(page, 'stay')).toBe(false);
  await page.locator('#run').click();
  await expect(page.getByRole('progressbar', { name: 'Progress of the run' })).toBeVisible();
  expect(await asksToLeave(page, 'stay')).toBe(true);
  await expect(page.locator('#outcome')).toContainText('Done in', { timeout: 80_000 });
  await goTo(page, 'Compare');
  page.once('dialog', (dialog) => void dialog.accept());
  await page.locator('#earlier-remove-all').click();
  await expect(page.locator('#earlier-status')).toContainText('No run is kept yet.');
  expect(await asksToLeave(page, 'stay')).toBe(true);
  await goTo(page, 'Benchmark');
  await Promise.all([page.waitForEvent('download'), page.locator('#download-csv').click()]);
  expect(await asksToLeave(page, 'stay')).toBe(false);
  await runBenchmark(page);
  await goTo(page, 'Compare');
  await expect(page.locator('#earlier-status')).toContainText('1 run kept.');
  expect(await asksToLeave(page, 'stay')).toBe(false);
  await expect(page.locator('#earlier-status')).toContainText('1 run kept.');
  await goTo(page, 'Benchmark');
  await page.locator('#run').click();
  expect(await asksToLeave(page, 'leave')).toBe(true);
  await expect(page.locator('#outcome')).toBeEmpty();
});

test('training, and what it learnt', async ({ page }) => {
  await serveNative(page);
  await page.goto('?threads=1');
  await goTo(page, 'Training');
  await expect(page.locator('#train-download')).toBeDisabled();
  await trainBriefly(page, 'interp5d');
  expect(await asksToLeave(page, 'stay')).toBe(true);
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.locator('#train-download').click(),
  ]);
  expect(file.suggestedFilename()).toBe('parallax-interp5d.json');
  const run = JSON.parse(readFileSync(await file.path(), 'utf8'));
  expect(run).toMatchObject({ task: 'interp5d', ended: 'done', step: 20, steered: false });
  expect(run.losses).toHaveLength(20);
  expect(run.measures.length).toBeGreaterThan(0);
  const [weights] = await Promise.all([
    page.waitForEvent('download'),
    page.locator('#train-weights').click(),
  ]);
  expect(weights.suggestedFilename()).toBe('parallax-interp5d.safetensors');
  const bytes = readFileSync(await weights.path());
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE())));
  expect(header.__metadata__).toMatchObject({ task: 'interp5d' });
  expect(JSON.stringify(header.__metadata__)).toContain(run.model);
  expect(Object.keys(header).length).toBeGreaterThan(10);
  expect(await asksToLeave(page, 'stay')).toBe(false);
});

test('what was learnt from a table', async ({ page }) => {
  await serveNative(page);
  await page.goto('?view=table&epochs=3&threads=1');
  await page.locator('#table-example').click();
  await expect(page.locator('#table-size')).toContainText('600 rows');
  expect(await asksToLeave(page, 'stay')).toBe(false);
  await page.locator('#table-example').click();
  await page.locator('#table-start').click();
  await expect(page.locator('#table-status')).toContainText('Trained');
  expect(await asksToLeave(page, 'stay')).toBe(true);
  await Promise.all([page.waitForEvent('download'), page.locator('#table-download').click()]);
  expect(await asksToLeave(page, 'stay')).toBe(false);
});
