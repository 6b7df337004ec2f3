/** Data for the tests. */

export const XOR = {
  x: [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ],
  y: [[0], [1], [1], [0]],
};

/** Uniform numbers in [-1, 1) from a seed (a linear congruential generator). */
export function uniform(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** n samples of a smooth function of five variables, without noise. */
export function interp5d(n) {
  const next = uniform(1);
  const x = new Float32Array(5 * n);
  const y = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    const [a, b, c, d, e] = [next(), next(), next(), next(), next()];
    x.set([a, b, c, d, e], 5 * i);
    y[i] =
      Math.sin(Math.PI * a) * Math.cos((Math.PI * b) / 2) + c * d + Math.exp(-e * e) - 0.5 * a * e;
  }
  return { x, y };
}
