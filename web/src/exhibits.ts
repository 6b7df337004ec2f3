/** What a learning task shows, cut into the pieces that the page draws. */
import type { Exhibit } from 'parallax-nn/bench';
import { type Scale, scaleOf } from './colour_scale.js';

/** Matrix or picture i of an exhibit: its values, row by row. */
export function part({ values, rows, columns, channels }: Exhibit, i: number): Float32Array {
  const size = rows * columns * channels;
  return values.subarray(i * size, (i + 1) * size);
}

/** Names of the columns: those of the rows where they say so. */
export const columnLabels = ({ labels, square }: Exhibit): readonly string[] =>
  square ? labels : [];

/** Name of row or column i, which may have none. */
export const labelAt = (labels: readonly string[], i: number): string => labels[i] ?? String(i);

/** What is learnt and what is true of one thing are to be compared, so they share a scale. */
const compared = (name: string): string => name.replace(/^(learnt|true) (?!less )/, '');

/** The scale of each matrix by its name. */
export function scalesOf(exhibits: readonly Exhibit[]): Map<string, Scale> {
  const matrices = exhibits.filter(({ kind }) => kind === 'matrix');
  return new Map(
    matrices.map(({ name }) => {
      const same = matrices.filter((other) => compared(other.name) === compared(name));
      return [name, scaleOf(...same.map(({ values }) => values))];
    }),
  );
}

/**
 * How many pictures belong in a line, where labels repeat: a picture with what each head makes of it
 * begins anew with every picture. 1: any number.
 */
export function together(labels: readonly string[]): number {
  const again = labels.indexOf(labels[1] ?? '', 2);
  const period = again - 1;
  if (again < 0 || period < 2 || labels.length % period !== 0) return 1;
  const repeats = labels.every((label, i) => i % period === 0 || label === labels[i % period]);
  return repeats ? period : 1;
}

/** Whether each of several pictures was stretched to the range from 0 to 1 on its own. */
export function stretched(exhibit: Exhibit): boolean {
  return Array.from({ length: exhibit.count }, (_, i) => part(exhibit, i)).every(
    (values) => Math.min(...values) === 0 && Math.max(...values) === 1,
  );
}

/** At most so many of n, evenly spread, the first and the last among them. */
export function spread(n: number, most: number): number[] {
  if (n <= most) return Array.from({ length: n }, (_, i) => i);
  return Array.from({ length: most }, (_, i) => Math.round((i * (n - 1)) / (most - 1)));
}

/**
 * A picture as bytes of RGBA. Three channels are red, green and blue as they are where all values of
 * the exhibit lie in 0 to 1, else stretched; one is grey, around 0 where it has a sign. Of other
 * numbers of channels the mean is shown.
 */
export function pixels(exhibit: Exhibit, i: number, scale: Scale): Uint8ClampedArray<ArrayBuffer> {
  const { rows, columns, channels } = exhibit;
  const from = part(exhibit, i);
  const bytes = new Uint8ClampedArray(4 * rows * columns);
  const { low, high } = scale;
  const plain = low >= 0 && high <= 1 && channels === 3;
  const [base, width] = plain || high <= low ? [0, 1] : [low, high - low];
  for (let p = 0; p < rows * columns; p++) {
    const at = from.subarray(p * channels, (p + 1) * channels);
    const mean = at.reduce((sum, value) => sum + value, 0) / channels;
    for (let channel = 0; channel < 3; channel++) {
      const value = channels === 3 ? at[channel]! : mean;
      bytes[4 * p + channel] = (255 * (value - base)) / width;
    }
    bytes[4 * p + 3] = 255;
  }
  return bytes;
}

/** Bars on a logarithmic scale where the greatest is more than a hundred times the least. */
export function barShares(values: ArrayLike<number>): { shares: number[]; log: boolean } {
  const all = Array.from(values);
  const positive = all.filter((value) => value > 0);
  const high = Math.max(...all.map(Math.abs), 0);
  const low = Math.min(...positive);
  const log = positive.length === all.length && all.length > 0 && high > 100 * low;
  if (high === 0) return { shares: all.map(() => 0), log: false };
  if (!log) return { shares: all.map((value) => Math.abs(value) / high), log };
  /* The least keeps a bar that can be seen. */
  const foot = Math.log(low) - 0.05 * Math.log(high / low);
  return { shares: all.map((v) => (Math.log(v) - foot) / (Math.log(high) - foot)), log };
}
