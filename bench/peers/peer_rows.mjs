// Rows of results.schema.json from what was measured, in Node and in pages.
import { COMPARED_STEPS, metric, parameters, work } from './cases.mjs';
import { summarise } from './statistics.mjs';

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

/** A peer's time as a multiple of ours, round by round. */
export const speed = (peer, ours) => summarise(peer.ns.map((ns, round) => ns / ours.ns[round]));

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
export function toRows(item, entries, { threads, seed, machine, commit, date }) {
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
        machine,
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
