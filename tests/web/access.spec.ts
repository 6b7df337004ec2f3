/** The page for everyone: rules of WCAG AA, large text, system colours, little motion, few bytes. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, type Page, test } from '@playwright/test';
import { faults, unfold } from './axe_faults.js';
import {
  dist,
  runBenchmark,
  serveNative,
  serveReference,
  testBriefly,
  trainBriefly,
} from './support.js';

/** Compressed bytes of all scripts of the first view, including those of the engine's workers. */
const mostScript = 120_000;
/** Google's bound for a good page is 0.1. */
const mostShift = 0.02;

type Stage = (page: Page, check: (when: string) => Promise<void>) => Promise<void>;

/** Leads a page from its opening through a run and an A/B test to a trained model, with a check of each. */
const stages: Stage = async (page, check) => {
  await serveNative(page);
  await page.goto('?size=quick&rounds=3&suites=gemm,interp5d');
  await expect(page.locator('#run')).toBeEnabled();
  await unfold(page);
  await check('opened');
  await runBenchmark(page);
  await unfold(page);
  await check('after a run');
  await testBriefly(page);
  await unfold(page);
  await check('after an A/B test');
  await trainBriefly(page, 'mnist');
  await unfold(page);
  await check('after training');
};

const desk = { width: 1280, height: 800 };
const phone = { width: 390, height: 844 };

type Look = Parameters<Page['emulateMedia']>[0] & { viewport?: typeof desk };
const looks: Record<string, Look> = {
  'in light colours': { colorScheme: 'light' },
  'in dark colours': { colorScheme: 'dark' },
  'in colours of the system': { forcedColors: 'active' },
  'on a phone': { viewport: phone },
};

/** Shows the page as it looks to somebody else, without a new one. */
async function showAs(page: Page, { viewport = desk, ...media }: Look): Promise<void> {
  await page.setViewportSize(viewport);
  await page.emulateMedia({ colorScheme: 'light', forcedColors: 'none', ...media });
}

test('axe finds nothing in any look, before and after a run and training', async ({ browser }) => {
  test.setTimeout(300_000);
  /* axe evaluates its own script. */
  const context = await browser.newContext({ bypassCSP: true });
  const page = await context.newPage();
  let checked = 0;
  await stages(page, async (when) => {
    /* Each look once; the light one, where most is learnt, at every stage. */
    const look = Object.keys(looks)[checked] ?? 'in light colours';
    for (const name of new Set(['in light colours', look])) {
      await showAs(page, looks[name]!);
      expect(await faults(page), `${name}, ${when}`).toEqual([]);
    }
    checked += 1;
  });
  expect(checked).toBeGreaterThanOrEqual(Object.keys(looks).length);
  await context.close();
});

test('nothing scrolls sideways, on a phone, at 200% and at 400%', async ({ page }) => {
  test.setTimeout(120_000);
  const width = () => page.evaluate(() => document.documentElement.scrollWidth);
  await stages(page, async (when) => {
    for (const [name, viewport] of Object.entries({
      'a phone': phone,
      'a window of 1280 pixels at 200%': { width: 640, height: 400 },
      'a window of 1280 pixels at 400%': { width: 320, height: 256 },
    })) {
      await page.setViewportSize(viewport);
      /* Charts shrink only after the page has. */
      await expect.poll(width, `${name}, ${when}`).toBeLessThanOrEqual(viewport.width);
    }
  });
});

test('with system colours, what is chosen can be told from what is not', async ({ browser }) => {
  const context = await browser.newContext({ forcedColors: 'active' });
  const page = await context.newPage();
  await serveNative(page);
  await page.goto('?size=quick&rounds=3&suites=gemm');
  await expect(page.locator('#run')).toBeEnabled();
  const mark = (value: string) =>
    page
      .locator(`.chip input[value="${value}"] + span`)
      .evaluate((span) => getComputedStyle(span, '::before').backgroundColor);
  expect(await mark('gemm')).not.toBe(await mark('mlp'));
  expect(await mark('quick')).not.toBe(await mark('long'));
  await context.close();
});

test('nothing moves for those who asked for less motion', async ({ browser }) => {
  const context = await browser.newContext({ reducedMotion: 'reduce' });
  const page = await context.newPage();
  await serveNative(page);
  await page.goto('?size=quick&rounds=3&suites=interp5d');
  await runBenchmark(page);
  const moving = await page.evaluate(() => {
    const parts = [undefined, '::before', '::after', '::-webkit-progress-value'];
    const styles = [...document.querySelectorAll('*')].flatMap((element) =>
      parts.map((part) => ({ element, style: getComputedStyle(element, part) })),
    );
    return styles
      .filter(
        ({ style }) =>
          style.scrollBehavior === 'smooth' ||
          style.animationName !== 'none' ||
          style.transitionDuration.split(', ').some((time) => Number.parseFloat(time) > 0),
      )
      .map(({ element }) => element.outerHTML.slice(0, 80));
  });
  expect(moving).toEqual([]);
  await context.close();
});

for (const [name, viewport] of [
  ['a desk', { width: 1280, height: 800 }],
  ['a small window', { width: 900, height: 800 }],
  ['a phone', { width: 390, height: 844 }],
] as const) {
  test(`nothing that was shown is pushed away while the page starts, on ${name}`, async ({
    page,
  }) => {
    await page.setViewportSize(viewport);
    await page.addInitScript(() => {
      const shifts: { value: number; sources: string[] }[] = [];
      Object.assign(window, { shifts });
      type Shift = PerformanceEntry & { value: number; sources: { node?: Element }[] };
      new PerformanceObserver((list) => {
        for (const { value, sources } of list.getEntries() as Shift[]) {
          shifts.push({
            value,
            sources: sources.map(({ node }) => node?.id || node?.className || ''),
          });
        }
      }).observe({ type: 'layout-shift', buffered: true });
    });
    await serveNative(page);
    await page.goto('');
    await expect(page.locator('#size-hint')).toContainText('on this machine');
    await page.waitForLoadState('networkidle');
    const shifts = await page.evaluate(
      () => (window as unknown as { shifts: { value: number }[] }).shifts,
    );
    const sum = shifts.reduce((total, { value }) => total + value, 0);
    expect(sum, JSON.stringify(shifts)).toBeLessThan(mostShift);
  });
}

test('the first view loads few bytes of script, and charts only to draw one', async ({
  page,
  context,
}) => {
  const scripts = new Set<string>();
  context.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (/\.m?js$/.test(pathname)) scripts.add(pathname);
  });
  await serveNative(page);
  await serveReference(page);
  await page.goto('');
  await expect(page.locator('#size-hint')).toContainText('on this machine');
  const sizes = [...scripts].map((path) => {
    const { length } = gzipSync(readFileSync(`${dist}${path}`), { level: 9 });
    return { path, length };
  });
  /* The page's own script, and that of the engine's worker. */
  expect(sizes.some(({ path }) => path.startsWith('/assets/index-'))).toBe(true);
  expect(sizes.some(({ path }) => path.includes('engine-bench-'))).toBe(true);
  expect(sizes.filter(({ path }) => path.includes('chart_draw'))).toEqual([]);
  const sum = sizes.reduce((total, { length }) => total + length, 0);
  expect(sum, JSON.stringify(sizes)).toBeLessThan(mostScript);
});
