import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string) => readFileSync(`${root}/${path}`, 'utf8');

test('the site has the licences of everything bundled into it', async ({ request }) => {
  const notices = await (await request.get('THIRD_PARTY_NOTICES.md')).text();
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
