/** Charts as files: the figures behind what is drawn. */
import { type ChartSpec, placeOf } from './chart_spec.js';
import { csvText } from './result_file.js';

const text = (value: number | undefined) => (value === undefined ? '' : String(value));

/** One line for each point; of a chart that is only a table, the table. */
export function chartCsv(spec: ChartSpec): string {
  const { kind, series, table, x, y } = spec;
  if (kind === 'table') return csvText([table.columns, ...table.rows.map(({ cells }) => cells)]);
  const place = kind === 'lines' ? x.title : 'category';
  const head = ['series', place, y.title || 'value', 'low', 'high', 'samples', 'note'];
  const lines = series.flatMap((each) =>
    each.points.map((point) => [
      each.fit ? `${each.name}, fitted` : each.name,
      kind === 'lines' ? text(point.x) : placeOf(spec, point),
      ...[point.y, point.low, point.high].map(text),
      point.samples?.join(' ') ?? '',
      [point.name, point.note].filter(Boolean).join(', '),
    ]),
  );
  return csvText([head, ...lines]);
}

/** All that the chart shows, with the words around it and its table. */
export function chartJson(spec: ChartSpec): string {
  const { title, about, kind, x, y, categories, series, marks, limits, notes, table } = spec;
  const drawn = {
    x: x.title,
    y: y.title,
    series: series.map(({ name, fit, points }) => ({
      name,
      ...(fit ? { fit } : {}),
      points: points.map((point) => ({
        ...(kind === 'lines' ? { x: point.x } : { category: placeOf(spec, point) }),
        value: point.y,
        ...{ low: point.low, high: point.high },
        ...(point.samples ? { samples: point.samples } : {}),
        ...(point.name || point.note ? { note: point.name ?? point.note } : {}),
      })),
    })),
    marks,
    ...(limits
      ? {
          limits: categories.map((category, i) => ({ category, [limits.name]: limits.values[i] })),
        }
      : {}),
  };
  const { caption, columns, rows } = table;
  const figures = { caption, columns, rows: rows.map(({ cells }) => cells) };
  const all = { title, about, ...(kind === 'table' ? {} : drawn), notes, table: figures };
  return `${JSON.stringify(all, null, 1)}\n`;
}
