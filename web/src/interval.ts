/** Figures with 95% intervals, and what can be computed from them. */

export interface Interval {
  value: number;
  low: number;
  high: number;
}

/** Half widths on a logarithmic scale, below and above. */
function spread({ value, low, high }: Interval): { below: number; above: number } {
  return {
    below: Math.max(0, Math.log(value / low)),
    above: Math.max(0, Math.log(high / value)),
  };
}

/**
 * a / b of independent measurements: half widths add in quadrature on a logarithmic scale. Both must
 * be positive.
 */
export function ratio(a: Interval, b: Interval): Interval {
  const value = a.value / b.value;
  const [ofA, ofB] = [spread(a), spread(b)];
  return {
    value,
    low: value * Math.exp(-Math.hypot(ofA.below, ofB.above)),
    high: value * Math.exp(Math.hypot(ofA.above, ofB.below)),
  };
}

/** Geometric mean of independent ratios, by logarithms so that nothing overflows. */
export function geometricMean(ratios: readonly Interval[]): Interval {
  const n = ratios.length;
  if (n === 0) return { value: Number.NaN, low: Number.NaN, high: Number.NaN };
  const mean = ratios.reduce((sum, { value }) => sum + Math.log(value), 0) / n;
  const below = Math.hypot(...ratios.map((each) => spread(each).below)) / n;
  const above = Math.hypot(...ratios.map((each) => spread(each).above)) / n;
  return {
    value: Math.exp(mean),
    low: Math.exp(mean - below),
    high: Math.exp(mean + above),
  };
}

/** Whether a ratio's interval holds no difference. */
export function straddlesOne({ low, high }: Interval): boolean {
  return low <= 1 && high >= 1;
}

/** Student's t at 97.5%, by degrees of freedom; 1.96 beyond the table. */
const student = [12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

/**
 * The exponent p of y = c x^p: least squares on logarithms, with the 95% interval of the slope.
 * Undefined with fewer than three points.
 */
export function exponent(points: readonly { x: number; y: number }[]): Interval | undefined {
  const logs = points
    .filter(({ x, y }) => x > 0 && y > 0)
    .map(({ x, y }) => ({ x: Math.log(x), y: Math.log(y) }));
  const n = logs.length;
  if (n < 3) return undefined;
  const mean = (pick: 'x' | 'y') => logs.reduce((sum, point) => sum + point[pick], 0) / n;
  const [meanX, meanY] = [mean('x'), mean('y')];
  const sxx = logs.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  if (sxx === 0) return undefined;
  const slope = logs.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / sxx;
  const residuals = logs.reduce((sum, { x, y }) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  const half = (student[n - 3] ?? 1.96) * Math.sqrt(residuals / (n - 2) / sxx);
  return { value: slope, low: slope - half, high: slope + half };
}
