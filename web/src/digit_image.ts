/**
 * Drawn digits, and images of them like those of MNIST (LeCun, Bottou, Bengio and Haffner,
 * "Gradient-based learning applied to document recognition", Proc. IEEE 86, 1998, section III.A): the
 * digit fits a box of 20 x 20 pixels with its proportions kept, in grey from anti-aliasing, and the box
 * is moved, by whole pixels, until the centre of mass is at the centre of 28 x 28.
 */

/** Rows and columns of an image. */
export const imageSide = 28;
const boxSide = 20;
/**
 * The middle of the pixel with the index 14: in all images of the files the centre of mass is within
 * half a pixel of it.
 */
const middle = 14.5;

/** Cells of the pad for each pixel of an image, and the rows and columns of the pad. */
const finer = 4;
export const padSide = finer * imageSide;
/** In cells of the pad: half of the stroke's width, which is near that of the digits of MNIST. */
const penRadius = 1.2 * finer;

/** Grey values [padSide, padSide] from 0, no ink, to 1. */
export type Drawing = Float32Array<ArrayBuffer>;

/** A place on the pad in cells, from its upper left corner. */
export interface Place {
  x: number;
  y: number;
}

export const emptyDrawing = (): Drawing => new Float32Array(padSide * padSide);

/** The distance of a place from the line between two others. */
function distance({ x, y }: Place, from: Place, to: Place): number {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy;
  const along = length > 0 ? ((x - from.x) * dx + (y - from.y) * dy) / length : 0;
  const t = Math.min(1, Math.max(0, along));
  return Math.hypot(x - from.x - t * dx, y - from.y - t * dy);
}

/** Draws a line with a round pen. Its edge is one cell of grey. */
export function drawLine(drawing: Drawing, from: Place, to: Place): void {
  const reach = penRadius + 1;
  const ends = (a: number, b: number) =>
    [
      Math.max(0, Math.floor(Math.min(a, b) - reach)),
      Math.min(padSide - 1, Math.ceil(Math.max(a, b) + reach)),
    ] as const;
  const [left, right] = ends(from.x, to.x);
  const [top, bottom] = ends(from.y, to.y);
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      const off = distance({ x: column + 0.5, y: row + 0.5 }, from, to);
      const ink = Math.min(1, Math.max(0, penRadius + 0.5 - off));
      const at = row * padSide + column;
      drawing[at] = Math.max(drawing[at]!, ink);
    }
  }
}

/** A pad with this image of 28 x 28 on it, each pixel as a square. */
export function drawingOf(image: ArrayLike<number>): Drawing {
  const drawing = emptyDrawing();
  for (let row = 0; row < padSide; row++) {
    for (let column = 0; column < padSide; column++) {
      const pixel = Math.floor(row / finer) * imageSide + Math.floor(column / finer);
      drawing[row * padSide + column] = image[pixel] ?? 0;
    }
  }
  return drawing;
}

/** The first and the last index at which there is ink, along one axis, and the centre of mass. */
interface Extent {
  first: number;
  last: number;
  centre: number;
}

/** The extent along one axis of sums across the other; undefined without ink. */
function extentOf(sums: readonly number[]): Extent | undefined {
  const first = sums.findIndex((sum) => sum > 0);
  if (first < 0) return undefined;
  const total = sums.reduce((a, b) => a + b, 0);
  const moment = sums.reduce((a, b, i) => a + b * (i + 0.5), 0);
  return { first, last: sums.findLastIndex((sum) => sum > 0), centre: moment / total };
}

/**
 * Averages each row over imageSide intervals of `width` that begin at `start`, and returns the
 * transpose [imageSide, rows], so that a second call averages the columns.
 */
function averages(values: ArrayLike<number>, rows: number, start: number, width: number): number[] {
  const columns = values.length / rows;
  const out = new Array<number>(imageSide * rows).fill(0);
  for (let i = 0; i < imageSide; i++) {
    const [from, to] = [start + i * width, start + (i + 1) * width];
    for (let c = Math.max(0, Math.floor(from)); c < Math.min(columns, Math.ceil(to)); c++) {
      const share = (Math.min(to, c + 1) - Math.max(from, c)) / width;
      for (let r = 0; r < rows; r++) out[i * rows + r]! += share * values[r * columns + c]!;
    }
  }
  return out;
}

/**
 * Where the first interval begins: the box begins with a pixel, so that it is not blurred, at the one
 * that brings the mass nearest to the centre with all of the digit inside.
 */
function startOf({ first, last, centre }: Extent, width: number): number {
  const before = Math.round(middle - (centre - first) / width);
  const most = Math.floor(imageSide - (last + 1 - first) / width);
  return first - width * Math.min(most, Math.max(0, before));
}

/** The image [28, 28] of a drawing, with values from 0 to 1; undefined if nothing is drawn. */
export function imageOf(drawing: Drawing): Float32Array<ArrayBuffer> | undefined {
  const lines = Array.from({ length: padSide }, (_, i) => i);
  const across = lines.map((row) => lines.reduce((a, c) => a + drawing[row * padSide + c]!, 0));
  const down = lines.map((c) => lines.reduce((a, row) => a + drawing[row * padSide + c]!, 0));
  const [vertical, horizontal] = [extentOf(across), extentOf(down)];
  if (!vertical || !horizontal) return undefined;
  const longer = Math.max(vertical.last - vertical.first, horizontal.last - horizontal.first) + 1;
  /* Cells of the pad for one pixel. */
  const width = longer / boxSide;
  const columns = averages(drawing, padSide, startOf(horizontal, width), width);
  return Float32Array.from(averages(columns, imageSide, startOf(vertical, width), width));
}

/** Probabilities from logits: their softmax. */
export function sharesOf(logits: ArrayLike<number>): number[] {
  const all = Array.from(logits);
  const most = Math.max(...all);
  const powers = all.map((logit) => Math.exp(logit - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}
