import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from '@playwright/test';
import {
  drawingOf,
  drawLine,
  emptyDrawing,
  imageOf,
  imageSide,
  padSide,
  sharesOf,
} from '../../../web/src/digit_image.js';

/** Rows and columns with ink, and the centre of mass, in pixels. */
function measure(image: ArrayLike<number>) {
  let [mass, x, y] = [0, 0, 0];
  const rows = new Set<number>();
  const columns = new Set<number>();
  for (let r = 0; r < imageSide; r++) {
    for (let c = 0; c < imageSide; c++) {
      const ink = image[r * imageSide + c]!;
      mass += ink;
      x += ink * (c + 0.5);
      y += ink * (r + 0.5);
      if (ink > 1e-6) {
        rows.add(r);
        columns.add(c);
      }
    }
  }
  return { mass, x: x / mass, y: y / mass, rows: rows.size, columns: columns.size };
}

/** Strokes by name, in shares of the pad. */
const strokes: Record<string, readonly (readonly [number, number])[]> = {
  'a large one': [
    [0.3, 0.1],
    [0.7, 0.9],
  ],
  'a small zigzag in a corner': [
    [0.06, 0.06],
    [0.2, 0.06],
    [0.06, 0.25],
    [0.2, 0.25],
  ],
  'a seven': [
    [0.2, 0.2],
    [0.8, 0.2],
    [0.4, 0.9],
  ],
};

for (const [name, places] of Object.entries(strokes)) {
  test(`${name} becomes an image as in MNIST: 20 pixels long, its mass near the centre`, () => {
    const drawing = emptyDrawing();
    for (let i = 1; i < places.length; i++) {
      const [from, to] = [places[i - 1]!, places[i]!].map(([x, y]) => ({
        x: x * padSide,
        y: y * padSide,
      }));
      drawLine(drawing, from!, to!);
    }
    const { x, y, rows, columns } = measure(imageOf(drawing)!);
    /* Moved by whole pixels; a cell that two pixels share counts at their centres. */
    expect(Math.abs(x - 14.5)).toBeLessThan(0.55);
    expect(Math.abs(y - 14.5)).toBeLessThan(0.55);
    expect(Math.max(rows, columns)).toBe(20);
  });
}

test('a digit whose mass is far from its middle keeps all of its ink', () => {
  const drawing = emptyDrawing();
  const line = (x0: number, y0: number, x1: number, y1: number) =>
    drawLine(drawing, { x: x0, y: y0 }, { x: x1, y: y1 });
  for (let y = 10; y < 30; y += 4) line(10, y, 24, y);
  line(24, 20, 100, 20);
  const { mass, columns } = measure(imageOf(drawing)!);
  const ink = drawing.reduce((a, b) => a + b, 0);
  const cells = drawing.reduce(
    ({ first, last }, value, i) => {
      const column = i % padSide;
      return value > 0
        ? { first: Math.min(first, column), last: Math.max(last, column) }
        : { first, last };
    },
    { first: padSide, last: 0 },
  );
  const width = (cells.last - cells.first + 1) / 20;
  expect(mass).toBeCloseTo(ink / (width * width), 2);
  expect(columns).toBe(20);
});

test('digits of the data set are drawn as themselves', () => {
  const file = new URL('../../../web/dist/data/mnist/digits-images-idx3-ubyte.gz', import.meta.url);
  const bytes = gunzipSync(readFileSync(file)).subarray(16);
  let same = 0;
  for (let i = 0; i < 200; i++) {
    const image = Float32Array.from(bytes.subarray(784 * i, 784 * (i + 1)), (grey) => grey / 255);
    const again = imageOf(drawingOf(image))!;
    if (again.every((ink, pixel) => Math.abs(ink - image[pixel]!) < 1e-5)) same += 1;
  }
  /* A few do not fill their box of 20, or lie half-way between two pixels. */
  expect(same).toBeGreaterThan(190);
});

test('nothing drawn is no image', () => {
  expect(imageOf(emptyDrawing())).toBeUndefined();
});

test('a point is a dot of the width of the pen', () => {
  const drawing = emptyDrawing();
  drawLine(drawing, { x: 56, y: 56 }, { x: 56, y: 56 });
  expect(drawing[56 * padSide + 56]).toBe(1);
  expect(drawing.filter((ink) => ink > 0).length).toBeGreaterThan(60);
  expect(drawing.filter((ink) => ink > 0).length).toBeLessThan(130);
});

test('strokes beyond the edge stay on the pad', () => {
  const drawing = emptyDrawing();
  drawLine(drawing, { x: -50, y: -50 }, { x: 300, y: 300 });
  expect(drawing).toHaveLength(padSide * padSide);
  expect(drawing.every((ink) => ink >= 0 && ink <= 1)).toBe(true);
});

test('probabilities add up to 1, also of large logits', () => {
  const shares = sharesOf([1000, 1001, -1000]);
  expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
  expect(shares[1]! / shares[0]!).toBeCloseTo(Math.E, 12);
});
