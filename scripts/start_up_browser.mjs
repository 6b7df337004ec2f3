/**
 * Opens pages in Chromium with nothing attached to them. Playwright attaches to every page and
 * worker before its script runs, holds it until several messages have gone back and forth, and polls
 * the page while it waits: the start that it sees is slower than a user's.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ARGUMENTS, CHROMIUM } from '../tests/wasm/support/browser.mjs';

/**
 * Milliseconds before an address is entered: a new profile opens a window, and for over a second the
 * browser's own pages in it load as much script as fits.
 */
const TAB_MS = 2000;
/** Milliseconds before a page is looked at for the first time, and between two looks. */
const LOOK_MS = 700;
/** A page without a result after so many looks has none. */
const MOST_LOOKS = 30;

/** Sends commands of the DevTools protocol through a pair of pipes, and receives the answers. */
class Protocol {
  #last = 0;
  #waiting = new Map();
  #partial = '';

  constructor(output, input) {
    this.output = output;
    input.setEncoding('utf8').on('data', (text) => this.#receive(text));
  }

  #receive(text) {
    const messages = (this.#partial + text).split('\0');
    this.#partial = messages.pop();
    for (const message of messages) {
      const { id, result, error } = JSON.parse(message);
      const [resolve, reject] = this.#waiting.get(id) ?? [];
      this.#waiting.delete(id);
      if (error) reject?.(new Error(error.message));
      else resolve?.(result);
    }
  }

  send(method, params = {}, sessionId = undefined) {
    const id = ++this.#last;
    this.output.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => this.#waiting.set(id, [resolve, reject]));
  }
}

/** Starts Chromium. Returns {open, close}. */
export async function startBrowser() {
  if (!CHROMIUM) throw new Error('no Chromium found');
  const folder = mkdtempSync(join(tmpdir(), 'start-up-'));
  const options = ['--headless', '--remote-debugging-pipe', `--user-data-dir=${folder}`];
  const browser = spawn(CHROMIUM, [...ARGUMENTS, ...options, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  const protocol = new Protocol(browser.stdio[3], browser.stdio[4]);

  /** Evaluates an expression in a page until it has a value. */
  async function read(sessionId, expression) {
    for (let look = 0; look < MOST_LOOKS; look++) {
      await sleep(LOOK_MS);
      const request = { expression, returnByValue: true };
      const { result } = await protocol.send('Runtime.evaluate', request, sessionId);
      if (result.value) return result.value;
    }
    throw new Error(`no result after ${(LOOK_MS * MOST_LOOKS) / 1000} s`);
  }

  return {
    /**
     * Enters url in an empty tab of a new profile, and returns the first value that the expression
     * has there. Until then nothing but the address is sent to the page.
     */
    async open(url, expression) {
      const { browserContextId } = await protocol.send('Target.createBrowserContext');
      const tab = { url: 'about:blank', browserContextId };
      const { targetId } = await protocol.send('Target.createTarget', tab);
      const session = { targetId, flatten: true };
      const { sessionId } = await protocol.send('Target.attachToTarget', session);
      try {
        await sleep(TAB_MS);
        await protocol.send('Page.navigate', { url }, sessionId);
        return await read(sessionId, expression);
      } finally {
        await protocol.send('Target.disposeBrowserContext', { browserContextId });
      }
    },
    async close() {
      const gone = once(browser, 'exit');
      await protocol.send('Browser.close');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
