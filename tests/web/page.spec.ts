/** The page as a user sees it: run, cancel, compare, add files, and what can go wrong. */
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { expect, type Page, test } from '@playwright/test';
import { unisolatedPort } from './places.js';
import {
  bothNativeRuns,
  collectComplaints,
  giveFiles,
  goTo,
  mnistFiles,
  nativeRows,
  nativeRowsOfImages,
  openPart,
  openPartWith,
  openSuite,
  serveNative,
} from './support.js';

const screenshots = new URL('../../build/screenshots/', import.meta.url).pathname;

/** The estimate that is shown before a run. */
const promise = /about [\d.]+ (seconds?|minutes|hours) on this machine/;
/** Text that no figure on the page may contain. */
const impossible = /NaN|Infinity|undefined|not a number/;

test.describe('with native results', () => {
  let native: string;
  test.beforeAll(() => {
    native = bothNativeRuns('gemm', 'adaptive', 'interp5d', '--seconds', '0.05');
  });

  test('a run is charted against native, split into its two causes', async ({ page }) => {
    const complaints = collectComplaints(page);
    await serveNative(page, native);
    await page.goto('?size=quick&rounds=3&suites=gemm,adaptive,interp5d');
    await expect(page.locator('#engine')).toContainText('relaxed-threads');
    await expect(page.locator('#size-hint')).toContainText(promise);
    await page.locator('#run').click();
    await expect(page.getByRole('progressbar', { name: 'Progress of the run' })).toBeVisible();
    await expect(page.locator('#time-left')).toContainText(/round \d+ of \d+, .* left/);
    /* Nothing is drawn until rows arrive, and the page says so. */
    await expect(page.locator('#waiting')).toContainText('is being measured');
    await expect(page.locator('#outcome')).toContainText('Done in', { timeout: 80_000 });
    await expect(page.locator('#waiting')).toBeHidden();
    await expect(page.locator('#verdict')).toContainText(
      /Your browser (reaches [\d.]+% of native|is as fast as native)/,
    );
    await expect(page.locator('#headline')).not.toContainText(impossible);
    await expect(page.locator('.steps li')).toHaveCount(3);
    const answer = page.locator('#chart-answer');
    await answer.locator('summary').click();
    await expect(answer.locator('tbody tr')).toHaveCount(4);
    await expect(answer.locator('tbody tr').first()).toContainText('%');
    const cells = await answer.locator('tbody tr td:nth-of-type(1)').allInnerTexts();
    /* The headline covers exactly the cases that the chart shows. */
    const [, cases = '0'] =
      (await page.locator('#verdict').innerText()).match(/over ([\d,]+) cases?/) ?? [];
    const [all, ...some] = cells.map(Number);
    expect(all).toBe(Number(cases));
    expect(some.reduce((sum, each) => sum + each, 0)).toBe(all);
    mkdirSync(screenshots, { recursive: true });
    await page.locator('#choices > summary').click();
    await page.setViewportSize({ width: 1280, height: 1640 });
    await page.evaluate(() => window.scrollTo(0, 0));
    await page.screenshot({ path: `${screenshots}light.png` });
    if (process.env.PARALLAX_SCREENSHOT) {
      copyFileSync(`${screenshots}light.png`, process.env.PARALLAX_SCREENSHOT);
    }
    for (const [suite, title] of [
      ['gemm', /^gemm: rate/],
      ['interp5d', /^interp5d: training time/],
      ['adaptive', /^adaptive: layer time/],
    ] as const) {
      await openSuite(page, suite);
      await openPartWith(page, title);
      await expect(page.locator('#charts')).not.toContainText(impossible);
      await expect(page.locator('#suite-line')).toContainText(/[\d.]+% .*of native at its best/);
    }
    expect(complaints).toEqual([]);
  });

  test('an impossible native figure is void, and the headline covers the others', async ({
    page,
  }) => {
    const complaints = collectComplaints(page);
    const lines = native.trimEnd().split('\n');
    const broken = lines.findIndex((line) => {
      const row = JSON.parse(line);
      return row.suite === 'gemm' && row.primary;
    });
    const row = JSON.parse(lines[broken] ?? '');
    row.samples.median = null;
    lines[broken] = JSON.stringify(row);
    await serveNative(page, `${lines.join('\n')}\n`);
    await page.goto('?size=quick&rounds=3&suites=gemm');
    await page.locator('#run').click();
    await expect(page.locator('#outcome')).toContainText('Done in', { timeout: 80_000 });
    await expect(page.locator('#verdict')).toContainText(/[\d.]+% of native|as fast as native/);
    await expect(page.locator('#headline')).not.toContainText(impossible);
    const left = page.locator('.left-out', { hasText: 'void on at least one side' });
    await left.locator('summary').click();
    await expect(left).toContainText(`gemm ${row.case}`);
    expect(complaints).toEqual([]);
  });

  test('fits a phone in dark mode', async ({ browser }) => {
    const context = await browser.newContext({
      viewport: { width: 390, height: 844 },
      colorScheme: 'dark',
    });
    const page = await context.newPage();
    const complaints = collectComplaints(page);
    await serveNative(page, native);
    await page.goto('?size=quick&rounds=3&suites=interp5d');
    await page.getByText('Engine, threads, rounds and seed').click();
    await page.locator('#run').click();
    await expect(page.locator('#outcome')).toContainText('Done in', { timeout: 80_000 });
    const select = await page.locator('#tier').boundingBox();
    expect((select?.x ?? 0) + (select?.width ?? 391)).toBeLessThanOrEqual(390);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width).toBeLessThanOrEqual(390);
    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const [red = 255] = background.match(/\d+/g)?.map(Number) ?? [];
    expect(red).toBeLessThan(80);
    mkdirSync(screenshots, { recursive: true });
    await page.screenshot({ path: `${screenshots}dark-phone.png`, fullPage: true });
    expect(complaints).toEqual([]);
    await context.close();
  });
});

/** The number of cases with bits among these rows, one a line. */
const casesWithBits = (lines = '') =>
  new Set(
    lines
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
      .flatMap((row) => (row.checks.lossBits ? [row.case] : [])),
  ).size;

test('the losses have the bits of the native command', async ({ page }) => {
  test.setTimeout(300_000);
  const native = ['1', '2'].map((threads) =>
    nativeRowsOfImages('bits', '--reproducible', '--rounds', '1', '--threads', threads),
  );
  await serveNative(page, native.join(''));
  for (const threads of [1, 2]) {
    await page.goto(`?threads=${threads}&size=quick&rounds=1&suites=bits&tier=simd-threads`);
    if (mnistFiles.length === 2) {
      await giveFiles(page, mnistFiles);
      await expect(page.locator('#images')).toContainText('10,000 real ones');
      await goTo(page, 'Benchmark');
    }
    await page.locator('#run').click();
    await expect(page.locator('#outcome')).toContainText('Done in', { timeout: 120_000 });
    await openSuite(page, 'bits');
    const rows = page.locator('#chart-bits tbody tr');
    await expect(rows).toHaveCount(casesWithBits(native[0]));
    for (const row of await rows.all()) await expect(row).toContainText('equal to the last bit');
  }
});

test('operations stand under the roofline, errors in histograms', async ({ page }) => {
  test.setTimeout(180_000);
  const complaints = collectComplaints(page);
  await serveNative(page, nativeRows('ops', 'accuracy', '--rounds', '1', '--threads', '1'));
  await page.goto('?size=quick&rounds=1&suites=ops,accuracy&threads=1');
  await page.locator('#run').click();
  await expect(page.locator('#outcome')).toContainText('Done in', { timeout: 170_000 });
  await openSuite(page, 'ops');
  for (const title of [
    'Roofline of native at its best',
    'Roofline of this browser',
    'Bandwidth against the size of the working set',
    /^Operations, medium, forward: share of the roofline(, 1 of \d)?$/,
  ])
    await openPartWith(page, title);
  await openSuite(page, 'accuracy');
  for (const title of ['Errors of tanh', 'Gradients: by rule, and by finite differences'])
    await openPartWith(page, title);
  await openPartWith(page, /^Largest error of every function(, 1 of \d)?$/);
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: `${screenshots}operations.png`, fullPage: true });
  const errors = page.locator('[id^=chart-accuracy-largest-error]');
  for (const table of await errors.getByText('Table', { exact: true }).all()) await table.click();
  await expect(errors.getByRole('row', { name: /^relu 0 0 – 0$/ })).toBeVisible();
  await expect(errors.getByText('void')).toHaveCount(0);
  expect(complaints).toEqual([]);
});

test('latencies are charted by model, with the calls that were timed', async ({ page }) => {
  test.setTimeout(180_000);
  const complaints = collectComplaints(page);
  await serveNative(page, nativeRows('inference', '--threads', '1'));
  await page.goto('?size=quick&rounds=3&suites=inference&threads=1');
  await page.locator('#run').click();
  await expect(page.locator('#outcome')).toContainText('Done in', { timeout: 170_000 });
  await openSuite(page, 'inference');
  for (const model of ['resnet-nano', 'bert-nano', '784-200-10'])
    await openPartWith(page, `Latency of ${model}`);
  const chart = page.locator('#chart-inference-784-200-10');
  await chart.getByText('Table', { exact: true }).click();
  await expect(chart.getByRole('row', { name: /^128 C: this browser/ })).toBeVisible();
  await expect(chart.getByText('void')).toHaveCount(0);
  await page.screenshot({ path: `${screenshots}inference.png`, fullPage: true });
  expect(complaints).toEqual([]);
});

test('a cancelled run keeps its results, and offers them as files', async ({ page }) => {
  await serveNative(page);
  await page.goto('?size=quick&suites=gemm,mlp');
  await expect(page.locator('#no-native')).toBeVisible();
  await page.locator('#run').click();
  /* By then every case has been measured once. */
  await expect(page.locator('#time-left')).toContainText('round 2 of');
  await page.locator('#cancel').click();
  await expect(page.locator('#outcome')).toContainText('Cancelled after');
  await openSuite(page, 'gemm');
  await openPartWith(page, /^gemm: rate/);
  await goTo(page, 'Benchmark');
  const [json] = await Promise.all([
    page.waitForEvent('download'),
    page.locator('#download-jsonl').click(),
  ]);
  const rows = readFileSync(await json.path(), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) {
    expect(row.engine.kind).toBe('wasm');
    expect(row.engine.runtime).toMatch(/Chrom/);
  }
  const [csv] = await Promise.all([
    page.waitForEvent('download'),
    page.locator('#download-csv').click(),
  ]);
  const lines = readFileSync(await csv.path(), 'utf8')
    .trimEnd()
    .split('\r\n');
  expect(lines.length).toBe(rows.length + 1);
});

test('files can be added; those that are not ours are refused with a sentence', async ({
  page,
}) => {
  await serveNative(page);
  await page.goto('?size=quick&rounds=3&suites=gemm');
  const give = (name: string, text: string) =>
    giveFiles(page, { name, mimeType: 'text/plain', buffer: Buffer.from(text, 'latin1') });
  const errors = page.locator('#file-errors');
  await give('notes.txt', 'hello\n');
  await expect(errors).toContainText('notes.txt is not a Parallax result file: line 1 is not JSON');
  await expect(errors).toContainText('Choose a CSV table');
  await give('cut.gz', '\x1f\x8b\x08\x00cut');
  await expect(errors).toContainText('cut.gz cannot be unpacked');
  const rows = nativeRows('gemm', '--cases', '256', '--seconds', '0.02');
  await give('other.jsonl', rows.replaceAll('parallax-results-1', 'parallax-results-9'));
  await expect(errors).toContainText('not a Parallax result file of this version');
  await give('empty.jsonl', '');
  await expect(errors).toContainText('empty.jsonl holds no results');
  await give('mine.jsonl', rows);
  await expect(errors).toBeEmpty();
  await expect(page.locator('#exchange')).toContainText('mine.jsonl');
});

test('added files are charted without a run, other engines under their names', async ({ page }) => {
  const complaints = collectComplaints(page);
  await serveNative(page);
  await page.goto('');
  const rows = bothNativeRuns('mlp', '--cases', 'predict', '--seconds', '0.02', '--threads', '1');
  /* The same rows under another name stand in for a library to compare with. */
  const peer = rows.replaceAll('"name":"parallax"', '"name":"Another library"');
  expect(peer).not.toBe(rows);
  const give = (name: string, text: string) =>
    giveFiles(page, { name, mimeType: 'text/plain', buffer: Buffer.from(text) });
  await give('peer.jsonl', peer);
  await openSuite(page, 'mlp');
  const card = page.locator('#chart-mlp-prediction-time');
  await expect(card.locator('.key')).toContainText('Another library');
  await expect(card.locator('.key')).not.toContainText('native at its best');
  await give('mine.jsonl', rows);
  await openSuite(page, 'mlp');
  await expect(page.locator('#chart-ceiling canvas')).toBeVisible();
  await openPart(page, 'Figures');
  await expect(card.locator('.key li')).toHaveCount(3);
  await expect(card.locator('canvas')).toBeVisible();
  await card.locator('summary').click();
  await expect(card.locator('tbody tr').first()).toContainText('predict 784-200-10, batch 1');
  await card.scrollIntoViewIfNeeded();
  await page.setViewportSize({ width: 390, height: 844 });
  /* Charts shrink only after the page has. */
  await expect
    .poll(() => page.evaluate(() => document.documentElement.scrollWidth))
    .toBeLessThanOrEqual(390);
  await goTo(page, 'Files');
  await page.getByRole('button', { name: 'Remove peer.jsonl' }).click();
  await page.getByRole('button', { name: 'Remove mine.jsonl' }).click();
  /* What is left is not of this machine, and says so. */
  await openSuite(page, 'mlp');
  await expect(page.locator('#suite-origin')).toContainText('not on this machine');
  await expect(page.locator('#view-suite')).not.toContainText('Another library');
  expect(complaints).toEqual([]);
});

test('no label of a chart is cut off on a narrow screen', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 800 });
  await page.addInitScript(() => {
    const cut: string[] = [];
    const proto = CanvasRenderingContext2D.prototype;
    const { fillText } = proto;
    Object.assign(window, { cut, drawn: 0 });
    proto.fillText = function (text, x, y, ...rest) {
      const { e } = this.getTransform();
      const width = this.measureText(text).width;
      const left = e / devicePixelRatio + x - (this.textAlign === 'right' ? width : 0);
      if (this.textAlign === 'right' && left < 0) cut.push(text);
      (window as unknown as { drawn: number }).drawn++;
      fillText.call(this, text, x, y, ...rest);
    };
  });
  await serveNative(page);
  await page.goto('?size=quick&rounds=3&suites=gemm');
  /* Names wider than the half of the chart that Chart.js gives an axis at most. */
  const lines = nativeRows('gemm', '--cases', '256', '--seconds', '0.02').split('\n');
  const one = lines.find((line) => line.includes('"primary":true')) ?? '';
  const rows = Array.from({ length: 4 }, (_, i) => {
    const row = JSON.parse(one);
    return JSON.stringify({ ...row, case: `WWWWWWWWWWWW ${i}` });
  });
  const buffer = Buffer.from(rows.join('\n'));
  await giveFiles(page, { name: 'many.jsonl', mimeType: 'text/plain', buffer });
  await openSuite(page, 'gemm');
  const seen = () => page.evaluate(() => (window as unknown as { drawn: number }).drawn);
  await expect.poll(seen).toBeGreaterThan(8);
  expect(await page.evaluate(() => (window as unknown as { cut: string[] }).cut)).toEqual([]);
});

test('bits on other data are not called unequal', async ({ page }) => {
  test.setTimeout(180_000);
  const native = nativeRows('bits', '--reproducible', '--rounds', '1', '--seed', '5');
  await serveNative(page, native);
  await page.goto('?threads=1&size=quick&rounds=1&suites=bits&tier=simd-threads');
  await page.locator('#run').click();
  await expect(page.locator('#outcome')).toContainText('Done in', { timeout: 120_000 });
  await openSuite(page, 'bits');
  const rows = page.locator('#chart-bits tbody tr');
  await expect(rows).toHaveCount(casesWithBits(native));
  for (const row of await rows.all())
    await expect(row).toContainText('not comparable: the native run');
});

test('says which tier was measured to be the fastest', async ({ page }) => {
  await serveNative(page);
  await page.goto('?tier=fastest&threads=1');
  const said = page.locator('#measured-tiers');
  await expect(said).toContainText(
    /on one thread: (relaxed|simd)-threads [\d.]+ GFLOP\/s and (relaxed|simd)-threads [\d.]+ GFLOP\/s;/,
  );
  const [, fastest] = /thread: (\S+) /.exec((await said.textContent()) ?? '') ?? [];
  await expect(said).toContainText(`${fastest} is used`);
  await expect(page.locator('#engine dd').first()).toHaveText(fastest ?? '');
});

test('without isolation there is one thread, and the page says why', async ({ page }) => {
  await serveNative(page);
  await page.goto(`http://localhost:${unisolatedPort}/?size=quick&rounds=3&suites=gemm`);
  await expect(page.locator('#downgrades')).toContainText('Cross-Origin-Opener-Policy');
  await expect(page.locator('#downgrades')).toContainText('What to do: ');
  await expect(page.locator('#isolation')).toContainText('no service worker that could add them');
  await page.locator('#run').click();
  await expect(page.locator('#outcome')).toContainText('Done in', { timeout: 60_000 });
});

test('an engine that cannot be loaded gives a sentence and a way to try again', async ({
  page,
}) => {
  await serveNative(page);
  await page.route('**/*.wasm', (route) => route.abort());
  await page.goto('');
  await expect(page.locator('#engine')).toContainText('The engine did not start');
  await expect(page.locator('#size-hint')).toContainText('not known: the engine is not running');
  await page.unroute('**/*.wasm');
  await page.locator('#restart').click();
  await expect(page.locator('#engine')).toContainText('relaxed-threads');
  await expect(page.locator('#size-hint')).toContainText(promise);
});

test('the time estimate is for the chosen cases', async ({ page }) => {
  await serveNative(page);
  await page.goto('?size=quick&suites=gemm,mlp');
  const hint = page.locator('#size-hint');
  await expect(hint).toContainText(promise);
  await page.locator('label', { hasText: /^mlp$/ }).click();
  await page.locator('label', { hasText: /^gemm$/ }).click();
  await expect(hint).not.toContainText(/\d/);
  await page.locator('label', { hasText: /^gemm$/ }).click();
  await page.locator('label', { hasText: /^Long$/ }).click();
  await expect(hint).toContainText('million samples');
  await expect(hint).toContainText(promise);
  await expect(page.locator('#run')).toBeEnabled();
});

test('damaged native results are reported, and the page still works', async ({ page }) => {
  await serveNative(page, '{"schema": "something else"}\n');
  await page.goto('?size=quick&rounds=3&suites=gemm');
  await expect(page.locator('#headline')).toContainText('could not be read');
  await page.locator('#run').click();
  await expect(page.locator('#outcome')).toContainText('Done in', { timeout: 60_000 });
});

test('a field says what it cannot hold, and keeps what it held', async ({ page }) => {
  await page.goto('?threads=1&seed=5');
  await page.locator('#controls details').evaluateAll((all) => {
    for (const each of all) (each as HTMLDetailsElement).open = true;
  });
  const seed = page.locator('#seed');
  for (const wrong of ['1.5', '-1', '4294967296']) {
    await seed.fill(wrong);
    await seed.blur();
    const told = `a whole number from 0 to 4294967295, not ${wrong}. It is 5 again.`;
    await expect(page.locator('#seed-note')).toContainText(told);
    await expect(seed).toHaveValue('5');
  }
  await seed.fill('6');
  await seed.blur();
  await expect(page.locator('#seed-note')).toBeEmpty();
  await expect(page).toHaveURL(/[?&]seed=6/);
});

/** Opens the smallest page, and compares its parts with what it measured. */
async function openSmallest(page: Page, query: string, text: string, ends: readonly string[]) {
  await page.goto(`minimal.html${query}`);
  await expect(page.locator('#result')).toContainText(text);
  const parts = ['navigation', 'script', 'compile', 'worker', 'engine', ...ends];
  await expect(page.locator('#breakdown td:first-child')).toHaveText(parts);
  const measured = await page.evaluate(() =>
    performance
      .getEntriesByType('measure')
      /* The package has entries of its own. */
      .filter(({ name }) => !name.startsWith('parallax:'))
      .map(({ name, startTime, duration }) => ({ name, startTime, duration })),
  );
  const first = await page.evaluate(
    () => performance.getEntriesByName('first-result')[0]?.startTime ?? 0,
  );
  for (const { name, startTime, duration } of measured) {
    expect(parts).toContain(name);
    expect(startTime).toBeGreaterThanOrEqual(0);
    expect(duration).toBeGreaterThanOrEqual(0);
    /* The last part ends there; a sum of two times may be rounded up. */
    expect(startTime + duration).toBeLessThanOrEqual(first + 1e-6);
  }
  expect(measured).toHaveLength(parts.length);
}

test('the smallest page has a result', async ({ page }) => {
  await openSmallest(page, '', 'Learnt XOR in 200 steps', ['first step', 'training']);
  await openSmallest(page, '?predict', 'Predicted 10 classes', ['prediction']);
});
