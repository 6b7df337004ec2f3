/** The loss curve of a run in progress, and its smoothing. */
import type { TrainProgress } from 'parallax-nn/bench';
import { type ChartSpec, isWide, plainPoint, type Series } from './chart_spec.js';
import type { LossPoint, TrainingState } from './state.js';

/** The most points of a curve: more than a chart has pixels help nobody. */
const mostPoints = 600;

/** Merges several points into one. */
function merge(points: readonly LossPoint[]): LossPoint {
  const { step, seconds } = points.at(-1)!;
  return {
    step,
    seconds,
    loss: points.reduce((sum, { loss }) => sum + loss, 0) / points.length,
    low: Math.min(...points.map(({ low }) => low)),
    high: Math.max(...points.map(({ high }) => high)),
  };
}

/**
 * A curve of bounded length and even resolution: each point stands for the same number of steps,
 * which doubles whenever there are too many points. A point keeps the range of its losses.
 */
export class LossCurve {
  #points: LossPoint[] = [];
  #stride = 1;
  /** Steps that wait for the next point, and their number. */
  #waiting: LossPoint[] = [];
  #count = 0;

  constructor(readonly most = mostPoints) {}

  add(points: readonly LossPoint[]): void {
    for (const point of points) {
      this.#waiting.push(point);
      this.#count += 1;
      if (this.#count < this.#stride) continue;
      this.#points.push(merge(this.#waiting));
      this.#waiting = [];
      this.#count = 0;
      if (this.#points.length >= this.most) this.#halve();
    }
  }

  #halve(): void {
    const half: LossPoint[] = [];
    for (let i = 0; i + 1 < this.#points.length; i += 2) {
      half.push(merge(this.#points.slice(i, i + 2)));
    }
    /* A last odd point waits for its partner, weighted by the steps that it stands for. */
    if (this.#points.length % 2 === 1) {
      const odd = this.#points.at(-1)!;
      this.#waiting = Array.from({ length: this.#stride }, () => odd);
      this.#count = this.#stride;
    }
    this.#stride *= 2;
    this.#points = half;
  }

  /** Returns a copy, which later points do not change. */
  points(): readonly LossPoint[] {
    return this.#points.slice();
  }
}

/** A point of a single loss. */
export const lossPoint = (step: number, seconds: number, loss: number): LossPoint => ({
  step,
  seconds,
  loss,
  low: loss,
  high: loss,
});

/** The steps since the last report as points, evenly spaced in time. */
export function pointsOf(
  progress: Pick<TrainProgress, 'step' | 'losses' | 'milliseconds'>,
  before: number,
): LossPoint[] {
  const { losses } = progress;
  const first = progress.step - losses.length;
  const now = progress.milliseconds / 1000;
  return Array.from(losses, (loss, i) =>
    lossPoint(first + i + 1, before + ((now - before) * (i + 1)) / losses.length, loss),
  );
}

/**
 * The exponential moving average of the means, corrected for the bias of its start (Kingma and Ba,
 * ICLR 2015, section 3): memory is the weight of the previous average.
 */
export function smooth(points: readonly LossPoint[], memory: number): LossPoint[] {
  let sum = 0;
  let weight = 0;
  return points.map(({ step, seconds, loss }) => {
    sum = memory * sum + (1 - memory) * loss;
    weight = memory * weight + (1 - memory);
    return lossPoint(step, seconds, sum / weight);
  });
}

/** Two points for the range of each point; one where it is a single step. */
export function ranges(points: readonly LossPoint[]): LossPoint[] {
  return points.flatMap(({ step, seconds, low, high }) =>
    low === high
      ? [lossPoint(step, seconds, low)]
      : [lossPoint(step, seconds, high), lossPoint(step, seconds, low)],
  );
}

/** The horizontal axis of the curve, and the memory of its smoothing. */
export interface LossView {
  by: 'step' | 'seconds';
  memory: number;
}

/** The lines of the chart, with the names of the page's colours. */
export const lossLines = {
  raw: { name: 'every step', colour: 'other4', width: 1, dash: [] },
  smooth: { name: 'smoothed', colour: 'browser', width: 2.5, dash: [] },
  held: { name: 'held-out data', colour: 'other2', width: 2, dash: [7, 4] },
  native: { name: 'the native run', colour: 'native', width: 2, dash: [2, 3] },
  /* Equal curves lie on each other: the dashes of one leave the other visible. */
  first: { name: 'the first engine', colour: 'browser', width: 5, dash: [] },
  second: { name: 'the second engine', colour: 'native', width: 2, dash: [7, 4] },
} as const;

export type LossLine = keyof typeof lossLines;

/** The lines that have points to draw. */
export function linesOf(
  { train, held }: Pick<TrainingState, 'train' | 'held'>,
  native: readonly LossPoint[],
  memory: number,
): Map<LossLine, readonly LossPoint[]> {
  const lines = new Map<LossLine, readonly LossPoint[]>();
  if (train.length > 0) lines.set('raw', ranges(train));
  if (train.length > 0 && memory > 0) lines.set('smooth', smooth(train, memory));
  if (held.length > 0) lines.set('held', held);
  if (native.length > 0) lines.set('native', native);
  return lines;
}

/** What the lines are on a chart: their colours are those of the roles. */
const looks: Record<LossLine, Pick<Series, 'role' | 'number' | 'pattern'>> = {
  raw: { role: 'other', number: 4 },
  smooth: { role: 'C' },
  held: { role: 'other', number: 2, pattern: 'dashed' },
  native: { role: 'A', pattern: 'dotted' },
  first: { role: 'B' },
  second: { role: 'A', pattern: 'dashed' },
};

/** The horizontal axis in words. */
export const lossAxes = { step: 'Step', seconds: 'Seconds of training' } as const;

/** All losses of these lines. */
export const lossesOf = (lines: ReadonlyMap<LossLine, readonly LossPoint[]>): number[] =>
  [...lines.values()].flatMap((points) => points.map(({ loss }) => loss));

/** The curve as a chart, for the keyboard and for files. */
export function lossSpec(
  training: Pick<TrainingState, 'train' | 'held' | 'about'>,
  native: readonly LossPoint[],
  { by, memory }: LossView,
  table: ChartSpec['table'],
): ChartSpec {
  const task = training.about?.task ?? 'training';
  const lines = linesOf(training, native, memory);
  const series = [...lines].map(
    ([line, points]): Series => ({
      name: lossLines[line].name,
      ...looks[line],
      points: points.map((point) => plainPoint(point[by], point.loss)),
    }),
  );
  return {
    id: `loss-${task}-by-${by}`,
    title: `Loss of ${task} by ${by === 'step' ? 'step' : 'time'}`,
    about: 'Each point of the curve stands for one or more steps.',
    kind: 'lines',
    categories: [],
    x: { title: lossAxes[by] },
    y: { title: 'Loss', ...(isWide(lossesOf(lines)) ? { log: true } : {}) },
    series,
    marks: [],
    notes: [],
    table,
  };
}
