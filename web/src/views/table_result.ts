/** What was learnt from a table: the loss, the fit on rows that were held out, and new rows. */
import type { Actions } from '../actions.js';
import type { ChartSpec, Point } from '../chart_spec.js';
import { download, h, setText } from '../dom.js';
import { count, percent, significant } from '../format.js';
import type { LossChart } from '../loss_chart.js';
import type { AppState } from '../state.js';
import type { Store } from '../store.js';
import { mostWords } from '../table_columns.js';
import { type FitPoint, isTableActive, type TableResult, type TableState } from '../table_state.js';
import type { TableActions } from '../table_training.js';
import { createCard } from './chart_card.js';
import { exhibitsView } from './exhibits_view.js';
import { framesLine } from './frames_line.js';
import { fillTable } from './table.js';

/** How well the held-out rows are predicted, in a sentence. */
export function resultText({ encoding, trained, held, fit, classes }: TableResult): string {
  const rows = `the ${count(held, 'row')} that were held out`;
  const more = `${count(trained, 'row')} were trained on.`;
  const { name } = encoding.target;
  if (fit) {
    return `RMSE of ${name}: ${significant(fit.rmse)}, R² ${significant(fit.r2)}, on ${rows}; ${more}`;
  }
  return classes
    ? `${percent(classes.accuracy)} of ${rows} are predicted right; ${more} Always saying the most frequent ${name} would be right in ${percent(classes.most)}.`
    : '';
}

const point = ({ line, actual, predicted }: FitPoint): Point => ({
  x: actual,
  y: predicted,
  low: predicted,
  high: predicted,
  name: `line ${line}: ${significant(predicted)} predicted, ${significant(actual)} in the table`,
});

/** Predicted against actual values of the held-out rows. */
export function fitChart(name: string, points: readonly FitPoint[]): ChartSpec {
  const all = points.flatMap(({ actual, predicted }) => [actual, predicted]);
  const ends = [Math.min(...all), Math.max(...all)].map((value) =>
    point({ line: 0, actual: value, predicted: value }),
  );
  return {
    id: 'table-fit',
    title: `${name}: predicted and actual`,
    about: 'Rows that were held out. On the line, a prediction is right.',
    kind: 'lines',
    categories: [],
    x: { title: `${name} in the table` },
    y: { title: `${name}, predicted` },
    series: [
      {
        name: 'held-out rows',
        role: 'other',
        number: 1,
        only: 'points',
        points: points.map(point),
      },
      {
        name: 'predicted = actual',
        role: 'other',
        number: 2,
        only: 'line',
        pattern: 'dashed',
        points: ends.map((end) => ({ ...end, name: 'predicted = actual' })),
      },
    ],
    marks: [],
    notes: [],
    wide: true,
    table: {
      caption: `${name} of held-out rows.`,
      columns: ['Line', 'In the table', 'Predicted', 'Difference'],
      rows: points.map(({ line, actual, predicted }) => ({
        cells: [
          String(line),
          significant(actual, 4),
          significant(predicted, 4),
          significant(predicted - actual),
        ],
      })),
    },
  };
}

/** The counts of labels and predictions as an exhibit. */
function confusionOf({ encoding, classes }: TableResult) {
  if (!classes) return [];
  const n = encoding.classes.length;
  return [
    {
      kind: 'matrix' as const,
      name: 'confusion of the held-out rows',
      text: '',
      count: 1,
      rows: n,
      columns: n,
      channels: 1,
      values: Float32Array.from(classes.confusion.flat()),
      labels: [...encoding.classes],
      square: true,
      rowTitle: encoding.target.name,
      columnTitle: 'predicted',
    },
  ];
}

/** The loss of the steps and of the held-out rows. */
function curve(store: Store<AppState>): HTMLElement {
  const canvas = h('canvas', {
    role: 'img',
    'aria-label': 'Loss during training, on trained and on held-out rows.',
  });
  const root = h(
    'div',
    {},
    h(
      'ul',
      { class: 'key' },
      h('li', {}, h('span', { class: 'line other4 raw', 'aria-hidden': 'true' }), 'every step'),
      h('li', {}, h('span', { class: 'line browser', 'aria-hidden': 'true' }), 'smoothed'),
      h('li', {}, h('span', { class: 'line other2 held', 'aria-hidden': 'true' }), 'held-out rows'),
    ),
    h('div', { class: 'canvas-box small' }, canvas),
  );
  let chart: Promise<LossChart> | undefined;
  store.watch(['table', 'theme'], ({ table: { train } }) => {
    root.hidden = train.length === 0;
    if (root.hidden) return;
    chart ??= import('../loss_chart.js').then(({ createLossChart }) => createLossChart(canvas));
    void chart.then((loaded) => loaded.show(store.get().table, [], { by: 'step', memory: 0.8 }));
  });
  return root;
}

/** The network as JSON: its weights, and how columns become its inputs. */
export function resultJson({ network, ...result }: TableResult): string {
  const { model, weights } = network;
  const plain = weights.map(({ name, shape, data }) => ({ name, shape, data: [...data] }));
  return `${JSON.stringify({ model, ...result, weights: plain }, null, 1)}\n`;
}

/** New rows, and what is predicted for them. */
function newRows(store: Store<AppState>, trainer: TableActions): HTMLElement {
  const text = h('textarea', {
    id: 'table-rows',
    class: 'copied',
    rows: 3,
    spellcheck: 'false',
    'aria-describedby': 'table-rows-columns',
  });
  const columns = h('p', { class: 'hint wide', id: 'table-rows-columns' });
  const predict = h('button', { type: 'button', id: 'table-predict' }, 'Predict');
  const failure = h('p', { class: 'hint bad wide', role: 'alert', id: 'table-predict-failed' });
  const predictions = h('div', { id: 'table-predictions' });
  predict.addEventListener('click', () => void trainer.predict(text.value));
  let shown: TableResult | undefined;
  let predicted: TableState['predicted'];
  store.watch(['table', 'run'], ({ table, run }) => {
    const { result } = table;
    predict.disabled = run.phase === 'running' || isTableActive(table);
    if (result && result !== shown) {
      const { inputs, separator } = result.encoding;
      const first = table.table?.rows[0] ?? [];
      text.value = inputs.map(({ at }) => first[at] ?? '').join(separator);
      setText(
        columns,
        `In this order: ${inputs.map(({ name }) => name).join(', ')}; or with a first line that names them.`,
      );
    }
    shown = result;
    setText(failure, table.predictMessage ?? '');
    if (predicted === table.predicted) return;
    ({ predicted } = table);
    if (!predicted) predictions.replaceChildren();
    else {
      fillTable(predictions, {
        caption: 'Predictions',
        columns: predicted.columns,
        rows: predicted.rows.map((cells) => ({ cells })),
      });
    }
  });
  return h(
    'div',
    { class: 'stack' },
    h('h2', {}, h('label', { for: text.id }, 'Predict new rows')),
    columns,
    text,
    h('div', { class: 'train-buttons' }, predict),
    failure,
    predictions,
  );
}

/** Fills the box, which is empty before the first training. */
export function mountTableResult(
  box: HTMLElement,
  store: Store<AppState>,
  actions: Pick<Actions, 'saved'>,
  trainer: TableActions,
): void {
  const text = h('p', { class: 'suite-line', role: 'status', id: 'table-result' });
  const fit = createCard('table-fit');
  const confusion = h('div', { class: 'exhibits', id: 'table-confusion' });
  const showConfusion = exhibitsView(confusion);
  const save = h('button', { type: 'button', id: 'table-download' }, 'Download the network (JSON)');
  save.addEventListener('click', () => {
    const { result } = store.get().table;
    if (!result) return;
    download('parallax-table.json', 'application/json', resultJson(result));
    actions.saved(result);
  });
  const learnt = h(
    'div',
    { class: 'stack' },
    text,
    fit.element,
    confusion,
    newRows(store, trainer),
    h('div', { class: 'train-buttons' }, save),
  );
  box.append(curve(store), framesLine(store), learnt);
  let shown: TableResult | undefined;
  store.watch(['table', 'theme'], ({ table: { result } }) => {
    learnt.hidden = !result;
    if (!result) return;
    fit.element.hidden = !result.fit;
    confusion.hidden = !result.classes || result.encoding.classes.length > mostWords;
    if (result.fit) fit.show(fitChart(result.encoding.target.name, result.fit.points));
    if (result === shown) return;
    shown = result;
    setText(text, resultText(result));
    showConfusion(confusionOf(result));
  });
}
