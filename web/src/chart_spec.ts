/** Charts as data: what to draw, and a table of the same figures. `chart_draw` draws them. */
import { significant } from './format.js';
import type { TableData } from './views/table.js';

/** Who measured: side A, B or C of the comparison, or another engine. */
export type LaneRole = 'A' | 'B' | 'C' | 'other';
/** What decides the colour: who measured, a part of a whole, or a line to compare with. */
export type Role = LaneRole | 'part' | 'mark';

export interface Point {
  /** A number on a numeric axis, an index into the categories otherwise. */
  x: number;
  y: number;
  low: number;
  high: number;
  /** Name of a point that is not just one of its series. */
  name?: string;
  /** A remark to show with the figure. */
  note?: string;
  /** What it summarises: the samples, or the medians of rounds. */
  samples?: readonly number[];
}

export interface Series {
  name: string;
  role: Role;
  /** Only for the roles `other` and `part`: its number, from 1. */
  number?: number;
  points: readonly Point[];
  /** Distinguishes lines of the same role. */
  pattern?: 'solid' | 'dashed' | 'dotted';
  /** Draws only the points, or only the line; both if undefined. */
  only?: 'points' | 'line';
  /** A line fitted to another series: thin, and not in the key. */
  fit?: boolean;
}

const sideColours = { A: 'native', B: 'native128', C: 'browser', mark: 'muted' } as const;
const otherColours = 4;

/** The parts of a stack, in an order in which neighbours differ for every kind of colour vision. */
export const partColours = [
  'native',
  'native128',
  'other3',
  'other4',
  'other1',
  'other2',
  'browser',
] as const;

/** Name of the page's colour for a role; other engines and parts share a few colours in turn. */
export function colourName(role: Role, number = 1): string {
  if (role === 'other') return `other${((number - 1) % otherColours) + 1}`;
  if (role === 'part') return partColours[(number - 1) % partColours.length] as string;
  return sideColours[role];
}

/** A reference value: a ceiling, the noise floor, 100%. */
export interface Mark {
  name: string;
  value: number;
}

export interface ChartSpec {
  id: string;
  /** The part of its suite's view that it belongs to. */
  part?: string;
  title: string;
  about: string;
  /** Dots replace bars if values are far apart: a bar on a logarithmic scale has no natural base. In
   * a stack, each series is a part of every bar; in a heat map, it is a row. A `table` has no
   * drawing. */
  kind: 'bars' | 'dots' | 'lines' | 'stacks' | 'heat' | 'table';
  /** Labels of bars and dots, from top to bottom, or of the columns of a heat map. */
  categories: readonly string[];
  x: { title: string; log?: boolean; ticks?: readonly number[] };
  y: { title: string; log?: boolean };
  series: readonly Series[];
  marks: readonly Mark[];
  /** A reference value of each category, which may have none. */
  limits?: { name: string; values: readonly (number | undefined)[] };
  /** Findings in words, such as an exponent. */
  notes: readonly string[];
  table: TableData;
  wide?: boolean;
}

/** A point without an interval. */
export const plainPoint = (x: number, y: number, name?: string): Point => ({
  ...{ x, y, low: y, high: y },
  ...(name ? { name } : {}),
});

/** The fields of a spec that is only a table. */
export const tableOnly = {
  kind: 'table',
  categories: [],
  x: { title: '' },
  y: { title: '' },
  series: [],
  marks: [],
  notes: [],
  wide: true,
} as const;

/** Whether values are so far apart that their axis is logarithmic: over a narrow range it would have
 * no labels. */
export function isWide(values: readonly number[]): boolean {
  const least = Math.min(...values);
  return least > 0 && Math.max(...values) > 8 * least;
}

/** Whether its points belong to categories. */
const isCategorical = ({ kind }: ChartSpec) => kind !== 'lines' && kind !== 'table';

/** The points of a series by place: those of categories in their order, with gaps. */
export function placed(spec: ChartSpec, { points }: Series): readonly (Point | undefined)[] {
  if (!isCategorical(spec)) return points;
  return spec.categories.map((_, i) => points.find(({ x }) => x === i));
}

/** The figure of a point, with its interval. */
export function figureOf({ name: series }: Series, { y, low, high, name, note }: Point): string {
  if (name) return name;
  const interval = low < high ? ` (95% CI ${significant(low)}–${significant(high)})` : '';
  return `${series}: ${significant(y)}${interval}${note ? `, ${note}` : ''}`;
}

/** Where a point is: its category, or its place on the axis. */
export const placeOf = (spec: ChartSpec, { x }: Point): string =>
  isCategorical(spec) ? (spec.categories[x] ?? '') : `${spec.x.title} ${significant(x)}`;

const patternText = { solid: '', dashed: ' (dashed)', dotted: ' (dotted)' };

/** The entries of a chart's key: its series, but for fits and for the rows of a map. */
export const keyOf = ({ kind, series }: ChartSpec): { series: Series; name: string }[] =>
  kind === 'heat'
    ? []
    : series
        .filter(({ fit }) => !fit)
        .map((each) => ({
          series: each,
          name: `${each.name}${patternText[each.pattern ?? 'solid']}`,
        }));

/** The letter or the number of a series. */
export const tagOf = ({ role, number }: Series): string =>
  role === 'mark' ? '–' : String(number ?? role);

/** Whether some points show what they summarise. */
export const hasSamples = ({ kind, series }: ChartSpec): boolean =>
  (kind === 'bars' || kind === 'dots') &&
  series.some(({ points }) => points.some(({ samples }) => samples !== undefined));

/** The ends of an axis of values. */
interface Ends {
  min?: number;
  max?: number;
}

/**
 * Where the axis of values ends if a whisker is so long that nothing else could be told apart:
 * twice as far out as the points are, or ten times on a logarithmic axis. Longer whiskers are drawn
 * up to the edge, without an end.
 */
export function cutOff({ kind, series, marks, y: { log } }: ChartSpec): Ends {
  if (kind === 'stacks' || kind === 'heat') return {};
  const shown = (value: number) => Number.isFinite(value) && (!log || value > 0);
  const points = series.flatMap((each) => each.points).filter(({ y }) => shown(y));
  const values = [...points.map(({ y }) => y), ...marks.map(({ value }) => value).filter(shown)];
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const range = Math.max(0, most) - Math.min(0, least);
  const [min, max] = log
    ? [least / 10, most * 10]
    : [Math.min(0, least) - range, Math.max(0, most) + range];
  return {
    ...(points.some(({ low }) => low < min) ? { min } : {}),
    ...(points.some(({ high }) => high > max) ? { max } : {}),
  };
}

/** The notes of a chart, with one about whiskers that are cut off. */
export const notesOf = (spec: ChartSpec): readonly string[] =>
  Object.keys(cutOff(spec)).length > 0
    ? [
        ...spec.notes,
        'Whiskers that reach the edge of the chart go on beyond it; the table has their ends.',
      ]
    : spec.notes;
