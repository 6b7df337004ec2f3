/** How much faster several threads are than one, from the suite that measures both. */
import { type Case, isUsable, timesAsLong } from './compare.js';
import type { Interval } from './interval.js';

export interface ThreadsGain {
  threads: number;
  /** Time on one thread divided by that on all of them. */
  gain: Interval;
  /** Which case it is of: "784-200, batch 128". */
  where: string;
}

/** The layer with the most work, on one thread and as the plan runs it; undefined if not measured. */
export function threadsGain(cases: readonly Case[]): ThreadsGain | undefined {
  const layers = cases.filter(
    ({ suite, metric, threads, C }) =>
      suite === 'adaptive' && metric === 'layer time' && threads > 1 && isUsable(C),
  );
  const [slowest] = layers
    .filter(({ parameters }) => parameters.mode === 'sequential')
    .sort((a, b) => (b.C?.value ?? 0) - (a.C?.value ?? 0));
  if (!slowest) return undefined;
  const { layer, batch } = slowest.parameters;
  const chosen = layers.find(
    ({ parameters, threads }) =>
      parameters.mode === 'adaptive' &&
      parameters.layer === layer &&
      parameters.batch === batch &&
      threads === slowest.threads,
  );
  const gain = chosen && timesAsLong(slowest.C, chosen.C);
  return gain && { threads: slowest.threads, gain, where: `${layer}, batch ${batch}` };
}
