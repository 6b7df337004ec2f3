/** Charts of the suite `hypercausal`: time per epoch of every configuration, and how it grows. */
import { type ChartSpec, type Point, plainPoint, type Series, tableOnly } from './chart_spec.js';
import { type Case, caseKey } from './compare.js';
import { figureText } from './figure.js';
import { significant } from './format.js';
import { fitsText, growthOf } from './growth.js';
import { drawn, idOf, isVoid, type Lane, lanesOf, looks, pointOf, valid } from './lanes.js';

/** What others report, in words only: it was measured elsewhere and is not one of our results. */
const elsewhere =
  'For comparison, QML-HCS (NumPy, on another machine) reports 20 to 50 ms for an epoch of only a forward pass.';

const numberOf = ({ parameters }: Case, name: string) => Number(parameters[name]);

/** Whether it is a chain that uses the mean of its futures, as the reference does. */
const isPlain = ({ parameters }: Case) =>
  parameters.graph === 'chain' && parameters.policy === 'mean';

/** Times of these cases on each side, at these places. */
const timesAt = (
  cases: readonly Case[],
  lanes: readonly Lane[],
  at: (each: Case, i: number) => number,
) =>
  drawn(
    lanes.map(
      (lane): Series => ({
        name: lane.name,
        ...looks(lane),
        points: cases.flatMap((each, i): Point[] => {
          const m = valid(lane.of(each));
          return m ? [pointOf(at(each, i), m, `${each.name}: ${figureText(m)} ${m.unit}`)] : [];
        }),
      }),
    ),
  );

/** Cases of one metric, by their keys. */
type Metrics = Map<string, Map<string, Case>>;

function byMetric(cases: readonly Case[]): Metrics {
  const metrics: Metrics = new Map();
  for (const each of cases) {
    const named = metrics.get(each.metric) ?? new Map<string, Case>();
    metrics.set(each.metric, named.set(caseKey(each), each));
  }
  return metrics;
}

/** Another metric of the same configuration. */
const beside = (metrics: Metrics, metric: string, each: Case) =>
  metrics.get(metric)?.get(caseKey(each));

/** Every configuration, as one curve for each side. */
function curve(epochs: readonly Case[], metrics: Metrics): ChartSpec | undefined {
  if (epochs.length === 0) return undefined;
  const lanes = lanesOf(epochs);
  const series = timesAt(epochs, lanes, (_, i) => i + 1);
  const others = ['forward time', 'peak memory', 'RMSE', 'overshoot', 'robustness'];
  const losses = ['total loss before training', 'total loss after training'];
  const columns = [...others, ...losses].filter((metric) => metrics.has(metric));
  const unit = (metric: string) => {
    const [first] = metrics.get(metric)?.values() ?? [];
    return first && first.unit !== '1' ? `${metric} (${first.unit})` : metric;
  };
  return {
    part: 'Configurations',
    id: 'hypercausal-epochs',
    title: 'Hypercausal: time per epoch of every configuration',
    about: `Forward, gradients and update over one sequence. Points are medians, whiskers their 95% intervals; configurations are numbered as in the table. ${elsewhere}`,
    kind: 'lines',
    categories: [],
    x: { title: 'configuration' },
    y: { title: 'epoch time (us)', log: true },
    series,
    marks: [],
    notes: [],
    wide: true,
    table: {
      caption:
        'Every configuration: medians with their 95% intervals; prediction figures over three seeds.',
      columns: [
        'Configuration',
        ...lanes.map(({ column }) => `epoch time (us), ${column}`),
        ...columns.flatMap((metric) => lanes.map(({ column }) => `${unit(metric)}, ${column}`)),
      ],
      rows: epochs.map((each, i) => ({
        void: isVoid(each, lanes),
        cells: [
          `${i + 1}: ${each.name}`,
          ...lanes.map(({ of }) => figureText(of(each))),
          ...columns.flatMap((metric) => {
            const other = beside(metrics, metric, each);
            return lanes.map(({ of }) => figureText(other && of(other)));
          }),
        ],
      })),
    },
  };
}

/** Times of one side's plain chains: by "D K", then by "T depth". */
type Times = Map<string, Map<string, number>>;

function timesOf(epochs: readonly Case[], lane: Lane): Times {
  const times: Times = new Map();
  for (const each of epochs) {
    const m = valid(lane.of(each));
    if (!m || !isPlain(each)) continue;
    const key = `${numberOf(each, 'D')} ${numberOf(each, 'K')}`;
    const inner = times.get(key) ?? new Map<string, number>();
    inner.set(`${numberOf(each, 'T')} ${numberOf(each, 'depth')}`, m.value);
    times.set(key, inner);
  }
  return times;
}

const ascending = (values: Iterable<number>): number[] =>
  [...new Set(values)].sort((a, b) => a - b);

/** Values of D and K whose cells all have the same T and depths ("T depth"). */
interface Block {
  ds: number[];
  ks: number[];
  shared: string[];
}

/** Blocks of the cells that have all of these T and depths: one for the K of each D. */
function blocksOf(times: Times, shared: string[]): Block[] {
  const byD = new Map<number, Set<number>>();
  for (const [key, inner] of times) {
    if (!shared.every((each) => inner.has(each))) continue;
    const [d, k] = key.split(' ').map(Number) as [number, number];
    byD.set(d, (byD.get(d) ?? new Set()).add(k));
  }
  return [...byD.values()].map((ks) => ({
    ds: ascending([...byD].filter(([, own]) => [...ks].every((k) => own.has(k))).map(([d]) => d)),
    ks: ascending(ks),
    shared,
  }));
}

/**
 * Mean times by D and K. Growth lines outside the grid give some cells more T than others, so means
 * are taken over the largest block whose cells all have the same T and depths, with at least two D
 * and two K if there is such a block.
 */
export function cellsOf(
  epochs: readonly Case[],
  lane: Lane,
): Block & { mean(d: number, k: number): number | undefined } {
  const times = timesOf(epochs, lane);
  const rank = ({ ds, ks, shared }: Block) =>
    ds.length * ks.length * shared.length * (Math.min(ds.length, ks.length) > 1 ? 1e6 : 1);
  const [block = { ds: [], ks: [], shared: [] }] = [...times.values()]
    .flatMap((inner) => blocksOf(times, [...inner.keys()]))
    .filter(({ ds }) => ds.length > 1)
    .sort((a, b) => rank(b) - rank(a));
  return {
    ...block,
    mean(d, k) {
      const inner = times.get(`${d} ${k}`);
      const values = block.shared.map((key) => inner?.get(key));
      if (values.length === 0 || values.some((value) => value === undefined)) return undefined;
      return values.reduce<number>((sum, value) => sum + (value ?? 0), 0) / values.length;
    },
  };
}

/** Time by D and K as a map. */
function heatMap(epochs: readonly Case[], lane: Lane): ChartSpec | undefined {
  const { ds, ks, shared, mean } = cellsOf(epochs, lane);
  if (ds.length < 2) return undefined;
  const listed = (i: number) =>
    ascending(shared.map((each) => Number(each.split(' ')[i]))).join(', ');
  const series = ds.map(
    (d): Series => ({
      name: `D ${d}`,
      ...looks(lane),
      points: ks.flatMap((k, x) => {
        const value = mean(d, k);
        return value === undefined ? [] : [plainPoint(x, value)];
      }),
    }),
  );
  return {
    part: 'By D and K',
    id: `hypercausal-heat-${idOf(lane.column)}`,
    title: `Hypercausal: time per epoch by D and K, ${lane.name}`,
    about: `Mean over T ${listed(0)} and depth ${listed(1)}, which all cells have: channels D down, futures K across. Lighter is longer, on a logarithmic scale.`,
    kind: 'heat',
    categories: ks.map((k) => `K ${k}`),
    x: { title: 'futures K' },
    y: { title: 'microseconds', log: true },
    series,
    marks: [],
    notes: [],
    table: {
      caption: `Time per epoch in microseconds of ${lane.name}: channels D down, futures K across.`,
      columns: ['D', ...ks.map((k) => `K ${k}`)],
      rows: ds.map((d) => ({
        cells: [
          `D ${d}`,
          ...ks.map((k) => {
            const value = mean(d, k);
            return value === undefined ? '–' : significant(value);
          }),
        ],
      })),
    },
  };
}

/** The values of the two parameters that stay fixed along each line. */
const fixed = { D: 6, K: 5, T: 96 } as const;
const meaning = { D: 'channels', K: 'futures', T: 'times' } as const;
type Along = keyof typeof fixed;

function growth(epochs: readonly Case[], along: Along): ChartSpec | undefined {
  const line = epochs
    .filter(
      (each) =>
        isPlain(each) &&
        numberOf(each, 'depth') === 1 &&
        (Object.keys(fixed) as Along[]).every(
          (name) => name === along || numberOf(each, name) === fixed[name],
        ),
    )
    .sort((a, b) => numberOf(a, along) - numberOf(b, along));
  if (new Set(line.map((each) => numberOf(each, along))).size < 3) return undefined;
  const lanes = lanesOf(line);
  const series = timesAt(line, lanes, (each) => numberOf(each, along));
  const law = growthOf(series, along);
  const rest = (Object.keys(fixed) as Along[]).filter((name) => name !== along);
  return {
    part: 'Growth',
    id: `hypercausal-growth-${along}`,
    title: `Hypercausal: time per epoch against ${along}`,
    about: `Number of ${meaning[along]} varied; ${rest.map((name) => `${name} ${fixed[name]}`).join(', ')}, depth 1. The fixed cost of every step flattens the left end.${fitsText(law)}`,
    kind: 'lines',
    categories: [],
    x: {
      title: `${along} (${meaning[along]})`,
      log: true,
      ticks: [...new Set(line.map((each) => numberOf(each, along)))],
    },
    y: { title: 'epoch time (us)', log: true },
    series: [...series, ...law.fits],
    marks: [],
    notes: law.notes,
    table: {
      caption: `Time per epoch against ${along}, in microseconds: median with its 95% interval.`,
      columns: [along, ...lanes.map(({ column }) => column)],
      rows: line.map((each) => ({
        void: isVoid(each, lanes),
        cells: [`${numberOf(each, along)}`, ...lanes.map(({ of }) => figureText(of(each)))],
      })),
    },
  };
}

/** The fastest and the slowest configuration of each side. */
function summary(epochs: readonly Case[], metrics: Metrics): ChartSpec | undefined {
  const plain = epochs.filter(isPlain);
  const lanes = lanesOf(plain);
  const rows = lanes.flatMap((lane) => {
    const measured = plain
      .flatMap((each) => {
        const m = valid(lane.of(each));
        return m ? [{ each, m }] : [];
      })
      .sort((a, b) => a.m.value - b.m.value);
    if (measured.length < 2) return [];
    const ends = [
      ['fastest', measured.at(0)],
      ['slowest', measured.at(-1)],
    ] as const;
    return ends.flatMap(([which, end]) => {
      if (!end) return [];
      const of = (metric: string) => {
        const other = beside(metrics, metric, end.each);
        return figureText(other && lane.of(other));
      };
      return [
        {
          cells: [
            lane.column,
            which,
            end.each.name,
            figureText(end.m),
            of('RMSE'),
            of('robustness'),
          ],
        },
      ];
    });
  });
  if (rows.length === 0) return undefined;
  return {
    part: 'Configurations',
    id: 'hypercausal-summary',
    title: 'Hypercausal: the fastest and the slowest configuration',
    about: `Among chains that use the mean of their futures. ${elsewhere}`,
    ...tableOnly,
    table: {
      caption: 'The fastest and the slowest configuration of each side.',
      columns: ['Engine', 'Which', 'Configuration', 'Epoch time (us)', 'RMSE', 'Robustness'],
      rows,
    },
  };
}

/** Returns the charts of this suite, and the remaining cases for a table. */
export function hypercausalCharts(cases: readonly Case[]): { charts: ChartSpec[]; rest: Case[] } {
  const configured = cases.filter(({ parameters }) => typeof parameters.D === 'number');
  const epochs = configured.filter(({ metric }) => metric === 'epoch time');
  const metrics = byMetric(configured);
  const shown = new Set([
    'epoch time',
    'forward time',
    'peak memory',
    'RMSE',
    'overshoot',
    'robustness',
    'total loss before training',
    'total loss after training',
  ]);
  return {
    charts: [
      curve(epochs, metrics),
      summary(epochs, metrics),
      ...lanesOf(epochs).map((lane) => heatMap(epochs, lane)),
      ...(Object.keys(fixed) as Along[]).map((along) => growth(epochs, along)),
    ].filter((spec) => spec !== undefined),
    rest: cases.filter((each) => !configured.includes(each) || !shown.has(each.metric)),
  };
}
