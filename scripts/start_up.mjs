/**
 * Measures how long the smallest page takes to its first result in Chromium, and what that time is
 * spent on. Usage: node scripts/start_up.mjs [--times 20] [--json FILE] FOLDER... (built pages, default
 * web/dist). Several folders alternate, and each is compared with the first; FILE gets a row about the
 * first.
 *
 * Each time is that of an address entered in an empty tab of a new profile, so with nothing in a cache,
 * from the start of the navigation. Nothing watches the page until its result is there, and this
 * process, which also serves the files, sleeps meanwhile.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { scriptRow, writeRows } from '../bench/peers/provenance.mjs';
import { ISOLATION, serve } from '../tests/wasm/support/server.mjs';
import { startBrowser } from './start_up_browser.mjs';

const { values, positionals } = parseArgs({
  options: { times: { type: 'string', default: '20' }, json: { type: 'string' } },
  allowPositionals: true,
});
const folders = positionals.length > 0 ? positionals : ['web/dist'];

/** The number below which this share of the numbers lies. */
const quantile = (numbers, share) =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length * share)];
const median = (numbers) => quantile(numbers, 1 / 2);

/** Evaluated in the page: {part: milliseconds}, or null while there is no result. */
const PARTS = `(() => {
  const [first] = performance.getEntriesByName('first-result');
  const measured = performance.getEntriesByType('measure');
  return first && {
    ...Object.fromEntries(measured.map(({ name, duration }) => [name, duration])),
    'first result': first.startTime,
  };
})()`;

const browser = await startBrowser();
const open = (url) => browser.open(`${url}/minimal.html`, PARTS);
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
await browser.close();
const [first] = pages;
const column = (milliseconds) => milliseconds.toFixed(1).padStart(8);
for (const { folder, server, runs } of pages) {
  await server.close();
  console.log(`${folder}: median of ${runs.length}, and the middle half`);
  for (const part of Object.keys(runs[0])) {
    const all = runs.map((run) => run[part]);
    const [low, high] = [quantile(all, 1 / 4), quantile(all, 3 / 4)].map(column);
    console.log(`  ${part.padEnd(14)}${column(median(all))} ms${low} to${high}`);
  }
  if (folder === first.folder) continue;
  const ratios = runs.map((run, i) => run['first result'] / first.runs[i]['first result']);
  console.log(`  as a share of ${first.folder}: ${median(ratios).toFixed(2)}`);
}
if (values.json) {
  const root = resolve(import.meta.dirname, '..');
  const { version } = JSON.parse(readFileSync(resolve(root, 'wasm/package.json'), 'utf8'));
  const row = scriptRow(root, {
    suite: 'package',
    case: 'page opened to first result',
    parameters: {},
    metric: 'first result',
    unit: 'ms',
    values: first.runs.map((run) => run['first result']),
    engine: { kind: 'wasm', name: 'parallax-nn', version, threads: 1 },
  });
  writeRows(values.json, [row]);
}
