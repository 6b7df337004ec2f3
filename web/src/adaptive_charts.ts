/** Charts of the suite `adaptive`: what threads gain at each batch size, and what choosing costs. */
import type { ChartSpec, Point, Series } from './chart_spec.js';
import { type Case, timesAsLong } from './compare.js';
import { percent, significant } from './format.js';
import type { Interval } from './interval.js';
import { drawn, idOf, type Lane, lanesOf, looks } from './lanes.js';

const modes = { parallel: 'dashed', adaptive: 'solid' } as const;
type Mode = keyof typeof modes | 'sequential';

/** The time of a layer at one batch size in each mode. */
type Batch = { batch: number } & Partial<Record<Mode, Case>>;

/** The batch sizes of each layer and number of threads. */
function layersOf(cases: readonly Case[]): Map<string, Batch[]> {
  const layers = new Map<string, Batch[]>();
  for (const each of cases) {
    const { layer, batch, mode } = each.parameters;
    if (each.metric !== 'layer time' || each.threads < 2) continue;
    const key = `${layer}\u0002${each.threads}`;
    const all = layers.get(key) ?? [];
    const found = all.find((one) => one.batch === batch) ?? { batch: Number(batch) };
    if (!all.includes(found)) all.push(found);
    found[mode as Mode] = each;
    layers.set(key, all);
  }
  return layers;
}

/** How many times as fast a mode is as one thread. */
const gainOf = (lane: Lane, at: Batch, mode: Mode): Interval | undefined => {
  const [one, other] = [at.sequential, at[mode]];
  return one && other && timesAsLong(lane.of(one), lane.of(other));
};

/** How much longer the plan's choice takes than the better of the other two; below 0: less. */
function excessOf(lane: Lane, at: Batch): number | undefined {
  const [one, all, own] = [at.sequential, at.parallel, at.adaptive].map(
    (each) => each && lane.of(each),
  );
  if (!one || !all || !own || [one, all, own].some((m) => m.voided !== undefined)) return undefined;
  return own.value / Math.min(one.value, all.value) - 1;
}

const gainText = (gain: Interval | undefined) =>
  gain ? `${significant(gain.value)} (${significant(gain.low)}–${significant(gain.high)})` : '–';

function speedUpChart(layer: string, threads: number, batches: readonly Batch[]): ChartSpec {
  const cases = batches.flatMap((at) => [at.sequential, at.parallel, at.adaptive]);
  const lanes = lanesOf(cases.filter((each) => each !== undefined));
  const series = lanes.flatMap((lane) =>
    (Object.keys(modes) as (keyof typeof modes)[]).map(
      (mode): Series => ({
        name: `${lane.name}, ${mode}`,
        ...looks(lane),
        pattern: modes[mode],
        points: batches.flatMap((at): Point[] => {
          const gain = gainOf(lane, at, mode);
          return gain ? [{ x: at.batch, y: gain.value, low: gain.low, high: gain.high }] : [];
        }),
      }),
    ),
  );
  const excess = (lane: Lane, at: Batch) => {
    const value = excessOf(lane, at);
    return value === undefined ? '–' : percent(value);
  };
  return {
    id: `adaptive-gain-${idOf(layer)}-${threads}`,
    title: `What ${threads} threads gain: layer ${layer}`,
    about:
      'Times as fast as one thread. Below 1 threads lose: the dashed lines always use them, the solid ones only where the plan expects a gain, so that these should follow the higher of 1 and the dashed line.',
    kind: 'lines',
    categories: [],
    x: { title: 'batch', log: true, ticks: batches.map(({ batch }) => batch) },
    y: { title: 'times as fast as one thread', log: true },
    series: drawn(series),
    marks: [
      { name: 'one thread', value: 1 },
      { name: 'ideal', value: threads },
    ],
    notes: [],
    table: {
      caption: `Times as fast as one thread, and how much longer the plan's choice takes than the better of the two: layer ${layer}.`,
      columns: ['Batch', 'Engine', 'parallel', 'adaptive', 'cost of adapting'],
      rows: batches.flatMap((at) =>
        lanes.map((lane) => ({
          cells: [
            String(at.batch),
            lane.column,
            gainText(gainOf(lane, at, 'parallel')),
            gainText(gainOf(lane, at, 'adaptive')),
            excess(lane, at),
          ],
        })),
      ),
    },
  };
}

/** One chart for each layer; none where everything ran on one thread. */
export function adaptiveCharts(cases: readonly Case[]): ChartSpec[] {
  return [...layersOf(cases)].flatMap(([key, batches]) => {
    const [layer = '', threads = ''] = key.split('\u0002');
    const chart = speedUpChart(layer, Number(threads), batches);
    return chart.series.length > 0 ? [chart] : [];
  });
}
