/**
 * Measures how long the smallest page takes to its first result in Chromium, and what that time is
 * spent on. Several folders alternate, and each is compared with the first; --json writes a row about
 * the first.
 *
 * Each time is that of an address entered in an empty tab of a new profile, so with nothing in a cache,
 * from the start of the navigation. Nothing watches the page until its result is there, and this
 * process, which also serves the files, sleeps meanwhile.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { scriptRow, writeRows } from '../bench/peers/provenance.mjs';
import { ISOLATION, serve } from '../tests/wasm/support/server.mjs';
import { commandLine, Wrong, wholeNumber } from './options.mjs';
import { startBrowser } from './start_up_browser.mjs';

const PAGE = 'minimal.html';
const USAGE = `usage: node scripts/start_up.mjs [--times N] [--json FILE] [FOLDER ...]

Measures how long ${PAGE} of a built page takes to its first result in Chromium, and what that
time is spent on. Several folders (default web/dist) alternate, and each is compared with the first.

  --times N     visits of each page, 2 to 1000 (default 20)
  --json FILE   writes a row about the first folder`;

const { times, folders, json } = commandLine(
  'start_up',
  USAGE,
  {
    options: { times: { type: 'string', default: '20' }, json: { type: 'string' } },
    allowPositionals: true,
  },
  ({ values, positionals }) => {
    const folders = positionals.length > 0 ? positionals : ['web/dist'];
    const times = wholeNumber('times', values.times, 2, 1000);
    for (const folder of folders)
      if (!existsSync(join(folder, PAGE)))
        throw new Wrong(`"${folder}" has no ${PAGE}: it is no built page.`);
    return { times, folders, json: values.json };
  },
);

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
const open = (url) => browser.open(`${url}/${PAGE}`, PARTS);
const pages = await Promise.all(
  folders.map(async (folder) => ({
    folder,
    server: await serve(resolve(folder), ISOLATION),
    runs: [],
  })),
);
/* The first visit also starts the browser's processes. */
for (const { server } of pages) await open(server.url);
for (let i = 0; i < times; i++)
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
if (json) {
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
  writeRows(json, [row]);
}
