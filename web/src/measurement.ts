/** Reads what the page needs from a row that follows the schema. */
import type { Measurement, Roofline, Row } from './rows.js';

/** A row's fields, as bench/results.schema.json has them; only those that the page reads. */
interface SchemaRow {
  suite: string;
  case: string;
  parameters: Record<string, string | number | boolean>;
  metric: string;
  unit: string;
  better: 'lower' | 'higher' | 'none';
  primary: boolean;
  samples: { count: number; median: number; low?: number; high?: number };
  engine: {
    kind: 'native' | 'wasm';
    name: string;
    isa?: string;
    threads: number;
    exact?: boolean;
    tier?: string;
    runtime?: string;
  };
  machine: { name: string };
  data: { kind: 'synthetic' | 'real'; seed?: number; source?: string };
  checks: { passed: boolean; failure?: string; lossBits?: string };
  ceiling?: { share?: number };
  roofline?: Roofline;
  histogram?: { edges: number[]; counts: number[] };
  scatter?: { analytic: number[]; numeric: number[] };
}

/** "Chromium 156, simd-threads" or "native avx512"; other programs by their names. */
function engineText({ kind, name, isa, tier, runtime }: SchemaRow['engine']): string {
  const own =
    kind === 'native' ? `native ${isa ?? ''}` : [runtime, tier].filter(Boolean).join(', ');
  return name === 'parallax' ? own.trim() : [name, runtime].filter(Boolean).join(', ');
}

function dataText({ kind, seed, source }: SchemaRow['data']): string {
  if (kind === 'real') return source ?? 'real';
  const what = source ? `synthetic (${source})` : 'synthetic';
  return seed === undefined ? what : `${what}, seed ${seed}`;
}

export function toMeasurement(row: Row): Measurement {
  const r = row as unknown as SchemaRow;
  const { median, low = median, high = median, count } = r.samples;
  return {
    suite: r.suite,
    case: r.case,
    parameters: r.parameters,
    metric: r.metric,
    unit: r.unit,
    direction: r.better,
    primary: r.primary,
    value: median,
    low,
    high,
    samples: count,
    kind: r.engine.kind,
    program: r.engine.name,
    isa: r.engine.isa ?? '',
    threads: r.engine.threads,
    exact: r.engine.exact ?? false,
    engine: engineText(r.engine),
    machine: r.machine.name,
    data: dataText(r.data),
    ceiling: r.ceiling?.share,
    roofline: r.roofline,
    histogram: r.histogram,
    scatter: r.scatter,
    lossBits: r.checks.lossBits,
    voided: r.checks.passed ? undefined : (r.checks.failure ?? 'its check failed'),
  };
}

/** The same row, with the reason why it does not count. */
export function voidRow(row: Row, reason: string): Row {
  return { ...row, checks: { ...(row.checks as object), passed: false, failure: reason } };
}
