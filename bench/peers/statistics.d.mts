/** The types of statistics.mjs, for the page. */
export interface Summary {
  count: number;
  median: number;
  p10: number;
  p90: number;
  /** 95% interval of the median. */
  low: number;
  high: number;
}
export function quantile(sorted: readonly number[], q: number): number;
export function summarise(values: readonly number[]): Summary;
