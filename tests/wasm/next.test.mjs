/** A Next.js application, on isolated pages and in a route handler, with each of its bundlers. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { closeBrowser, outcomeOf, withBrowser, withoutBrowser } from './support/browser.mjs';
import { unpackInto } from './support/tarball.mjs';

const FOLDER = fileURLToPath(new URL('next', import.meta.url));
const NEXT = join(FOLDER, 'node_modules/next/dist/bin/next');
const skip = existsSync(NEXT)
  ? withoutBrowser
  : 'Next.js is not installed: run scripts/setup --test';

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
  after(closeBrowser);

  for (const bundler of ['turbopack', 'webpack']) {
    it(bundler, { timeout: 300_000 }, async () => {
      await promisify(execFile)(
        process.execPath,
        [NEXT, 'build', `--${bundler}`],
        options(bundler),
      );
      await withServer(bundler, async (url) => {
        const { value, error } = await withBrowser((profile) => outcomeOf(profile, url));
        assert.deepEqual(
          value,
          { tier: 'relaxed-threads', threads: 2, downgrades: [], falls: true },
          error,
        );
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
