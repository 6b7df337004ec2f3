/** A Next.js application, on pages in each browser and in a route handler, with each of its bundlers. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BROWSERS, closeBrowsers } from './support/browsers.mjs';
import { unpackInto } from './support/tarball.mjs';

const FOLDER = fileURLToPath(new URL('next', import.meta.url));
const NEXT = join(FOLDER, 'node_modules/next/dist/bin/next');
const skip = existsSync(NEXT) ? false : 'Next.js is not installed: run scripts/setup --test';
/** The pages, by their paths: whether workers can share memory there decides the tier. */
const PAGES = {
  '/': { tier: 'relaxed-threads', threads: 2, downgrades: 0, falls: true },
  '/plain': { tier: 'simd', threads: 1, downgrades: 3, falls: true },
};

const options = (bundler) => ({
  cwd: FOLDER,
  env: { ...process.env, BUNDLER: bundler, NEXT_TELEMETRY_DISABLED: '1' },
});

/** Runs body with the address of the built application. */
async function withServer(bundler, body) {
  const args = [NEXT, 'start', '--hostname', '127.0.0.1', '--port', '0'];
  const server = spawn(process.execPath, args, options(bundler));
  try {
    const url = await new Promise((resolve, reject) => {
      let said = '';
      const listen = (data) => {
        said += data;
        const [address] = /http:\/\/127\.0\.0\.1:[1-9]\d*/.exec(said) ?? [];
        if (address) resolve(address);
      };
      server.stdout.on('data', listen);
      server.stderr.on('data', listen);
      server.on('exit', () => reject(new Error(`next start ended: ${said}`)));
    });
    return await body(url);
  } finally {
    server.kill();
  }
}

describe('in Next.js, bundled by', { skip }, () => {
  before(() => unpackInto(join(FOLDER, 'node_modules/parallax-nn')));
  after(closeBrowsers);

  for (const bundler of ['turbopack', 'webpack']) {
    it(bundler, { timeout: 300_000 }, async (t) => {
      await promisify(execFile)(
        process.execPath,
        [NEXT, 'build', `--${bundler}`],
        options(bundler),
      );
      await withServer(bundler, async (url) => {
        for (const { name, skip: without, outcome } of BROWSERS)
          for (const [path, expected] of Object.entries(PAGES))
            await t.test(`${path} in ${name}`, { skip: without }, async () => {
              const { value, error, complaints } = await outcome(url + path);
              const got = { ...value, downgrades: value?.downgrades.length };
              assert.deepEqual(got, expected, [error, ...complaints].join('\n'));
            });
        for (const [tier, threads] of Object.entries({ simd: 1, 'simd-threads': 2 })) {
          const answer = await (await fetch(`${url}/api?tier=${tier}`)).json();
          const expected = { tier, threads, isa: 'wasm128', length: 1 };
          assert.deepEqual(answer.value, expected, answer.error);
        }
        const best = await (await fetch(`${url}/api`)).json();
        assert.match(best.value?.tier ?? '', /-threads$/, best.error);
      });
    });
  }
});
