/** Charts as data: what to draw, and a table of the same figures. `chart_draw` draws them. */
import type { TableData } from './views/table.js';

/** Who measured, which decides the colour: side A, B or C of the comparison, or another engine. */
export type Role = 'A' | 'B' | 'C' | 'other';

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
}

export interface Series {
  name: string;
  role: Role;
  /** Only for the role `other`: its number, from 1. */
  number?: number;
  points: readonly Point[];
  /** Distinguishes lines of the same role. */
  pattern?: 'solid' | 'dashed' | 'dotted';
  /** Draws only the points, or only the line; both if undefined. */
  only?: 'points' | 'line';
}

const sideColours = { A: 'native', B: 'native128', C: 'browser' } as const;
const otherColours = 4;

/** Name of the page's colour for a role; other engines share a few colours in turn. */
export function colourName(role: Role, number = 1): string {
  return role === 'other' ? `other${((number - 1) % otherColours) + 1}` : sideColours[role];
}

/** A reference value: a ceiling, the noise floor, 100%. */
export interface Mark {
  name: string;
  value: number;
}

export interface ChartSpec {
  id: string;
  title: string;
  about: string;
  /** Dots replace bars if values are far apart: a bar on a logarithmic scale has no natural base. A
   * `table` has no drawing. */
  kind: 'bars' | 'dots' | 'lines' | 'table';
  /** Labels of bars and dots, from top to bottom. */
  categories: readonly string[];
  x: { title: string; log?: boolean; ticks?: readonly number[] };
  y: { title: string; log?: boolean };
  series: readonly Series[];
  marks: readonly Mark[];
  /** Findings in words, such as an exponent. */
  notes: readonly string[];
  table: TableData;
  wide?: boolean;
}

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
export function cutOff({ series, marks, y: { log } }: ChartSpec): Ends {
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
