/** Divides the charts of a suite into parts that are short enough to be looked at. */
import { type ChartSpec, hasSamples, keyOf } from './chart_spec.js';
import { partName } from './route.js';

export interface Part {
  title: string;
  /** The name in the address. */
  name: string;
  charts: readonly ChartSpec[];
}

/** Most pixels of charts in a part, on a screen that has two columns: below three screens. */
export const mostHeight = 2100;

/** Most names on the axis of one chart; more become several charts side by side. */
const mostNames = 24;

/** Pixels of a name on the axis: a bar for each series, with its samples, and the space between. */
const nameHeight = (spec: ChartSpec) =>
  Math.max(22, (hasSamples(spec) ? 14 : 11) * spec.series.length + 9);

const [stackHeight, rowHeight] = [30, 34] as const;

/** Height in pixels of what is drawn; undefined for the usual height. */
export function drawnHeight(spec: ChartSpec): number | undefined {
  const { kind, categories, series } = spec;
  switch (kind) {
    case 'bars':
    case 'dots':
      return Math.max(160, categories.length * nameHeight(spec) + 70);
    case 'stacks':
      return Math.max(120, categories.length * stackHeight + 70);
    case 'heat':
      return series.length * rowHeight + 60;
    default:
      return undefined;
  }
}

export const usualHeight = 300;
const tableRow = 34;
const mostTable = 420;

/** Width of a card, of one letter, and height of a line, in pixels. */
const [wideCard, narrowCard, letter, line] = [1030, 480, 7, 24];

/** About how many pixels the words around a chart take. */
function wordsHeight(spec: ChartSpec): number {
  const { about, notes, wide } = spec;
  const lines = (text: string) =>
    Math.ceil((letter * text.length) / (wide ? wideCard : narrowCard));
  const key = keyOf(spec).map(({ name }) => `${name}, tag`);
  /* In a narrow card, names are as good as lines of their own. */
  const keyLines = wide ? lines(key.join('')) : key.reduce((sum, name) => sum + lines(name), 0);
  const noteLines = notes.reduce((sum, text) => sum + lines(text), 0);
  return line * (lines(about) + keyLines + noteLines);
}

/** Title, padding, what unfolds the table, and the buttons that save the chart. */
const around = 175;

/** About how many pixels the card of a chart takes. */
function cardHeight(spec: ChartSpec): number {
  const drawn =
    spec.kind === 'table'
      ? Math.min(mostTable, tableRow * (spec.table.rows.length + 2))
      : (drawnHeight(spec) ?? usualHeight);
  return around + wordsHeight(spec) + drawn;
}

/** About how many pixels these charts take, two side by side unless they are wide. */
function heightOf(charts: readonly ChartSpec[]): number {
  let height = 0;
  let left: number | undefined;
  for (const spec of charts) {
    const own = cardHeight(spec);
    if (spec.wide) {
      height += (left ?? 0) + own;
      left = undefined;
    } else if (left === undefined) left = own;
    else {
      height += Math.max(left, own);
      left = undefined;
    }
  }
  return height + (left ?? 0);
}

/** Charts with many names as several charts, each with some of the names. */
export function splitTall(spec: ChartSpec): ChartSpec[] {
  const { categories, series, table, limits } = spec;
  if (spec.kind === 'heat') return [spec];
  const pieces = Math.ceil(categories.length / mostNames);
  if (pieces < 2) return [spec];
  const size = Math.ceil(categories.length / pieces);
  return Array.from({ length: pieces }, (_, i) => {
    const from = i * size;
    const within = (at: number) => at >= from && at < from + size;
    /* Not all tables have a row for each name. */
    const rows =
      table.rows.length === categories.length
        ? table.rows.filter((__, at) => within(at))
        : table.rows;
    return {
      ...spec,
      id: i === 0 ? spec.id : `${spec.id}-${i + 1}`,
      title: `${spec.title}, ${i + 1} of ${pieces}`,
      categories: categories.slice(from, from + size),
      series: series.map((each) => ({
        ...each,
        points: each.points.filter(({ x }) => within(x)).map((p) => ({ ...p, x: p.x - from })),
      })),
      ...(limits
        ? { limits: { ...limits, values: limits.values.filter((__, at) => within(at)) } }
        : {}),
      table: { ...table, rows },
      wide: false,
    };
  });
}

/** Charts that together are no taller than a part may be, in order. */
function fill(charts: readonly ChartSpec[]): ChartSpec[][] {
  const filled: ChartSpec[][] = [];
  for (const spec of charts) {
    const last = filled.at(-1);
    if (last && heightOf([...last, spec]) <= mostHeight) last.push(spec);
    else filled.push([spec]);
  }
  return filled;
}

/** One part if everything fits, otherwise the parts that the charts name, divided where tall. */
export function partsOf(specs: readonly ChartSpec[]): Part[] {
  const charts = specs.flatMap(splitTall);
  if (charts.length === 0) return [];
  if (heightOf(charts) <= mostHeight) return [{ title: 'All', name: 'all', charts }];
  const named = new Map<string, ChartSpec[]>();
  for (const spec of charts) {
    const part = spec.part ?? 'Figures';
    named.set(part, [...(named.get(part) ?? []), spec]);
  }
  return [...named].flatMap(([title, some]) => {
    const filled = fill(some);
    return filled.map((each, i) => {
      const full = filled.length > 1 ? `${title} ${i + 1}` : title;
      return { title: full, name: partName(full), charts: each };
    });
  });
}
