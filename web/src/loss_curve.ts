/** The loss curve as it grows. */
import type { BatchLog } from 'parallax-nn';
import type { LossPoint } from './state.js';

/** Points kept of a curve: more than a chart has pixels. */
const mostPoints = 600;

/** Halves a curve that has grown too long: neighbours are averaged, so its shape stays. */
export function thin(points: readonly LossPoint[], most = mostPoints): readonly LossPoint[] {
  if (points.length <= most) return points;
  const half: LossPoint[] = [];
  for (let i = 0; i + 1 < points.length; i += 2) {
    const [a, b] = [points[i]!, points[i + 1]!];
    half.push({ step: b.step, seconds: b.seconds, loss: (a.loss + b.loss) / 2 });
  }
  if (points.length % 2 === 1) half.push(points.at(-1)!);
  return thin(half, most);
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
