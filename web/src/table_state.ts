/** The state of the view that learns from a table of the user's. */
import type { LossPoint } from './state.js';
import type { Column } from './table_columns.js';
import type { Encoding } from './table_data.js';
import type { Table } from './table_file.js';
import type { NamedWeights } from './trained_model.js';

/** A held-out row: its line, what it has and what was predicted, in units of the target. */
export interface FitPoint {
  line: number;
  actual: number;
  predicted: number;
}

/** What was learnt, and how well it predicts the rows that were held out. */
export interface TableResult {
  encoding: Encoding;
  network: NamedWeights;
  trained: number;
  held: number;
  epochs: number;
  batch: number;
  seed: number;
  losses: readonly number[];
  /** Of a target of numbers. */
  fit?: { rmse: number; r2: number; points: readonly FitPoint[] };
  /** Of classes: counts by label and prediction. */
  classes?: { accuracy: number; most: number; confusion: readonly (readonly number[])[] };
}

export interface TableState {
  phase:
    | 'empty'
    | 'reading'
    | 'ready'
    | 'preparing'
    | 'running'
    | 'pausing'
    | 'paused'
    | 'done'
    | 'stopped';
  /** What is wrong with the table, the settings or the training. */
  message?: string;
  table?: Table;
  columns: readonly Column[];
  /** What became of columns and rows in the last training. */
  notes: readonly string[];
  step: number;
  steps: number;
  seconds: number;
  train: readonly LossPoint[];
  held: readonly LossPoint[];
  result?: TableResult;
  /** New rows with their predictions. */
  predicted?: { columns: readonly string[]; rows: readonly (readonly string[])[] };
  predictMessage?: string;
}

export const emptyTable: TableState = {
  phase: 'empty',
  columns: [],
  notes: [],
  step: 0,
  steps: 0,
  seconds: 0,
  train: [],
  held: [],
};

export const isTableActive = ({ phase }: Pick<TableState, 'phase'>): boolean =>
  ['preparing', 'running', 'pausing', 'paused'].includes(phase);
