// Makes rows of results.schema.json, and the table.
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';

import { COMPARED_STEPS, metric, parameters } from './cases.mjs';
import { quantile, summarise } from './statistics.mjs';
import { verdicts } from './targets.mjs';
import { cpuVendor } from './vendor.mjs';

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
  'variant',
];

/** CPUs kept busy per thread above which the table says so. */
const MORE_CPUS = 1.1;

const median = (values) =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );

const machine = () => ({
  name: cpus()[0]?.model.trim() || 'unknown',
  vendor: cpuVendor(),
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

/** One row per engine that has samples. */
export function toRows(item, entries, { seed, commit, date }) {
  const { of, ...figure } = metric(item);
  return entries
    .filter((entry) => entry.ns.length > 0)
    .map((entry) => {
      const values = entry.ns.map(of);
      const { engine } = entry;
      const about = { ...engine, variant: entry.variant?.slice(0, 400) || undefined };
      const row = {
        schema: 'parallax-results-1',
        suite: item.suite,
        case: item.name,
        parameters: parameters(item),
        ...figure,
        primary: true,
        samples: { ...summarise(values), values },
        engine: Object.fromEntries(
          ENGINE_FIELDS.filter((key) => about[key] !== undefined).map((key) => [key, about[key]]),
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

/** A peer's time as a multiple of ours, round by round. */
const speed = (peer, ours) => summarise(peer.ns.map((ns, round) => ns / ours.ns[round]));

/** What to know about an entry's figure: the way that was fastest, and CPUs beyond its threads. */
function remarks({ variant, cpus, engine }) {
  const more = cpus > MORE_CPUS * engine.threads;
  const busy = more && `kept ${cpus.toFixed(2)} CPUs busy, not ${engine.threads}`;
  const text = [variant, busy].filter(Boolean).join('; ');
  return text ? [`(${text})`] : [];
}

/**
 * The lines about one case: each engine's figure, and for peers their speed() with its interval.
 */
export function tableLines(item, where, entries) {
  const measured = entries
    .filter((entry) => entry.ns.length > 0 && !entry.failure)
    .map((entry) => ({ ...entry, median: median(entry.ns) }));
  const isOurs = ({ engine }) => engine.name === 'parallax';
  const ours = measured.filter(isOurs);
  const peers = measured.filter((entry) => !isOurs(entry));
  const lines = [item.name];
  const [{ failure }] = entries;
  if (failure && entries.every((entry) => entry.failure === failure))
    return [...lines, `  void: ${failure}`];
  for (const entry of entries) {
    const label = `  ${entry.engine.label}`.padEnd(34);
    if (entry.failure) {
      lines.push(`${label} void: ${entry.failure}`);
      continue;
    }
    const cells = [figure(item, median(entry.ns)).padStart(15)];
    for (const own of isOurs(entry) ? [] : ours) {
      const r = speed(entry, own);
      cells.push(`${own.engine.short} ${ratio(r.median)}x [${ratio(r.low)}, ${ratio(r.high)}]`);
    }
    cells.push(...remarks(entry));
    lines.push(`${label} ${cells.join('   ')}`);
  }
  for (const own of ours)
    for (const sentence of verdicts(item, where, own, peers, (peer) => speed(peer, own).median))
      lines.push(`    on ${cpuVendor()}, ${own.engine.short} to ${sentence}`);
  return lines;
}
