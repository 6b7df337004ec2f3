/**
 * Measures how long the smallest page takes to its first result in Chromium, once training and once
 * predicting with a small convolutional network, and what that time is spent on. Several folders alternate, and each is compared with the first; --json writes rows about
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

Measures how long ${PAGE} of a built page takes in Chromium to its first result (training),
and to the first prediction of a small convolutional network, and what that time is spent on. Several folders (default web/dist) alternate, and each is compared with the first.

  --times N     visits of each page, 2 to 1000 (default 20)
  --json FILE   writes rows about the first folder: the times, and those of each phase`;

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

/** What the page does, and phases of it that follow one another. */
const LOADING = {
  navigation: (run) => run.navigation,
  script: (run) => run.script,
  // They are got side by side.
  'module and worker': (run) => Math.max(run.compile, run.worker),
  engine: (run) => run.engine,
};
const VISITS = [
  {
    metric: 'first result',
    query: '',
    phases: {
      ...LOADING,
      'first step': (run) => run['first step'],
      training: (run) => run.training,
    },
  },
  {
    metric: 'first prediction',
    query: '?predict',
    phases: { ...LOADING, prediction: (run) => run.prediction },
  },
];

const browser = await startBrowser();
const open = (url, { query }) => browser.open(`${url}/${PAGE}${query}`, PARTS);
const servers = await Promise.all(folders.map((folder) => serve(resolve(folder), ISOLATION)));
const all = VISITS.flatMap((visit) =>
  folders.map((folder, i) => ({ ...visit, visit, folder, server: servers[i], runs: [] })),
);
/* The first visit also starts the browser's processes. */
for (const { server, visit } of all) await open(server.url, visit);
for (let i = 0; i < times; i++)
  for (const { server, visit, runs } of all) runs.push(await open(server.url, visit));
await browser.close();
for (const server of servers) await server.close();
const column = (milliseconds) => milliseconds.toFixed(1).padStart(8);
for (const { folder, metric, runs } of all) {
  console.log(`${folder}, ${metric}: median of ${runs.length}, and the middle half`);
  for (const part of Object.keys(runs[0])) {
    const taken = runs.map((run) => run[part]);
    const [low, high] = [quantile(taken, 1 / 4), quantile(taken, 3 / 4)].map(column);
    console.log(`  ${part.padEnd(14)}${column(median(taken))} ms${low} to${high}`);
  }
  const first = all.find((each) => each.metric === metric);
  if (folder === first.folder) continue;
  const ratios = runs.map((run, i) => run['first result'] / first.runs[i]['first result']);
  console.log(`  as a share of ${first.folder}: ${median(ratios).toFixed(2)}`);
}

if (json) {
  const root = resolve(import.meta.dirname, '..');
  const { version } = JSON.parse(readFileSync(resolve(root, 'wasm/package.json'), 'utf8'));
  const rowsOf = ({ metric: primary, phases, runs }) => {
    const timesOf = { [primary]: (run) => run['first result'], ...phases };
    return Object.entries(timesOf).map(([metric, timeOf]) =>
      scriptRow(root, {
        suite: 'package',
        case: `page opened to ${primary}`,
        parameters: {},
        metric,
        primary: metric === primary,
        unit: 'ms',
        values: runs.map(timeOf),
        engine: { kind: 'wasm', name: 'parallax-nn', version, threads: 1 },
      }),
    );
  };
  const [first] = folders;
  writeRows(json, all.filter(({ folder }) => folder === first).flatMap(rowsOf));
}
