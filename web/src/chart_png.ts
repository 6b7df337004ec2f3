/** A chart as a picture: its title, the key, what is drawn, and the notes. */
import { Chart, colour } from './chart_base.js';
import { configOf } from './chart_draw.js';
import { type ChartSpec, colourName, keyOf, notesOf, tagOf } from './chart_spec.js';
import { drawnHeight, usualHeight } from './parts.js';

/** Width of the picture in pixels, before they are doubled for sharp print. */
const width = 1000;
const sharpness = 2;
const margin = 24;
const lineHeight = 20;
const family = 'system-ui, sans-serif';

/** Breaks text into lines that fit. */
function linesOf(ctx: CanvasRenderingContext2D, text: string, most: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    const longer = last === undefined ? word : `${last} ${word}`;
    if (last !== undefined && ctx.measureText(longer).width <= most)
      lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** A piece of the picture: how tall it is, and how to draw it from a place on. */
interface Piece {
  height: number;
  draw(top: number): void;
}

function textPiece(
  ctx: CanvasRenderingContext2D,
  text: string,
  font: string,
  colourOf: string,
): Piece {
  ctx.font = font;
  const lines = linesOf(ctx, text, width - 2 * margin);
  return {
    height: lines.length * lineHeight + 6,
    draw(top) {
      ctx.font = font;
      ctx.fillStyle = colour(colourOf);
      for (const [i, line] of lines.entries())
        ctx.fillText(line, margin, top + (i + 0.75) * lineHeight);
    },
  };
}

/** The key, one entry a line: a tag in its colour, with its letter or number. */
function keyPiece(ctx: CanvasRenderingContext2D, spec: ChartSpec): Piece {
  const entries = keyOf(spec);
  return {
    height: entries.length * lineHeight + 8,
    draw(top) {
      for (const [i, entry] of entries.entries()) {
        const y = top + i * lineHeight;
        ctx.fillStyle = colour(colourName(entry.series.role, entry.series.number));
        ctx.fillRect(margin, y + 2, 18, 16);
        ctx.font = `bold 12px ${family}`;
        ctx.fillStyle = colour('on-tag');
        ctx.textAlign = 'center';
        ctx.fillText(tagOf(entry.series), margin + 9, y + 14.5);
        ctx.textAlign = 'left';
        ctx.font = `13px ${family}`;
        ctx.fillStyle = colour('text');
        ctx.fillText(entry.name, margin + 26, y + 14.5);
      }
    },
  };
}

function drawingPiece(ctx: CanvasRenderingContext2D, spec: ChartSpec): Piece {
  const height = drawnHeight(spec) ?? usualHeight;
  const inner = width - 2 * margin;
  return {
    height,
    draw(top) {
      const canvas = document.createElement('canvas');
      canvas.width = inner;
      canvas.height = height;
      const config = configOf(spec, inner);
      const options = { ...config.options, responsive: false, animation: false as const };
      const chart = new Chart(canvas, {
        ...config,
        options: { ...options, devicePixelRatio: sharpness },
      });
      ctx.drawImage(canvas, margin, top, inner, height);
      chart.destroy();
    },
  };
}

const [plain, bold] = [`13px ${family}`, `bold 17px ${family}`] as const;

function chartPieces(ctx: CanvasRenderingContext2D, spec: ChartSpec): Piece[] {
  return [
    textPiece(ctx, spec.title, bold, 'text'),
    textPiece(ctx, spec.about, plain, 'muted'),
    keyPiece(ctx, spec),
    drawingPiece(ctx, spec),
    ...notesOf(spec).map((note) => textPiece(ctx, note, plain, 'muted')),
  ];
}

/** Pictures side by side, each enlarged without smoothing, with its name. */
function tilesPiece(
  ctx: CanvasRenderingContext2D,
  tiles: readonly { canvas: HTMLCanvasElement; name: string }[],
): Piece {
  const [across, gap] = [6, 12];
  const size = (width - 2 * margin + gap) / across - gap;
  const tall = Math.max(...tiles.map(({ canvas }) => (size * canvas.height) / canvas.width));
  const step = tall + lineHeight + gap;
  return {
    height: Math.ceil(tiles.length / across) * step,
    draw(top) {
      ctx.imageSmoothingEnabled = false;
      ctx.font = plain;
      ctx.fillStyle = colour('text');
      for (const [i, { canvas, name }] of tiles.entries()) {
        const x = margin + (i % across) * (size + gap);
        const y = top + Math.floor(i / across) * step;
        ctx.drawImage(canvas, x, y, size, (size * canvas.height) / canvas.width);
        ctx.fillText(name, x, y + tall + 0.75 * lineHeight, size);
      }
    },
  };
}

/** Charts one below the other as a PNG file, in the colours of the page. */
export const pngOf = (...specs: readonly ChartSpec[]): Promise<Blob> =>
  pictureOf((ctx) => specs.flatMap((spec) => chartPieces(ctx, spec)));

/** Pictures under a title as a PNG file. */
export const tilesPng = (
  title: string,
  tiles: readonly { canvas: HTMLCanvasElement; name: string }[],
): Promise<Blob> =>
  pictureOf((ctx) => [textPiece(ctx, title, bold, 'text'), tilesPiece(ctx, tiles)]);

/** Draws pieces from top to bottom. */
async function pictureOf(piecesOf: (ctx: CanvasRenderingContext2D) => Piece[]): Promise<Blob> {
  const canvas = document.createElement('canvas');
  const ctx = canvas.getContext('2d');
  if (!ctx) throw new Error('This browser gives the page no canvas.');
  const pieces = piecesOf(ctx);
  const height = pieces.reduce((sum, piece) => sum + piece.height, 2 * margin);
  canvas.width = sharpness * width;
  canvas.height = sharpness * height;
  ctx.scale(sharpness, sharpness);
  ctx.fillStyle = colour('panel');
  ctx.fillRect(0, 0, width, height);
  let top = margin;
  for (const piece of pieces) {
    piece.draw(top);
    top += piece.height;
  }
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => {
      if (blob) resolve(blob);
      else reject(new Error('This browser could not make a picture of the chart.'));
    }, 'image/png'),
  );
}
