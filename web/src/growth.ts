/** How figures grow: power laws, as lines and in words. */
import { plainPoint, type Series } from './chart_spec.js';
import { significant } from './format.js';
import { powerLaw } from './interval.js';
import { intervalText } from './verdict.js';

export interface Growth {
  /** A line for each series that has enough points. */
  fits: readonly Series[];
  notes: readonly string[];
}

/** Power laws of these series against a parameter. */
export function growthOf(series: readonly Series[], along: string): Growth {
  const found = series.flatMap((each) => {
    const law = powerLaw(each.points);
    return law ? [{ each, law }] : [];
  });
  return {
    fits: found.map(({ each: { name, role, number, points }, law }) => {
      const xs = points.map(({ x }) => x);
      return {
        name,
        role,
        ...(number ? { number } : {}),
        pattern: 'dotted',
        only: 'line',
        fit: true,
        points: [Math.min(...xs), Math.max(...xs)].map((x) => plainPoint(x, law.at(x))),
      };
    }),
    notes: found.map(({ each: { name, role }, law: { exponent } }) => {
      const who = role === 'other' ? name : role;
      return `${who} grows as ${along} to the power ${significant(exponent.value)} (${intervalText(exponent, significant)}).`;
    }),
  };
}

/** What is added to the words about a chart with such lines. */
export const fitsText = ({ fits }: Growth): string =>
  fits.length > 0 ? ' Thin dotted lines are fitted power laws.' : '';
