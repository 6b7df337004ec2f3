/** The parts of Chart.js that this page uses, in the colours of the page. Only the chart modules
 * import this, and they load with the first chart, so that the engine does not wait for them. */
import {
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  LinearScale,
  LineElement,
  LogarithmicScale,
  PointElement,
  ScatterController,
  Tooltip,
} from 'chart.js';
import {
  BarWithErrorBar,
  BarWithErrorBarsController,
  PointWithErrorBar,
  ScatterWithErrorBarsController,
} from 'chartjs-chart-error-bars';
import { significant } from './format.js';

Chart.register(
  BarController,
  BarElement,
  BarWithErrorBar,
  BarWithErrorBarsController,
  CategoryScale,
  LinearScale,
  LineElement,
  LogarithmicScale,
  PointElement,
  PointWithErrorBar,
  ScatterController,
  ScatterWithErrorBarsController,
  Tooltip,
);
Chart.defaults.font.family = 'system-ui, sans-serif';
Chart.defaults.maintainAspectRatio = false;
Chart.defaults.responsive = true;
if (matchMedia('(prefers-reduced-motion: reduce)').matches) Chart.defaults.animation = false;

export { Chart };

/** A colour of the page's theme, resolved to a value that a canvas accepts. */
export function colour(name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  return resolved;
}

/** A label of a logarithmic axis: only 1, 2 and 5 times a power of ten have one. */
function logLabel(value: number): string | null {
  const digit = Number(value.toExponential().charAt(0));
  const exact = Math.abs(value / 10 ** Math.floor(Math.log10(value) + 1e-9) - digit) < 1e-6;
  return exact && [1, 2, 5].includes(digit) ? significant(value) : null;
}

export interface AxisSpec {
  title: string;
  log?: boolean;
  /** Values to label; chosen by the axis if undefined. */
  ticks?: readonly number[];
  /** Ends of the axis; chosen from the values if undefined. */
  min?: number;
  max?: number;
}

/** Options of a numeric axis. */
export function axis({ title, log, ticks, ...ends }: AxisSpec) {
  const muted = colour('muted');
  return {
    type: log ? ('logarithmic' as const) : ('linear' as const),
    title: { display: true, text: title, color: muted },
    grid: { color: colour('line') },
    border: { color: colour('line') },
    beginAtZero: !log,
    ...ends,
    ...(ticks
      ? {
          afterBuildTicks: (scale: { ticks: { value: number }[] }) => {
            scale.ticks = ticks.map((value) => ({ value }));
          },
        }
      : {}),
    ticks: {
      color: muted,
      maxRotation: 0,
      callback: (value: string | number) =>
        log && !ticks ? logLabel(Number(value)) : significant(Number(value)),
    },
  };
}
