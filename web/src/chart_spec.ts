/** Charts as data: what to draw, and the table that says the same. Drawn by chart_draw. */
import type { TableData } from './views/table.js';

/** Who measured, and so which colour: A, B, C of the comparison, or another engine. */
export type Role = 'A' | 'B' | 'C' | 'other';

export interface Point {
  /** A number on a numeric axis, an index into the categories otherwise. */
  x: number;
  y: number;
  low: number;
  high: number;
  /** Of a point that stands for something of its own. */
  name?: string;
  /** To be known beside the figure. */
  note?: string;
}

export interface Series {
  name: string;
  role: Role;
  /** Of the role other: which of them, from 1. */
  number?: number;
  points: readonly Point[];
  /** Tells lines of one role apart. */
  pattern?: 'solid' | 'dashed' | 'dotted';
  /** A line through its points, unless it is only the points, or only the line. */
  only?: 'points' | 'line';
}

const sideColours = { A: 'native', B: 'native128', C: 'browser' } as const;
const otherColours = 4;

/** Name of the page's colour for a role; other engines take turns. */
export function colourName(role: Role, number = 1): string {
  return role === 'other' ? `other${((number - 1) % otherColours) + 1}` : sideColours[role];
}

/** A value to compare with: a ceiling, the noise floor, 100%. */
export interface Mark {
  name: string;
  value: number;
}

export interface ChartSpec {
  id: string;
  title: string;
  about: string;
  /** Dots stand for bars where values are far apart: a bar on a logarithmic scale has no foot. A table
   * alone has nothing to draw. */
  kind: 'bars' | 'dots' | 'lines' | 'table';
  /** For bars and dots: what stands at each place, drawn from top to bottom. */
  categories: readonly string[];
  x: { title: string; log?: boolean; ticks?: readonly number[] };
  y: { title: string; log?: boolean };
  series: readonly Series[];
  marks: readonly Mark[];
  /** Findings in words: an exponent, a crossing point. */
  notes: readonly string[];
  table: TableData;
  wide?: boolean;
}

/** The fields of what has nothing to draw. */
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
