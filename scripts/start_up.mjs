/**
 * Measures how long the smallest page takes to its first result in Chromium, and what that time is
 * spent on. Usage: node scripts/start_up.mjs [--times 20] FOLDER... (built pages, default web/dist).
 * Several folders alternate, and each is compared with the first.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { closeBrowser, withBrowser } from '../tests/wasm/support/browser.mjs';
import { ISOLATION, serve } from '../tests/wasm/support/server.mjs';

const { values, positionals } = parseArgs({
  options: { times: { type: 'string', default: '20' } },
  allowPositionals: true,
});
const folders = positionals.length > 0 ? positionals : ['web/dist'];

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** Milliseconds from opening the page, with nothing in a cache: {part: duration}. */
const open = (url) => withBrowser((profile) => measure(profile, url));

async function measure(profile, url) {
  const page = await profile.newPage();
  await page.goto(`${url}/minimal.html`);
  await page.waitForFunction(() => performance.getEntriesByName('first-result').length > 0);
  return page.evaluate(() => {
    const [{ startTime }] = performance.getEntriesByName('first-result');
    const measured = performance.getEntriesByType('measure');
    return {
      ...Object.fromEntries(measured.map(({ name, duration }) => [name, duration])),
      'first result': startTime,
    };
  });
}

const pages = await Promise.all(
  folders.map(async (folder) => ({
    folder,
    server: await serve(resolve(folder), ISOLATION),
    runs: [],
  })),
);
/* The first visit also starts the browser's processes. */
for (const { server } of pages) await open(server.url);
for (let i = 0; i < Number(values.times); i++)
  for (const { server, runs } of pages) runs.push(await open(server.url));
await closeBrowser();
const [first] = pages;
for (const { folder, server, runs } of pages) {
  await server.close();
  console.log(`${folder}: medians of ${runs.length}`);
  for (const part of Object.keys(runs[0]))
    console.log(
      `  ${part.padEnd(14)}${median(runs.map((run) => run[part]))
        .toFixed(1)
        .padStart(8)} ms`,
    );
  if (folder === first.folder) continue;
  const ratios = runs.map((run, i) => run['first result'] / first.runs[i]['first result']);
  console.log(`  as a share of ${first.folder}: ${median(ratios).toFixed(2)}`);
}
