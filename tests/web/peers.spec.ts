/** Beside other libraries: compared, then timed; one that is wrong or missing has no time. */
import { readFileSync } from 'node:fs';
import { expect, type Page, test } from '@playwright/test';
import { unisolatedPort } from './places.js';
import { collectComplaints, giveFiles, serveNative, watchPolicy } from './support.js';

const { dependencies } = JSON.parse(
  readFileSync(new URL('../../bench/peers/package.json', import.meta.url), 'utf8'),
) as { dependencies: Record<string, string> };

/** The smallest case that all libraries run. */
const smallest = '?view=peers&threads=1&peer-cases=predict-784-200-10-batch-1';
const ratio = /\d× \(.+–.+\)/;
const libraries = ['onnxruntime-web', 'tfjs-backend-wasm', 'jax-js'];

const status = (page: Page) => page.locator('#peers-status');
const rows = (page: Page) => page.locator('#chart-peers tbody tr');
const rowOf = (page: Page, library: string) => rows(page).filter({ hasText: library });

async function open(page: Page, address = smallest): Promise<void> {
  await serveNative(page);
  await page.goto(address);
  await expect(page.locator('#peers-run')).toBeEnabled();
}

async function run(page: Page): Promise<void> {
  await page.locator('#peers-run').click();
  await expect(status(page)).toContainText('Done in', { timeout: 80_000 });
}

/** Notes what was done and whether a result was shown meanwhile; returns the notes. */
async function watchProgress(page: Page): Promise<() => Promise<[string, boolean][]>> {
  await page.evaluate(() => {
    const notes: [string, boolean][] = [];
    Object.assign(window, { notes });
    const [what, result] = ['#peers-what', '#peers-result'].map((id) => document.querySelector(id));
    new MutationObserver(() =>
      notes.push([what?.textContent ?? '', result?.checkVisibility() ?? true]),
    ).observe(what!, { childList: true });
  });
  return () => page.evaluate(() => (window as unknown as { notes: [string, boolean][] }).notes);
}

test('three libraries are loaded when asked, compared, and then timed', async ({
  page,
  context,
}) => {
  const loaded: string[] = [];
  context.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith('/peers/')) loaded.push(pathname);
  });
  const violations = await watchPolicy(page);
  const complaints = collectComplaints(page);
  await open(page);
  await expect(page.locator('#peers-plan')).toContainText(/7 rounds of 1 case, .* MB, loaded once/);
  expect(loaded).toEqual([]);
  const progress = await watchProgress(page);
  await run(page);
  /* Compared first, then timed, and nothing is shown before both are done. */
  const notes = await progress();
  const stages = notes.map(([what]) => /comparing|round/.exec(what)?.[0] ?? 'loading');
  expect([...new Set(stages)]).toEqual(['loading', 'comparing', 'round']);
  expect(notes.filter(([, shown]) => shown)).toEqual([]);
  await expect(rows(page)).toHaveCount(1 + libraries.length);
  for (const library of libraries) {
    await expect(rowOf(page, library)).toContainText(ratio);
    await expect(rowOf(page, library)).toContainText(/(fast|slow)er|no difference seen/);
    await expect(page.locator('#peers-summary')).toContainText(`Beside ${library}, Parallax is`);
    expect(loaded.some((path) => path.includes(library.split('-')[0]!))).toBe(true);
  }
  const engines = page.locator('#peers-engines');
  for (const name of ['onnxruntime-web', '@tensorflow/tfjs-backend-wasm', '@jax-js/jax'])
    await expect(engines).toContainText(` ${dependencies[name]} 1 thread`);
  await expect(page.locator('#chart-peers canvas')).toBeVisible();
  await expect(page.locator('#view-peers')).not.toContainText(/NaN|Infinity|undefined/);
  expect(await violations()).toEqual([]);
  expect(complaints).toEqual([]);
  /* The file is one that the page reads. */
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.locator('#peers-jsonl').click(),
  ]);
  const lines = readFileSync(await file.path(), 'utf8')
    .trim()
    .split('\n');
  expect(lines.map((line) => JSON.parse(line).engine.name).sort()).toEqual(
    ['parallax', ...libraries].sort(),
  );
  await giveFiles(page, await file.path());
  await expect(page.locator('#exchange .file-list li')).toContainText('4 rows');
});

test('a library whose file is missing is one row with the reason; the others go on', async ({
  page,
}) => {
  await page.route('**/peers/jax-js-jax-*/**', (route) => route.fulfill({ status: 404 }));
  await open(page);
  await run(page);
  await expect(rows(page)).toHaveCount(1 + libraries.length);
  await expect(rowOf(page, 'jax-js')).toContainText(/^all cases.*did not load: .*index\.js/);
  await expect(rowOf(page, 'jax-js')).not.toContainText(ratio);
  await expect(rowOf(page, 'onnxruntime-web')).toContainText(ratio);
  await expect(rowOf(page, 'tfjs-backend-wasm')).toContainText(ratio);
});

test('a library whose output is wrong has no time, but the difference', async ({ page }) => {
  /* Its model gets another activation. */
  await page.route('**/peers_worker-*.js', async (route) => {
    const response = await route.fetch();
    const text = await response.text();
    expect(text).toContain('Relu');
    await route.fulfill({ response, body: text.replaceAll('Relu', 'Abs') });
  });
  await open(page, `${smallest}&peers=ort,tfjs`);
  await run(page);
  const wrong = rowOf(page, 'onnxruntime-web');
  await expect(wrong).toContainText(/no time: its output errs by \S+ times the tolerance/);
  await expect(wrong).not.toContainText(/×|µs| us/);
  await expect(rowOf(page, 'tfjs-backend-wasm')).toContainText(ratio);
});

test('a training step says which library cannot', async ({ page }) => {
  await open(page, '?view=peers&threads=1&peer-cases=train-784-200-10-batch-64');
  await run(page);
  await expect(rowOf(page, 'onnxruntime-web')).toContainText('not run: its package');
  await expect(rowOf(page, 'tfjs-backend-wasm')).toContainText(ratio);
  await expect(rowOf(page, 'jax-js')).toContainText(ratio);
});

test('can be cancelled, and is void if the page is hidden', async ({ page }) => {
  await open(page, `${smallest}&peers=ort&peer-length=full`);
  await page.locator('#peers-run').click();
  await expect(page.locator('#peers-what')).toContainText(/round \d+ of 15/);
  await expect(page.locator('#peers-left')).toContainText('left');
  await page.locator('#peers-cancel').click();
  await expect(status(page)).toContainText('Cancelled after');
  await expect(page.locator('#peers-result')).toBeHidden();
  await page.locator('#peers-run').click();
  await expect(page.locator('#peers-what')).toContainText(/round \d+ of 15/);
  await page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await expect(status(page)).toContainText('Done in', { timeout: 80_000 });
  for (const row of await rows(page).all())
    await expect(row).toContainText('void: the page was hidden');
  await expect(page.locator('#chart-peers canvas')).toBeHidden();
});

test('a library whose worker ends has no time, and runs again', async ({ page }) => {
  await page.addInitScript(() => {
    const Original = Worker;
    window.Worker = class extends Original {
      constructor(...[url, options]: ConstructorParameters<typeof Worker>) {
        super(url, options);
        if (options?.name === 'onnxruntime-web') Object.assign(window, { peer: this });
      }
    };
  });
  await open(page, `${smallest}&peers=ort,tfjs`);
  await page.locator('#peers-run').click();
  await expect(page.locator('#peers-what')).toContainText(/round \d of 7/);
  await page.evaluate(() => {
    const { peer } = window as unknown as { peer: Worker };
    peer.dispatchEvent(new ErrorEvent('error', { message: 'out of memory' }));
  });
  await expect(status(page)).toContainText('Done in', { timeout: 80_000 });
  const stopped = 'onnxruntime-web stopped: out of memory';
  await expect(rowOf(page, 'onnxruntime-web')).toContainText(`no time: ${stopped}`);
  await expect(rowOf(page, 'tfjs-backend-wasm')).toContainText(ratio);
  await expect(page.locator('#peers-notes')).toContainText(`${stopped}; it runs again`);
});

test('on a page that is not isolated all run on one thread, and it says so', async ({ page }) => {
  const address = smallest.replace('&threads=1', '');
  await open(page, `http://localhost:${unisolatedPort}/${address}`);
  await expect(page.locator('#peers-plan')).toContainText('not cross-origin isolated');
  await run(page);
  for (const library of libraries) {
    await expect(rowOf(page, library)).toContainText(ratio);
    await expect(page.locator('#peers-engines')).toContainText(
      new RegExp(`${library} [\\d.]+ 1 thread`),
    );
  }
});

test('what is chosen is in the address', async ({ page }) => {
  await open(page, '?view=peers&peers=jax&peer-length=full&seed=7');
  await expect(page.locator('#peers-seed')).toHaveValue('7');
  await expect(page.getByLabel('jax-js')).toBeChecked();
  await expect(page.getByLabel('onnxruntime-web')).not.toBeChecked();
  await expect(page.locator('#peers-plan')).toContainText('15 rounds of 9 cases');
  await page.getByLabel('onnxruntime-web').check();
  await page.getByLabel('product 256 x 256 x 256').uncheck();
  await expect(page).toHaveURL(/peers=ort,jax/);
  await expect(page).toHaveURL(/peer-cases=product-512-x-512-x-512,/);
  await page.getByLabel('onnxruntime-web').uncheck();
  await page.getByLabel('jax-js').uncheck();
  await expect(page.locator('#peers-plan')).toHaveText('Choose at least one library.');
  await expect(page.locator('#peers-run')).toBeDisabled();
  await open(page, '?view=peers&peers=ort,unheard');
  await expect(page.locator('#peers-plan')).toContainText('The address names unheard;');
});
