/** Turns rows that follow the schema into measurements. */
import { percent, significant } from './format.js';
import { machineSuite } from './machine_movement.js';
import type { Measurement, Roofline, Row, Share } from './rows.js';

interface Samples {
  count: number;
  /** A void row may have none. */
  median?: number;
  low?: number;
  high?: number;
  p10?: number;
  p90?: number;
  rounds?: number[];
  values?: number[];
}

/** The fields of a row (bench/results.schema.json) that the page reads. */
interface SchemaRow {
  suite: string;
  case: string;
  parameters: Record<string, string | number | boolean>;
  metric: string;
  unit: string;
  better: 'lower' | 'higher' | 'none';
  primary: boolean;
  samples: Samples;
  engine: {
    kind: 'native' | 'wasm';
    name: string;
    isa?: string;
    threads: number;
    threadsWorked?: number;
    costs?: 'measured' | 'assumed';
    exact?: boolean;
    fma?: boolean;
    tier?: string;
    runtime?: string;
  };
  machine: { name: string };
  date?: string;
  data: { kind: 'synthetic' | 'real'; seed?: number; source?: string };
  checks: { passed: boolean; failure?: string; lossBits?: string };
  calls?: { count: number; each: number };
  ceiling?: { share?: number; failure?: string };
  roofline?: Roofline;
  histogram?: { edges: number[]; counts: number[] };
  scatter?: { analytic: number[]; numeric: number[] };
  memory?: Record<string, number>;
  curve?: { step: number[]; loss: number[] };
  bound?: number;
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

/** A figure that is not finite, as text. JSON has no NaN or infinity: both become null there. */
const wildText = (value: unknown) =>
  typeof value === 'number' ? significant(value) : 'not a number';

/** All figures of the samples, under their names. */
const figuresOf = (samples: Samples) =>
  Object.entries(samples).flatMap(([name, value]) =>
    Array.isArray(value)
      ? value.map((figure) => ({ name: `one of the ${name}`, figure }))
      : [{ name: `the ${name}`, figure: value }],
  );

/** Whether its figures must be above 0; errors may be 0, and descriptive figures negative. */
const isSpeed = ({ suite, primary, better }: SchemaRow) =>
  better !== 'none' && (primary || suite === machineSuite);

/** Figures that must be in this order. */
const ordered = [
  ['low', 'high'],
  ['p10', 'p90'],
] as const;

/** What is wrong with the figures of a row, whatever its check says. */
function defect(row: SchemaRow): string | undefined {
  const { samples, metric } = row;
  const { median, rounds } = samples;
  if (median === undefined) return `its ${metric} has no median`;
  if (rounds !== undefined && !Array.isArray(rounds)) {
    return `the rounds of its ${metric} are not a list`;
  }
  const wild = figuresOf(samples).find(({ figure }) => !Number.isFinite(figure));
  if (wild) return `${wild.name} of its ${metric} is ${wildText(wild.figure)}`;
  /* If one of a pair is missing, the schema decides. */
  const crossed = ordered.find(([from, to]) => (samples[from] ?? 0) > (samples[to] ?? Infinity));
  if (crossed) return `the ${crossed[0]} of its ${metric} is above the ${crossed[1]}`;
  if (!isSpeed(row)) return undefined;
  if (median <= 0) return `its ${metric} is ${significant(median)}; it must be above 0`;
  const impossible = rounds?.find((figure) => figure <= 0);
  if (impossible === undefined) return undefined;
  return `one of the rounds of its ${metric} is ${significant(impossible)}; it must be above 0`;
}

/** The same row, void for this reason. */
export function voidRow(row: Row, reason: string): Row {
  return { ...row, checks: { ...(row.checks as object), passed: false, failure: reason } };
}

/**
 * Makes a row with impossible figures void, with the reason. Figures that are not finite are
 * removed, since no file can hold them. A value that is not a row at all is left to the schema.
 */
export function settled(row: Row): Row {
  const r = row as unknown as SchemaRow;
  if (typeof r?.samples !== 'object' || r.samples === null || typeof r.checks !== 'object')
    return row;
  const reason = defect(r);
  if (reason === undefined) return row;
  const finite = figuresOf(r.samples).every(({ figure }) => Number.isFinite(figure));
  const kept = finite ? row : { ...row, samples: { count: 0 } };
  return r.checks?.passed ? voidRow(kept, reason) : kept;
}

/** A share, unless it is missing or above 1, which is impossible. */
function shareOf(what: string, share: number | undefined, failure?: string): Share {
  if (failure !== undefined) return { failure };
  if (share === undefined || !Number.isFinite(share)) return { failure: 'it is not a number' };
  if (share <= 1) return { share };
  return { failure: `${percent(share)} of ${what} is more than possible` };
}

function rooflineOf(roofline: Roofline | undefined): Roofline | undefined {
  if (!roofline) return undefined;
  const { failure } = shareOf('the roofline', roofline.share, roofline.failure);
  return failure === undefined ? roofline : { ...roofline, failure };
}

export function toMeasurement(row: Row): Measurement {
  const r = settled(row) as unknown as SchemaRow;
  const { median = Number.NaN, low = median, high = median, count, rounds, values } = r.samples;
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
    rounds,
    values,
    kind: r.engine.kind,
    program: r.engine.name,
    isa: r.engine.isa ?? '',
    tier: r.engine.tier,
    fma: r.engine.fma ?? false,
    threads: r.engine.threads,
    threadsWorked: r.engine.threadsWorked,
    costsAssumed: r.engine.costs === 'assumed',
    roundsWritten: r.engine.costs !== undefined,
    exact: r.engine.exact ?? false,
    engine: engineText(r.engine),
    machine: r.machine.name,
    day: r.date?.slice(0, 10) ?? '',
    data: dataText(r.data),
    calls: r.calls,
    ceiling: r.ceiling && shareOf('the ceiling', r.ceiling.share, r.ceiling.failure),
    roofline: rooflineOf(r.roofline),
    histogram: r.histogram,
    scatter: r.scatter,
    memory: r.memory,
    curve: r.curve,
    bound: r.bound,
    lossBits: r.checks.lossBits,
    voided: r.checks.passed ? undefined : (r.checks.failure ?? 'its check failed'),
  };
}
