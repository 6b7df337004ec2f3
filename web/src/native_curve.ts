/** The losses of a native run of the same task, to lay beside those of this page. */
import type { LearningAbout } from 'parallax-nn';
import type { Row } from './rows.js';
import type { LossPoint } from './state.js';

/** A native run of what is trained here. */
export interface NativeCurve {
  /** "native avx512" */
  engine: string;
  points: readonly LossPoint[];
  /** Whether losses have the same bits here; undefined where that cannot be told yet. */
  bits?: 'equal' | 'different';
}

/** The best of the rows for this run; undefined when none is of the same task. */
export function nativeCurve(_rows: readonly Row[], _about: LearningAbout): NativeCurve | undefined {
  return undefined;
}
