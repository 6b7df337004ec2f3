/** The loss during training, by step or by time: every step, smoothed, and that of a native run. */
import { axis, Chart, colour } from './chart_base.js';
import { isWide } from './chart_spec.js';
import { significant } from './format.js';
import {
  type LossLine,
  type LossView,
  linesOf,
  lossAxes,
  lossesOf,
  lossLines,
} from './loss_curve.js';
import type { LossPoint, TrainingState } from './state.js';

export interface LossChart {
  /** native: the losses of a native run; may be empty. */
  show(
    training: Pick<TrainingState, 'train' | 'held'>,
    native: readonly LossPoint[],
    view: LossView,
  ): void;
  /** Draws these lines. */
  draw(lines: ReadonlyMap<LossLine, readonly LossPoint[]>, by: LossView['by']): void;
}

function dataset(kind: LossLine, points: readonly LossPoint[], by: LossView['by']) {
  const { name, colour: hue, width, dash } = lossLines[kind];
  return {
    label: name,
    data: points.map((point) => ({ x: point[by], y: point.loss })),
    showLine: true,
    borderColor: colour(hue),
    backgroundColor: colour(hue),
    borderWidth: width,
    borderDash: [...dash],
    pointRadius: kind === 'held' || points.length === 1 ? 3 : 0,
    pointHitRadius: 6,
    /* A lower order is drawn on top. */
    order: { smooth: 0, held: 1, native: 2, raw: 3, second: 0, first: 1 }[kind],
  };
}

/** Creates a chart on this canvas, empty at first. */
export function createLossChart(canvas: HTMLCanvasElement): LossChart {
  const chart = new Chart(canvas, { type: 'scatter', data: { datasets: [] } });
  return {
    show(training, native, { by, memory }) {
      this.draw(linesOf(training, native, memory), by);
    },
    draw(all, by) {
      const lines = [...all];
      chart.data.datasets = lines.map(([kind, points]) => dataset(kind, points, by));
      const last = Math.max(...lines.map(([, points]) => points.at(-1)?.[by] || 0));
      const log = isWide(lossesOf(all));
      chart.options = {
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        scales: {
          x: { ...axis({ title: lossAxes[by] }), max: last },
          y: { ...axis({ title: 'Loss', ...(log ? { log } : {}) }), beginAtZero: false },
        },
        plugins: {
          tooltip: {
            callbacks: {
              label: ({ dataset: { label }, parsed }) =>
                `${label}: ${significant(parsed.y ?? Number.NaN)}`,
            },
          },
        },
      };
      chart.update();
    },
  };
}
