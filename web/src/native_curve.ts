/** The losses of a native run of the same task, to compare with those of this page. */
import type { LearningAbout } from 'parallax-nn/bench';
import { lossPoint } from './loss_curve.js';
import type { ResultSet, Row } from './rows.js';
import type { LossPoint } from './state.js';

/** A native run of the model that is trained here. */
export interface NativeCurve {
  /** "native avx512" */
  engine: string;
  points: readonly LossPoint[];
  /** Whether the engine gives the same bits as every other exact one. */
  exact: boolean;
  /** Whether data, seed and steps are those of this page, so that exact losses must agree. */
  comparable: boolean;
}

/** The fields of a row of the suite `models` that are read; see bench/results.schema.json. */
interface CurveRow {
  suite: string;
  case: string;
  metric: string;
  parameters: Readonly<Record<string, string | number | boolean>>;
  samples: { median: number };
  engine: { kind: string; name: string; isa?: string; exact?: boolean };
  data: { kind: string; seed?: number; source?: string };
  curve?: { step: readonly number[]; loss: readonly number[] };
}

/** Whether the row is for the same model, trained in the same way. */
function isSame({ parameters: p }: CurveRow, about: LearningAbout): boolean {
  return (
    p.task === about.task &&
    p.model === about.model &&
    p.batch === about.batchSize &&
    p.optimizer === about.optimizer
  );
}

/** Whether data and length agree; learning rate and order of samples depend on them. */
function isComparable({ parameters, data }: CurveRow, about: LearningAbout): boolean {
  const real = data.kind === 'real';
  return (
    parameters.steps === about.steps &&
    real === about.data.real &&
    data.source === about.data.source &&
    (real || data.seed === about.data.seed)
  );
}

/** Seconds per step, from another row of the same case. */
function stepSeconds(rows: readonly CurveRow[], of: CurveRow): number {
  const row = rows.find(
    ({ suite, case: name, metric, engine }) =>
      suite === of.suite &&
      name === of.case &&
      metric === 'step time' &&
      engine.kind === of.engine.kind &&
      engine.isa === of.engine.isa,
  );
  return row ? row.samples.median / 1000 : Number.NaN;
}

/**
 * The native run that fits best: preferably comparable, and of an exact engine if this one is
 * exact. Undefined if there is none of the same model.
 */
export function nativeCurve(
  sets: readonly ResultSet[],
  about: LearningAbout,
  exact: boolean,
): NativeCurve | undefined {
  const rows = sets.flatMap(({ rows: some }) => some as readonly Row[]) as unknown as CurveRow[];
  const found = rows.filter(
    (row) =>
      row.suite === 'models' &&
      row.curve &&
      row.engine.kind === 'native' &&
      row.engine.name === 'parallax' &&
      isSame(row, about),
  );
  const worth = (row: CurveRow) =>
    2 * Number(isComparable(row, about)) + Number((row.engine.exact ?? false) === exact);
  const [best] = found.toSorted((a, b) => worth(b) - worth(a));
  if (!best?.curve) return undefined;
  const { step, loss } = best.curve;
  const seconds = stepSeconds(rows, best);
  return {
    engine: `native ${best.engine.isa ?? ''}`.trim(),
    points: step.map((at, i) => lossPoint(at, at * seconds, loss[i] ?? Number.NaN)),
    exact: best.engine.exact ?? false,
    comparable: isComparable(best, about),
  };
}

/** Counts the native losses whose step was reached here, and says if all have the same bits. */
export function compareBits(
  native: NativeCurve,
  losses: ArrayLike<number>,
): { compared: number; equal: boolean } {
  const reached = native.points.filter(({ step }) => step <= losses.length);
  const equal = reached.every(({ step, loss }) => Object.is(losses[step - 1], Math.fround(loss)));
  return { compared: reached.length, equal };
}
