/** Exhibits of what has been learnt as charts and as files. */
import type { Exhibit } from 'parallax-nn/bench';
import { type ChartSpec, isWide, plainPoint, type Series } from './chart_spec.js';
import { columnLabels, labelAt, part } from './exhibits.js';
import { capital, significant } from './format.js';
import { idOf } from './lanes.js';
import { csvText } from './result_file.js';
import type { TableData } from './views/table.js';

const noTable: TableData = { caption: '', columns: [], rows: [] };

const names = (labels: readonly string[], n: number) =>
  Array.from({ length: n }, (_, i) => labelAt(labels, i));

function matrixSpec(exhibit: Exhibit, i: number): ChartSpec {
  const { name, count, rows, columns, labels, rowTitle, columnTitle } = exhibit;
  const values = part(exhibit, i);
  const series = names(labels, rows).map(
    (row, r): Series => ({
      name: row,
      role: 'mark',
      points: Array.from(values.subarray(r * columns, (r + 1) * columns), (value, c) =>
        plainPoint(c, value),
      ),
    }),
  );
  const axes = [rowTitle && `${rowTitle} down`, columnTitle && `${columnTitle} across`];
  return {
    id: `${name} ${i}`,
    title: count > 1 ? `${name}, ${i + 1} of ${count}` : name,
    about: axes.filter(Boolean).join(', '),
    kind: 'heat',
    categories: names(columnLabels(exhibit), columns),
    x: { title: columnTitle },
    y: { title: '' },
    series,
    ...{ marks: [], notes: [], table: noTable },
  };
}

/** A name without what is behind its first comma: exhibits that agree in it are compared. */
const compared = ({ name, labels }: Exhibit) => [name.split(',')[0], ...labels].join('\u0001');

/** Exhibits of bars as charts: those of the same things side by side, such as with and without skips. */
export function barCharts(exhibits: readonly Exhibit[]): ChartSpec[] {
  const groups = new Map<string, Exhibit[]>();
  for (const each of exhibits.filter(({ kind }) => kind === 'bars'))
    groups.set(compared(each), [...(groups.get(compared(each)) ?? []), each]);
  return [...groups.values()].flatMap((all) => {
    const [first] = all;
    return first ? [barChart(first, all)] : [];
  });
}

function barChart({ name, labels, columns }: Exhibit, all: readonly Exhibit[]): ChartSpec {
  const rows = names(labels, columns);
  const log = isWide(all.flatMap(({ values }) => Array.from(values)));
  return {
    id: `exhibit-${idOf(name)}`,
    title: capital(name),
    about: log ? 'On a logarithmic scale.' : 'Bars begin at 0.',
    kind: log ? 'dots' : 'bars',
    categories: rows,
    x: { title: '' },
    y: { title: name, ...(log ? { log } : {}) },
    series: all.map((each, i) => ({
      name: each.name,
      role: 'part',
      number: i + 1,
      points: Array.from(each.values, (value, x) => plainPoint(x, value)),
    })),
    marks: [],
    notes: [],
    wide: true,
    table: {
      caption: `${capital(name)}.`,
      columns: ['Of', ...all.map((each) => each.name)],
      rows: rows.map((row, i) => ({
        cells: [row, ...all.map(({ values }) => significant(values[i] ?? Number.NaN))],
      })),
    },
  };
}

/** The matrices of an exhibit as charts, for a picture. */
export const matrixCharts = (exhibit: Exhibit): ChartSpec[] =>
  Array.from({ length: exhibit.count }, (_, i) => matrixSpec(exhibit, i));

/** Matrices or pictures as a table: one line for each value, with the names of its place. */
export function exhibitCsv(exhibit: Exhibit): string {
  const { kind, rows, columns, channels, values, labels } = exhibit;
  const across = columnLabels(exhibit);
  const size = rows * columns * channels;
  const lines = Array.from(values, (value, at) => {
    const [item, row] = [Math.floor(at / size), Math.floor(at / (columns * channels)) % rows];
    const [column, channel] = [Math.floor(at / channels) % columns, at % channels];
    const place =
      kind === 'matrix'
        ? [String(item), labelAt(labels, row), labelAt(across, column)]
        : [labelAt(labels, item), String(row), String(column)];
    return [...place, String(channel), String(value)];
  });
  return csvText([['item', 'row', 'column', 'channel', 'value'], ...lines]);
}

/** All of an exhibit. */
export const exhibitJson = (exhibit: Exhibit): string =>
  `${JSON.stringify({ ...exhibit, values: Array.from(exhibit.values) })}\n`;
