/** The page in Firefox: it runs, its rows match the schema, and its losses have the native bits. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import puppeteer from 'puppeteer-core';

const file = (name) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const executablePath = process.env.PARALLAX_FIREFOX;
const command = process.env.PARALLAX_COMMAND ?? file('build/release/parallax');
const port = 4973;
const data = process.env.PARALLAX_DATA;
const mnist = ['t10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz']
  .map((name) => (data ? [`${data}/${name}`, `${data}/mnist/${name}`].find(existsSync) : undefined))
  .filter(Boolean);

/** On the images that the page gets, or those that it has. */
function nativeBits() {
  const { PARALLAX_ISA: _, ...inherited } = process.env;
  const env = { PARALLAX_DATA: file('web/dist/data'), ...inherited };
  const args = ['bench', 'bits', '--quick', '--rounds', '1', '--reproducible', '--json', '-'];
  const text = execFileSync(command, args, {
    encoding: 'utf8',
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return bitsOf(
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  );
}

const bitsOf = (rows) =>
  Object.fromEntries(rows.map((row) => [row.case, row.checks.lossBits]).filter(([, bits]) => bits));

async function answers(url) {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

describe('in Firefox', { skip: !executablePath && 'PARALLAX_FIREFOX is not set' }, () => {
  let server;
  let browser;
  before(async () => {
    const vite = file('node_modules/.bin/vite');
    const args = ['preview', file('web'), '--config', file('web/vite.config.ts')];
    server = spawn(vite, [...args, '--port', String(port), '--strictPort'], { stdio: 'ignore' });
    while (!(await answers(`http://localhost:${port}/`))) {
      assert.equal(server.exitCode, null, 'the server runs');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    browser = await puppeteer.launch({ browser: 'firefox', executablePath, headless: true });
  });
  after(async () => {
    await browser?.close();
    server?.kill();
  });

  /** Runs suites on the page; resolves to the rows offered for download. */
  async function runPage(address, files = []) {
    const page = await browser.newPage();
    try {
      await page.goto(`http://localhost:${port}/${address}`);
      await page.waitForSelector('#run:not([disabled])', { timeout: 20_000 });
      if (files.length > 0) {
        await page.click('nav.views a[href="?view=files"]');
        const input = await page.waitForSelector('#file');
        await input.uploadFile(...files);
        await page.waitForFunction(() =>
          document.getElementById('images').textContent.includes('10,000 real ones'),
        );
        await page.click('nav.views a[href="./"]');
      }
      /* Captures what a click on "Download JSON lines" would save. */
      await page.evaluate(() => {
        const original = URL.createObjectURL;
        URL.createObjectURL = (blob) => {
          window.saved = blob.text();
          return original.call(URL, blob);
        };
      });
      await page.click('#run');
      await page.waitForFunction(
        () => document.getElementById('outcome').textContent.includes('Done in'),
        { timeout: 120_000 },
      );
      await page.click('#download-jsonl');
      const text = await page.evaluate(() => window.saved);
      const engine = await page.$eval('#engine', (element) => element.textContent);
      return {
        rows: text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line)),
        engine,
      };
    } finally {
      await page.close();
    }
  }

  it('has the bits of the native command, with 1 and 2 threads', async () => {
    assert.ok(existsSync(command), `${command} exists`);
    const expected = nativeBits();
    assert.ok(expected['gpt2-nano, 50 steps'], Object.keys(expected).join());
    for (const threads of [1, 2]) {
      const { rows } = await runPage(
        `?size=quick&rounds=1&suites=bits&tier=simd-threads&threads=${threads}`,
        mnist,
      );
      assert.equal(rows[0].engine.threads, threads);
      assert.deepEqual(bitsOf(rows), expected, `${threads} threads`);
    }
  });

  it('takes its best tier, and gives rows of the schema', async () => {
    const { rows, engine } = await runPage('?size=quick&rounds=3&suites=gemm');
    assert.match(engine, /relaxed-threads|simd-threads/);
    const ajv = addFormats.default(new Ajv2020({ allErrors: true, allowUnionTypes: true }));
    const schema = JSON.parse(readFileSync(file('bench/results.schema.json'), 'utf8'));
    const validate = ajv.compile(schema);
    for (const row of rows) {
      assert.ok(validate(row), ajv.errorsText(validate.errors));
      assert.match(row.engine.runtime, /^Firefox \d+$/);
      assert.equal(row.checks.passed, true, row.checks.failure);
    }
  });
});
