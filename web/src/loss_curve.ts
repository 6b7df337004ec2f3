/** The loss curve as it grows. */
import type { BatchLog } from 'parallax-nn';
import type { LossPoint } from './state.js';

/** The lines of the chart, with the names of the page's colours. */
export const lossSeries = [
  { name: 'training batches', colour: 'native' },
  { name: 'samples held out', colour: 'browser' },
  { name: 'the noise: the least error on samples not seen', colour: 'muted' },
] as const;

/** More points than a chart has pixels help nobody. */
const mostPoints = 600;

/**
 * A curve of bounded length and even resolution: each of its points is the mean of the same number
 * of steps, which doubles whenever there are too many points.
 */
export class LossCurve {
  #points: LossPoint[] = [];
  #stride = 1;
  #sum = 0;
  #count = 0;

  constructor(readonly most = mostPoints) {}

  add(points: readonly LossPoint[]): void {
    for (const { step, seconds, loss } of points) {
      this.#sum += loss;
      this.#count += 1;
      if (this.#count < this.#stride) continue;
      this.#points.push({ step, seconds, loss: this.#sum / this.#count });
      this.#sum = 0;
      this.#count = 0;
      if (this.#points.length >= this.most) this.#halve();
    }
  }

  #halve(): void {
    const half: LossPoint[] = [];
    for (let i = 0; i + 1 < this.#points.length; i += 2) {
      const [a, b] = [this.#points[i]!, this.#points[i + 1]!];
      half.push({ step: b.step, seconds: b.seconds, loss: (a.loss + b.loss) / 2 });
    }
    /* An odd one out waits for its partner. */
    if (this.#points.length % 2 === 1) {
      this.#sum = this.#points.at(-1)!.loss * this.#stride;
      this.#count = this.#stride;
    }
    this.#stride *= 2;
    this.#points = half;
  }

  /** A copy, which later points do not change. */
  points(): readonly LossPoint[] {
    return this.#points.slice();
  }
}

/** The steps since the last report as points, with the time between shared out evenly. */
export function pointsOf(log: BatchLog, before: number): LossPoint[] {
  const first = log.step - log.losses.length;
  const now = log.milliseconds / 1000;
  return Array.from(log.losses, (loss, i) => ({
    step: first + i + 1,
    seconds: before + ((now - before) * (i + 1)) / log.losses.length,
    loss,
  }));
}
