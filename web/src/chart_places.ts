/** Moving through the points of a chart with the keyboard. */
import {
  type ChartSpec,
  figureOf,
  type Point,
  placed,
  placeOf,
  type Series,
} from './chart_spec.js';

/** A point by the number of its series and its place in that. */
export interface Place {
  series: number;
  index: number;
}

type Step = 'next' | 'previous' | 'down' | 'up' | 'first' | 'last';

/** Bars lie from top to bottom, so that down leads to the next category; elsewhere right does. */
function stepOf({ kind }: ChartSpec, key: string): Step | undefined {
  const upright = kind === 'lines' || kind === 'heat';
  const [next, previous, down, up] = upright
    ? ['ArrowRight', 'ArrowLeft', 'ArrowDown', 'ArrowUp']
    : ['ArrowDown', 'ArrowUp', 'ArrowRight', 'ArrowLeft'];
  const steps: Record<string, Step> = { Home: 'first', End: 'last' };
  for (const [name, step] of [
    [next, 'next'],
    [previous, 'previous'],
    [down, 'down'],
    [up, 'up'],
  ] as const)
    if (name) steps[name] = step;
  return steps[key];
}

const pointsAt = (spec: ChartSpec, i: number): readonly (Point | undefined)[] => {
  const series = spec.series[i];
  return series && !series.fit ? placed(spec, series) : [];
};

/** The nearest place with a point, beginning at from, in this direction. */
function search(
  points: readonly (Point | undefined)[],
  from: number,
  by: 1 | -1,
): number | undefined {
  for (let i = from; i >= 0 && i < points.length; i += by) if (points[i]) return i;
  return undefined;
}

/** The next series with points, and its point nearest to this place. */
function across(spec: ChartSpec, at: Place, by: 1 | -1): Place | undefined {
  for (let i = at.series + by; i >= 0 && i < spec.series.length; i += by) {
    const points = pointsAt(spec, i);
    const start = Math.min(at.index, points.length - 1);
    const index = search(points, start, 1) ?? search(points, start, -1);
    if (index !== undefined) return { series: i, index };
  }
  return undefined;
}

const firstOf = (spec: ChartSpec) => across(spec, { series: -1, index: 0 }, 1);

/**
 * Where a key leads from a place; undefined if it has no meaning here. At an end the place stays; the
 * first key leads to the first point.
 */
export function moved(spec: ChartSpec, at: Place | undefined, key: string): Place | undefined {
  const step = stepOf(spec, key);
  if (!step) return undefined;
  if (!at) return firstOf(spec);
  const points = pointsAt(spec, at.series);
  const within = (index: number | undefined) => ({ series: at.series, index: index ?? at.index });
  switch (step) {
    case 'next':
      return within(search(points, at.index + 1, 1));
    case 'previous':
      return within(search(points, at.index - 1, -1));
    case 'first':
      return within(search(points, 0, 1));
    case 'last':
      return within(search(points, points.length - 1, -1));
    case 'down':
      return across(spec, at, 1) ?? at;
    case 'up':
      return across(spec, at, -1) ?? at;
  }
}

/** The point at a place in words, for screen readers. */
export function wordsAt(spec: ChartSpec, { series: i, index }: Place): string {
  const series = spec.series[i] as Series;
  const points = placed(spec, series);
  const point = points[index];
  if (!point) return '';
  return `${placeOf(spec, point)}. ${figureOf(series, point)}. ${index + 1} of ${points.length}.`;
}
