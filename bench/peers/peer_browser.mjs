// The engines in a page of Chromium.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { browserPeers } from './browser_peers.mjs';
import { hostedEngine } from './hosted.mjs';
import { serve } from './peer_server.mjs';
import { chromium as chromiumPath } from './prepare.mjs';
import { notScaled, ONE_THREAD } from './targets.mjs';

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** How long to wait for the event that says why a call failed. */
const GRACE_MS = 2000;

/** Ours on one thread, beside which two are measured. */
const oneThread = ['simd-threads', 'relaxed-threads'].map((tier) => ({
  key: `one-${tier}`,
  maker: 'parallax',
  name: ONE_THREAD,
  tier,
  threads: 1,
  cannot: notScaled,
}));

/** The engines of a page with so many threads; ours first, with the exact tier as the reference. */
const engineList = (threads) => [
  {
    key: 'exact',
    maker: 'parallax',
    name: 'parallax',
    tier: threads > 1 ? 'simd-threads' : 'simd',
  },
  { key: 'relaxed', maker: 'parallax', name: 'parallax', tier: 'relaxed-threads' },
  ...(threads === 2 ? oneThread : []),
  ...browserPeers.map((peer) => ({ ...peer, maker: peer.key })),
];

/** Opens the page; lost() says that it or its browser ended, once it has; `ended` rejects then. */
async function openPage(root, threads) {
  const server = await serve(root);
  let browser;
  try {
    const { chromium } = createRequire(join(root, 'package.json'))('@playwright/test');
    browser = await chromium.launch({
      executablePath: chromiumPath(root) || undefined,
      args: ARGUMENTS,
      // An interrupted measurement ends it in order.
      handleSIGINT: false,
      handleSIGTERM: false,
    });
    const page = await browser.newPage();
    const watch = watched(page, browser);
    // Limits libraries that size their thread pools by it to the same number of threads.
    await page.addInitScript((count) => {
      Object.defineProperty(Navigator.prototype, 'hardwareConcurrency', { get: () => count });
    }, threads);
    page.on('pageerror', (error) => process.stderr.write(`peers: in the page: ${error.message}\n`));
    await page.goto(server.address);
    await page.waitForFunction(() => globalThis.peers && globalThis.crossOriginIsolated);
    const runtime = `Chromium ${browser.version().split('.')[0]}`;
    const close = () => closed(browser, server);
    return { page, runtime, ...watch, close };
  } catch (error) {
    await closed(browser, server);
    throw error;
  }
}

async function closed(browser, server) {
  await browser?.close().catch(() => {}); // It may have ended by itself.
  server.close();
}

const BROWSER_ENDED = 'the browser ended in the middle';

function watched(page, browser) {
  let sentence;
  const ended = new Promise((_, reject) => {
    const end = (text) => () => {
      sentence ??= text;
      reject(new Error(sentence));
    };
    browser.once('disconnected', end(BROWSER_ENDED));
    page.once('crash', end('the page crashed in the middle'));
    page.once('close', end('the page was closed in the middle'));
  });
  ended.catch(() => {});
  // When the browser ends, the page says first that it is closed.
  return { ended, lost: () => sentence && (browser.isConnected() ? sentence : BROWSER_ENDED) };
}

/** The errors that a call gives when the page has ended, just before or after the events say so. */
const ENDED = /Target (page|crashed)|has been closed|Browser closed/;

function caller({ page, ended }) {
  return async (operation, ...args) => {
    const called = page.evaluate(
      ([name, values]) => globalThis.peers[name](...values),
      [operation, args],
    );
    try {
      return await Promise.race([called, ended]);
    } catch (error) {
      if (ENDED.test(error.message)) await Promise.race([ended, sleep(GRACE_MS)]);
      throw new Error(error.message.split('\n')[0].replace(/^page\.evaluate: /, ''));
    }
  };
}

async function startEngine({ key, maker, tier, threads, ...rest }, { call, runtime, lost }) {
  const { operations, ...about } = await call('start', key, maker, { threads, tier });
  return {
    ...rest,
    ...about,
    // Our engine reports which operations it has, and measures its ceiling.
    ...(operations && {
      cannot: (item) => rest.cannot?.(item) || (item.kind === 'op' && operations[item.op] !== ''),
      peak: () => call('peak', key),
    }),
    missing: Object.entries(operations ?? {}).filter(([, reason]) => reason),
    kind: 'wasm',
    runtime,
    lost,
    short: about.tier ?? rest.name,
    label: `${rest.name} ${about.tier ?? about.version}`,
    ...hostedEngine(key, call),
  };
}

/** Starts the engines in an open page. */
async function startEngines(opened, threads) {
  const inPage = { ...opened, call: caller(opened) };
  const engines = [];
  const notes = [];
  for (const entry of engineList(threads)) {
    try {
      const wanted = entry.threads ?? threads;
      const engine = await startEngine({ ...entry, threads: wanted }, inPage);
      engines.push(engine);
      for (const [op, reason] of engine.missing)
        notes.push(`${engine.label} without ${op}: ${reason}`);
      if (engine.threads !== wanted)
        notes.push(`${engine.label} uses ${engine.threads} thread(s) here`);
    } catch (error) {
      if (!engines.length || opened.lost()) throw error;
      notes.push(`without ${entry.name}: ${error.message}`);
    }
  }
  return { engines, notes };
}

/** The engines of one page as a group (groups.mjs); when it ends, a new browser takes over. */
export async function browserEngines({ threads, root, open = openPage }) {
  const start = async () => {
    const opened = await open(root, threads);
    try {
      return { ...opened, ...(await startEngines(opened, threads)) };
    } catch (error) {
      await opened.close();
      throw error;
    }
  };
  let current = await start();
  return {
    get engines() {
      return current.engines;
    },
    notes: current.notes,
    async renew() {
      const lost = current.lost();
      if (!lost) return [];
      await current.close();
      try {
        current = await start();
        return [`${lost}; the next cases run in a new one`];
      } catch (error) {
        current = { engines: [], lost: () => undefined, close: async () => {} };
        return [`${lost}, and no new one could be started: ${error.message.split('\n')[0]}`];
      }
    },
    close: () => current.close(),
  };
}
