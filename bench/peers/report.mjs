// Rows of results.schema.json, and the table.
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';

import { COMPARED_STEPS, metric, parameters } from './cases.mjs';
import { quantile, summarise } from './statistics.mjs';
import { verdicts } from './targets.mjs';

const ENGINE_FIELDS = [
  'kind',
  'name',
  'version',
  'isa',
  'gemm',
  'threads',
  'vectorBits',
  'fma',
  'exact',
  'tier',
  'runtime',
];

const median = (values) =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );

const machine = () => ({
  name: cpus()[0]?.model.trim() || 'unknown',
  cpus: availableParallelism(),
  system: `${type()} ${release()}`,
  memoryBytes: totalmem(),
});

function checks(item, entry) {
  const failed = entry.failure
    ? { passed: false, failure: entry.failure.slice(0, 400) }
    : { passed: true };
  const losses =
    item.kind === 'train' && entry.output
      ? { steps: COMPARED_STEPS, lastLoss: entry.output.at(-1) }
      : {};
  const compared = Number.isFinite(entry.error) ? { error: entry.error, tolerance: 1 } : {};
  return { ...failed, ...losses, ...compared };
}

/** One row per engine that gave samples. */
export function toRows(item, entries, { seed, commit, date }) {
  const { of, ...figure } = metric(item);
  return entries
    .filter((entry) => entry.ns.length > 0)
    .map((entry) => {
      const values = entry.ns.map(of);
      const { engine } = entry;
      const row = {
        schema: 'parallax-results-1',
        suite: item.suite,
        case: item.name,
        parameters: parameters(item),
        ...figure,
        primary: true,
        samples: { ...summarise(values), values },
        engine: Object.fromEntries(
          ENGINE_FIELDS.filter((key) => engine[key] !== undefined).map((key) => [key, engine[key]]),
        ),
        machine: machine(),
        compiler: engine.compiler ?? 'as published',
        commit,
        date,
        data: { kind: 'synthetic', seed },
        checks: checks(item, entry),
      };
      if (engine.ceiling && item.flops) {
        const share = item.flops / median(entry.ns) / engine.ceiling;
        row.ceiling = { gflops: engine.ceiling, share };
      }
      return row;
    });
}

const figure = (item, ns) => {
  const { of, unit } = metric(item);
  return `${of(ns).toPrecision(4)} ${unit}`;
};

const ratio = (value) => value.toFixed(2);

/**
 * Lines on one case: each engine's figure and, for peers, how many times its time ours is: paired
 * by round, with the 95% interval of the median.
 */
export function tableLines(item, where, entries) {
  const measured = entries.filter((entry) => entry.ns.length > 0 && !entry.failure);
  const withMedian = measured.map((entry) => ({
    ...entry,
    median: median(entry.ns),
    ceiling: entry.engine.ceiling,
  }));
  const ours = withMedian.filter((entry) => entry.engine.name === 'parallax');
  const peers = withMedian.filter((entry) => entry.engine.name !== 'parallax');
  const lines = [item.name];
  for (const entry of entries) {
    const label = `  ${entry.engine.label}`.padEnd(40);
    if (entry.failure) {
      lines.push(`${label} void: ${entry.failure}`);
      continue;
    }
    const cells = [figure(item, median(entry.ns)).padStart(16)];
    for (const own of entry.engine.name === 'parallax' ? [] : ours) {
      const r = summarise(entry.ns.map((ns, round) => ns / own.ns[round]));
      cells.push(`${own.engine.short} ${ratio(r.median)}x [${ratio(r.low)}, ${ratio(r.high)}]`);
    }
    lines.push(`${label} ${cells.join('   ')}`);
  }
  for (const own of ours)
    for (const sentence of verdicts(item, where, own, peers))
      lines.push(`    ${own.engine.short} to ${sentence}`);
  return lines;
}
