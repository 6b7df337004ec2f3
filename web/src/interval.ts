/** Figures with 95% intervals, and computations on them. */

export interface Interval {
  value: number;
  low: number;
  high: number;
}

/** Half widths of an interval on a logarithmic scale, below and above. */
function spread({ value, low, high }: Interval): { below: number; above: number } {
  return {
    below: Math.max(0, Math.log(value / low)),
    above: Math.max(0, Math.log(high / value)),
  };
}

/**
 * The ratio a / b of independent measurements, both positive: half widths add in quadrature on a
 * logarithmic scale.
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

/** Geometric mean of independent ratios, computed by logarithms so that nothing overflows. */
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

/**
 * The mean of ratios of groups that have these shares of the cases, on a logarithmic scale. Groups
 * may err together, so half widths add: the widest that their interval can be.
 */
export function mixture(groups: readonly { share: number; ratio: Interval }[]): Interval {
  const mean = (pick: (ratio: Interval) => number) =>
    Math.exp(groups.reduce((sum, { share, ratio }) => sum + share * Math.log(pick(ratio)), 0));
  return {
    value: mean(({ value }) => value),
    low: mean(({ low }) => low),
    high: mean(({ high }) => high),
  };
}

/** Whether a ratio and its interval are finite and above 0, so that they can be shown. */
export function isFinitePositive({ value, low, high }: Interval): boolean {
  return [value, low, high].every((each) => Number.isFinite(each) && each > 0);
}

/** The shortest interval that contains all of these, around the value of the first. */
export function union(first: Interval, ...others: readonly Interval[]): Interval {
  return {
    value: first.value,
    low: Math.min(first.low, ...others.map(({ low }) => low)),
    high: Math.max(first.high, ...others.map(({ high }) => high)),
  };
}

/** Turns a ratio of times into one of speeds, or the other way round. */
export const inverse = ({ value, low, high }: Interval): Interval => ({
  value: 1 / value,
  low: 1 / high,
  high: 1 / low,
});

/** Whether the interval of a ratio contains 1, which means no difference. */
export function straddlesOne({ low, high }: Interval): boolean {
  return low <= 1 && high >= 1;
}

/** Whether an interval around 1 is narrow enough to mean "no difference", not just "not known". */
export function isNarrow({ low, high }: Interval): boolean {
  return high / low < 1.25;
}

/** Student's t at 97.5%, for 1 to 4 degrees of freedom. */
const fewFreedoms = [12.706, 4.303, 3.182, 2.776] as const;

/**
 * Student's t at 97.5% for degrees of freedom that need not be whole: the expansion of Abramowitz
 * and Stegun (1964), 26.7.5, with its coefficients at the normal quantile; below 4 degrees, where
 * that is too small, linear interpolation in 1 / freedom between exact values.
 */
export function student(freedom: number): number {
  if (freedom >= 4) {
    const inverse = 1 / freedom;
    const coefficients = [1.95996, 2.37227, 2.8225, 2.55585, 1.58953];
    return coefficients.reduceRight((sum, coefficient) => sum * inverse + coefficient, 0);
  }
  const whole = Math.max(1, Math.min(3, Math.floor(freedom)));
  const [from, to] = [fewFreedoms[whole - 1] as number, fewFreedoms[whole] as number];
  const part = (1 / whole - 1 / Math.max(1, freedom)) / (1 / whole - 1 / (whole + 1));
  return from + (to - from) * part;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / values.length;
}

/** Variance of the mean of a sample. */
function varianceOfMean(values: readonly number[]): number {
  const mean = meanOf(values);
  const squares = values.reduce((sum, each) => sum + (each - mean) ** 2, 0);
  return squares / (values.length - 1) / values.length;
}

/** The least number of rounds that shows a spread. */
export const leastRounds = 2;

/**
 * exp(mean a - mean b) for logarithms of two independent samples of at least two values whose
 * spreads may differ, with the interval of Welch (1947, Biometrika 34, 28-35).
 */
export function welch(a: readonly number[], b: readonly number[]): Interval {
  const difference = meanOf(a) - meanOf(b);
  const [ofA, ofB] = [varianceOfMean(a), varianceOfMean(b)];
  const variance = ofA + ofB;
  const freedom = variance ** 2 / (ofA ** 2 / (a.length - 1) + ofB ** 2 / (b.length - 1));
  /* Without any spread there are no degrees of freedom, and nothing to widen. */
  const half = variance > 0 ? student(freedom) * Math.sqrt(variance) : 0;
  return {
    value: Math.exp(difference),
    low: Math.exp(difference - half),
    high: Math.exp(difference + half),
  };
}

/** A power law y = c x^p. */
export interface PowerLaw {
  exponent: Interval;
  at(x: number): number;
}

/**
 * The power law of these points: least squares on logarithms, with the 95% interval of the slope.
 * Undefined with fewer than three points.
 */
export function powerLaw(points: readonly { x: number; y: number }[]): PowerLaw | undefined {
  const logs = points
    .filter(({ x, y }) => x > 0 && y > 0)
    .map(({ x, y }) => ({ x: Math.log(x), y: Math.log(y) }));
  const n = logs.length;
  if (n < 3) return undefined;
  const mean = (pick: 'x' | 'y') => meanOf(logs.map((point) => point[pick]));
  const [meanX, meanY] = [mean('x'), mean('y')];
  const sxx = logs.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  if (sxx === 0) return undefined;
  const slope = logs.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / sxx;
  const residuals = logs.reduce((sum, { x, y }) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  const half = student(n - 2) * Math.sqrt(residuals / (n - 2) / sxx);
  return {
    exponent: { value: slope, low: slope - half, high: slope + half },
    at: (x) => Math.exp(meanY + slope * (Math.log(x) - meanX)),
  };
}
