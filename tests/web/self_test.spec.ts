/** The self-test, and two engines side by side. */
import { mkdirSync, readFileSync } from 'node:fs';
import { expect, type Page, test } from '@playwright/test';
import { unpack } from '../../scripts/reference_rows.mjs';
import { faults } from './axe_faults.js';
import { unisolatedPort } from './places.js';
import { collectComplaints, serveNative, serveReference } from './support.js';

const screenshots = new URL('../../build/screenshots/', import.meta.url).pathname;

const verdicts = async (page: Page) => {
  const rows = await page.locator('#self-test-findings tbody tr').all();
  return Promise.all(
    rows.map(async (row) => {
      const [tier = '', check = '', verdict = '', detail = ''] = await row
        .locator('th, td')
        .allInnerTexts();
      return { tier, check, verdict, detail };
    }),
  );
};

async function runTest(page: Page): Promise<void> {
  await expect(page.locator('#self-test-start')).toBeEnabled();
  await page.locator('#self-test-start').click();
  await expect(page.locator('#self-test-status')).toContainText(/passed|FAILED/, {
    timeout: 240_000,
  });
}

test('every tier passes: gradients, functions, outputs, and the committed bits', async ({
  browser,
}) => {
  test.setTimeout(300_000);
  const context = await browser.newContext({ bypassCSP: true });
  const page = await context.newPage();
  const complaints = collectComplaints(page);
  await serveNative(page);
  await page.goto('?view=self-test');
  await runTest(page);
  await expect(page.locator('#self-test-status')).toHaveText(/^All \d+ checks passed\.$/);
  const found = await verdicts(page);
  for (const tier of ['simd', 'simd-threads', 'relaxed-threads']) {
    const own = found.filter((each) => each.tier === tier);
    expect(own.length, tier).toBe(6);
    for (const { check, verdict } of own.slice(0, 3)) expect(verdict, check).toBe('✓ passed');
  }
  /* The hashes that are shown are those that are committed. */
  const committed = readFileSync(
    new URL('../../bench/results/reference-native.jsonl', import.meta.url),
    'utf8',
  );
  const exact = found.filter(
    ({ tier, check }) => tier !== 'relaxed-threads' && check.startsWith('bits'),
  );
  expect(exact).toHaveLength(6);
  for (const { detail, verdict } of exact) {
    expect(verdict).toBe('✓ passed');
    expect(committed).toContain(/^([0-9a-f]{16}), as committed/.exec(detail)?.[1] ?? 'no hash');
  }
  expect(await faults(page)).toEqual([]);
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: `${screenshots}self-test.png`, fullPage: true });
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.locator('#self-test-copy').click();
  await expect(page.locator('#self-test-note')).toContainText('Copied');
  const text = await page.evaluate(() => navigator.clipboard.readText());
  expect(text.trim().split('\n')).toHaveLength(found.length + 1);
  expect(complaints).toEqual([]);
  await context.close();
});

test('other bits than those committed fail, and it can be cancelled', async ({ page }) => {
  test.setTimeout(180_000);
  const packed = readFileSync(
    new URL('../../bench/results/reference-native.jsonl', import.meta.url),
    'utf8',
  ).replaceAll(/"lossBits":"[0-9a-f]{4}/g, '"lossBits":"0000');
  const rows = unpack(packed)
    .map((row) => JSON.stringify(row))
    .join('\n');
  await serveNative(page);
  await serveReference(page, rows);
  await page.goto(`http://localhost:${unisolatedPort}/?view=self-test`);
  await runTest(page);
  /* Without isolation one tier runs: three runs whose bits are compared. */
  await expect(page.locator('#self-test-status')).toHaveText(
    /^3 checks FAILED, 3 passed\. 2 tiers cannot run here\.$/,
  );
  await page.locator('#self-test-start').click();
  await expect(page.locator('#self-test-doing')).toContainText('simd:');
  await page.locator('#self-test-cancel').click();
  await expect(page.locator('#self-test-status')).toContainText('Cancelled');
  await expect(page.locator('#self-test-start')).toBeEnabled();
});

test('two exact engines have the same losses, bit by bit; a relaxed one comes close', async ({
  page,
}) => {
  test.setTimeout(120_000);
  const complaints = collectComplaints(page);
  await serveNative(page);
  await page.goto('?view=twins&task=interp5d&turns=60');
  const [status, bits, start] = ['status', 'bits', 'start'].map((name) =>
    page.locator(`#twins-${name}`),
  ) as [ReturnType<Page['locator']>, ReturnType<Page['locator']>, ReturnType<Page['locator']>];
  await expect(start).toBeEnabled();
  await start.click();
  await expect(status).toHaveText('Both have done 60 steps.', { timeout: 60_000 });
  await expect(bits).toHaveText('The losses of all 60 steps are equal to the last bit.');
  await expect(page.locator('#twins .canvas-box canvas')).toBeVisible();
  const seconds = page.locator('#twins-engines td:last-child');
  for (const each of await seconds.allInnerTexts()) expect(Number(each)).toBeGreaterThan(0);
  await page.getByText('Table of the losses').click();
  await expect(page.locator('#twins-losses tbody tr')).toHaveCount(25);
  const rows = await page.locator('#twins-losses tbody tr').all();
  const cells = await Promise.all(rows.map((row) => row.locator('th, td').allInnerTexts()));
  expect([cells[0]?.[0], cells.at(-1)?.[0]]).toEqual(['1', '60']);
  for (const [step, a, b] of cells) expect(a, step).toBe(b);
  await expect(page.locator('#twins-engines tbody tr')).toHaveCount(2);
  await page.locator('#twins-second').selectOption('relaxed-threads');
  await expect(page).toHaveURL(/second=relaxed-threads/);
  await start.click();
  await expect(status).toHaveText('Both have done 60 steps.', { timeout: 60_000 });
  await expect(bits).toContainText(
    /differ from step \d+ on; the largest difference is .* of the loss/,
  );
  await page.locator('#view-twins').screenshot({ path: `${screenshots}twins.png` });
  expect(complaints).toEqual([]);
});

test('two engines can be paused and stopped; a tier that cannot run is named', async ({ page }) => {
  await serveNative(page);
  await page.goto('?view=twins&task=gpt2-nano&turns=5000');
  const status = page.locator('#twins-status');
  await expect(page.locator('#twins-start')).toBeEnabled();
  await page.locator('#twins-start').click();
  await expect(status).toHaveText('Training in turns.');
  await expect(page.locator('#twins-bits')).toContainText('equal to the last bit');
  await page.locator('#twins-pause').click();
  await expect(status).toHaveText('Paused.');
  await page.locator('#twins-pause').click();
  await expect(status).toHaveText('Training in turns.');
  await page.locator('#twins-stop').click();
  await expect(status).toHaveText('Stopped.');
  await page.goto(`http://localhost:${unisolatedPort}/?view=twins`);
  await expect(page.locator('#twins-start')).toBeEnabled();
  await page.locator('#twins-start').click();
  await expect(page.locator('#twins-failed')).toContainText(/simd-threads.*isolated/);
});
