/** The documentation of the package's types: it is complete, and every example in it runs. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { load } from 'parallax-nn/bench';
import { XOR } from './support/data.mjs';

const file = (name) => fileURLToPath(new URL(`../../wasm/${name}`, import.meta.url));
const ENTRIES = {
  index: 'parallax-nn',
  inference: 'parallax-nn/inference',
  bench: 'parallax-nn/bench',
};
const typesOf = (entry) => readFileSync(file(`dist/${entry}.d.mts`), 'utf8');

describe('the reference', () => {
  let folder;
  let made;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'parallax-reference-'));
    const args = [file('reference/api_pages.mjs'), '--strict', folder];
    made = spawnSync(process.execPath, args, { encoding: 'utf8' });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('is made without a warning: all that is exported is documented, and links lead somewhere', () => {
    assert.equal(made.status, 0, made.stdout + made.stderr);
  });

  it('has a page for each module and type', () => {
    const pages = readdirSync(folder, { recursive: true }).map(String);
    for (const page of [
      'modules/parallax-nn.html',
      'interfaces/parallax-nn.Model.html',
      'classes/parallax-nn.PlxError.html',
    ])
      assert.ok(
        pages.includes(page),
        `${page} is not among ${pages.filter((name) => name.endsWith('.html'))}`,
      );
  });

  it('has no script or style inside a page', () => {
    for (const name of readdirSync(folder, { recursive: true }).map(String)) {
      if (!name.endsWith('.html')) continue;
      const html = readFileSync(join(folder, name), 'utf8');
      assert.doesNotMatch(html, /<script>|<style|<[^>]* style=|<[^>]* on\w+=/, name);
      assert.match(
        html,
        /<head><meta http-equiv="Content-Security-Policy" content="default-src 'self'/,
      );
    }
  });

  it('has the licences of what is in the pages', () => {
    const notices = readFileSync(join(folder, 'THIRD_PARTY_NOTICES.txt'), 'utf8');
    assert.match(notices, /^typedoc [\d.]+ \(Apache-2.0\)/m);
    assert.match(notices, /^lunr [\d.]+ \(MIT\)/m);
  });

  it('refuses to run without a folder', () => {
    const { status, stderr } = spawnSync(process.execPath, [file('reference/api_pages.mjs')]);
    assert.equal(status, 2);
    assert.match(String(stderr), /usage: node api_pages.mjs/);
  });
});

describe('the types', () => {
  for (const [entry, name] of Object.entries(ENTRIES))
    it(`of ${name} declare the values that it exports, and no others`, async () => {
      const declared = [
        ...typesOf('index').matchAll(
          /^export declare (?:abstract )?(?:const|class|function) (\w+)/gm,
        ),
      ];
      const module = await import(name);
      assert.deepEqual(Object.keys(module).sort(), declared.map(([, value]) => value).sort());
      assert.match(typesOf(entry), /^export declare const load: /m);
    });
});

/** The examples in the types of an entry, each with the declaration that it belongs to. */
function examplesIn(entry) {
  const comments = typesOf(entry).matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*([^\n]*)/g);
  return [...comments].flatMap(([, comment, declaration]) =>
    comment
      .split('@example')
      .slice(1)
      .map((text) => {
        const [, code] = /```ts\n([\s\S]*?)```/.exec(text.replace(/^ *\* ?/gm, '')) ?? [];
        assert.ok(code, `the example of ${declaration} has no code`);
        return { declaration: declaration.trim(), code };
      }),
  );
}

describe('the example of', () => {
  let plx;
  before(async () => {
    plx = await load({ tier: 'simd' });
  });
  after(() => plx.dispose());

  const AsyncFunction = (async () => {}).constructor;
  const found = Object.keys(ENTRIES).flatMap((entry) =>
    examplesIn(entry).map((example) => ({ entry, ...example })),
  );

  for (const { entry, declaration, code } of found)
    it(`${entry}: ${declaration}`, async () => {
      const model = plx.model('mlp:2-8-1:tanh', { seed: 1 });
      const [, from] = /^import \{ load \} from '(.*)';$/m.exec(code) ?? [];
      const given = {
        model,
        ...XOR,
        console: { log: (...parts) => parts.map(String) },
        ...(from ? await import(from) : { plx }),
      };
      /* In a block of its own, so that an example may have variables of these names. */
      const body = `{ ${code.replace(/^import .*\n/gm, '')} }`;
      await new AsyncFunction(...Object.keys(given), body)(...Object.values(given));
      await model.dispose();
    });

  it('each entry, and each part that starts an application', () => {
    const told = found.map(({ declaration }) => declaration).join('\n');
    for (const part of [
      'const load',
      'sequential(',
      'fit(',
      'predict(',
      'graph(',
      'interface Graph ',
      'learn(',
    ])
      assert.ok(told.includes(part), `${part} has no example`);
  });
});
