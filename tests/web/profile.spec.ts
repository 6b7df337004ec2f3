/** The panel of profiles: measured, cancelled, refused, with the keyboard alone. */
import { expect, type Page, test } from '@playwright/test';
import { unisolatedPort } from './places.js';
import { collectComplaints, serveNative } from './support.js';

async function open(page: Page): Promise<void> {
  await serveNative(page);
  await page.goto('?view=profile&threads=1');
  await expect(page.locator('#profile-start')).toBeEnabled();
}

const result = (page: Page) => page.locator('#profile-result');

test('shows where the time goes: the sentence, the largest items, and every step', async ({
  page,
}) => {
  const complaints = collectComplaints(page);
  await open(page);
  await expect(page.locator('#profile-status')).toHaveText('Nothing measured yet.');
  await expect(page.locator('#profile-items')).toBeHidden();
  await page.locator('#profile-model').fill('mlp:20-30-4');
  await page.locator('#profile-training').check();
  /* The keyboard alone: Enter in a field starts. */
  await page.locator('#profile-batch').fill('16');
  await page.keyboard.press('Enter');
  await expect(page.locator('#profile-start')).toBeDisabled();
  await expect(result(page)).toContainText(
    /A training step of mlp:20-30-4 with 16 samples takes [\d.,]+ µs .* rounds of [\d,]+ runs?\. /,
    { timeout: 60_000 },
  );
  /* On a busy machine there may be no ceiling that holds: then the reason stands in its place. */
  await expect(result(page)).toContainText(
    /are at \d+(\.\d)?% of them|Steps faster than their ceilings: \d|ceilings could not be measured/,
  );
  await expect(result(page)).not.toContainText('NaN');
  await expect(page.locator('#profile-items tbody tr')).toHaveCount(5);
  await page.locator('#profiler summary').focus();
  await page.keyboard.press('Enter');
  const steps = page.locator('#profiler details tbody tr');
  await expect(steps.first()).toContainText('matmul+bias+relu');
  await expect(steps.last()).toContainText('adam');
  expect(complaints).toEqual([]);
});

/* Its clock has steps of 100 µs or more: a step has a time that many runs tell, or the reason. */
test('gives times or reasons on a page that is not isolated', async ({ page }) => {
  await serveNative(page);
  await page.goto(`http://localhost:${unisolatedPort}/?view=profile`);
  await expect(page.locator('#profile-start')).toBeEnabled();
  await page.locator('#profile-model').fill('mlp:20-30-4');
  await page.locator('#profile-start').click();
  await expect(result(page)).toContainText(/takes [\d.]*[1-9][\d.]* µs/, { timeout: 80_000 });
  await page.locator('#profiler summary').click();
  for (const row of await page.locator('#profiler details tbody tr').all()) {
    await expect(row).toContainText(/[1-9]\d*(\.\d)?%|too short for this clock of \d/);
    await expect(row).not.toContainText('NaN');
  }
  await expect(result(page)).not.toContainText(/NaN|busy/);
});

test('says why a model cannot be measured, and keeps the last result', async ({ page }) => {
  await open(page);
  await page.locator('#profile-model').fill('mlp:4-3');
  await page.locator('#profile-start').click();
  await expect(result(page)).toContainText('mlp:4-3', { timeout: 60_000 });
  await page.locator('#profile-model').fill('none');
  await page.locator('#profile-start').click();
  await expect(page.locator('#profile-failed')).toContainText('there is no such model');
  await expect(result(page)).toContainText('mlp:4-3');
});

test('can be cancelled', async ({ page }) => {
  await open(page);
  await page.locator('#profile-start').click();
  await page.locator('#profile-cancel').click();
  await expect(page.locator('#profile-status')).toHaveText('Cancelled.');
  await expect(page.locator('#profile-start')).toBeEnabled();
  await expect(result(page)).toBeHidden();
});
