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
}

export interface Series {
  name: string;
  role: Role;
  points: readonly Point[];
  /** Tells lines of one role apart. */
  pattern?: 'solid' | 'dashed' | 'dotted';
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
  /** A table alone has nothing to draw. */
  kind: 'bars' | 'lines' | 'table';
  /** For bars: what stands at each place, drawn from top to bottom. */
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
