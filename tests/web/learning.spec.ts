/** Training on the page: choose a task, start, pause, steer, stop, look; and what is refused. */
import { mkdirSync } from 'node:fs';
import { expect, type Page, test } from '@playwright/test';
import { collectComplaints, serveNative } from './support.js';

const screenshots = new URL('../../build/screenshots/', import.meta.url).pathname;

/** Text that can be learnt quickly: few words, drawn by a fixed rule. */
function makeText(characters: number): string {
  const words = ['the', 'cat', 'saw', 'a', 'dog', 'and', 'ran', 'home', 'quickly'];
  let state = 1;
  let text = '';
  while (text.length < characters) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    text += `${words[state % words.length]}${state % 7 === 0 ? '.\n' : ' '}`;
  }
  return text.slice(0, characters);
}

async function open(page: Page, address = '?view=train&threads=2'): Promise<void> {
  await serveNative(page);
  await page.goto(address);
  await expect(page.locator('.task').first()).toBeVisible();
}

const giveText = (page: Page, text: string) =>
  page
    .locator('#train-file')
    .setInputFiles({ name: 'words.txt', mimeType: 'text/plain', buffer: Buffer.from(text) });

/** Reads the value of a named figure. */
async function figure(page: Page, name: string): Promise<string> {
  const row = page
    .locator('#trainer .facts div')
    .filter({ has: page.getByText(name, { exact: true }) });
  return (await row.locator('dd').textContent()) ?? '';
}

/** Reads the number of steps done. */
const stepsDone = async (page: Page): Promise<number> =>
  Number(/^[\d,]+/.exec(await figure(page, 'Step'))?.[0].replaceAll(',', '') ?? 0);

const loss = async (page: Page): Promise<number> => Number(await figure(page, 'Loss'));

/** Chooses settings under which a run outlasts the test. */
async function chooseLongRun(page: Page): Promise<void> {
  await page.locator('.task', { hasText: 'gpt2-nano' }).click();
  await giveText(page, makeText(20_000));
  await expect(page.locator('#train-data')).toContainText('words.txt, 20,000 bytes');
  await page.getByText('Optimizer, batch, steps and model').click();
  await page.locator('#train-batch').fill('4');
  await page.locator('#train-steps').fill('4000');
}

test('trains a model: the loss falls; it can be paused, resumed, steered and stopped', async ({
  page,
}) => {
  const complaints = collectComplaints(page);
  await open(page);
  await chooseLongRun(page);
  const [status, start, pause, stop] = ['status', 'start', 'pause', 'stop'].map((name) =>
    page.locator(`#train-${name}`),
  );
  if (!status || !start || !pause || !stop) throw new Error('unreachable');
  await expect(status).toContainText('Nothing trained yet');
  await expect(pause).toBeDisabled();
  await start.click();
  await expect(status).toContainText('Training gpt2-nano');
  await expect(page.locator('#train-run')).toContainText('words.txt');
  await expect(page.locator('#train-run')).toContainText('gpt2-nano:');
  await expect(page.locator('#trainer .canvas-box canvas').first()).toBeVisible();
  await expect.poll(() => stepsDone(page)).toBeGreaterThan(0);
  const first = await loss(page);
  await expect.poll(() => loss(page)).toBeLessThan(0.8 * first);
  await expect.poll(() => figure(page, 'GFLOP/s')).toMatch(/\d/);
  await expect.poll(() => figure(page, 'Share of peak')).toMatch(/%$/);
  await expect.poll(() => figure(page, 'Tokens/s')).toMatch(/\d/);

  await pause.click();
  await expect(status).toContainText(/Paused after [\d,]+ of [\d,]+ steps/);
  await expect(page.locator('#train-measures')).toContainText('perplexity');
  const paused = await stepsDone(page);
  await page.waitForTimeout(400);
  expect(await stepsDone(page)).toBe(paused);

  await page.locator('#train-step').click();
  await expect.poll(() => stepsDone(page)).toBe(paused + 1);
  await expect(status).toContainText(`Paused after ${(paused + 1).toLocaleString('en')} of`);

  await expect(pause).toHaveText('Resume');
  await pause.focus();
  await page.keyboard.press('Enter');
  await expect(status).toContainText('Training gpt2-nano');
  await expect.poll(() => stepsDone(page)).toBeGreaterThan(paused);

  const before = await figure(page, 'Learning rate');
  await page.locator('#train-rate').fill('-60');
  await page.keyboard.press('ArrowRight');
  await page.locator('#train-rate').press('ArrowRight');
  await expect.poll(() => figure(page, 'Learning rate')).not.toBe(before);
  expect(await figure(page, 'Learning rate')).toMatch(/^0\.001/);

  await page.getByLabel('By time').check();
  await page.getByText('Table of the curve').click();
  await expect(page.locator('#trainer tbody tr').first()).toBeVisible();
  await stop.click();
  await expect(status).toContainText(/Stopped after [\d,]+ of/);
  await expect(start).toBeEnabled();
  expect(complaints).toEqual([]);
});

test('unusable data gives a sentence, and the next run works', async ({ page }) => {
  const complaints = collectComplaints(page);
  await open(page);
  await page.locator('.task', { hasText: 'gpt2-nano' }).click();
  await giveText(page, 'too short');
  await page.locator('#train-start').click();
  await expect(page.locator('#train-status')).toContainText('Failed');
  await expect(page.locator('#train-failure')).toContainText(/gpt2-nano.* 9 (bytes|characters)/);
  await chooseLongRun(page);
  await page.locator('#train-model').fill('gpt2-nano:heads=5');
  await page.locator('#train-start').click();
  await expect(page.locator('#train-failure')).toContainText('heads');
  await page.locator('#train-model').fill('');
  await page.locator('#train-rate').fill('0');
  await page.locator('#train-steps').fill('3');
  await page.locator('#train-start').click();
  await expect(page.locator('#train-status')).toContainText('Trained gpt2-nano: 3 of 3 steps');
  await expect(page.locator('#train-failure')).toBeEmpty();
  expect(complaints).toEqual([]);
});

test('a run that diverges keeps its curve up to that step', async ({ page }) => {
  await open(page);
  await page.locator('.task', { hasText: 'interp5d' }).click();
  await page.getByText('Optimizer, batch, steps and model').click();
  await page.locator('#train-optimizer').selectOption('sgd');
  await page.locator('#train-rate').fill('0');
  await page.locator('#train-start').click();
  await expect(page.locator('#train-status')).toContainText(/Failed after [\d,]+ of/);
  await expect(page.locator('#train-failure')).toContainText('step');
  expect(await stepsDone(page)).toBeGreaterThan(0);
  await expect(page.locator('#trainer .canvas-box canvas').first()).toBeVisible();
});

test('tasks show what they learnt, on a phone in dark mode too', async ({ browser }) => {
  const context = await browser.newContext({
    viewport: { width: 390, height: 844 },
    colorScheme: 'dark',
  });
  const page = await context.newPage();
  const complaints = collectComplaints(page);
  await open(page);
  await page.getByText('Optimizer, batch, steps and model').click();
  await page.locator('#train-batch').fill('4');
  await page.locator('#train-steps').fill('3');
  mkdirSync(screenshots, { recursive: true });
  /* One for each kind of exhibit; tests/wasm trains them all. */
  for (const name of ['interp5d', 'gpt2-nano', 'clip-nano']) {
    await page.locator('.task', { hasText: name }).click();
    if (name === 'gpt2-nano') await giveText(page, makeText(20_000));
    await page.locator('#train-start').click();
    await expect(page.locator('#train-status')).toContainText(`Trained ${name}`);
    await expect(page.locator('#train-measures tbody tr').first()).toBeVisible({
      timeout: 40_000,
    });
    await expect(page.locator('#train-run')).toContainText(/Synthetic: .*, seed \d|Real: /);
    await expect(
      page.locator('#train-exhibits section, #train-no-exhibits:visible').first(),
    ).toBeVisible();
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width, name).toBeLessThanOrEqual(390);
    await page.locator('#view-train').screenshot({ path: `${screenshots}training-${name}.png` });
  }
  expect(complaints).toEqual([]);
  await context.close();
});
