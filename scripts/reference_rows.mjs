// What the page draws of a row: reference results come with every visit, so they hold nothing else.
import { readFileSync } from 'node:fs';

/** Enough digits for every figure that the page shows. */
const DIGITS = 4;

/** Points that are kept of a scatter plot of each operation, and of a curve. */
const POINTS = 24;

/** Metrics that are drawn although they are not the figure of speed of their case. */
const DRAWN = new Set([
  'held-out RMSE',
  'training memory',
  'prediction memory',
  'throughput',
  'step time',
  'latency, p99',
  'p50 before all',
  'p50 without packing',
  'p50 without folding',
  'p50 without fusion',
  'p50 on one thread',
  'fused / unfused',
  'RMSE',
  'read',
  'copy',
  'add',
]);

const isDrawn = (row) =>
  row.primary ||
  row.suite === 'machine' ||
  row.parameters.mode !== undefined ||
  row.roofline !== undefined ||
  row.histogram !== undefined ||
  row.scatter !== undefined ||
  row.bound !== undefined ||
  row.checks.lossBits !== undefined ||
  DRAWN.has(row.metric);

function rounded(value) {
  if (typeof value === 'number') return Number(value.toPrecision(DIGITS));
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, rounded(of)]));
}

/** Whether it is the row of its case that keeps the memory by component. */
const hasMemory = (row) => row.primary || row.unit === 'bytes';

/** Evenly spaced ones of many points. */
const thinned = (values) => {
  const step = Math.max(1, values.length / POINTS);
  const kept = Math.min(POINTS, values.length);
  return Array.from({ length: kept }, (_, i) => values[Math.floor(i * step)]);
};

function slimRow(row, machine, date) {
  const { samples, roofline, ceiling, histogram, scatter, curve, bound, memory, ...others } = row;
  const { values, mean, deviation, ...kept } = samples;
  const { worst, calls, ...rest } = others;
  return {
    ...rest,
    date,
    machine: { ...rest.machine, name: machine },
    samples: { ...rounded(kept), count: kept.count },
    ...(calls && { calls }),
    ...(roofline && { roofline: rounded(roofline) }),
    ...(ceiling && { ceiling: rounded(ceiling) }),
    ...(histogram && { histogram: { ...histogram, edges: rounded(histogram.edges) } }),
    ...(scatter && {
      scatter: {
        analytic: rounded(thinned(scatter.analytic)),
        numeric: rounded(thinned(scatter.numeric)),
      },
    }),
    ...(curve && { curve: { step: thinned(curve.step), loss: rounded(thinned(curve.loss)) } }),
    ...(bound !== undefined && { bound: rounded(bound) }),
    // Every row of a case has the same.
    ...(memory && hasMemory(row) && { memory }),
  };
}

/**
 * The rows that are drawn, and the first of every other case, without what is not drawn; all with the
 * date of the first row.
 */
export function slimRows(rows, machine) {
  const seen = new Set();
  return rows
    .filter((row) => {
      const name = `${row.suite}: ${row.case}: ${row.engine.isa}`;
      const first = !seen.has(name);
      seen.add(name);
      return first || isDrawn(row);
    })
    .map((row) => slimRow(row, machine, rows[0].date));
}

const SCHEMA = new URL('../bench/results.schema.json', import.meta.url);

/** Fields that every row has, and that often are those of the row before. */
const REPEATED = JSON.parse(readFileSync(SCHEMA, 'utf8')).required.filter(
  (name) => !['metric', 'samples'].includes(name),
);

/** Rows as JSON lines; of those fields, a line leaves out what the row before has, too. */
export function pack(rows) {
  let before = {};
  return rows
    .map((row) => {
      const same = REPEATED.filter(
        (name) => JSON.stringify(row[name]) === JSON.stringify(before[name]),
      );
      before = row;
      const own = Object.entries(row).filter(([name]) => !same.includes(name));
      return `${JSON.stringify(Object.fromEntries(own))}\n`;
    })
    .join('');
}

/** The rows again. */
export function unpack(text) {
  let before = {};
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const repeated = REPEATED.map((name) => [name, before[name]]);
      before = { ...Object.fromEntries(repeated), ...JSON.parse(line) };
      return before;
    });
}
