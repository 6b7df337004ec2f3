/** Walks the cards of all charts in the page: keyboard, words, table, and files. */
import { readFileSync } from 'node:fs';
import { expect, type Locator, type Page, test } from '@playwright/test';
import {
  collectComplaints,
  giveFiles,
  goTo,
  openPart,
  serveNative,
  serveReference,
} from './support.js';
import { otherFiles } from './unit/stored_rows.js';

const results = new URL('../../bench/results/', import.meta.url).pathname;

/** A file that the page saved. */
interface Saved {
  name: string;
  size: number;
  text: string;
  /** Of a picture: whether it is a PNG file, and its size in pixels. */
  png: boolean;
  width: number;
  height: number;
}

/** Keeps the files that the page saves instead of writing hundreds of them. */
async function keepFiles(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const blobs = new Map<string, Blob>();
    const files: { name: string; blob: Blob }[] = [];
    const create = URL.createObjectURL.bind(URL);
    URL.createObjectURL = (blob: Blob) => {
      const url = create(blob);
      blobs.set(url, blob);
      return url;
    };
    const { click } = HTMLAnchorElement.prototype;
    HTMLAnchorElement.prototype.click = function () {
      const blob = blobs.get(this.href);
      if (blob && this.download) files.push({ name: this.download, blob });
      else click.call(this);
    };
    Object.assign(window, { files });
  });
}

/** Presses buttons of a card one after the other, and returns what they saved. */
const press = (buttons: Locator): Promise<Saved[]> =>
  buttons.evaluateAll(async (all) => {
    const { files } = window as unknown as { files: { name: string; blob: Blob }[] };
    const saved = [];
    for (const button of all as HTMLButtonElement[]) {
      if (button.hidden) continue;
      files.length = 0;
      button.click();
      while (files.length === 0) await new Promise((done) => setTimeout(done, 10));
      const { name, blob } = files[0]!;
      const view = new DataView(await blob.arrayBuffer());
      const png = view.byteLength > 24 && view.getBigUint64(0) === 0x89504e470d0a1a0an;
      saved.push({
        ...{ name, size: blob.size, png, text: png ? '' : await blob.text() },
        ...{ width: png ? view.getUint32(16) : 0, height: png ? view.getUint32(20) : 0 },
      });
    }
    return saved;
  });

/** A picture that is large enough, and not of one colour, which would compress to next to nothing. */
function checkPng({ png, width, height, size }: Saved, what: string): void {
  expect(png, what).toBe(true);
  expect(width, what).toBeGreaterThan(500);
  expect(height, what).toBeGreaterThan(100);
  expect(size, what).toBeGreaterThan(6_000);
}

/** Saves in every way that is offered; a chart that is only a table is no picture. */
async function checkFiles(card: Locator, title: string, isDrawn: boolean): Promise<void> {
  const buttons = card.locator('button.save');
  const names = await buttons.evaluateAll((all) =>
    all.map((each) => each.getAttribute('aria-label')),
  );
  expect(names).toEqual(['PNG', 'CSV', 'JSON'].map((kind) => `${kind}: save “${title}”`));
  const saved = await press(buttons);
  const endings = saved.map(({ name }) => name.split('.').at(-1));
  expect(endings, title).toEqual(isDrawn ? ['png', 'csv', 'json'] : ['csv', 'json']);
  const [csv, json] = saved.slice(-2);
  if (isDrawn) checkPng(saved[0]!, title);
  expect(csv?.text.split('\r\n').length, title).toBeGreaterThan(2);
  const read = JSON.parse(json?.text ?? '');
  expect(read.title, title).toBe(title);
  expect(read.table.rows.length, title).toBeGreaterThan(0);
}

/** The keyboard reaches the drawing, and tells of its points. */
async function checkKeys(card: Locator, title: string): Promise<void> {
  const box = card.locator('.canvas-box');
  await expect(box).toHaveAttribute('aria-label', new RegExp(`^${escaped(title)}\\. Arrow keys`));
  await box.focus();
  await box.press('ArrowDown');
  await expect(card.locator('.sr[role=status]'), title).toHaveText(/ 1 of \d+\.$/);
  await box.press('Escape');
  await expect(card.locator('.sr[role=status]'), title).toHaveText('');
}

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

async function checkCard(card: Locator): Promise<void> {
  const title = await card.locator('h3').innerText();
  const isDrawn = await card.locator('.canvas-box').isVisible();
  if (isDrawn) {
    await checkKeys(card, title);
    await card.getByText('Table', { exact: true }).click();
  }
  await expect(card.locator('tbody tr').first(), title).toBeVisible();
  await checkFiles(card, title, isDrawn);
}

/** With PARALLAX_THOROUGH=1 every card is used, which takes minutes; without, one on each part. */
const thorough = process.env.PARALLAX_THOROUGH === '1';

/** Walks all suites that the start page lists, and all their parts. Returns the number of cards. */
async function walk(page: Page): Promise<number> {
  let cards = 0;
  const visit = async () => {
    const all = await page.locator('.chart-card:visible').all();
    for (const card of thorough ? all : all.slice(0, 1)) {
      await checkCard(card);
      cards += 1;
    }
  };
  await goTo(page, 'Benchmark');
  const suites = await page.locator('.suites h3 a').all();
  const addresses = await Promise.all(suites.map((each) => each.getAttribute('href')));
  for (const address of addresses) {
    await goTo(page, 'Benchmark');
    await page.locator(`.suites a[href="${address}"]`).click();
    await expect(page.locator('#view-suite h1')).toBeFocused();
    const parts = await page.locator('.parts a').allInnerTexts();
    await visit();
    for (const part of parts.slice(1)) {
      await openPart(page, part);
      await visit();
    }
  }
  return cards;
}

test('every chart of the reference can be read and saved', async ({ page }) => {
  test.setTimeout(400_000);
  await keepFiles(page);
  const complaints = collectComplaints(page);
  await serveNative(page);
  await page.goto('?price=0.5');
  await expect(page.locator('.suites li')).toHaveCount(11);
  for (const item of await page.locator('.suites li').all())
    await expect(item.getByRole('img'), await item.innerText()).toHaveCount(1);
  expect(await walk(page)).toBeGreaterThan(thorough ? 60 : 20);
  expect(complaints).toEqual([]);
});

test('so can every chart of the files in bench/results', async ({ page }) => {
  test.setTimeout(400_000);
  await keepFiles(page);
  const complaints = collectComplaints(page);
  await serveNative(page);
  await serveReference(page);
  await page.goto('?price=0.5');
  await giveFiles(
    page,
    otherFiles.map((name) => `${results}${name}`),
  );
  await expect(page.locator('.file-list li')).toHaveCount(otherFiles.length);
  expect(await walk(page)).toBeGreaterThan(thorough ? 30 : 10);
  expect(complaints).toEqual([]);
});

test('the start of the page is drawn by phase', async ({ page }) => {
  await keepFiles(page);
  await serveNative(page);
  await page.goto('?view=profile');
  const card = page.locator('#chart-start-up');
  await expect(card.locator('.key li')).toHaveText([
    /document/,
    /script of the page/,
    /module and worker/,
    /engine/,
    /threads/,
  ]);
  await checkCard(card);
  const cells = await card.locator('tbody td').allInnerTexts();
  const [all, ...phases] = cells.map((text) => Number(text.replaceAll(',', ''))).toReversed();
  for (const phase of phases) expect(phase).toBeGreaterThanOrEqual(0);
  /* Each is rounded to three digits. */
  const sum = phases.reduce((before, phase) => before + phase, 0);
  expect(Math.abs(sum / (all ?? 0) - 1)).toBeLessThan(0.02);
});

test('what was trained can be read and saved: the loss, the memory, and every exhibit', async ({
  page,
}) => {
  test.setTimeout(180_000);
  await keepFiles(page);
  const complaints = collectComplaints(page);
  await serveNative(page);
  for (const task of ['mnist', 'resnet-nano', 'clip-nano']) {
    await page.goto(`?view=train&task=${task}&steps=3&batch=4`);
    await page.locator('#train-start').click();
    await expect(page.locator('#train-status')).toContainText(`Trained ${task}`, {
      timeout: 60_000,
    });
    await expect(page.locator('#train-measures tbody tr').first()).toBeVisible();
    for (const [axis, name] of [
      ['step', 'step'],
      ['seconds', 'time'],
    ] as const) {
      await page.locator(`input[name=loss-axis][value=${axis}]`).check();
      const title = `Loss of ${task} by ${name}`;
      const curve = page.locator('.train-layout .canvas-box').first().locator('..');
      await checkKeys(curve, title);
      await checkFiles(curve, title, true);
    }
    const memory = page.locator('details', { hasText: 'Memory by component' }).first();
    if (!(await memory.evaluate((each) => (each as HTMLDetailsElement).open)))
      await memory.locator('summary').first().click();
    await checkKeys(page.locator('#chart-train-memory'), `${task}: memory by component`);
    for (const card of await page.locator('#train-exhibits .chart-card').all())
      await checkCard(card);
    const exhibits = page.locator('.exhibit');
    await expect(exhibits.first()).toBeVisible();
    for (const exhibit of await exhibits.all()) {
      const name = (await exhibit.getAttribute('aria-label')) ?? '';
      const saved = await press(exhibit.locator('button.save'));
      const json = JSON.parse(saved.at(-1)?.text ?? '');
      expect(json.name.toLowerCase(), name).toBe(name.toLowerCase());
      if (json.kind === 'text') continue;
      expect((saved[1]?.text.split('\r\n').length ?? 0) - 2, name).toBe(json.values.length);
      checkPng(saved[0]!, name);
    }
  }
  expect(complaints).toEqual([]);
});

test('a file is downloaded under the name of its chart', async ({ page }) => {
  await serveNative(page);
  await page.goto('?view=suite/gemm');
  for (const kind of ['PNG', 'CSV', 'JSON']) {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page
        .locator('#chart-overview')
        .getByRole('button', { name: `${kind}: save` })
        .click(),
    ]);
    expect(download.suggestedFilename()).toBe(`parallax-overview.${kind.toLowerCase()}`);
    expect(readFileSync(await download.path()).length).toBeGreaterThan(100);
  }
});

test('a price of the machine gives the cost of a million samples', async ({ page }) => {
  await serveNative(page);
  await page.goto('?view=suite/models');
  const price = page.getByLabel('Price of an hour of this machine');
  await price.fill('0.5');
  await price.blur();
  await expect(page).toHaveURL(/price=0\.5/);
  await openPart(page, 'Cost');
  await expect(page.locator('#chart-cost')).toBeVisible();
  await page.reload();
  await expect(price).toHaveValue('0.5');
  await price.fill('-1');
  await price.blur();
  await expect(page.locator('#price-hint')).toContainText('A price is a number above 0');
  await expect(price).toHaveAttribute('aria-invalid', 'true');
  await expect(page.locator('#chart-cost')).toHaveCount(0);
  /* A suite without rates has nothing to sell. */
  await page.goto('?view=suite/accuracy');
  await expect(page.locator('#view-suite h1')).toContainText('accuracy');
  await expect(price).toBeHidden();
});
