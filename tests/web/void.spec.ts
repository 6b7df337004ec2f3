/** Void, not wrong: what happens to the page during a run voids its results, and the page says so. */
import { expect, type Page, test } from '@playwright/test';
import { nativeRows, openSuite, serveNative } from './support.js';

async function begin(page: Page): Promise<void> {
  await serveNative(page, nativeRows('gemm', '--seconds', '0.02'));
  await page.goto('?size=quick&suites=gemm');
  await page.locator('#run').click();
  await expect(page.locator('#time-left')).toContainText('round 1 of');
}

async function isVoid(page: Page, why: string): Promise<void> {
  await expect(page.locator('#outcome')).toContainText('Done in', { timeout: 60_000 });
  const told = new RegExp(`${why}.* during the run: its results are void`);
  await expect(page.locator('#outcome')).toContainText(told);
  await expect(page.locator('#void-notice')).toContainText(why);
  await expect(page.locator('#answer')).not.toContainText(/\d%/);
  await openSuite(page, 'gemm');
  await expect(page.locator('#suite-line')).toContainText(/^Void, all \d+ cases/);
}

const happenings: Record<string, { why: string; happen: () => void }> = {
  'a page that was hidden': {
    why: 'The page was hidden',
    happen() {
      Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    },
  },
  'a page that was frozen': {
    why: 'The page was frozen',
    happen: () => void document.dispatchEvent(new Event('freeze')),
  },
  'a page that stood still': {
    why: 'The page stood still for',
    happen() {
      const end = performance.now() + 5_000;
      while (performance.now() < end);
    },
  },
};

for (const [name, { why, happen }] of Object.entries(happenings)) {
  test(name, async ({ page }) => {
    await begin(page);
    await page.evaluate(happen);
    await isVoid(page, why);
  });
}

test('an engine that is lost leaves no figure behind', async ({ page }) => {
  await serveNative(page);
  /* The worker of the page can be told to fail, as if the system had ended it. */
  await page.addInitScript(() => {
    const Original = Worker;
    const workers: Worker[] = [];
    Object.assign(window, { workers });
    window.Worker = class extends Original {
      constructor(...args: ConstructorParameters<typeof Worker>) {
        super(...args);
        workers.push(this);
      }
    };
  });
  /* Long enough that it cannot end before the engine does. */
  await page.goto('?size=long&suites=gemm');
  await page.locator('#run').click();
  await expect(page.locator('#time-left')).toContainText('round 1 of');
  await page.evaluate(() => {
    const { workers } = window as unknown as { workers: Worker[] };
    for (const worker of workers) {
      worker.dispatchEvent(new ErrorEvent('error', { message: 'it was ended' }));
      worker.terminate();
    }
  });
  await expect(page.locator('#outcome')).toContainText('The run failed');
  await expect(page.locator('#engine')).toContainText('The engine stopped unexpectedly');
  await page.locator('#restart').click();
  await expect(page.locator('#engine')).toContainText('relaxed-threads');
});
