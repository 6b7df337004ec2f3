/** The views: each has an address, a title and a heading, none is long, and words are explained. */
import { mkdirSync } from 'node:fs';
import { expect, type Page, test } from '@playwright/test';
import { unisolatedPort } from './places.js';
import { collectComplaints, goTo, openSuite, serveNative, serveReference } from './support.js';

const screenshots = new URL('../../build/screenshots/', import.meta.url).pathname;

/** Four screens of a laptop. */
const [width, height, screens] = [1280, 800, 4];

const tall = (page: Page) => page.evaluate(() => document.documentElement.scrollHeight);

/** Waits until every chart that is shown has been drawn. */
async function drawn(page: Page): Promise<void> {
  const charts = page.locator('.chart-card canvas:visible');
  for (const chart of await charts.all()) {
    await expect
      .poll(() => chart.evaluate((each) => (each as HTMLCanvasElement).width))
      .not.toBe(300);
  }
}

const plain = [
  '',
  ...'train table twins self-test profile peers compare files method glossary'
    .split(' ')
    .map((view) => `?view=${view}`),
];

test('nothing has run, and the page is not empty: it shows a named other machine', async ({
  page,
}) => {
  const complaints = collectComplaints(page);
  await serveNative(page);
  await page.goto('');
  await expect(page.locator('#origin')).toContainText(/^Reference: .+ Not this machine/);
  await expect(page.locator('#answer')).toContainText(
    /on the reference machine (reaches (about )?[\d.]+% of|is as fast as) the same code native, .*native at 128 bits/,
  );
  await expect(page.locator('#answer')).toContainText(/relaxed SIMD is (on|off)/);
  await expect(page.locator('#chart-answer canvas')).toBeVisible();
  await expect(page.locator('.suites li')).toHaveCount(11);
  for (const item of await page.locator('.suites li').all()) {
    await expect(item.locator('.badge')).toHaveText('reference');
    await expect(item.locator('.line')).toContainText(/\d/);
  }
  await expect(page.locator('#view-start')).not.toContainText(/NaN|Infinity|undefined/);
  expect(complaints).toEqual([]);
});

test('without a reference, too, there is a heading, a button and what to do', async ({ page }) => {
  const complaints = collectComplaints(page);
  await serveNative(page);
  await serveReference(page);
  await page.goto('');
  await expect(page.locator('#run')).toBeEnabled();
  await expect(page.locator('#no-native')).toBeVisible();
  await expect(page.locator('#chart-answer')).toBeHidden();
  await openDirectly(page, '?view=suite/gemm');
  await expect(page.locator('#suite-line')).toHaveText('There are no results of this suite yet.');
  expect(complaints).toEqual([]);
});

async function openDirectly(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await expect(page.locator('h1:visible')).toHaveCount(1);
}

test('the run that the page proposes takes at most a minute, and says how long', async ({
  page,
}) => {
  await serveNative(page);
  await page.goto('');
  await expect(page.locator('#run')).toHaveText(/^Run: about \d+ seconds?$/);
  const [seconds = '999'] = /\d+/.exec(await page.locator('#run').innerText()) ?? [];
  expect(Number(seconds)).toBeLessThanOrEqual(60);
  await expect(page.locator('#choices')).not.toHaveAttribute('open');
});

test('no view is taller than four screens', async ({ page }) => {
  test.setTimeout(240_000);
  const complaints = collectComplaints(page);
  await page.setViewportSize({ width, height });
  await serveNative(page);
  mkdirSync(screenshots, { recursive: true });
  const measure = async (name: string) => {
    await drawn(page);
    expect(await tall(page), name).toBeLessThanOrEqual(screens * height);
    await page.screenshot({ path: `${screenshots}view-${name}.png`, fullPage: true });
  };
  for (const address of plain) {
    await openDirectly(page, address);
    if (address === '') await expect(page.locator('.suites li')).toHaveCount(11);
    await measure(address.replace('?view=', '') || 'start');
  }
  await openDirectly(page, '');
  const suites = await page
    .locator('.suites li')
    .evaluateAll((all) => all.map(({ id }) => id.replace('suite-', '')));
  for (const suite of suites) {
    await openSuite(page, suite);
    await measure(`suite-${suite}`);
    const parts = await page
      .locator('.parts a')
      .evaluateAll((all) => all.map((link) => link.getAttribute('href') ?? ''));
    for (const part of parts.slice(1)) {
      await page.locator(`.parts a[href="${part}"]`).click();
      await expect(page.locator(`.parts a[href="${part}"]`)).toHaveAttribute(
        'aria-current',
        'page',
      );
      await measure(part.replace('?view=', '').replaceAll('/', '-'));
    }
  }
  expect(complaints).toEqual([]);
});

test('nor is the start with every downgrade, nor what a model has learnt', async ({ page }) => {
  await page.setViewportSize({ width, height });
  await serveNative(page);
  await page.goto(`http://localhost:${unisolatedPort}/`);
  await expect(page.locator('#downgrades')).toBeVisible();
  await expect(page.locator('.suites li')).toHaveCount(11);
  await drawn(page);
  expect(await tall(page)).toBeLessThanOrEqual(screens * height);
  for (const task of ['resnet-nano', 'clip-nano']) {
    await page.goto(`?view=train&task=${task}&steps=3&batch=4`);
    await page.locator('#train-start').click();
    await expect(page.locator('#train-status')).toContainText(`Trained ${task}`);
    await expect(page.locator('#train-exhibits canvas').first()).toBeVisible();
    await expect(page.locator('#train-measures tbody tr').first()).toBeVisible();
    expect(await tall(page), task).toBeLessThanOrEqual(screens * height);
  }
  await page.goto('?view=train&task=mnist&steps=30');
  await page.locator('#train-start').click();
  await expect(page.locator('#digit-pad')).toBeVisible();
  await expect(page.locator('#train-exhibits canvas').first()).toBeVisible();
  expect(await tall(page), 'mnist').toBeLessThanOrEqual(screens * height);
});

test('a link leads to a view, Back returns, and focus and title follow', async ({ page }) => {
  await serveNative(page);
  await page.goto('?threads=1');
  await expect(page.locator('.suites li').first()).toBeVisible();
  await openSuite(page, 'gemm');
  await expect(page).toHaveURL(/\?view=suite\/gemm&threads=1$/);
  await expect(page).toHaveTitle(/^gemm/);
  await expect(page.locator('#view-suite h1')).toBeFocused();
  await goTo(page, 'Glossary');
  await expect(page).toHaveTitle(/^Glossary/);
  await expect(page.locator('nav.views [aria-current=page]')).toHaveText('Glossary');
  await page.goBack();
  await expect(page).toHaveTitle(/^gemm/);
  await expect(page.locator('#view-suite h1')).toBeFocused();
  await page.goBack();
  await expect(page.locator('#title')).toBeVisible();
  await page.goForward();
  await expect(page.locator('#view-suite h1')).toContainText('gemm');
  await page.reload();
  await expect(page.locator('#view-suite h1')).toContainText('gemm');
});

test('a part of a suite has an address of its own; what is unknown leads to the start', async ({
  page,
}) => {
  await serveNative(page);
  await openDirectly(page, '?view=suite/accuracy/gradients');
  await expect(page.locator('.parts [aria-current]')).toHaveText('Gradients');
  await openDirectly(page, '?view=nowhere');
  await expect(page.locator('#title')).toBeVisible();
  await openDirectly(page, '?view=suite/nothing');
  await expect(page.locator('#suite-line')).toContainText('There is no suite nothing: the suites');
});

test('a word is explained where it stands, with the keyboard alone', async ({ page }) => {
  await serveNative(page);
  await page.goto('?view=suite/accuracy');
  const term = page.locator('#view-suite button.term', { hasText: 'ULP' }).first();
  await term.focus();
  await page.keyboard.press('Enter');
  const note = page.locator('#term-note');
  await expect(note).toBeVisible();
  await expect(note).toContainText('Units in the last place');
  await page.keyboard.press('Escape');
  await expect(note).toBeHidden();
  await expect(term).toBeFocused();
  await page.keyboard.press('Enter');
  await note.getByRole('link').click();
  await expect(page.locator('#term-ulp')).toBeInViewport();
  await expect(page).toHaveURL(/view=glossary\/ulp/);
});

test('settings of the forms are in the address', async ({ page }) => {
  await serveNative(page);
  await page.goto('?view=train&task=gpt2-nano&steps=7');
  await expect(page.locator('.task input[value="gpt2-nano"]')).toBeChecked();
  await expect(page.locator('#train-steps')).toHaveValue('7');
  await page.getByText('Optimizer, batch, steps and model').click();
  await page.locator('#train-batch').fill('4');
  await page.locator('#train-batch').blur();
  await expect(page).toHaveURL(/steps=7&batch=4/);
  await goTo(page, 'Profile');
  await page.locator('#profile-model').fill('mlp:4-3');
  await page.locator('#profile-model').blur();
  await expect(page).toHaveURL(/view=profile.*profile=mlp:4-3/);
});
