// The table.
import { metric } from './cases.mjs';
import { ceilingOf, speed } from './peer_rows.mjs';
import { quantile } from './statistics.mjs';
import { verdicts } from './targets.mjs';
import { cpuVendor } from './vendor.mjs';

/** CPUs kept busy per thread above which the table says so. */
const MORE_CPUS = 1.1;

const median = (values) =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );

const figure = (item, ns) => {
  const { of, unit } = metric(item);
  return `${of(ns).toPrecision(4)} ${unit}`;
};

const ratio = (value) => value.toFixed(2);

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
