/** A text of the user's: pasted or dropped, learnt character by character, and continued. */
import { mkdirSync } from 'node:fs';
import { expect, type Page, test } from '@playwright/test';
import { faults } from './axe_faults.js';
import { collectComplaints, serveNative } from './support.js';

const screenshots = new URL('../../build/screenshots/', import.meta.url).pathname;

/** A text of few rules, so that a small model learns them soon. */
const rhyme = 'one two three four five, once I caught a fish alive.\n'.repeat(120);

async function open(page: Page, address: string): Promise<void> {
  await serveNative(page);
  await page.goto(address);
  await expect(page.locator('.task').first()).toBeVisible();
}

const address = '?view=train&task=gpt2-nano&length=quick&steps=80&batch=8';

test('a pasted text is learnt, shown, and continued', async ({ browser }) => {
  test.setTimeout(180_000);
  const context = await browser.newContext({ bypassCSP: true });
  const page = await context.newPage();
  const complaints = collectComplaints(page);
  await open(page, address);
  await page.getByText('Or paste a text').click();
  await page.locator('#train-paste').fill(rhyme);
  await page.locator('#train-paste-use').click();
  await expect(page.locator('#train-data')).toContainText(/the pasted text, [\d,]+ bytes/);
  await expect(page.locator('#write-start')).toBeHidden();
  await page.locator('#train-start').click();
  await expect(page.locator('#train-status')).toContainText('Trained gpt2-nano', {
    timeout: 120_000,
  });
  await expect(page.locator('#train-run')).toContainText('Real: the pasted text');
  await expect(page.locator('#train-exhibits .generated')).toContainText(/\w/);
  await expect(page.locator('#write-beginning')).toHaveValue('one two three fo');
  await page.locator('#write-temperature').fill('0');
  await page.locator('#write-start').click();
  const written = page.locator('#written');
  await expect
    .poll(async () => (await written.innerText()).length, { timeout: 30_000 })
    .toBeGreaterThan(380);
  expect(await written.innerText()).toMatch(/^one two three fo/);
  /* It has learnt the words: what is written is made of them. */
  const words = (await written.innerText()).split(/[\s,.]+/).filter(Boolean);
  const known = words.filter((word) => rhyme.includes(word));
  expect(known.length / words.length).toBeGreaterThan(0.5);
  await page.locator('#write-beginning').fill('Ünknown');
  await page.locator('#write-start').click();
  await expect(page.locator('#write-failed')).toContainText('Character 1 of the beginning, “Ü”');
  expect(await faults(page)).toEqual([]);
  mkdirSync(screenshots, { recursive: true });
  await page.locator('#view-train').screenshot({ path: `${screenshots}own-text.png` });
  expect(complaints).toEqual([]);
  await context.close();
});

test('a dropped text is taken; one that is too large is refused, and the last one stays', async ({
  page,
}) => {
  await open(page, address);
  const drop = (name: string, size: number) =>
    page.evaluate(
      ([file, length]) => {
        const data = new DataTransfer();
        data.items.add(new File(['ab '.repeat(length as number)], file as string));
        document
          .querySelector('.drop-field')!
          .dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true }));
      },
      [name, size] as const,
    );
  await drop('small.txt', 2_000);
  await expect(page.locator('#train-data')).toContainText('small.txt, 6,000 bytes');
  await drop('large.txt', 7_000_000);
  await expect(page.locator('#view-train .hint.bad:visible').first()).toContainText(
    'large.txt has 21.0 MB: at most 20 MB are allowed',
  );
  await expect(page.locator('#train-data')).toContainText('small.txt');
});

test('presets set the form and the address', async ({ page }) => {
  await open(page, '?view=train&steps=7');
  await page.getByRole('button', { name: 'A rate that is too high' }).click();
  await expect(page).toHaveURL(/task=interp5d.*optimizer=sgd.*rate=1/);
  await expect(page).not.toHaveURL(/steps=/);
  await expect(page.locator('.task input:checked')).toHaveValue('interp5d');
  await expect(page.locator('#train-optimizer')).toHaveValue('sgd');
  await expect(page.locator('#train-steps')).toHaveValue('');
  await page.locator('#train-start').click();
  await expect(page.locator('#train-status')).toContainText(/Failed after [\d,]+ of/);
  await expect(page.locator('#train-failure')).toContainText('step');
  await page.getByRole('button', { name: 'Digits in seconds' }).click();
  await expect(page.locator('.task input:checked')).toHaveValue('mnist');
  await expect(page.locator('#train-size')).toHaveValue('quick');
  await expect(page.locator('#train-optimizer')).toHaveValue('');
  await expect(page.getByRole('button', { name: 'Digits in seconds' })).toHaveAttribute(
    'aria-pressed',
    'true',
  );
});
