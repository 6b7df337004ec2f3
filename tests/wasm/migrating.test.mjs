/** Runs the examples of MIGRATING.md, and checks that what its tables name is there. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { load } from 'parallax-nn/bench';
import { uniform } from './support/data.mjs';

const guide = readFileSync(new URL('../../wasm/MIGRATING.md', import.meta.url), 'utf8');
const AsyncFunction = (async () => {}).constructor;

/** The examples by the heading above them. */
const examples = new Map(
  guide
    .split(/^## /m)
    .map((text) => [text.slice(0, text.indexOf('\n')), /```js\n([\s\S]*?)```/.exec(text)?.[1]])
    .filter(([, code]) => code),
);
const ran = new Set();

/** Runs an example and returns what the expression `gives`. */
function run(heading, given, gives) {
  ran.add(heading);
  const all = { console: { log() {} }, ...given };
  const program = new AsyncFunction(
    ...Object.keys(all),
    `${examples.get(heading)}\nreturn ${gives};`,
  );
  return program(...Object.values(all));
}

/** Two IDX files of n digits: blots in ten places, with noise. */
function madeDigits(n) {
  const next = uniform(1);
  const images = new Uint8Array(16 + 784 * n);
  const labels = new Uint8Array(8 + n);
  new DataView(images.buffer).setUint32(0, 0x803);
  new DataView(labels.buffer).setUint32(0, 0x801);
  for (const [i, size] of [n, 28, 28].entries())
    new DataView(images.buffer).setUint32(4 + 4 * i, size);
  new DataView(labels.buffer).setUint32(4, n);
  for (let i = 0; i < n; i++) {
    const digit = (i * 7) % 10;
    labels[8 + i] = digit;
    const [row, column] = [4 + 12 * (digit % 2), 1 + 5 * Math.floor(digit / 2)];
    for (let p = 0; p < 784; p++) {
      const [y, x] = [Math.floor(p / 28), p % 28];
      const inside = y >= row && y < row + 8 && x >= column && x < column + 5;
      images[16 + 784 * i + p] = (inside ? 200 : 20) + 20 * next();
    }
  }
  return { images: gzipSync(images), labels: gzipSync(labels) };
}

/** The files that the example asks for: those of MNIST, if they are here. */
function digitFiles() {
  const folder = process.env.PARALLAX_DATA;
  const [images, labels] = ['t10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz'].map((name) =>
    [`${folder}/mnist/${name}`, `${folder}/${name}`].find((path) => folder && existsSync(path)),
  );
  if (images && labels) return { images: readFileSync(images), labels: readFileSync(labels) };
  return madeDigits(600);
}

describe('the guide from TensorFlow.js', () => {
  let plx;
  before(async () => {
    plx = await load({ tier: 'simd' });
  });
  after(() => plx.dispose());

  it('has an example that learns digits', async () => {
    const { images, labels } = digitFiles();
    const fetch = async (name) => new Response(name.includes('images') ? images : labels);
    const { epochs, logits } = await run('MNIST', { plx, fetch }, '{ epochs, logits }');
    assert.equal(logits.length, 10);
    const { accuracy } = epochs.at(-1).validation;
    assert.ok(accuracy > 0.9, `accuracy ${accuracy}`);
  });

  it('has an example that learns a text with an LSTM', async () => {
    const text = 'the quick brown fox jumps over the lazy dog. '.repeat(20);
    const told = await run('Text with an LSTM', { plx, text }, 'told');
    assert.equal(told, 'the quick brown fox jumps over the l');
  });

  it('has an example that learns a text', async () => {
    const text = 'the quick brown fox jumps over the lazy dog. '.repeat(20);
    const told = await run('Text, character by character', { plx, text }, 'told');
    assert.ok('brown fox jumps over the'.startsWith(told), told);
  });

  it('has no other examples', () => assert.deepEqual([...examples.keys()], [...ran]));

  /** The second cells of the rows of the tables below a heading. */
  const cells = (heading) =>
    guide
      .split(/^## /m)
      .find((text) => text.startsWith(`${heading}\n`))
      .split('\n')
      .filter((line) => line.startsWith('| '))
      .slice(1)
      .map((line) => line.split(' | ')[1]);

  it('names layers that there are, with options that they have', () => {
    const called = cells('Layers').flatMap((cell) => [...cell.matchAll(/(?<![.\w])(\w+)\(/g)]);
    assert.ok(called.length > 15);
    for (const [, name] of called) assert.equal(typeof plx.layers[name], 'function', name);
  });

  it('names methods that there are', async () => {
    const targets = { g: plx.graph(), plx, model: plx.model('mlp:2-1') };
    const named = [...guide.matchAll(/\b(g|plx|model)\.(\w+)/g)].filter(
      ([, , name]) =>
        !['layers', 'data', 'add', 'compile', 'stopTraining', 'fitDataset', 'save'].includes(name),
    );
    assert.ok(named.length > 20);
    for (const [text, of, name] of named) assert.ok(name in targets[of], text);
    await targets.g.dispose();
  });
});
