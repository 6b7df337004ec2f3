/**
 * Samples of the function that the `interp5d` suite fits:
 *
 *   y = sin(pi x1) cos(pi x2 / 2) + x3 x4 + exp(-x5^2) - 0.5 x1 x5 + N(0, 0.1^2),
 *
 * x uniform in [-1, 1]^5. They are for training on this page; the suites make their own, in C.
 */

/** Standard deviation of the noise, and so the least error that any model can reach. */
export const noise = 0.1;
export const inputs = 5;

/** Xorshift32 (Marsaglia, "Xorshift RNGs", 2003). */
function uniform(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

/** Box and Muller (1958). */
function normal(next: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

export function target(x: ArrayLike<number>): number {
  const [x1 = 0, x2 = 0, x3 = 0, x4 = 0, x5 = 0] = Array.from(x);
  return (
    Math.sin(Math.PI * x1) * Math.cos((Math.PI * x2) / 2) +
    x3 * x4 +
    Math.exp(-x5 * x5) -
    0.5 * x1 * x5
  );
}

/** Rows of one part: x [n, 5], y [n], standardised by the training part. */
export interface Part {
  n: number;
  x: Float32Array;
  y: Float32Array;
}

export interface Split {
  train: Part;
  held: Part;
  /** Standard deviation of the target: errors times this are in the function's own units. */
  scale: number;
}

function standardise(values: Float32Array, columns: number, rows: number): number {
  let scale = 1;
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += values[row * columns + column]!;
    const mean = sum / rows;
    let squares = 0;
    for (let row = 0; row < rows; row++) {
      squares += (values[row * columns + column]! - mean) ** 2;
    }
    scale = Math.sqrt(squares / rows) || 1;
    for (let i = column; i < values.length; i += columns) {
      values[i] = (values[i]! - mean) / scale;
    }
  }
  return scale;
}

/** n samples by seed: the first 80% to train on, the rest held out. */
export function makeSamples(n: number, seed: number): Split {
  const next = uniform(seed);
  const x = new Float32Array(n * inputs).map(() => 2 * next() - 1);
  const y = new Float32Array(n).map(
    (_, row) => target(x.subarray(row * inputs, (row + 1) * inputs)) + noise * normal(next),
  );
  const first = Math.floor(n * 0.8);
  standardise(x, inputs, first);
  const scale = standardise(y, 1, first);
  return {
    train: { n: first, x: x.slice(0, first * inputs), y: y.slice(0, first) },
    held: { n: n - first, x: x.slice(first * inputs), y: y.slice(first) },
    scale,
  };
}
