import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = new URL('../../', import.meta.url).pathname;
const CONVERSION = /%[-+#0-9.*]*(?:hh?|ll?|[zjtL])?[a-zA-Z%]/g;
const STRING = /"(?:[^"\\]|\\.)*"/g;

/** Returns the conversions in the strings of a C file, without its comments and its JavaScript. */
function conversions(path) {
  const code = readFileSync(join(root, path), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\/\/ clang-format off[\s\S]*?\/\/ clang-format on/g, '')
    .replace(/^#(?:include|define PLX_PRINTF).*$/gm, '');
  return (code.match(STRING) ?? []).flatMap((string) => string.match(CONVERSION) ?? []);
}

const filesIn = (folder, pattern) =>
  readdirSync(join(root, folder), { recursive: true })
    .filter((name) => pattern.test(name))
    .map((name) => join(folder, name));

/* src/learn is only in the engines of the benchmark; its own texts come from the C library. */
const sources = [
  ...filesIn('src', /^(?!learn).*\.(c|h|def)$/),
  ...filesIn('wasm', /^[^/]*\.(c|h)$/),
];

test('the test of messages in the browser covers every conversion of the sources', () => {
  const table = new Set(conversions('tests/unit/format.c'));
  const found = new Map(sources.flatMap((path) => conversions(path).map((one) => [one, path])));
  assert.ok(found.size > 5, `${found.size} conversions found`);
  assert.deepEqual(
    [...found].filter(([one]) => !table.has(one)),
    [],
  );
});
