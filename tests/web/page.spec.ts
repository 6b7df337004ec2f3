/** The page as a user sees it: run, cancel, compare, add files, and what can go wrong. */
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { unisolatedPort } from './places.js';
import {
  bothNativeRuns,
  collectComplaints,
  mnistFiles,
  nativeRows,
  nativeRowsOfImages,
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
    await page.goto('?size=quick&suites=gemm,adaptive,interp5d');
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
    for (const title of ['gemm: rate', 'interp5d: training time', 'adaptive: layer time']) {
      await expect(page.getByRole('heading', { name: title }).first()).toBeVisible();
    }
    const overview = page.locator('#chart-overview');
    await overview.locator('summary').click();
    await expect(overview.locator('tbody tr').first()).toContainText('%');
    /* The headline covers exactly the cases that the chart shows. */
    const [, cases = '0'] =
      (await page.locator('#verdict').innerText()).match(/over ([\d,]+) cases?/) ?? [];
    await expect(overview.locator('tbody tr')).toHaveCount(Number(cases));
    await expect(page.locator('#charts')).not.toContainText(impossible);
    mkdirSync(screenshots, { recursive: true });
    await page.setViewportSize({ width: 1280, height: 1640 });
    await page.evaluate(() => window.scrollTo(0, 0));
    await page.screenshot({ path: `${screenshots}light.png` });
    if (process.env.PARALLAX_SCREENSHOT) {
      copyFileSync(`${screenshots}light.png`, process.env.PARALLAX_SCREENSHOT);
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
    await page.goto('?size=quick&suites=gemm');
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
    await page.goto('?size=quick&suites=interp5d');
    await page.getByText('Engine, threads and seed').click();
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
    nativeRowsOfImages('bits', '--reproducible', '--threads', threads),
  );
  await serveNative(page, native.join(''));
  for (const threads of [1, 2]) {
    await page.goto(`?threads=${threads}&size=quick&suites=bits&tier=simd-threads`);
    if (mnistFiles.length === 2) {
      await page.locator('#file').setInputFiles(mnistFiles);
      await expect(page.locator('#images')).toContainText('10,000 real ones');
    }
    await page.locator('#run').click();
    await expect(page.locator('#outcome')).toContainText('Done in', { timeout: 120_000 });
    const rows = page.locator('#chart-bits tbody tr');
    await expect(rows).toHaveCount(casesWithBits(native[0]));
    for (const row of await rows.all()) await expect(row).toContainText('equal to the last bit');
  }
});

test('operations stand under the roofline, errors in histograms', async ({ page }) => {
  test.setTimeout(180_000);
  const complaints = collectComplaints(page);
  await serveNative(page, nativeRows('ops', 'accuracy', '--threads', '1'));
  await page.goto('?size=quick&suites=ops,accuracy&threads=1');
  await page.locator('#run').click();
  await expect(page.locator('#outcome')).toContainText('Done in', { timeout: 170_000 });
  for (const title of [
    'Roofline of native at its best',
    'Roofline of this browser',
    'Operations, medium, forward: share of the roofline',
    'Bandwidth against the size of the working set',
    'Largest error of every function',
    'Errors of tanh',
    'Gradients: by rule, and by finite differences',
  ])
    await expect(page.getByRole('heading', { name: title, exact: true })).toBeVisible();
  const errors = page.locator('#chart-accuracy-ulp');
  await errors.getByText('Table', { exact: true }).click();
  await expect(errors.getByRole('row', { name: /^relu 0 – 0$/ })).toBeVisible();
  await expect(errors.getByText('void')).toHaveCount(0);
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: `${screenshots}operations.png`, fullPage: true });
  expect(complaints).toEqual([]);
});

test('latencies are charted by model, with the calls that were timed', async ({ page }) => {
  test.setTimeout(180_000);
  const complaints = collectComplaints(page);
  await serveNative(page, nativeRows('inference', '--threads', '1'));
  await page.goto('?size=quick&suites=inference&threads=1');
  await page.locator('#run').click();
  await expect(page.locator('#outcome')).toContainText('Done in', { timeout: 170_000 });
  for (const model of ['784-200-10', 'resnet-nano', 'bert-nano'])
    await expect(page.getByRole('heading', { name: `Latency of ${model}` })).toBeVisible();
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
  await expect(page.getByRole('heading', { name: 'gemm: rate' })).toBeVisible();
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
  await page.goto('?size=quick&suites=gemm');
  const give = (name: string, text: string) =>
    page
      .locator('#file')
      .setInputFiles({ name, mimeType: 'text/plain', buffer: Buffer.from(text, 'latin1') });
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
    page
      .locator('#file')
      .setInputFiles({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });
  await give('peer.jsonl', peer);
  const card = page.locator('#chart-mlp-prediction-time');
  await expect(card.locator('.key')).toContainText('Another library');
  await expect(card.locator('.key')).not.toContainText('native at its best');
  await give('mine.jsonl', rows);
  await expect(card.locator('.key li')).toHaveCount(3);
  await expect(card.locator('canvas')).toBeVisible();
  await card.locator('summary').click();
  await expect(card.locator('tbody tr').first()).toContainText('predict 784-200-10, batch 1');
  await expect(page.locator('#chart-ceiling canvas')).toBeVisible();
  await card.scrollIntoViewIfNeeded();
  await page.setViewportSize({ width: 390, height: 844 });
  /* Charts shrink only after the page has. */
  await expect
    .poll(() => page.evaluate(() => document.documentElement.scrollWidth))
    .toBeLessThanOrEqual(390);
  await page.getByRole('button', { name: 'Remove peer.jsonl' }).click();
  await page.getByRole('button', { name: 'Remove mine.jsonl' }).click();
  await expect(card).toHaveCount(0);
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
  await page.goto('?size=quick&suites=gemm');
  /* Names wider than the half of the chart that Chart.js gives an axis at most. */
  const lines = nativeRows('gemm', '--cases', '256', '--seconds', '0.02').split('\n');
  const one = lines.find((line) => line.includes('"primary":true')) ?? '';
  const rows = Array.from({ length: 4 }, (_, i) => {
    const row = JSON.parse(one);
    return JSON.stringify({ ...row, case: `WWWWWWWWWWWW ${i}` });
  });
  const buffer = Buffer.from(rows.join('\n'));
  await page.locator('#file').setInputFiles({ name: 'many.jsonl', mimeType: 'text/plain', buffer });
  const seen = () => page.evaluate(() => (window as unknown as { drawn: number }).drawn);
  await expect.poll(seen).toBeGreaterThan(8);
  expect(await page.evaluate(() => (window as unknown as { cut: string[] }).cut)).toEqual([]);
});

test('bits on other data are not called unequal', async ({ page }) => {
  test.setTimeout(180_000);
  const native = nativeRows('bits', '--reproducible', '--seed', '5');
  await serveNative(page, native);
  await page.goto('?threads=1&size=quick&suites=bits&tier=simd-threads');
  await page.locator('#run').click();
  await expect(page.locator('#outcome')).toContainText('Done in', { timeout: 120_000 });
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
  await page.goto(`http://localhost:${unisolatedPort}/?size=quick&suites=gemm`);
  await expect(page.locator('#downgrades')).toContainText('Cross-Origin-Opener-Policy');
  await expect(page.locator('#isolate')).toBeVisible();
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
  await page.goto('?size=quick&suites=gemm');
  await expect(page.locator('#headline')).toContainText('could not be read');
  await page.locator('#run').click();
  await expect(page.locator('#outcome')).toContainText('Done in', { timeout: 60_000 });
});

test('the smallest page has a result', async ({ page }) => {
  await page.goto('minimal.html');
  await expect(page.locator('#result')).toContainText('Learnt XOR in 200 steps');
  const parts = ['navigation', 'script', 'compile', 'worker', 'engine', 'first step'];
  await expect(page.locator('#breakdown td:first-child')).toHaveText(parts);
  const measured = await page.evaluate(() =>
    performance.getEntriesByType('measure').map(({ name, startTime, duration }) => ({
      name,
      startTime,
      duration,
    })),
  );
  const first = await page.evaluate(
    () => performance.getEntriesByName('first-result')[0]?.startTime ?? 0,
  );
  for (const { name, startTime, duration } of measured) {
    expect(parts).toContain(name);
    expect(startTime).toBeGreaterThanOrEqual(0);
    expect(duration).toBeGreaterThanOrEqual(0);
    expect(startTime + duration).toBeLessThanOrEqual(first);
  }
  expect(measured).toHaveLength(parts.length);
});
