/** Colours of the cells of a heat map. */
import type { ChartSpec, Point } from './chart_spec.js';
import { colourOf, isLight, type Rgb, scaleOf } from './colour_scale.js';

export interface Shades {
  /** The least and the greatest value. */
  ends: readonly [number, number];
  /** Colours from the least to the greatest. */
  at(share: number): string;
  css(point: Point | undefined): string;
  /** Black or white, whichever can be read on the cell. */
  ink(point: Point): string;
}

const css = ([red, green, blue]: Rgb) => `rgb(${red} ${green} ${blue})`;

/** The colours of a map, on a logarithmic scale if the specification says so. */
export function heatOf({ series, y: { log } }: ChartSpec): Shades {
  const values = series.flatMap(({ points }) => points.map((point) => point.y));
  const of = (value: number) => (log ? Math.log(value) : value);
  const scale = scaleOf(values.map(of));
  const shade = (value: number) => colourOf(of(value), scale);
  return {
    ends: [Math.min(...values), Math.max(...values)],
    at: (share) => css(colourOf(scale.low + share * (scale.high - scale.low), scale)),
    css: (point) => (point ? css(shade(point.y)) : 'transparent'),
    ink: (point) => (isLight(shade(point.y)) ? '#000' : '#fff'),
  };
}
