import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string) => readFileSync(`${root}/${path}`, 'utf8');

test('the site has the licences of everything bundled into it', async ({ request }) => {
  const files = ['THIRD_PARTY_NOTICES.md', 'THIRD_PARTY_NOTICES_service_worker.md'];
  const texts = files.map(async (file) => (await request.get(file)).text());
  const notices = (await Promise.all(texts)).join('\n');
  const { dependencies } = JSON.parse(read('web/package.json')) as {
    dependencies: Record<string, string>;
  };
  /* The page's dependencies, and those of the row schema's validator and of the charts. */
  const names = new Set([...Object.keys(dependencies), 'ajv', 'ajv-formats', '@kurkle/color']);
  names.delete('parallax-nn');
  expect(names.size).toBeGreaterThan(3);
  for (const name of names) {
    const file = readdirSync(`${root}/node_modules/${name}`).find((each) => /^licen/i.test(each));
    expect(notices, name).toContain(`## ${name} - `);
    const lines = read(`node_modules/${name}/${file}`).split('\n');
    const copyright = lines.find((line) => /^Copyright/.test(line.trim()));
    expect(notices, name).toContain(copyright?.trim());
  }
});

test('and the licences of what is bundled into the package', async ({ request }) => {
  const notices = await (await request.get('THIRD_PARTY_NOTICES_parallax-nn.txt')).text();
  for (const part of [/^comlink [\d.]+ \(Apache-2\.0\)$/m, /^Emscripten \(MIT\)$/m, /^musl/m]) {
    expect(notices).toMatch(part);
  }
});

test('and those of the libraries that are measured beside it', async ({ request }) => {
  const notices = await (await request.get('THIRD_PARTY_NOTICES_peers.txt')).text();
  const { dependencies } = JSON.parse(read('bench/peers/package.json')) as {
    dependencies: Record<string, string>;
  };
  const { 'onnxruntime-node': _, ...shipped } = dependencies;
  for (const [name, version] of Object.entries(shipped))
    expect(notices).toContain(`## ${name} ${version} (`);
  /* What they depend on, and texts of licences that packages only name. */
  for (const part of ['## seedrandom ', 'Copyright (c) Microsoft', 'Version 2.0, January 2004'])
    expect(notices).toContain(part);
});
