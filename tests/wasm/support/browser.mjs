/** Opens pages in Chromium, if it is installed. */
import { execFileSync } from 'node:child_process';
import { chromium } from '@playwright/test';

/** Options with which Chromium is started. */
export const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

function find() {
  if (process.env.PARALLAX_CHROMIUM) return process.env.PARALLAX_CHROMIUM;
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    try {
      return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
    } catch {}
  }
  return undefined;
}

/** Path of Chromium, or undefined; tests that need it are then skipped. */
export const CHROMIUM = find();

/** Why tests in the browser are skipped, or false; for node:test. */
export const withoutBrowser = CHROMIUM ? false : 'no Chromium found';

let launched;

/** Runs body in a new profile of a browser that the tests of a file share. */
export async function withBrowser(body) {
  launched ??= chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  const profile = await (await launched).newContext();
  try {
    return await body(profile);
  } finally {
    await profile.close();
  }
}

/** Closes the browser; called at the end of a file that has used withBrowser. */
export async function closeBrowser() {
  await (await launched)?.close();
}

/** The errors that a page prints from now on. */
export function complaintsOf(page) {
  const complaints = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  return complaints;
}

/**
 * Opens url and waits until the page has set window.outcome: {value} or {error}. A failure includes
 * the errors that the page printed to its console.
 */
export async function outcomeOf(profile, url, timeout = 60_000) {
  const page = await profile.newPage();
  const complaints = complaintsOf(page);
  try {
    await page.goto(url);
    const handle = await page.waitForFunction(() => window.outcome, undefined, { timeout });
    return { ...(await handle.jsonValue()), complaints };
  } catch (error) {
    throw new Error(`${url}: ${error.message}\n${complaints.join('\n')}`);
  } finally {
    await page.close();
  }
}
