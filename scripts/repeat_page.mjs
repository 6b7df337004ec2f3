// Runs the playground page many times in Chromium, each time as a new visitor.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from '@playwright/test';

// With its default settings the page measures for minutes.
const LONGEST_RUN_MS = 2 * 3600_000;

function chromiumPath() {
  const named = process.env.PARALLAX_CHROMIUM;
  if (named) return named;
  for (const name of ['chromium', 'google-chrome'])
    try {
      return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
    } catch {
      // The next name may be installed.
    }
  throw new Error('no Chromium was found: install it, or name it in PARALLAX_CHROMIUM.');
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts vite preview, which serves the page as users get it; returns {address, close}. */
async function preview(root) {
  if (!existsSync(path.join(root, 'web/dist/index.html')))
    throw new Error('the page is not built: run scripts/playground, or npm run build -w web.');
  const port = await freePort();
  const args = ['preview', '--port', String(port), '--strictPort', '--logLevel', 'warn'];
  const server = spawn(path.join(root, 'node_modules/.bin/vite'), args, {
    cwd: path.join(root, 'web'),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const address = `http://localhost:${port}/`;
  for (let attempt = 0; attempt < 200; ++attempt) {
    if (server.exitCode !== null) throw new Error('vite preview ended unexpectedly.');
    const answered = await fetch(address).then(
      (answer) => answer.ok,
      () => false,
    );
    if (answered) return { address, close: () => server.kill() };
    await sleep(100);
  }
  server.kill();
  throw new Error('vite preview did not answer within 20 seconds.');
}

function query({ size, suites, threads }) {
  const words = new URLSearchParams();
  words.set('size', { quick: 'quick', full: 'long' }[size] ?? 'standard');
  // Left to itself, the page runs only what fits into a minute.
  words.set('suites', suites ?? 'all');
  if (threads) words.set('threads', threads);
  return `?${words}`;
}

/** One visit: returns the rows as a file of JSON lines, and the headline. */
async function visit(browser, address) {
  // Installing the page for use without a network would disturb its measurements.
  const context = await browser.newContext({ serviceWorkers: 'block' });
  try {
    const page = await context.newPage();
    await page.goto(address);
    await page.locator('#run').click();
    const outcome = page.locator('#outcome').filter({ hasText: /^(Done|Cancelled|.*fail)/i });
    await outcome.waitFor({ timeout: LONGEST_RUN_MS });
    const text = await outcome.innerText();
    if (!text.startsWith('Done')) throw new Error(`the page says: ${text}`);
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.locator('#download-jsonl').click(),
    ]);
    const verdict = page.locator('#verdict');
    const headline = (await verdict.count()) > 0 ? await verdict.first().innerText() : '';
    return { lines: await readFile(await file.path(), 'utf8'), headline: headline.trim() };
  } finally {
    await context.close();
  }
}

/** Returns {run, close}: run() visits the page once. */
export async function openPage(root, options) {
  const server = await preview(root);
  try {
    const browser = await chromium.launch({
      executablePath: chromiumPath(),
      args: ['--no-sandbox', '--disable-gpu'],
    });
    return {
      run: () => visit(browser, server.address + query(options)),
      close: async () => {
        await browser.close();
        server.close();
      },
    };
  } catch (error) {
    server.close();
    throw error;
  }
}
