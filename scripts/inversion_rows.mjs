// Which cases are slower on a wider kernel target: pure functions of rows.
const TIMES = ['ns', 'us', 'ms', 's'];
const RATES = ['GFLOP/s', 'GB/s'];

/** Whether a row says how fast a case is; ratios of cases and figures of the machine do not. */
const isSpeed = ({ suite, unit, checks, samples }) =>
  suite !== 'machine' &&
  [...TIMES, ...RATES].includes(unit) &&
  checks.passed &&
  samples.p10 > 0 &&
  Number.isFinite(samples.p90);

/** Names a case: the same on all targets. */
function nameOf({ suite, case: name, parameters = {} }) {
  const sizes = Object.entries(parameters).map(([key, value]) => `${key} ${value}`);
  return `${suite}: ${[name, ...sizes].join(', ')}`;
}

/** As a time, from the fastest tenth of the samples: other processes only make it longer. */
const cost = ({ unit, samples }) => (RATES.includes(unit) ? 1 / samples.p90 : samples.p10);

/** Costs by name in one run of one target. Where a case has several figures, its first counts. */
function costsByName(rows) {
  const costs = new Map();
  for (const row of rows.filter(isSpeed))
    if (!costs.has(nameOf(row))) costs.set(nameOf(row), cost(row));
  return costs;
}

/**
 * How many times longer the wider target takes: best round over best round, since other processes only make
 * a case slower. The interval puts the second best of one over the best of the other.
 */
function compare(wide, narrow) {
  const [a, b] = [wide, narrow].map((costs) => [...costs].sort((x, y) => x - y));
  return {
    ratio: a[0] / b[0],
    low: a[0] / (b[1] ?? b[0]),
    high: (a[1] ?? a[0]) / b[0],
  };
}

/**
 * rounds: a list of objects that hold, for each target, the rows of one run. targets: widest first.
 * Returns how many pairs were compared, and those in which the wider target is slower by more than
 * `percent` and by more than its interval, worst first.
 */
export function findInversions(rounds, targets, percent) {
  const costs = rounds.map((round) =>
    Object.fromEntries(targets.map((target) => [target, costsByName(round[target] ?? [])])),
  );
  const names = new Set(costs.flatMap((round) => targets.flatMap((t) => [...round[t].keys()])));
  const inversions = [];
  let compared = 0;
  for (const name of names)
    for (const [i, wide] of targets.entries())
      for (const narrow of targets.slice(i + 1)) {
        const of = (target) => costs.map((round) => round[target].get(name));
        const [a, b] = [of(wide), of(narrow)];
        if (![...a, ...b].every(Number.isFinite)) continue;
        compared += 1;
        const result = compare(a, b);
        if (result.low > 1 && result.ratio > 1 + percent / 100)
          inversions.push({ name, wide, narrow, ...result });
      }
  return { compared, inversions: inversions.sort((a, b) => b.ratio - a.ratio) };
}
