// How well figures hold from run to run: pure functions of rows.

const sortedEntries = (object = {}) => Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1));

/** The key that rows of the same measurement share in all runs. */
function keyOf({ suite, case: name, metric, unit, parameters, engine }) {
  const { kind, isa, gemm, tier } = engine;
  return JSON.stringify([
    suite,
    name,
    metric,
    unit,
    sortedEntries(parameters),
    kind,
    isa,
    gemm,
    tier,
  ]);
}

const isYardstick = ({ suite, case: name }) => suite === 'machine' && name === 'yardstick';
const counts = ({ primary, better }) => primary && better !== 'none';

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return Number.NaN;
  return Number.isInteger(middle)
    ? (sorted[middle - 1] + sorted[middle]) / 2
    : sorted[Math.floor(middle)];
}

/** Groups the rows of runs (a list per run) by measurement: one row from each run that has it. */
function byMeasurement(runs, wanted) {
  const found = new Map();
  for (const rows of runs)
    for (const row of rows.filter(wanted)) {
      const key = keyOf(row);
      found.set(key, [...(found.get(key) ?? []), row]);
    }
  return [...found.values()];
}

const isSpeed = (value) => Number.isFinite(value) && value > 0;

/**
 * Whether a row has a figure that can be a speed: figures not above 0 would only agree with each
 * other.
 */
function isValid({ checks, samples: { median: middle, low, high } }) {
  if (!checks.passed || !isSpeed(middle)) return false;
  return (
    (low === undefined && high === undefined) || (isSpeed(low) && isSpeed(high) && low <= high)
  );
}

/** A single figure has no interval. */
const hasInterval = ({ low, high, count }) => low !== undefined && (count > 1 || low < high);

const overlap = (a, b) => a.low <= b.high && b.low <= a.high;
const inside = (a, b) => b.low <= a.median && a.median <= b.high;

/**
 * Compares every pair of intervals {median, low, high}: how many overlap, and how many medians lie
 * in the other interval.
 */
export function comparePairs(intervals) {
  const result = { pairs: 0, overlapping: 0, inside: 0 };
  intervals.forEach((a, i) => {
    for (const b of intervals.slice(i + 1)) {
      result.pairs += 1;
      result.overlapping += overlap(a, b) ? 1 : 0;
      // Each direction counts half, so that the result is a share of the pairs.
      result.inside += (inside(a, b) ? 0.5 : 0) + (inside(b, a) ? 0.5 : 0);
    }
  });
  return result;
}

const share = (part, whole) => (whole > 0 ? (100 * part) / whole : Number.NaN);

function summariseSuite(suite, measurements) {
  const sum = { pairs: 0, overlapping: 0, inside: 0 };
  const halfWidths = [];
  const rows = measurements.flat();
  const valid = rows.filter(isValid);
  for (const all of measurements) {
    const intervals = all
      .filter(isValid)
      .map(({ samples }) => samples)
      .filter(hasInterval);
    const found = comparePairs(intervals);
    for (const name of Object.keys(sum)) sum[name] += found[name];
    for (const { low, high, median: middle } of intervals)
      halfWidths.push((50 * (high - low)) / Math.abs(middle));
  }
  const worked = (all) => new Set(all.map(({ engine }) => engine.threadsWorked)).size;
  return {
    suite,
    cases: measurements.length,
    pairs: sum.pairs,
    overlapping: share(sum.overlapping, sum.pairs),
    inside: share(sum.inside, sum.pairs),
    halfWidth: median(halfWidths),
    threadsDiffer: measurements.filter((all) => worked(all) > 1).length,
    assumed: rows.filter(({ engine }) => engine.costs === 'assumed').length,
    valid: valid.length,
    voided: rows.length - valid.length,
    withoutInterval: valid.filter(({ samples }) => !hasInterval(samples)).length,
  };
}

/** A summary of each suite with figures of speed, in the order of the first run. */
export function summariseRuns(runs) {
  const measurements = byMeasurement(runs, (row) => counts(row) && !isYardstick(row));
  const suites = [...new Set(measurements.map(([{ suite }]) => suite))];
  return suites.map((suite) =>
    summariseSuite(
      suite,
      measurements.filter(([first]) => first.suite === suite),
    ),
  );
}

/**
 * How much the machine itself changed speed: the medians of its yardstick, as % of their middle.
 */
export function machineMovement(runs) {
  return byMeasurement(runs, (row) => isYardstick(row) && isValid(row)).map((rows) => {
    const medians = rows.map(({ samples }) => samples.median);
    const middle = median(medians);
    return {
      metric: rows[0].metric,
      runs: medians.length,
      below: share(middle - Math.min(...medians), middle),
      above: share(Math.max(...medians) - middle, middle),
    };
  });
}

const HEADLINE = /(\d+(?:\.\d+)?)%[^%]*95% CI (\d+(?:\.\d+)?)%? *(?:–|-|to) *(\d+(?:\.\d+)?)%/;

/**
 * "reaches 34% of native (95% CI 33%–35%)" as {median, low, high}; undefined if it has no such
 * figures.
 */
export function headlineInterval(sentence) {
  const match = HEADLINE.exec(sentence)?.slice(1).map(Number);
  return match && { median: match[0], low: match[1], high: match[2] };
}
