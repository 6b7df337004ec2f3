/** Runs the examples of the README that need no data of the reader. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { withEngine } from './support/engine.mjs';

const SECTIONS = ['Layers', 'Models by name', 'Generation'];

/** Returns the examples of a section in order. */
function examplesOf(readme, section) {
  const from = readme.indexOf(`\n## ${section}\n`);
  assert.ok(from >= 0, `no section ${section}`);
  const text = readme.slice(from, readme.indexOf('\n## ', from + 1));
  return [...text.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code);
}

it("the README's examples of layers, models and generation run", () =>
  withEngine({ tier: 'simd' }, async (plx) => {
    const readme = readFileSync(new URL('../../wasm/README.md', import.meta.url), 'utf8');
    const examples = SECTIONS.flatMap((section) => examplesOf(readme, section));
    assert.equal(examples.length, 4);
    const lines = [];
    const AsyncFunction = (async () => {}).constructor;
    const run = new AsyncFunction(
      'plx',
      'console',
      `${examples.join('\n')}
       return { perplexity, name, shape, logits: logits.length, continued: [...continued] };`,
    );
    const result = await run(plx, { log: (line) => lines.push(line) });
    assert.match(String(lines[0]), /conv2d_1 +\[28, 28, 8\]/);
    assert.deepEqual([result.name, result.shape], ['ids', [64]]);
    assert.equal(result.logits, 64 * 10);
    assert.equal(result.continued.length, 20);
    assert.ok(result.perplexity < 10, `perplexity ${result.perplexity}`);
    assert.deepEqual(lines.slice(-10).map(Number.isInteger), new Array(10).fill(true));
  }));
