/** The loss while training: by step or by time, with the least that the noise allows. */
import { axis, Chart, colour } from './chart_base.js';
import { significant } from './format.js';
import { lossSeries } from './loss_curve.js';
import type { LossPoint, TrainingState } from './state.js';

export interface LossChart {
  show(training: TrainingState, by: 'step' | 'seconds'): void;
}

const titles = { step: 'Step', seconds: 'Seconds' };

type Points = readonly Pick<LossPoint, 'step' | 'seconds' | 'loss'>[];

function line(series: (typeof lossSeries)[number], points: Points, by: 'step' | 'seconds') {
  const reference = series.colour === 'muted';
  return {
    label: series.name,
    data: points.map((point) => ({ x: point[by], y: point.loss })),
    showLine: true,
    borderColor: colour(series.colour),
    backgroundColor: colour(series.colour),
    borderWidth: reference ? 1.5 : 2,
    borderDash: reference ? [6, 5] : [],
    pointRadius: 0,
    pointHitRadius: 6,
  };
}

/** A chart on this canvas, empty at first. */
export function createLossChart(canvas: HTMLCanvasElement): LossChart {
  const chart = new Chart(canvas, { type: 'scatter', data: { datasets: [] } });
  return {
    show(training, by) {
      const last = training.train.at(-1)?.[by] ?? 1;
      const floor = training.floor ?? Number.NaN;
      const ends = [0, last].map((x) => ({ step: x, seconds: x, loss: floor }));
      const curves: Points[] = [training.train, training.held, ends];
      chart.data.datasets = lossSeries.map((series, i) => line(series, curves[i] ?? [], by));
      chart.options = {
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        scales: {
          x: { ...axis({ title: titles[by] }), max: last },
          y: axis({ title: 'Loss (mean squared error)', log: true }),
        },
        plugins: {
          tooltip: {
            callbacks: {
              label: ({ dataset, parsed }) =>
                `${dataset.label}: ${significant(parsed.y ?? Number.NaN)}`,
            },
          },
        },
      };
      chart.update();
    },
  };
}
