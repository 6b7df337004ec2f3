/** The view "Compare": earlier runs kept in this browser, and A/B tests. */
import { readFileSync } from 'node:fs';
import { expect, type Page, test } from '@playwright/test';
import { unisolatedPort } from './places.js';
import {
  collectComplaints,
  goTo,
  openSuite,
  runBenchmark,
  serveNative,
  testBriefly,
} from './support.js';

const runs = (page: Page) => page.locator('#earlier-runs > li');
/** An earlier run in the key of a chart. */
const lane = (page: Page) =>
  page.locator('#charts .key li', { hasText: /\(run of \d{4}-\d\d-\d\d/ }).first();
const result = (page: Page) => page.locator('#ab-result');

/** One small case, so that a run takes seconds. */
const quickRun = '?size=quick&rounds=2&suites=adaptive&threads=1';

test('finished runs are kept, compared with, downloaded and removed', async ({ page }) => {
  test.setTimeout(180_000);
  const complaints = collectComplaints(page);
  await serveNative(page);
  await page.goto(quickRun);
  await runBenchmark(page);
  await page.locator('#headline').getByRole('link', { name: 'Compare' }).click();
  await expect(page.locator('#earlier-status')).toContainText('1 run kept.');
  await expect(runs(page)).toContainText(/adaptive; Quick; .*relaxed-threads, 1 thread; commit/);
  /* It is the one that is shown: there is nothing to compare it with. */
  await expect(runs(page)).toContainText('The run that is shown.');
  await runBenchmark(page);
  await goTo(page, 'Compare');
  await expect(runs(page)).toHaveCount(2);
  const older = runs(page).nth(1);
  await older.getByRole('checkbox').check();
  await expect(page).toHaveURL(/[?&]with=\d{4}-\d\d-\d\dT/);
  await page.locator('#chart-against summary').click();
  const row = page.locator('#chart-against tbody tr', { hasText: 'run of 20' });
  await expect(row).toContainText(/(win|loss|no difference)/);
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    older.getByRole('button', { name: /^Download/ }).click(),
  ]);
  expect(file.suggestedFilename()).toMatch(/^parallax-run-\d{4}-.*\.jsonl$/);
  const lines = readFileSync(await file.path(), 'utf8')
    .trim()
    .split('\n');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ schema: 'parallax-results-1' });
  /* Its lane is named with its date. */
  await openSuite(page, 'adaptive');
  await expect(lane(page)).toBeVisible();

  /* The choice is in the address, and the run is still there. */
  page.on('dialog', (dialog) => void dialog.accept());
  await page.reload();
  await expect(lane(page)).toBeVisible();
  await goTo(page, 'Compare');
  await expect(runs(page)).toHaveCount(2);
  await expect(runs(page).nth(1).getByRole('checkbox')).toBeChecked();
  await runs(page)
    .nth(1)
    .getByRole('button', { name: /^Remove/ })
    .click();
  await expect(runs(page)).toHaveCount(1);
  await expect(page).not.toHaveURL(/with=/);
  await page.locator('#earlier-remove-all').click();
  await expect(page.locator('#earlier-status')).toContainText('No run is kept yet.');
  await page.reload();
  await expect(page.locator('#earlier-status')).toContainText('No run is kept yet.');
  expect(complaints).toEqual([]);
});

/** Writes entries as another page of this origin might. */
async function writeEntries(page: Page, entries: readonly (readonly [string, unknown])[]) {
  await page.evaluate(async (all) => {
    const open = indexedDB.open('parallax', 1);
    open.onupgradeneeded = () => {
      for (const name of ['runs', 'rows']) open.result.createObjectStore(name);
    };
    await new Promise((resolve) => {
      open.onsuccess = resolve;
    });
    const change = open.result.transaction(['runs', 'rows'], 'readwrite');
    for (const [id, entry] of all) {
      change.objectStore('runs').put(entry, id);
      change.objectStore('rows').put(new Uint8Array([1, 2, 3]), id);
    }
    await new Promise((resolve) => {
      change.oncomplete = resolve;
    });
    open.result.close();
  }, entries);
}

const entryAt = (day: number) => {
  const id = `2020-01-${String(day).padStart(2, '0')}T00:00:00.000Z`;
  const kept = { id, suites: ['gemm'], size: 'quick', runtime: '<b>Old</b> 1', tier: 'simd' };
  return [id, { ...kept, threads: 1, commit: 'abc', rows: 3, bytes: 3 }] as const;
};

test('entries are not trusted: what cannot be read is said, and the page works', async ({
  page,
}) => {
  await serveNative(page);
  await page.goto('?threads=1');
  await writeEntries(page, [entryAt(1), ['wrong', { id: 'wrong', html: '<script>' }]]);
  await goTo(page, 'Compare');
  await expect(runs(page)).toHaveCount(1);
  await expect(runs(page)).toContainText('<b>Old</b> 1');
  await expect(page.locator('#earlier-status')).toContainText('1 entry cannot be read');
  await runs(page).getByRole('checkbox').click();
  await expect(page.locator('#earlier-problem')).toContainText('cannot be read: they are damaged');
  await expect(runs(page).getByRole('checkbox')).not.toBeChecked();
  await page.goto(`?view=compare&with=${entryAt(9)[0]}`);
  await expect(page.locator('#earlier-problem')).toContainText('names 1 run that this browser has');
  await expect(page).not.toHaveURL(/with=/);
});

test('the oldest run leaves when the newest has no room, and that is said', async ({ page }) => {
  await serveNative(page);
  await page.goto(quickRun);
  await writeEntries(
    page,
    Array.from({ length: 30 }, (_, i) => entryAt(i + 1)),
  );
  await runBenchmark(page);
  await goTo(page, 'Compare');
  await expect(runs(page)).toHaveCount(30);
  await expect(page.locator('#earlier-note')).toContainText(/The run of .* left, so that/);
  await expect(page.locator(`[data-run="${entryAt(1)[0]}"]`)).toHaveCount(0);
  await expect(page.locator(`[data-run="${entryAt(2)[0]}"]`)).toHaveCount(1);
  /* With as much as it can hold, the view is no taller than four screens of a laptop. */
  await page.setViewportSize({ width: 1280, height: 800 });
  await testBriefly(page);
  await expect(page.locator('#chart-ab-times canvas')).toBeVisible();
  const tall = await page.evaluate(() => document.documentElement.scrollHeight);
  expect(tall).toBeLessThanOrEqual(4 * 800);
});

const refusals: Record<string, { why: RegExp; refuse: () => void }> = {
  'there is no storage': {
    why: /no storage for pages/,
    refuse: () => void Object.defineProperty(window, 'indexedDB', { value: undefined }),
  },
  'storage is refused': {
    why: /does not let this page store anything/,
    refuse: () => {
      IDBFactory.prototype.open = () => {
        throw new DOMException('denied', 'SecurityError');
      };
    },
  },
  'storage is full': {
    why: /storage of this browser is full/,
    refuse: () => {
      IDBObjectStore.prototype.put = () => {
        throw new DOMException('no room', 'QuotaExceededError');
      };
    },
  },
};
for (const [name, { why, refuse }] of Object.entries(refusals)) {
  test(`a run ends as ever where ${name}, and the view says why it is not kept`, async ({
    page,
  }) => {
    await page.addInitScript(refuse);
    await serveNative(page);
    await page.goto(quickRun);
    await runBenchmark(page);
    await expect(page.locator('#answer')).toContainText(/measured|times as fast/);
    await goTo(page, 'Compare');
    await expect(page.locator('#earlier-problem')).toContainText(why);
    await expect(page.locator('#earlier-runs > li')).toHaveCount(0);
  });
}

/** The smallest test that there is. */
const smallest = '&abmodel=mlp:4-3&abbatch=1&pairs=6';

test('two optimizers, at its smallest: outcome, charts, tables and a file', async ({ page }) => {
  const complaints = collectComplaints(page);
  await serveNative(page);
  await page.goto('?view=compare&threads=1');
  await page.locator('#ab-differs').selectOption('optimizer');
  await page.locator('#ab-model').fill('mlp:4-3');
  await page.locator('#ab-batch').fill('1');
  await page.locator('#ab-pairs').fill('6');
  await page.locator('#ab-first').selectOption('lion');
  await expect(page).toHaveURL(/ab=optimizer.*abfirst=lion/);
  /* The keyboard alone: Enter in a field starts. */
  await page.locator('#ab-pairs').focus();
  await page.keyboard.press('Enter');
  await expect(page.locator('#ab-status')).toContainText(/Starting|Measuring/);
  await expect(result(page)).toContainText(
    /^(Win|Loss|No difference).*a training step of mlp:4-3 is [\d.]+ times as fast with adam as with lion \(95% CI [\d.]+–[\d.]+, 6 pairs\)/,
    { timeout: 60_000 },
  );
  await expect(page.locator('#ab-bits')).toContainText('to the last bit');
  await expect(page.locator('#ab-sides tbody tr')).toHaveCount(2);
  await expect(page.locator('#ab-sides')).toContainText('relaxed-threads (');
  await page.locator('#chart-ab-speeds summary').click();
  await expect(page.locator('#chart-ab-speeds tbody tr')).toHaveCount(6);
  await expect(page.locator('#chart-ab-times canvas')).toBeVisible();
  await expect(page.locator('#ab')).not.toContainText(/NaN|undefined|Infinity/);
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.locator('#ab-download').click(),
  ]);
  const told = JSON.parse(readFileSync(await file.path(), 'utf8'));
  expect(told).toMatchObject({ kind: 'parallax-ab-1', sameBits: true });
  expect(told.pairs).toHaveLength(6);
  expect(new Set(told.pairs.flatMap(({ hashes }: { hashes: string[] }) => hashes)).size).toBe(1);
  /* Six pairs: the interval is the range of their ratios. */
  const ratios = told.pairs.map((pair: Record<string, number>) => pair.first! / pair.second!);
  expect(told.timesAsFast.low).toBeCloseTo(Math.min(...ratios), 9);
  expect(told.timesAsFast.high).toBeCloseTo(Math.max(...ratios), 9);
  expect(complaints).toEqual([]);
});

test('engines and threads are loaded side by side, and compute the same bits', async ({ page }) => {
  await serveNative(page);
  await page.goto(`?view=compare&ab=threads${smallest}&abmodel=mlp:64-64-8&abbatch=64`);
  await page.locator('#ab-start').click();
  await expect(result(page)).toContainText(/with 2 threads as with 1 thread/, { timeout: 80_000 });
  await expect(page.locator('#ab-sides tbody tr').nth(0)).toContainText('1 thread');
  await expect(page.locator('#ab-sides tbody tr').nth(1)).toContainText('2 threads');
  await expect(page.locator('#ab-bits')).toContainText('to the last bit');
  await page.locator('#ab-differs').selectOption('tier');
  await page.locator('#ab-first').selectOption('simd');
  await page.locator('#ab-second').selectOption('simd-threads');
  await page.locator('#ab-start').click();
  await expect(result(page)).toContainText(/with the engine simd-threads as with the engine simd/, {
    timeout: 80_000,
  });
  await expect(page.locator('#ab-bits')).toContainText('to the last bit');
});

test('can be cancelled, refuses what it cannot measure, and keeps the last result', async ({
  page,
}) => {
  await serveNative(page);
  await page.goto(`?view=compare&ab=batch${smallest}&absecond=2`);
  await page.locator('#ab-start').click();
  await expect(result(page)).toContainText('per sample', { timeout: 60_000 });
  await page.locator('#ab-pairs').fill('200');
  await page.locator('#ab-pairs').blur();
  await page.locator('#ab-start').click();
  await expect(page.locator('#ab-left')).toContainText(/pair \d+ of 200, .* left/);
  await page.locator('#ab-cancel').click();
  await expect(page.locator('#ab-status')).toHaveText('Cancelled.');
  await expect(page.locator('#ab-start')).toBeEnabled();
  await expect(result(page)).toContainText('per sample');
  await page.locator('#ab-model').fill('none');
  await page.locator('#ab-model').blur();
  await page.locator('#ab-start').click();
  await expect(page.locator('#ab-failed')).toContainText('there is no such model');
  await expect(result(page)).toContainText('per sample');
  await page.locator('#ab-pairs').fill('3');
  await page.locator('#ab-pairs').blur();
  await expect(page.locator('#ab-problem')).toContainText(
    '“3” is not a whole number from 6 to 200',
  );
  await expect(page.locator('#ab-start')).toBeDisabled();
});

test('a page that was hidden during the test voids it', async ({ page }) => {
  await serveNative(page);
  /* Enough pairs to be hidden during one of them. */
  await page.goto('?view=compare&ab=optimizer&threads=1&abmodel=mlp:4-3&abbatch=1&pairs=40');
  await page.locator('#ab-start').click();
  await expect(page.locator('#ab-left')).toContainText(/pair \d+ of 40/);
  await page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await expect(result(page)).toContainText('Void: during the test the page was hidden', {
    timeout: 60_000,
  });
  await expect(result(page)).not.toContainText(/times as fast/);
});

test('on a page without threads it says why, and compares batches', async ({ page }) => {
  await serveNative(page);
  await page.goto(`http://localhost:${unisolatedPort}/?view=compare&abmodel=mlp:4-3&pairs=6`);
  await expect(page.locator('#ab-differs')).toHaveValue('batch');
  await expect(page.locator('#ab-start')).toBeEnabled();
  await page.locator('#ab-start').click();
  await expect(result(page)).toContainText('per sample', { timeout: 80_000 });
  await page.locator('#ab-differs').selectOption('threads');
  await expect(page.locator('#ab-problem')).toContainText(
    /simd-threads cannot run: this page is not cross-origin isolated/,
  );
  await expect(page.locator('#ab-start')).toBeDisabled();
});
