/** The browsers in which pages are tested: what opens an address and waits for window.outcome. */
import puppeteer from 'puppeteer-core';
import { closeBrowser, complaintsOf, outcomeOf, withBrowser, withoutBrowser } from './browser.mjs';

const executablePath = process.env.PARALLAX_FIREFOX;
let firefox;

/** Asks again and again, as waiting in the page would need eval, which strict policies forbid. */
async function outcomeIn(page) {
  for (const late = Date.now() + 60_000; Date.now() < late; ) {
    const outcome = await page.evaluate(() => window.outcome);
    if (outcome) return outcome;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the page has set no window.outcome');
}

async function outcomeInFirefox(url) {
  firefox ??= puppeteer.launch({ browser: 'firefox', executablePath, headless: true });
  const page = await (await firefox).newPage();
  const complaints = complaintsOf(page);
  try {
    await page.goto(url);
    return { ...(await outcomeIn(page)), complaints };
  } catch (error) {
    throw new Error(`${url}: ${error.message}\n${complaints.join('\n')}`);
  } finally {
    await page.close();
  }
}

/** Each with why it cannot be used, or false, for node:test. */
export const BROWSERS = [
  {
    name: 'Chromium',
    skip: withoutBrowser,
    outcome: (url) => withBrowser((profile) => outcomeOf(profile, url)),
  },
  {
    name: 'Firefox',
    skip: executablePath ? false : 'PARALLAX_FIREFOX is not set',
    outcome: outcomeInFirefox,
  },
];

/** Closes the browsers that were opened. */
export async function closeBrowsers() {
  await closeBrowser();
  await (await firefox)?.close();
}
