import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string) => readFileSync(`${root}/${path}`, 'utf8');

test('the site holds the licences of all that is bundled into it', async ({ request }) => {
  const notices = await (await request.get('THIRD_PARTY_NOTICES.md')).text();
  const { dependencies } = JSON.parse(read('web/package.json')) as {
    dependencies: Record<string, string>;
  };
  /* What the row schema's validator and the charts bring along, beside what the page asks for. */
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

test('and of what is in the package', async ({ request }) => {
  const notices = await (await request.get('THIRD_PARTY_NOTICES_parallax-nn.txt')).text();
  for (const part of [/^comlink [\d.]+ \(Apache-2\.0\)$/m, /^Emscripten \(MIT\)$/m, /^musl/m]) {
    expect(notices).toMatch(part);
  }
});
