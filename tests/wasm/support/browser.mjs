/** Opens pages in Chromium, where there is one. */
import { execFileSync } from 'node:child_process';
import { chromium } from '@playwright/test';

const ARGUMENTS = [
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

/** Path of Chromium, or undefined; a test that needs it is skipped then. */
export const CHROMIUM = find();

/** For node:test: why a test in the browser is skipped, or false. */
export const withoutBrowser = CHROMIUM ? false : 'no Chromium found';

let launched;

/** Runs body with a profile of its own, in a browser that the tests of a file share. */
export async function withBrowser(body) {
  launched ??= chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  const profile = await (await launched).newContext();
  try {
    return await body(profile);
  } finally {
    await profile.close();
  }
}

/** What a file that has used withBrowser calls at its end. */
export async function closeBrowser() {
  await (await launched)?.close();
}

/**
 * Opens url and waits until the page has set window.outcome: {value} or {error}. What the page
 * printed to its console as an error is part of a failure.
 */
export async function outcomeOf(profile, url, timeout = 60_000) {
  const page = await profile.newPage();
  const complaints = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
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
