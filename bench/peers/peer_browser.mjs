// The engines in a page of Chromium.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { serve } from './peer_server.mjs';
import { chromium as chromiumPath } from './prepare.mjs';

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const notTraining = (item) => item.kind === 'train';
const notOperation = (item) => item.kind === 'op';

/** The engines of a page with so many threads; ours first, with the exact tier as the reference. */
const engineList = (threads) => [
  {
    key: 'exact',
    maker: 'parallax',
    name: 'parallax',
    tier: threads > 1 ? 'simd-threads' : 'simd',
  },
  { key: 'relaxed', maker: 'parallax', name: 'parallax', tier: 'relaxed-threads' },
  { key: 'ort', maker: 'ort', name: 'onnxruntime-web', cannot: notTraining },
  { key: 'tfjs', maker: 'tfjs', name: 'tfjs-backend-wasm' },
  { key: 'jax', maker: 'jax', name: 'jax-js', cannot: notOperation },
];

async function openPage(root, threads) {
  const server = await serve(root);
  const { chromium } = createRequire(join(root, 'package.json'))('@playwright/test');
  const browser = await chromium.launch({
    executablePath: chromiumPath(root) || undefined,
    args: ARGUMENTS,
  });
  const page = await browser.newPage();
  // Limits libraries that size their thread pools by it to the same number of threads.
  await page.addInitScript((count) => {
    Object.defineProperty(Navigator.prototype, 'hardwareConcurrency', { get: () => count });
  }, threads);
  page.on('pageerror', (error) => process.stderr.write(`peers: in the page: ${error.message}\n`));
  await page.goto(server.address);
  await page.waitForFunction(() => globalThis.peers && globalThis.crossOriginIsolated);
  return {
    page,
    runtime: `Chromium ${browser.version().split('.')[0]}`,
    async close() {
      await browser.close();
      server.close();
    },
  };
}

/** Returns {engines, notes, close}. */
export async function browserEngines({ threads, root }) {
  const { page, runtime, close } = await openPage(root, threads);
  const call = (operation, ...args) =>
    page
      .evaluate(([name, values]) => globalThis.peers[name](...values), [operation, args])
      .catch((error) => {
        throw new Error(error.message.split('\n')[0].replace(/^page\.evaluate: /, ''));
      });
  const engines = [];
  const notes = [];
  for (const { key, maker, tier, ...rest } of engineList(threads)) {
    try {
      const { operations, ...about } = await call('start', key, maker, { threads, tier });
      const engine = {
        ...rest,
        ...about,
        // Our engine reports which operations it has.
        ...(operations && {
          cannot: (item) => item.kind === 'op' && operations[item.op] !== '',
        }),
        kind: 'wasm',
        runtime,
        short: about.tier ?? rest.name,
        label: `${rest.name} ${about.tier ?? about.version}`,
        open: (item, data) => call('open', key, item, data.recipe),
        results: () => call('results', key),
        restart: () => call('restart', key),
        run: (count) => call('run', key, count),
        close: () => call('close', key),
      };
      engines.push(engine);
      for (const [op, reason] of Object.entries(operations ?? {}))
        if (reason) notes.push(`${engine.label} without ${op}: ${reason}`);
      if (about.threads !== threads)
        notes.push(`${engine.label} uses ${about.threads} thread(s) here`);
    } catch (error) {
      if (!engines.length) throw error;
      notes.push(`without ${rest.name}: ${error.message}`);
    }
  }
  return { engines, notes, close };
}
