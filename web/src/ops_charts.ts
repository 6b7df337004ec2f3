/** Charts of the suite `ops`: operations under the roofline, and the bandwidths that shape it. */
import { type ChartSpec, type Point, plainPoint, type Series } from './chart_spec.js';
import type { Case } from './compare.js';
import { figureText, shareText, undrawn } from './figure.js';
import { significant } from './format.js';
import { drawn, idOf, isVoid, type Lane, lanesOf, looks, pointOf, valid } from './lanes.js';
import type { Measurement, Roofline, Share } from './rows.js';

const placed = (lane: Lane, each: Case): (Measurement & { roofline: Roofline }) | undefined => {
  const m = valid(lane.of(each));
  return m?.roofline && (m as Measurement & { roofline: Roofline });
};

const shareOf = ({ failure, share }: Roofline): Share =>
  failure === undefined ? { share } : { failure };

/** Whether it has a valid share of the roofline. */
const hasShare = ({ m }: { m: { roofline: Roofline } }) => m.roofline.failure === undefined;

/** Operations that a method saves: Winograd convolution needs fewer multiplications. */
const savingText = ({ direct, flops }: Roofline) =>
  direct !== undefined && direct > flops && flops > 0
    ? `Winograd: ${significant(direct / flops)} times fewer operations than the direct sum`
    : '–';

/** The roof from the least intensity on the chart to the greatest, with the ridge between them. */
function roof(peak: number, bandwidth: number, least: number, most: number): Point[] {
  const ridge = peak / bandwidth;
  return [least, ...(ridge > least && ridge < most ? [ridge] : []), most].map((x) =>
    plainPoint(x, Math.min(peak, x * bandwidth)),
  );
}

const roofPatterns = { L1: 'solid', L2: 'dashed', L3: 'dotted', memory: 'solid' } as const;

/** An operation with arithmetic, and its measurement on one side. */
interface Placed {
  each: Case;
  m: Measurement & { roofline: Roofline };
}

type Colours = Pick<Series, 'role' | 'number'>;

/** A line for each level of memory that at least one operation works in. */
function roofLines(all: readonly Placed[], peak: number, colours: Colours): Series[] {
  const intensities = all.map(({ m }) => m.roofline.intensity);
  const [least, most] = [Math.min(...intensities) / 2, Math.max(...intensities) * 2];
  return (['L1', 'L2', 'L3', 'memory'] as const).flatMap((level): Series[] => {
    const of = all.filter(({ m }) => m.roofline.level === level);
    if (of.length === 0) return [];
    const bandwidth = Math.max(...of.map(({ m }) => m.roofline.bandwidth));
    const name = `${level}, ${significant(bandwidth)} GB/s`;
    return [
      {
        name,
        ...colours,
        pattern: roofPatterns[level],
        only: 'line',
        points: roof(peak, bandwidth, least, most),
      },
    ];
  });
}

const operationPoint = ({ each, m: { roofline } }: Placed): Point =>
  plainPoint(
    roofline.intensity,
    roofline.achieved,
    `${each.name}: ${significant(roofline.achieved)} of ${significant(roofline.attainable)} GFLOP/s, ${roofline.level}`,
  );

function rooflineTable(all: readonly Placed[], lane: Lane): ChartSpec['table'] {
  return {
    caption: `Operations of ${lane.name} under its roofline.`,
    columns: [
      'Case',
      'Operations per byte',
      'GFLOP/s',
      'Attainable',
      'Share',
      'Bound by',
      'Level',
      'Saved',
    ],
    rows: all.map(({ each, m: { roofline } }) => ({
      cells: [
        each.name,
        significant(roofline.intensity),
        significant(roofline.achieved),
        significant(roofline.attainable),
        shareText(shareOf(roofline)),
        roofline.bound,
        roofline.level,
        savingText(roofline),
      ],
    })),
  };
}

/** One side's chart of the operations with arithmetic, each at its intensity. */
function rooflineChart(cases: readonly Case[], lane: Lane): ChartSpec | undefined {
  const all = cases.flatMap((each): Placed[] => {
    const m = placed(lane, each);
    return m && m.roofline.flops > 0 ? [{ each, m }] : [];
  });
  if (all.length === 0) return undefined;
  const peak = Math.max(...all.map(({ m }) => m.roofline.peak));
  const colours = looks(lane);
  const operations: Series = {
    name: 'operations',
    ...colours,
    only: 'points',
    points: all.filter(hasShare).map(operationPoint),
  };
  return {
    part: 'Roofline',
    id: `ops-roofline-${idOf(lane.column)}`,
    title: `Roofline of ${lane.name}`,
    about:
      'Each point is an operation at one size: the speed it reaches against its operations per byte. The roofs are the peak and the bandwidth of each level of memory, measured in the same run. Only operations actually executed are counted: where a method needs fewer than the definition, the table says how many.',
    kind: 'lines',
    categories: [],
    x: { title: 'floating-point operations per byte', log: true },
    y: { title: 'GFLOP/s', log: true },
    series: [...roofLines(all, peak, colours), operations],
    marks: [{ name: `peak, ${significant(peak)} GFLOP/s`, value: peak }],
    notes: undrawn(all.map(({ m }) => shareOf(m.roofline))),
    wide: true,
    table: rooflineTable(all, lane),
  };
}

const rooflineShare = (m: Measurement | undefined): Share | undefined => {
  const roofline = valid(m)?.roofline;
  return roofline && shareOf(roofline);
};

/** The share of the roofline that each side reaches, for every operation of one size and pass. */
function shareChart(title: string, cases: readonly Case[]): ChartSpec {
  const lanes = lanesOf(cases);
  const series = drawn(
    lanes.map((lane) => ({
      name: lane.name,
      ...looks(lane),
      points: cases.flatMap((each, i) => {
        const part = rooflineShare(lane.of(each))?.share;
        return part === undefined ? [] : [plainPoint(i, 100 * part)];
      }),
    })),
  );
  return {
    part: title.charAt(0).toUpperCase() + title.slice(1),
    id: `ops-share-${idOf(title)}`,
    title: `Operations, ${title}: share of the roofline`,
    about:
      'The least time that peak and bandwidth allow, as a share of the time taken. Data that fits one cache may come in part from a faster one.',
    kind: 'bars',
    categories: cases.map(({ name, parameters }) => String(parameters.op ?? name)),
    x: { title: '' },
    y: { title: '% of the roofline' },
    series,
    marks: [{ name: '100%', value: 100 }],
    notes: undrawn(cases.flatMap((each) => lanes.map(({ of }) => rooflineShare(of(each))))),
    wide: true,
    table: {
      caption: `Operations, ${title}: time in microseconds with its 95% interval, and the share of the roofline.`,
      columns: [
        'Operation',
        'Shape',
        ...lanes.map(({ column }) => column),
        ...lanes.map(({ column }) => `${column}, share`),
      ],
      rows: cases.map((each) => ({
        void: isVoid(each, lanes),
        cells: [
          String(each.parameters.op ?? each.name),
          String(each.parameters.shape ?? ''),
          ...lanes.map(({ of }) => figureText(of(each))),
          ...lanes.map(({ of }) => shareText(rooflineShare(of(each)))),
        ],
      })),
    },
  };
}

const streams = { read: 'solid', copy: 'dashed', add: 'dotted' } as const;

/** Bandwidth by size of the working set. */
function bandwidthChart(cases: readonly Case[]): ChartSpec | undefined {
  const lanes = lanesOf(cases);
  const series = lanes.flatMap((lane) =>
    Object.entries(streams).flatMap(([metric, pattern]): Series[] => {
      const points = cases.flatMap((each): Point[] => {
        const m = each.metric === metric ? valid(lane.of(each)) : undefined;
        const bytes = each.parameters.bytes;
        if (!m || typeof bytes !== 'number') return [];
        return [pointOf(bytes / 1024, m)];
      });
      return points.length > 0
        ? [{ name: `${lane.name}, ${metric}`, ...looks(lane), pattern, points }]
        : [];
    }),
  );
  if (series.length === 0) return undefined;
  return {
    part: 'Roofline',
    id: 'ops-bandwidth',
    title: 'Bandwidth against the size of the working set',
    about:
      'Read sums an array, copy scales one into another, add sums two into a third. All threads.',
    kind: 'lines',
    categories: [],
    x: { title: 'working set in KiB', log: true },
    y: { title: 'GB/s', log: true },
    series,
    marks: [],
    notes: [],
    wide: true,
    table: {
      caption: 'Bandwidth in GB/s with its 95% interval.',
      columns: ['Case', 'Stream', ...lanes.map(({ column }) => column)],
      rows: cases.map((each) => ({
        cells: [each.name, each.metric, ...lanes.map(({ of }) => figureText(of(each)))],
      })),
    },
  };
}

/** Returns the charts of this suite, and the remaining cases for a table. */
export function opsCharts(cases: readonly Case[]): { charts: ChartSpec[]; rest: Case[] } {
  const lanes = lanesOf(cases);
  const under = cases.filter((each) => lanes.some((lane) => lane.of(each)?.roofline));
  const sweep = cases.filter(
    ({ metric, parameters }) => metric in streams && typeof parameters.bytes === 'number',
  );
  const groups = new Map<string, Case[]>();
  for (const each of under) {
    const title = [each.parameters.size, each.parameters.pass].filter(Boolean).join(', ');
    groups.set(title, [...(groups.get(title) ?? []), each]);
  }
  const shown = new Set([...under, ...sweep]);
  return {
    charts: [
      ...lanes.map((lane) => rooflineChart(under, lane)),
      ...[...groups].map(([title, some]) => shareChart(title, some)),
      bandwidthChart(sweep),
    ].filter((spec) => spec !== undefined),
    rest: cases.filter((each) => !shown.has(each)),
  };
}
