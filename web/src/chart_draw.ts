/** Draws chart specifications with Chart.js. */
import type { ChartConfiguration, Scale, TooltipItem } from 'chart.js';
import { axis, Chart, colour } from './chart_base.js';
import {
  type ChartSpec,
  colourName,
  cutOff,
  type Mark,
  type Point,
  type Series,
} from './chart_spec.js';
import { significant } from './format.js';

const dashes = { solid: [], dashed: [7, 4], dotted: [2, 3] };
const shapes = { A: 'circle', B: 'rect', C: 'triangle', other: 'rectRot' } as const;

function intervalLabel(item: TooltipItem<'bar' | 'scatter'>, unit: string): string {
  const point = item.raw as Pick<Point, 'low' | 'high' | 'name' | 'note'> & { value: number };
  if (point.name) return point.name;
  const text = `${item.dataset.label}: ${significant(point.value)} ${unit} (95% CI ${significant(
    point.low,
  )}–${significant(point.high)})`;
  return point.note ? `${text}, ${point.note}` : text;
}

/** Draws named lines at given values across the whole chart. */
function marksPlugin(marks: readonly Mark[], across: 'x' | 'y') {
  return {
    id: 'marks',
    afterDatasetsDraw(chart: Chart) {
      const { ctx, chartArea, scales } = chart;
      const scale = scales[across];
      if (!scale) return;
      ctx.save();
      ctx.setLineDash([6, 4]);
      ctx.lineWidth = 1.5;
      ctx.strokeStyle = colour('muted');
      ctx.fillStyle = colour('muted');
      ctx.font = '11px system-ui, sans-serif';
      for (const { name, value } of marks) {
        const at = scale.getPixelForValue(value);
        ctx.beginPath();
        if (across === 'y') {
          if (at < chartArea.top - 1 || at > chartArea.bottom + 1) continue;
          ctx.moveTo(chartArea.left, at);
          ctx.lineTo(chartArea.right, at);
          ctx.textAlign = 'right';
          ctx.fillText(name, chartArea.right - 4, at - 4);
        } else {
          if (at < chartArea.left - 1 || at > chartArea.right + 1) continue;
          ctx.moveTo(at, chartArea.top);
          ctx.lineTo(at, chartArea.bottom);
          ctx.textAlign = 'center';
          ctx.fillText(name, at, chartArea.top - 4);
        }
        ctx.stroke();
      }
      ctx.restore();
    },
  };
}

function errorStyle(base: string) {
  return {
    backgroundColor: base,
    borderColor: base,
    errorBarColor: colour('text'),
    errorBarWhiskerColor: colour('text'),
    errorBarLineWidth: 1.5,
    errorBarWhiskerLineWidth: 1.5,
    errorBarWhiskerSize: 7,
  };
}

function tooltip(unit: string) {
  return {
    callbacks: {
      label: (item: TooltipItem<'bar' | 'scatter'>) => intervalLabel(item, unit),
    },
  };
}

/** Width in CSS pixels below which names are broken into lines. */
const narrow = 560;
const narrowLabel = 18;

/** Breaks a name at spaces into lines of at most `narrowLabel` characters. */
function breakLabel(text: string): string | string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < narrowLabel) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}

/** Room beside the labels of an axis, in pixels: its ticks and the space around labels. */
const besideLabels = 14;

/** Widens an axis to its longest label: Chart.js cuts labels off at half of the chart. */
function makeRoom(scale: Scale): void {
  const { ctx } = scale;
  const { size, family } = Chart.defaults.font;
  ctx.save();
  ctx.font = `${size}px ${family}`;
  const lines = scale.ticks.flatMap(({ label }) => label ?? []);
  const widths = lines.map((line) => ctx.measureText(line).width);
  ctx.restore();
  scale.width = Math.max(scale.width, Math.ceil(Math.max(0, ...widths)) + besideLabels);
}

function bars(spec: ChartSpec, width: number): ChartConfiguration {
  const none = { x: Number.NaN, xMin: Number.NaN, xMax: Number.NaN };
  const byCategory = (points: readonly Point[]) =>
    spec.categories.map((_, i) => {
      const point = points.find(({ x }) => x === i);
      if (!point) return none;
      const { y: value, low, high, note } = point;
      return { x: value, xMin: low, xMax: high, value, low, high, note };
    });
  return {
    type: 'barWithErrorBars',
    data: {
      labels: spec.categories.map((name) => (width < narrow ? breakLabel(name) : name)),
      datasets: spec.series.map((series) => ({
        label: series.name,
        data: byCategory(series.points),
        ...errorStyle(colour(colourName(series.role, series.number))),
        maxBarThickness: 18,
        borderRadius: 3,
      })) as never,
    },
    options: {
      indexAxis: 'y',
      layout: { padding: { top: spec.marks.length > 0 ? 14 : 0 } },
      scales: {
        x: axis({ ...spec.y, ...cutOff(spec) }),
        y: {
          grid: { display: false },
          border: { color: colour('line') },
          afterFit: makeRoom,
          ticks: { color: colour('text'), autoSkip: false },
        },
      },
      plugins: { tooltip: tooltip('') },
    } as never,
    plugins: [marksPlugin(spec.marks, 'x')],
  };
}

/** The axis of categories, from top to bottom, for points at 0, 1, 2... */
function places(names: readonly string[], width: number) {
  return {
    type: 'linear',
    reverse: true,
    min: -0.5,
    max: names.length - 0.5,
    grid: { display: false },
    border: { color: colour('line') },
    afterBuildTicks: (scale: { ticks: { value: number }[] }) => {
      scale.ticks = names.map((_, value) => ({ value }));
    },
    afterFit: makeRoom,
    ticks: {
      color: colour('text'),
      autoSkip: false,
      callback: (value: string | number) => {
        const name = names[Number(value)] ?? '';
        return width < narrow ? breakLabel(name) : name;
      },
    },
  };
}

/** The share of its band that the dots of a category are spread over. */
const dotSpread = 0.6;

function dots(spec: ChartSpec, width: number): ChartConfiguration {
  const n = spec.series.length;
  const datasets = spec.series.map((series, i) => ({
    label: series.name,
    data: series.points.map(({ x: place, y: value, low, high, note }) => ({
      x: value,
      y: place + (n > 1 ? dotSpread * (i / (n - 1) - 0.5) : 0),
      xMin: low,
      xMax: high,
      value,
      low,
      high,
      note,
    })),
    pointStyle: shapes[series.role],
    radius: 6,
    ...errorStyle(colour(colourName(series.role, series.number))),
  }));
  return {
    type: 'scatterWithErrorBars',
    data: { datasets: datasets as never },
    options: {
      scales: {
        x: axis({ ...spec.y, log: true, ...cutOff(spec) }),
        y: places(spec.categories, width),
      },
      plugins: { tooltip: tooltip('') },
    } as never,
    plugins: [marksPlugin(spec.marks, 'x')],
  };
}

function lineOf(series: Series) {
  return {
    label: series.name,
    data: series.points.map(({ x, y, low, high, name, note }) => ({
      x,
      y,
      name,
      note,
      ...(low < high ? { yMin: low, yMax: high } : {}),
      value: y,
      low,
      high,
    })),
    showLine: series.only !== 'points',
    borderWidth: 2,
    borderDash: dashes[series.pattern ?? 'solid'],
    pointStyle: shapes[series.role],
    radius: series.only === 'line' ? 0 : 4,
    ...errorStyle(colour(colourName(series.role, series.number))),
  };
}

function lines(spec: ChartSpec): ChartConfiguration {
  return {
    type: 'scatterWithErrorBars',
    data: { datasets: spec.series.map(lineOf) as never },
    options: {
      scales: {
        x: { ...axis(spec.x), beginAtZero: false },
        y: axis({ ...spec.y, ...cutOff(spec) }),
      },
      plugins: { tooltip: tooltip('') },
    } as never,
    plugins: [marksPlugin(spec.marks, 'y')],
  };
}

function configOf(spec: ChartSpec, width: number): ChartConfiguration {
  switch (spec.kind) {
    case 'bars':
      return bars(spec, width);
    case 'dots':
      return dots(spec, width);
    default:
      return lines(spec);
  }
}

/** Draws on the canvas, replacing what was there. */
export function draw(canvas: HTMLCanvasElement, spec: ChartSpec): void {
  Chart.getChart(canvas)?.destroy();
  const config = configOf(spec, canvas.parentElement?.clientWidth ?? narrow);
  new Chart(canvas, { ...config, options: { ...config.options, animation: false } });
}
