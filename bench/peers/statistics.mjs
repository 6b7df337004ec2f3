// The statistics of rows, as bench/statistics.h defines them.

const ascending = (a, b) => a - b;

export function quantile(sorted, q) {
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  if (below >= sorted.length - 1) return sorted.at(-1);
  return sorted[below] + (at - below) * (sorted[below + 1] - sorted[below]);
}

/** The smallest rank, from 0, for which order statistics contain the median with 95%. */
function intervalRank(count) {
  let term = 2 ** -count;
  let below = term;
  let rank = 0;
  while (below <= 0.025) {
    rank += 1;
    term *= (count - rank + 1) / rank;
    below += term;
  }
  return Math.max(rank - 1, 0);
}

/** Returns the median, the 10th and 90th percentile, and the 95% interval of the median. */
export function summarise(values) {
  const sorted = [...values].sort(ascending);
  const first = intervalRank(sorted.length);
  return {
    count: sorted.length,
    median: quantile(sorted, 0.5),
    p10: quantile(sorted, 0.1),
    p90: quantile(sorted, 0.9),
    low: sorted[first],
    high: sorted[sorted.length - 1 - first],
  };
}
