/** How much faster more threads are, beside what is ideal, where files have several counts. */
import { type ChartSpec, type Point, plainPoint, type Series } from './chart_spec.js';
import { type Case, speedCases, timesAsLong } from './compare.js';
import { percent, significant } from './format.js';
import { geometricMean, type Interval } from './interval.js';
import { type Lane, lanesOf, looks } from './lanes.js';

const keyOf = ({ suite, title, metric }: Case) => [suite, title, metric].join('\u0002');

/** Cases that differ in the number of threads alone, each group with the fewest first. */
function groupsOf(cases: readonly Case[]): Case[][] {
  const groups = new Map<string, Case[]>();
  for (const each of speedCases(cases)) {
    groups.set(keyOf(each), [...(groups.get(keyOf(each)) ?? []), each]);
  }
  return [...groups.values()]
    .filter((some) => some.length > 1)
    .map((some) => some.toSorted((a, b) => a.threads - b.threads));
}

/** The speed-up of a case on one side, from its fewest threads. */
interface Gain {
  title: string;
  threads: number;
  /** Ideal: as many times as there are more threads. */
  ideal: number;
  gain: Interval;
}

function gainsOf(groups: readonly Case[][], lane: Lane): Gain[] {
  return groups.flatMap(([first, ...more]) =>
    more.flatMap((each) => {
      const gain = first && timesAsLong(lane.of(first), lane.of(each));
      if (!gain) return [];
      return [
        { title: each.title, threads: each.threads, ideal: each.threads / first.threads, gain },
      ];
    }),
  );
}

function lineOf(lane: Lane, gains: readonly Gain[], fewest: number): Series {
  const counts = [...new Set(gains.map(({ threads }) => threads))].sort((a, b) => a - b);
  const means = counts.map((threads): Point => {
    const { value, low, high } = geometricMean(
      gains.filter((each) => each.threads === threads).map(({ gain }) => gain),
    );
    return { x: threads, y: value, low, high };
  });
  return { name: lane.name, ...looks(lane), points: [plainPoint(fewest, 1), ...means] };
}

const rangeText = ({ value, low, high }: Interval) =>
  `${significant(value)} (${significant(low)}–${significant(high)})`;

/** Speed-up against threads, with the ideal line; undefined with one number of threads. */
export function scalingChart(cases: readonly Case[]): ChartSpec | undefined {
  const groups = groupsOf(cases);
  const sides = lanesOf(groups.flat()).filter(({ role }) => role !== 'other');
  const measured = sides
    .map((lane) => ({ lane, gains: gainsOf(groups, lane) }))
    .filter(({ gains }) => gains.length > 0);
  if (measured.length === 0) return undefined;
  const counts = groups.flat().map(({ threads }) => threads);
  const [fewest, most] = [Math.min(...counts), Math.max(...counts)];
  const ideal = [fewest, most].map((threads) => plainPoint(threads, threads / fewest));
  return {
    id: 'threads',
    title: 'Speed-up by number of threads',
    about:
      'Geometric means over the cases that were measured with several numbers of threads, with their 95% intervals. The dashed line is ideal: twice the threads, half the time.',
    kind: 'lines',
    categories: [],
    x: { title: 'threads', ticks: [...new Set(counts)] },
    y: { title: 'times as fast' },
    series: [
      { name: 'ideal', role: 'mark', pattern: 'dashed', only: 'line', points: ideal },
      ...measured.map(({ lane, gains }) => lineOf(lane, gains, fewest)),
    ],
    marks: [],
    notes: [],
    table: {
      caption: 'Times as fast as with the fewest threads, and the share of the ideal.',
      columns: ['Case', 'Engine', 'Threads', 'Times as fast', 'Efficiency'],
      rows: measured.flatMap(({ lane, gains }) =>
        gains.map(({ title, threads, ideal: best, gain }) => ({
          cells: [title, lane.column, String(threads), rangeText(gain), percent(gain.value / best)],
        })),
      ),
    },
  };
}
