/** Packing digits into IDX files. */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { expect, test } from '@playwright/test';
import { packDigits } from '../../../web/digits_plugin.js';
import { digitSuites, idxCount, idxKind } from '../../../web/src/mnist.js';
import { dist } from '../support.js';

const pixels = 28 * 28;
const image = (value: number): number[] => Array(pixels).fill(value);
/** One image of each digit, whose grey is the digit; and a second one of 3. */
const small = Array.from({ length: 10 }, (_, digit) =>
  digit === 3 ? [...image(3 / 255), ...image(77 / 255)] : image(digit / 255),
);

test('the files have the layout of MNIST, and the digits take turns', () => {
  const { images, labels } = packDigits(small);
  expect([...images.subarray(0, 16)]).toEqual([0, 0, 8, 3, 0, 0, 0, 11, 0, 0, 0, 28, 0, 0, 0, 28]);
  expect([...labels]).toEqual([0, 0, 8, 1, 0, 0, 0, 11, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 3]);
  expect(images).toHaveLength(16 + 11 * pixels);
  for (const [i, grey] of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 77].entries()) {
    const one = images.subarray(16 + i * pixels, 16 + (i + 1) * pixels);
    expect(
      one.every((value) => value === grey),
      `image ${i}`,
    ).toBe(true);
  }
  expect([idxKind(images), idxKind(labels)]).toEqual(['images', 'labels']);
  expect(idxCount(images)).toBe(11);
});

for (const [name, digits, message] of [
  ['too few digits', small.slice(1), 'there are images of 9 digits; 10 are needed'],
  ['no image of a digit', small.with(4, []), 'the images of 4 have 0 pixels'],
  ['part of an image', small.with(4, [0, 0]), 'have 2 pixels, which is not a multiple of 784'],
  ['a pixel above 1', small.with(4, image(1.5)), 'pixel 0 of the images of 4 is 1.5'],
  ['a pixel that is no number', small.with(4, image(Number.NaN)), 'is NaN; pixels are 0 to 1'],
] as const) {
  test(`${name} cannot be packed`, () => {
    expect(() => packDigits(digits)).toThrow(message);
  });
}

test('the files of the site are those of the package, image by image', () => {
  const require = createRequire(import.meta.url);
  const unzipped = (name: string) => gunzipSync(readFileSync(`${dist}/data/mnist/${name}.gz`));
  const images = unzipped('digits-images-idx3-ubyte').subarray(16);
  const labels = unzipped('digits-labels-idx1-ubyte').subarray(8);
  const seen = Array(10).fill(0);
  const byDigit = Array.from(
    { length: 10 },
    (_, digit) => (require(`mnist/src/digits/${digit}.json`) as { data: number[] }).data,
  );
  let worst = 0;
  for (const [i, label] of labels.entries()) {
    const from = pixels * seen[label]++;
    for (let at = 0; at < pixels; ++at) {
      const difference = images[i * pixels + at]! / 255 - byDigit[label]![from + at]!;
      worst = Math.max(worst, Math.abs(difference));
    }
  }
  /* The package rounds greys to three decimals. */
  expect(worst).toBeLessThanOrEqual(0.0005 + 1e-9);
  expect(seen.map((count) => count * pixels)).toEqual(byDigit.map(({ length }) => length));
});

test('the page knows which suites measure on digits', () => {
  const folder = fileURLToPath(new URL('../../../bench/suites', import.meta.url));
  const using = readdirSync(folder)
    .filter((name) => /^suite_\w+\.c$/.test(name))
    .filter((name) => /->digits\b/.test(readFileSync(`${folder}/${name}`, 'utf8')))
    .map((name) => name.replace(/^suite_|\.c$/g, ''));
  expect(using.toSorted()).toEqual([...digitSuites].toSorted());
});
