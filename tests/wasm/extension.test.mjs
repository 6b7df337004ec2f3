/** The packed package in a page of a Chromium extension, whose policy no server sets. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { chromium } from '@playwright/test';
import { ARGUMENTS, CHROMIUM, outcomeOf, withoutBrowser } from './support/browser.mjs';
import { newProject } from './support/tarball.mjs';

/** The policy of an extension's pages must allow WebAssembly; without it, compiling fails. */
const MANIFEST = {
  manifest_version: 3,
  name: 'parallax-nn',
  version: '1',
  content_security_policy: { extension_pages: "script-src 'self' 'wasm-unsafe-eval'" },
};
const ISOLATED = {
  cross_origin_embedder_policy: { value: 'require-corp' },
  cross_origin_opener_policy: { value: 'same-origin' },
};
const app = (from) => `
import { load } from '${from}';
try {
  const plx = await load({ threads: 2 });
  const model = plx.model('mlp:2-8-1:tanh', { seed: 7 });
  const { loss } = await model.fit([0, 0, 0, 1, 1, 0, 1, 1], [0, 1, 1, 0], { epochs: 50 });
  const { tier, threads } = await plx.ready();
  window.outcome = { value: { tier, threads, falls: loss.at(-1) < loss[0] } };
} catch (error) {
  window.outcome = { error: String(error) };
}`;

/** The identity that Chromium derives from the folder of an unpacked extension. */
const identityOf = (folder) =>
  [...createHash('sha256').update(folder).digest('hex').slice(0, 32)]
    .map((digit) => String.fromCharCode('a'.charCodeAt(0) + Number.parseInt(digit, 16)))
    .join('');

describe("in an extension's page", { skip: withoutBrowser }, () => {
  let folder;
  let project;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'parallax-extension-'));
    project = newProject();
  });
  after(() => {
    project.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs the page in a profile with the extension; from: the entry of the package. */
  async function run(name, manifest, from) {
    const extension = join(folder, name);
    mkdirSync(extension);
    const dist = join(project.folder, 'node_modules/parallax-nn/dist');
    cpSync(dist, join(extension, 'parallax-nn'), { recursive: true });
    const write = (file, text) => writeFileSync(join(extension, file), text);
    write('manifest.json', JSON.stringify(manifest));
    write('app.js', app(from));
    write('page.html', '<!doctype html><script type="module" src="app.js"></script>');
    const profile = await chromium.launchPersistentContext(join(folder, `${name}-profile`), {
      executablePath: CHROMIUM,
      args: [
        ...ARGUMENTS,
        '--disable-features=DisableLoadExtensionCommandLineSwitch',
        `--disable-extensions-except=${extension}`,
        `--load-extension=${extension}`,
      ],
      ignoreDefaultArgs: ['--disable-extensions'],
    });
    try {
      return await outcomeOf(profile, `chrome-extension://${identityOf(extension)}/page.html`);
    } finally {
      await profile.close();
    }
  }

  for (const [name, more, from, expected] of [
    ['isolated', ISOLATED, 'index', { tier: 'relaxed-threads', threads: 2, falls: true }],
    ['not isolated', {}, 'index', { tier: 'simd', threads: 1, falls: true }],
    ['not isolated, inline', {}, 'inline', { tier: 'simd', threads: 1, falls: true }],
  ])
    it(`it runs: ${name}`, async () => {
      const made = await run(
        name.replace(/\W+/g, '-'),
        { ...MANIFEST, ...more },
        `./parallax-nn/${from}.mjs`,
      );
      assert.deepEqual(made.value, expected, [made.error, ...made.complaints].join('\n'));
    });
});
