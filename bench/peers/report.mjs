// Makes rows of results.schema.json, and the table.
import { COMPARED_STEPS, metric, parameters, work } from './cases.mjs';
import { machine } from './provenance.mjs';
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

/** The ceiling and the share of it that the case reached; undefined where there is no such figure. */
export function ceilingOf(item, { ceiling, ns }) {
  const operations = work(item);
  if (!ceiling || !operations) return undefined;
  const times = summarise(ns);
  const share = (time) => operations / time / ceiling;
  const exceeded = share(times.high) > 1;
  const failure = exceeded && 'the case is faster than the ceiling, so it is no ceiling';
  return { gflops: ceiling, share: share(times.median), ...(failure && { failure }) };
}

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

/**
 * One row per engine that has samples. threads is the number that all were asked for; an engine may
 * have used fewer.
 */
export function toRows(item, entries, { threads, seed, commit, date }) {
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
        parameters: { ...parameters(item), threads },
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
      const ceiling = ceilingOf(item, entry);
      return ceiling ? { ...row, ceiling } : row;
    });
}

const figure = (item, ns) => {
  const { of, unit } = metric(item);
  return `${of(ns).toPrecision(4)} ${unit}`;
};

const ratio = (value) => value.toFixed(2);

/** A peer's time as a multiple of ours, round by round. */
const speed = (peer, ours) => summarise(peer.ns.map((ns, round) => ns / ours.ns[round]));

/**
 * What to know about an entry's figure: its share of the ceiling, the way that was fastest, and CPUs
 * beyond its threads.
 */
function remarks({ variant, cpus, engine, ceiling }) {
  const more = cpus > MORE_CPUS * engine.threads;
  const busy = more && `kept ${cpus.toFixed(2)} CPUs busy, not ${engine.threads}`;
  const share = ceiling && `${(100 * ceiling.share).toFixed(0)}% of the ceiling`;
  const text = [share, variant, busy].filter(Boolean).join('; ');
  return text ? [`(${text})`] : [];
}

/**
 * The lines about one case: each engine's figure, and for peers their speed() with its interval.
 */
export function tableLines(item, side, entries) {
  const measured = entries
    .filter((entry) => entry.ns.length > 0 && !entry.failure)
    .map((entry) => ({ ...entry, median: median(entry.ns), ceiling: ceilingOf(item, entry) }));
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
    cells.push(...remarks({ ...entry, ceiling: ceilingOf(item, entry) }));
    lines.push(`${label} ${cells.join('   ')}`);
  }
  for (const own of ours)
    for (const sentence of verdicts(item, side, own, peers, (peer) => speed(peer, own).median))
      lines.push(`    on ${cpuVendor()}, ${own.engine.short} to ${sentence}`);
  return lines;
}
