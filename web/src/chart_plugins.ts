/** What Chart.js does not draw: marks, limits, strips of samples, numbers in bars and cells. */
import type { Chart as ChartType } from 'chart.js';
import { colour } from './chart_base.js';
import { type ChartSpec, colourName, type Mark, placed } from './chart_spec.js';
import { significant } from './format.js';
import type { Shades } from './heat.js';

const font = '11px system-ui, sans-serif';

/** Where a bar or a dot lies; the height is that of a bar. */
interface Box {
  x: number;
  y: number;
  width?: number;
  height?: number;
}

const boxAt = (chart: ChartType, series: number, index: number): Box | undefined =>
  chart.getDatasetMeta(series).data[index] as unknown as Box | undefined;

/** Calls draw within the area of the chart, and then restores the state of its context. */
function inside(chart: ChartType, draw: (ctx: CanvasRenderingContext2D) => void): void {
  const { ctx, chartArea } = chart;
  ctx.save();
  ctx.beginPath();
  ctx.rect(chartArea.left, chartArea.top, chartArea.width, chartArea.height);
  ctx.clip();
  draw(ctx);
  ctx.restore();
}

/** Writes text that lines behind it do not cross out. */
function label(ctx: CanvasRenderingContext2D, text: string, x: number, y: number): void {
  ctx.save();
  ctx.setLineDash([]);
  ctx.lineWidth = 4;
  ctx.lineJoin = 'round';
  ctx.strokeStyle = colour('panel');
  ctx.strokeText(text, x, y);
  ctx.restore();
  ctx.fillText(text, x, y);
}

/** Draws named lines at given values across the whole chart. */
export function marksPlugin(marks: readonly Mark[], across: 'x' | 'y') {
  return {
    id: 'marks',
    afterDatasetsDraw(chart: ChartType) {
      const { ctx, chartArea, scales } = chart;
      const scale = scales[across];
      if (!scale) return;
      ctx.save();
      ctx.setLineDash([6, 4]);
      ctx.lineWidth = 1.5;
      ctx.strokeStyle = colour('muted');
      ctx.fillStyle = colour('muted');
      ctx.font = font;
      for (const { name, value } of marks) {
        const at = scale.getPixelForValue(value);
        ctx.beginPath();
        if (across === 'y') {
          if (at < chartArea.top - 1 || at > chartArea.bottom + 1) continue;
          ctx.moveTo(chartArea.left, at);
          ctx.lineTo(chartArea.right, at);
          ctx.textAlign = 'right';
          label(ctx, name, chartArea.right - 4, at - 4);
        } else {
          if (at < chartArea.left - 1 || at > chartArea.right + 1) continue;
          ctx.moveTo(at, chartArea.top);
          ctx.lineTo(at, chartArea.bottom);
          ctx.textAlign = 'center';
          label(ctx, name, at, chartArea.top - 4);
        }
        ctx.stroke();
      }
      ctx.restore();
    },
  };
}

/** Draws the limit of each category across its bars. */
export function limitsPlugin({ limits, categories }: ChartSpec) {
  return {
    id: 'limits',
    afterDatasetsDraw(chart: ChartType) {
      const { x, y } = chart.scales;
      if (!limits || !x || !y) return;
      const half = (0.45 * y.height) / categories.length;
      inside(chart, (ctx) => {
        ctx.lineWidth = 2;
        ctx.strokeStyle = colour('text');
        for (const [i, value] of limits.values.entries()) {
          if (value === undefined) continue;
          /* A limit of 0 lies on the axis, half of it outside. */
          const at = Math.max(x.left + 1, x.getPixelForValue(value));
          const middle = y.getPixelForValue(i);
          ctx.beginPath();
          ctx.moveTo(at, middle - half);
          ctx.lineTo(at, middle + half);
          ctx.stroke();
        }
      });
    },
  };
}

/** Length of the ticks of a strip, and their distance from the bar or dot, in pixels. */
const [tickLength, tickWidth, tickGap, dotRadius] = [5, 1.5, 1, 6] as const;

/** Draws a tick for each sample under its bar or dot. */
export function samplesPlugin(spec: ChartSpec) {
  return {
    id: 'samples',
    afterDatasetsDraw(chart: ChartType) {
      const { x } = chart.scales;
      if (!x) return;
      inside(chart, (ctx) => {
        ctx.lineWidth = tickWidth;
        for (const [i, series] of spec.series.entries()) {
          ctx.strokeStyle = colour(colourName(series.role, series.number));
          ctx.beginPath();
          for (const [index, point] of placed(spec, series).entries()) {
            const { samples } = point ?? {};
            const box = samples && boxAt(chart, i, index);
            if (!box) continue;
            const half = box.height === undefined ? dotRadius : box.height / 2;
            const top = box.y + half + tickGap;
            for (const sample of samples) {
              const at = x.getPixelForValue(sample);
              ctx.moveTo(at, top);
              ctx.lineTo(at, top + tickLength);
            }
          }
          ctx.stroke();
        }
      });
    },
  };
}

/** Least width in pixels of a part that has room for its number. */
const numbered = 14;

/** Writes the number of each part of a stack on it, so that it is not the colour alone that tells. */
export function numbersPlugin(spec: ChartSpec) {
  return {
    id: 'numbers',
    afterDatasetsDraw(chart: ChartType) {
      inside(chart, (ctx) => {
        ctx.font = `bold ${font}`;
        ctx.textAlign = 'center';
        ctx.textBaseline = 'middle';
        ctx.fillStyle = colour('on-tag');
        for (const [i, { number = i + 1 }] of spec.series.entries()) {
          for (let index = 0; index < spec.categories.length; index++) {
            const box = boxAt(chart, i, index);
            const width = box?.width ?? 0;
            if (box && width >= numbered) ctx.fillText(String(number), box.x - width / 2, box.y);
          }
        }
      });
    },
  };
}

/** Writes the value into each cell of a map that has room for it. */
export function cellsPlugin(spec: ChartSpec, shades: Shades) {
  return {
    id: 'cells',
    afterDatasetsDraw(chart: ChartType) {
      inside(chart, (ctx) => {
        ctx.font = font;
        ctx.textAlign = 'center';
        ctx.textBaseline = 'middle';
        for (const [i, series] of spec.series.entries()) {
          for (const [index, point] of placed(spec, series).entries()) {
            const box = point && boxAt(chart, i, index);
            if (!box) continue;
            const text = significant(point.y);
            const { width = 0, height = 0 } = box;
            if (ctx.measureText(text).width > width - 4 || height < 14) continue;
            ctx.fillStyle = shades.ink(point);
            ctx.fillText(text, box.x, middleOf(chart, box));
          }
        }
      });
    },
  };
}

/** The middle of a cell, whose `y` is its end away from the first row. */
function middleOf(chart: ChartType, { y, height = 0 }: Box): number {
  const { y: scale } = chart.scales;
  return scale?.options.reverse ? y - height / 2 : y + height / 2;
}
