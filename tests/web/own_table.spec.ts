/** Learning from a table of the user's: reading, training, the fit, new rows, and what is refused. */
import { mkdirSync, readFileSync } from 'node:fs';
import { expect, type Page, test } from '@playwright/test';
import { faults, unfold } from './axe_faults.js';
import { collectComplaints, goTo, serveNative } from './support.js';

const screenshots = new URL('../../build/screenshots/', import.meta.url).pathname;

async function open(page: Page, address = '?view=table'): Promise<void> {
  await serveNative(page);
  await page.goto(address);
  await expect(page.locator('#table-drop')).toBeVisible();
}

const give = (page: Page, text: string, name = 'mine.csv') =>
  page
    .locator('#table-file')
    .setInputFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(text) });

/** Two clouds of points that a line separates, and a number that is their sum. */
function makeTable(rows: number): string {
  const lines = Array.from({ length: rows }, (_, i) => {
    const [a, b] = [((i * 37) % 101) / 101, ((i * 53) % 97) / 97];
    return `${a.toFixed(4)},${b.toFixed(4)},${a > b ? 'above' : 'below'},${(3 * a - b).toFixed(4)}`;
  });
  return `a,b,side,sum\n${lines.join('\n')}\n`;
}

test('the example: words become inputs, gaps are said, rents are predicted', async ({ page }) => {
  const complaints = collectComplaints(page);
  await open(page);
  await expect(page.locator('#table-start')).toBeDisabled();
  await page.locator('#table-example').click();
  await expect(page.locator('#table-size')).toContainText(
    'Synthetic rents, seed 0: 600 rows, 5 columns',
  );
  await expect(page.locator('#table-target')).toHaveValue('rent');
  await expect(page.locator('#table-problem')).toHaveText('It is learnt as a number.');
  await page.locator('#table-start').click();
  await expect(page.locator('#table-status')).toContainText('Trained', { timeout: 60_000 });
  await expect(page.locator('#table-notes')).toContainText('district (4) and balcony (2)');
  await expect(page.locator('#table-notes')).toContainText(
    '6 rows with a missing value are left out',
  );
  /* The noise is uniform over 60: its deviation, 17, bounds what can be reached. */
  const text = await page.locator('#table-result').innerText();
  const [, rmse, r2] = /RMSE of rent: ([\d.]+), R² ([\d.]+), on the 118 rows/.exec(text) ?? [];
  expect(Number(rmse)).toBeGreaterThan(12);
  expect(Number(rmse)).toBeLessThan(40);
  expect(Number(r2)).toBeGreaterThan(0.97);
  await expect(page.locator('#chart-table-fit canvas')).toBeVisible();
  await page.locator('#chart-table-fit summary').click();
  await expect(page.locator('#chart-table-fit tbody tr')).toHaveCount(118);
  await page.locator('#table-rows').fill('centre,80,2,yes\nhills,80,2,no');
  await page.locator('#table-predict').click();
  const predicted = page.locator('#table-predictions tbody tr td:last-child');
  await expect(predicted).toHaveCount(2);
  const [centre, hills] = (await predicted.allInnerTexts()).map((each) =>
    Number(each.replaceAll(',', '')),
  );
  /* 150 + 80 (4 + 4.1) + 24 + 45, and 150 + 80 (4 + 2.4) + 24. */
  expect(Math.abs(centre! - 867)).toBeLessThan(60);
  expect(Math.abs(hills! - 686)).toBeLessThan(60);
  await page.locator('#table-rows').fill('centre,80,2,yes\nmoon,80,2,no');
  await page.locator('#table-predict').click();
  await expect(page.locator('#table-predict-failed')).toContainText(
    'line 2, column 1 (district): “moon”',
  );
  await expect(predicted).toHaveCount(2);
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: `${screenshots}table-numbers.png`, fullPage: true });
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.locator('#table-download').click(),
  ]);
  const saved = JSON.parse(readFileSync(await file.path(), 'utf8'));
  expect(saved).toMatchObject({ model: 'mlp:8-64-64-1:relu', seed: 0, held: 118 });
  expect(saved.weights[0].data).toHaveLength(8 * 64);
  expect(complaints).toEqual([]);
});

test('classes: another target, in the address, with a confusion matrix', async ({ page }) => {
  const complaints = collectComplaints(page);
  await open(page, '?view=table&target=side&epochs=60&hidden=16&seed=3');
  await give(page, makeTable(300));
  await expect(page.locator('#table-target')).toHaveValue('side');
  await expect(page.locator('#table-epochs')).toHaveValue('60');
  await expect(page.locator('#table-seed')).toHaveValue('3');
  await page.locator('#table-start').click();
  await expect(page.locator('#table-status')).toContainText('Trained', { timeout: 60_000 });
  const text = await page.locator('#table-result').innerText();
  const [, share] =
    /^(\d+)% of the 60 rows that were held out are predicted right/.exec(text) ?? [];
  expect(Number(share)).toBeGreaterThan(88);
  await expect(page.locator('#table-confusion .heat-table tbody tr')).toHaveCount(2);
  await page.locator('#table-rows').fill('b,a,sum\n0.1,0.9,2.6\n0.9,0.1,-0.6');
  await page.locator('#table-predict').click();
  const cells = page.locator('#table-predictions tbody td:nth-last-child(2)');
  await expect(cells).toHaveText(['above', 'below']);
  await page.locator('#table-target').selectOption('sum');
  await expect(page).toHaveURL(/target=sum/);
  expect(complaints).toEqual([]);
});

test('training can be paused, resumed and stopped; what was learnt is measured', async ({
  page,
}) => {
  await open(page, '?view=table&epochs=5000');
  await give(page, makeTable(300));
  const [status, pause] = [page.locator('#table-status'), page.locator('#table-pause')];
  await page.locator('#table-start').click();
  await expect(status).toHaveText('Training.');
  await expect(page.locator('#table .canvas-box.small canvas')).toBeVisible();
  await pause.click();
  await expect(status).toContainText(/Paused after [\d,]+ of [\d,]+ steps/);
  const paused = await status.innerText();
  await page.waitForTimeout(400);
  expect(await status.innerText()).toBe(paused);
  await pause.click();
  await expect(status).toHaveText('Training.');
  await page.locator('#table-stop').click();
  await expect(status).toContainText('Stopped after');
  await expect(page.locator('#table-result')).toContainText('RMSE of sum');
  await expect(page.locator('#table-start')).toBeEnabled();
});

test('a table can be pasted; what is wrong is said, and the last one stays', async ({ page }) => {
  const complaints = collectComplaints(page);
  await open(page);
  await page.getByText('Or paste a table').click();
  await page.locator('#table-paste').fill(makeTable(50).replaceAll(',', '\t'));
  await page.locator('#table-paste-use').click();
  await expect(page.locator('#table-size')).toContainText('The pasted table: 50 rows, 4 columns');
  const failure = page.locator('#table-failure');
  const wrong: [string, RegExp][] = [
    [`${makeTable(50)}1,2\n`, /mine\.csv: line 52 has 2 cells, but the first line has 4/],
    [makeTable(50).replace('0.3663', 'x3663'), /line \d+, column 1 \(a\): “x3663” is not a number/],
    ['a,b\n1,2\n', /at least 10 are needed/],
    ['', /single column/],
  ];
  for (const [text, message] of wrong) {
    await give(page, text);
    await expect(failure).toContainText(message);
    await expect(page.locator('#table-size')).toContainText('The pasted table');
  }
  await give(page, 'x'.repeat(20_000_001), 'huge.csv');
  await expect(failure).toContainText('huge.csv has 20.0 MB: at most 20 MB');
  await page.locator('#table-hidden').fill('64,64');
  await page.locator('#table-start').click();
  await expect(failure).toContainText('Hidden layers: “64,64”');
  await page.locator('#table-hidden').fill('8');
  await page.locator('#table-epochs').fill('2');
  await page.locator('#table-start').click();
  await expect(page.locator('#table-status')).toContainText('Trained');
  await expect(failure).toBeEmpty();
  expect(complaints).toEqual([]);
});

test('the view obeys the rules for everyone, on a phone too', async ({ browser }) => {
  const context = await browser.newContext({
    viewport: { width: 390, height: 844 },
    bypassCSP: true,
  });
  const page = await context.newPage();
  await open(page, '?view=table&epochs=5');
  expect(await faults(page)).toEqual([]);
  await page.locator('#table-example').click();
  await page.locator('#table-start').click();
  await expect(page.locator('#table-status')).toContainText('Trained');
  await page.locator('#table-predict').click();
  await expect(page.locator('#table-predictions tbody tr')).toHaveCount(1);
  await unfold(page);
  expect(await faults(page)).toEqual([]);
  const width = () => page.evaluate(() => document.documentElement.scrollWidth);
  await expect.poll(width).toBeLessThanOrEqual(390);
  await goTo(page, 'Training');
  await page.locator('nav.tabs:visible').getByRole('link', { name: 'Your own table' }).click();
  await expect(page.locator('#table-result')).toContainText('RMSE of rent');
  await context.close();
});
