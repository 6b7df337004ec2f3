/** Draws chart specifications with Chart.js. */
import type { ActiveElement, ChartConfiguration, Scale, TooltipItem } from 'chart.js';
import { axis, Chart, colour } from './chart_base.js';
import type { Place } from './chart_places.js';
import {
  cellsPlugin,
  limitsPlugin,
  marksPlugin,
  numbersPlugin,
  samplesPlugin,
} from './chart_plugins.js';
import {
  type ChartSpec,
  colourName,
  cutOff,
  figureOf,
  hasSamples,
  type Point,
  placed,
  type Series,
} from './chart_spec.js';
import { heatOf } from './heat.js';

const dashes = { solid: [], dashed: [7, 4], dotted: [2, 3] };
const shapes = {
  A: 'circle',
  B: 'rect',
  C: 'triangle',
  other: 'rectRot',
  mark: 'line',
} as const;
const partShapes = ['circle', 'rectRot', 'triangle', 'rect'] as const;

/** The shape of the points of a series, so that it is not the colour alone that tells. */
const shapeOf = ({ role, number = 1 }: Series) =>
  role === 'part' ? partShapes[(number - 1) % partShapes.length] : shapes[role];

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

/** The ends of an interval; a single figure has none. */
const whisker = ({ low, high }: Point, along: 'x' | 'y') =>
  low < high ? { [`${along}Min`]: low, [`${along}Max`]: high } : {};

const colourOf = ({ role, number }: Series) => colour(colourName(role, number));

/** Tells the figure under the pointer, or where the keyboard is. */
function tooltip(spec: ChartSpec) {
  return {
    callbacks: {
      label: ({ datasetIndex, dataIndex }: TooltipItem<'bar' | 'scatter'>) => {
        const series = spec.series[datasetIndex];
        const point = series && placed(spec, series)[dataIndex];
        return point ? figureOf(series, point) : '';
      },
    },
  };
}

/** Width in CSS pixels below which names are broken into lines. */
const narrow = 560;
const narrowLabel = 18;

/** Breaks a name at spaces into lines of as many characters as a narrow chart has room for. */
function breakLabel(text: string, width: number): string | string[] {
  const most = Math.max(narrowLabel, width / narrowLabel);
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < most) {
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

/** The axis of the names of bars. */
const namesAxis = {
  grid: { display: false },
  afterFit: makeRoom,
} as const;

const labelsOf = ({ categories }: ChartSpec, width: number) =>
  categories.map((name) => (width < narrow ? breakLabel(name, width) : name));

function bars(spec: ChartSpec, width: number): ChartConfiguration {
  const none = { x: Number.NaN, xMin: Number.NaN, xMax: Number.NaN };
  return {
    type: 'barWithErrorBars',
    data: {
      labels: labelsOf(spec, width),
      datasets: spec.series.map((series) => ({
        label: series.name,
        data: placed(spec, series).map((point) =>
          point ? { x: point.y, ...whisker(point, 'x') } : none,
        ),
        ...errorStyle(colourOf(series)),
        maxBarThickness: 18,
        /* Leaves room for the samples under each bar. */
        ...(hasSamples(spec) ? { barPercentage: 0.6, categoryPercentage: 0.9 } : {}),
        borderRadius: 3,
      })) as never,
    },
    options: {
      indexAxis: 'y',
      layout: { padding: { top: spec.marks.length > 0 ? 14 : 0 } },
      scales: {
        x: axis({ ...spec.y, ...cutOff(spec) }),
        y: {
          ...namesAxis,
          border: { color: colour('line') },
          ticks: { color: colour('text'), autoSkip: false },
        },
      },
      plugins: { tooltip: tooltip(spec) },
    } as never,
    plugins: [marksPlugin(spec.marks, 'x'), limitsPlugin(spec), samplesPlugin(spec)],
  };
}

function stacks(spec: ChartSpec, width: number): ChartConfiguration {
  return {
    type: 'bar',
    data: {
      labels: labelsOf(spec, width),
      datasets: spec.series.map((series) => ({
        label: series.name,
        data: placed(spec, series).map((point) => point?.y ?? null),
        backgroundColor: colourOf(series),
        /* A gap between neighbours, whatever their colours. */
        borderColor: colour('panel'),
        borderWidth: 1,
        maxBarThickness: 26,
      })),
    },
    options: {
      indexAxis: 'y',
      scales: {
        x: { ...axis(spec.y), stacked: true },
        y: {
          ...namesAxis,
          stacked: true,
          border: { color: colour('line') },
          ticks: { color: colour('text'), autoSkip: false },
        },
      },
      plugins: { tooltip: tooltip(spec) },
    } as never,
    plugins: [numbersPlugin(spec)],
  };
}

/** The axis of categories, from top to bottom, for points at 0, 1, 2... */
function places(names: readonly string[], width: number) {
  return {
    type: 'linear',
    reverse: true,
    min: -0.5,
    max: names.length - 0.5,
    ...namesAxis,
    border: { color: colour('line') },
    afterBuildTicks: (scale: { ticks: { value: number }[] }) => {
      scale.ticks = names.map((_, value) => ({ value }));
    },
    ticks: {
      color: colour('text'),
      autoSkip: false,
      callback: (value: string | number) => {
        const name = names[Number(value)] ?? '';
        return width < narrow ? breakLabel(name, width) : name;
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
    data: placed(spec, series).map((point, place) => {
      const y = place + (n > 1 ? dotSpread * (i / (n - 1) - 0.5) : 0);
      return point ? { x: point.y, y, ...whisker(point, 'x') } : { x: Number.NaN, y: Number.NaN };
    }),
    pointStyle: shapeOf(series),
    radius: 6,
    ...errorStyle(colourOf(series)),
  }));
  return {
    type: 'scatterWithErrorBars',
    data: { datasets: datasets as never },
    options: {
      layout: { padding: { top: spec.marks.length > 0 ? 14 : 0 } },
      scales: {
        x: axis({ ...spec.y, log: true, ...cutOff(spec) }),
        y: places(spec.categories, width),
      },
      plugins: { tooltip: tooltip(spec) },
    } as never,
    plugins: [marksPlugin(spec.marks, 'x'), samplesPlugin(spec)],
  };
}

function lineOf(series: Series) {
  return {
    label: series.name,
    data: series.points.map((point) => ({ x: point.x, y: point.y, ...whisker(point, 'y') })),
    showLine: series.only !== 'points',
    borderWidth: series.fit ? 1 : 2,
    borderDash: dashes[series.pattern ?? 'solid'],
    pointStyle: shapeOf(series),
    radius: series.only === 'line' ? 0 : 4,
    ...(series.fit ? { pointHitRadius: 0, pointHoverRadius: 0 } : {}),
    ...errorStyle(colourOf(series)),
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
      plugins: { tooltip: tooltip(spec) },
    } as never,
    plugins: [marksPlugin(spec.marks, 'y')],
  };
}

/** A map as a stack of bars of the same length: the first series is the top row. */
function heat(spec: ChartSpec, width: number): ChartConfiguration {
  const shades = heatOf(spec);
  const names = spec.series.map(({ name }) => name);
  return {
    type: 'bar',
    data: {
      labels: labelsOf(spec, width),
      datasets: spec.series.map((series) => ({
        label: series.name,
        data: placed(spec, series).map((point) => (point ? 1 : null)),
        backgroundColor: placed(spec, series).map((point) => shades.css(point)),
        borderColor: colour('panel'),
        borderWidth: 1,
        barPercentage: 1,
        categoryPercentage: 1,
      })),
    },
    options: {
      scales: {
        x: {
          stacked: true,
          title: { display: spec.x.title !== '', text: spec.x.title, color: colour('muted') },
          grid: { display: false },
          ticks: { color: colour('text'), maxRotation: 0 },
        },
        y: {
          stacked: true,
          reverse: true,
          max: names.length,
          grid: { display: false },
          afterBuildTicks: (scale: { ticks: { value: number }[] }) => {
            scale.ticks = names.map((_, i) => ({ value: i + 0.5 }));
          },
          ticks: {
            color: colour('text'),
            callback: (value: string | number) => names[Math.floor(Number(value))] ?? '',
          },
        },
      },
      plugins: { tooltip: tooltip(spec) },
    } as never,
    plugins: [cellsPlugin(spec, shades)],
  };
}

/** What Chart.js draws for a specification, in a box of this width. */
export function configOf(spec: ChartSpec, width: number): ChartConfiguration {
  switch (spec.kind) {
    case 'bars':
      return bars(spec, width);
    case 'dots':
      return dots(spec, width);
    case 'stacks':
      return stacks(spec, width);
    case 'heat':
      return heat(spec, width);
    default:
      return lines(spec);
  }
}

/** Height of a line of a name, and what a chart needs besides its names, in pixels. */
const [nameLine, besideNames] = [14, 70] as const;

/** The height that names of several lines need, from top to bottom; 0 if there are none. */
function namesHeight(spec: ChartSpec, width: number): number {
  if (spec.kind === 'lines' || spec.kind === 'heat') return 0;
  const lines = labelsOf(spec, width).map((name) => (typeof name === 'string' ? 1 : name.length));
  return spec.categories.length * (nameLine * Math.max(...lines) + 6) + besideNames;
}

/** Draws on the canvas, replacing what was there; its box grows if it is too low for the names. */
export function draw(canvas: HTMLCanvasElement, spec: ChartSpec): void {
  Chart.getChart(canvas)?.destroy();
  const box = canvas.parentElement;
  const width = box?.clientWidth ?? narrow;
  const least = namesHeight(spec, width);
  if (box && box.clientHeight < least) box.style.height = `${least}px`;
  const config = configOf(spec, width);
  new Chart(canvas, { ...config, options: { ...config.options, animation: false } });
}

/** Shows the figure at a place, as the pointer does; none if undefined. */
export function showAt(canvas: HTMLCanvasElement, place: Place | undefined): void {
  const chart = Chart.getChart(canvas);
  const active: ActiveElement[] = [];
  const element = place && chart?.getDatasetMeta(place.series).data[place.index];
  if (element) active.push({ datasetIndex: place.series, index: place.index, element });
  chart?.setActiveElements(active);
  const { x, y } = element?.tooltipPosition(true) ?? { x: 0, y: 0 };
  chart?.tooltip?.setActiveElements(active, { x: x ?? 0, y: y ?? 0 });
  chart?.update('none');
}
