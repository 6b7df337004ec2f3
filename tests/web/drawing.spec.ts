/** Drawing a digit, which the network just trained in the page recognises. */
import { mkdirSync } from 'node:fs';
import { expect, type Locator, type Page, test } from '@playwright/test';
import { collectComplaints, serveNative } from './support.js';

const screenshots = new URL('../../build/screenshots/', import.meta.url).pathname;

/** Strokes of digits on a pad of side 1. */
const one = [
  [0.5, 0.15],
  [0.48, 0.85],
] as const;
const zero = Array.from({ length: 33 }, (_, i) => {
  const angle = (2 * Math.PI * i) / 32;
  return [0.5 + 0.2 * Math.cos(angle), 0.5 + 0.34 * Math.sin(angle)] as const;
});

async function stroke(page: Page, pad: Locator, places: readonly (readonly [number, number])[]) {
  await pad.scrollIntoViewIfNeeded();
  const box = await pad.boundingBox();
  if (!box) throw new Error('The pad is not visible.');
  const at = ([x, y]: readonly [number, number]) =>
    [box.x + x * box.width, box.y + y * box.height] as const;
  await page.mouse.move(...at(places[0]!));
  await page.mouse.down();
  for (const place of places.slice(1)) await page.mouse.move(...at(place), { steps: 6 });
  await page.mouse.up();
}

/** Reads the probability of each digit in percent; NaN where none is shown. */
const shares = async (page: Page): Promise<number[]> =>
  (await page.locator('#digit-shares td:last-child').allInnerTexts()).map((text) =>
    text.endsWith('%') ? Number(text.slice(0, -1)) : Number.NaN,
  );

test('the network just trained recognises drawn digits', async ({ page }) => {
  const complaints = collectComplaints(page);
  await serveNative(page);
  await page.goto('?view=train');
  const [pad, seen] = [page.locator('#digit-pad'), page.locator('#digit-seen')];
  await expect(page.locator('#digit-none')).toContainText('must be trained first');
  await expect(pad).toBeHidden();
  await page.locator('#digit-train').click();
  await expect(page.locator('#train-status')).toContainText('Trained mnist', { timeout: 60_000 });
  await expect(pad).toBeVisible();
  expect((await shares(page)).every(Number.isNaN)).toBe(true);

  await stroke(page, pad, one);
  await expect(seen).toHaveText(/^The network sees a 1: [\d.]+%\.$/);
  const first = await shares(page);
  expect(first.reduce((a, b) => a + b, 0)).toBeCloseTo(100, -1);
  await page.locator('#digit-clear').click();
  await expect(seen).toHaveText('Nothing is drawn.');
  await stroke(page, pad, zero);
  await expect(seen).toHaveText(/^The network sees a 0/);
  mkdirSync(screenshots, { recursive: true });
  await page
    .locator('section.try')
    .first()
    .screenshot({ path: `${screenshots}digit-pad.png` });

  /* Held-out digits: the network has an accuracy above 90% on them. */
  let right = 0;
  for (let i = 0; i < 8; i++) {
    await page.locator('#digit-clear').click();
    await expect(seen).toHaveText('Nothing is drawn.');
    await page.locator('#digit-sample').click();
    const said = await page.locator('#digit-said').innerText();
    const label = /^A (\d) that was held out/.exec(said)?.[1];
    expect(label).toBeDefined();
    await expect(seen).toHaveText(/sees a \d/);
    if ((await seen.innerText()).includes(`a ${label}:`)) right += 1;
  }
  /* If nine in ten are right, fewer than four of eight have a probability of 0.05%. */
  expect(right).toBeGreaterThanOrEqual(4);
  expect(complaints).toEqual([]);
});

test('keys draw too', async ({ page }) => {
  await serveNative(page);
  await page.goto('?view=train');
  await page.locator('#digit-train').click();
  const [pad, said] = [page.locator('#digit-pad'), page.locator('#digit-said')];
  await expect(pad).toBeVisible({ timeout: 60_000 });
  await pad.focus();
  await page.keyboard.press('Space');
  await expect(said).toHaveText('The pen is down.');
  for (let i = 0; i < 14; i++) await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Space');
  await expect(said).toHaveText('The pen is up.');
  await expect(page.locator('#digit-seen')).toHaveText(/^The network sees a 1/);
  /* What it sees of the last line may come after what it saw of the one before. */
  let before = await shares(page);
  await expect
    .poll(
      async () => {
        const earlier = before;
        before = await shares(page);
        return String(before) === String(earlier);
      },
      { intervals: [300] },
    )
    .toBe(true);
  /* A pen that is up draws nothing. */
  for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowRight');
  await page.waitForTimeout(300);
  expect(await shares(page)).toEqual(before);
  await page.keyboard.press('Delete');
  await expect(page.locator('#digit-seen')).toHaveText('Nothing is drawn.');
});
