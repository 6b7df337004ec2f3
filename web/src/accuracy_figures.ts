/** Names and bounds of the suite `accuracy`. */
import type { Case } from './compare.js';

/** The metric of a function's largest error. */
export const largest = 'largest error in ULP';

/** The bound of a case: a property of what is computed, or of a plain loop on the same data. */
export const boundOf = ({ A, B, C, others }: Case): number | undefined =>
  [C, A, B, ...others.values()].find((m) => m?.bound !== undefined)?.bound;
