/** Reads what the page needs from a row. */
import type { Measurement, Row } from './rows.js';

export function toMeasurement(_row: Row): Measurement {
  throw new Error('not yet');
}
export function voidRow(row: Row, _reason: string): Row {
  return row;
}
