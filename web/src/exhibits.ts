/** The exhibits of a learning task, cut into the pieces that the page draws. */
import type { Exhibit } from 'parallax-nn/bench';
import { type Scale, scaleOf } from './colour_scale.js';

/** Matrix or picture i of an exhibit: its values, row by row. */
export function part({ values, rows, columns, channels }: Exhibit, i: number): Float32Array {
  const size = rows * columns * channels;
  return values.subarray(i * size, (i + 1) * size);
}

/** Names of the columns: those of the rows if the exhibit says so. */
export const columnLabels = ({ labels, square }: Exhibit): readonly string[] =>
  square ? labels : [];

/** Name of row or column i; its index if it has none. */
export const labelAt = (labels: readonly string[], i: number): string => labels[i] ?? String(i);

/** A name without "learnt" or "true": exhibits that agree in it are compared and share a scale. */
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
 * How many pictures belong in a line, from the period of the labels: a picture followed by the
 * attention of each head repeats with every picture. 1: any number.
 */
export function together(labels: readonly string[]): number {
  const again = labels.indexOf(labels[1] ?? '', 2);
  const period = again - 1;
  if (again < 0 || period < 2 || labels.length % period !== 0) return 1;
  const repeats = labels.every((label, i) => i % period === 0 || label === labels[i % period]);
  return repeats ? period : 1;
}

/** Whether every picture was stretched to the range from 0 to 1 on its own. */
export function stretched(exhibit: Exhibit): boolean {
  return Array.from({ length: exhibit.count }, (_, i) => part(exhibit, i)).every(
    (values) => Math.min(...values) === 0 && Math.max(...values) === 1,
  );
}

/** At most `most` of n indices, evenly spaced, including the first and the last. */
export function spread(n: number, most: number): number[] {
  if (n <= most) return Array.from({ length: n }, (_, i) => i);
  return Array.from({ length: most }, (_, i) => Math.round((i * (n - 1)) / (most - 1)));
}

/**
 * A picture as RGBA bytes. Three channels are red, green and blue, stretched unless all values of
 * the exhibit lie in 0 to 1; one channel is grey, centred on 0 if it has both signs. For other
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
