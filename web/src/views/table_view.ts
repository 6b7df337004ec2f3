/** Learning from a table of the user's: the file, what its columns hold, the settings, the buttons. */
import type { Actions } from '../actions.js';
import { h, setText } from '../dom.js';
import { exampleTable } from '../example_table.js';
import { count, significant } from '../format.js';
import { mostBytes } from '../small_file.js';
import type { AppState } from '../state.js';
import type { Store } from '../store.js';
import { columnText, problemOf } from '../table_columns.js';
import { tableLimits } from '../table_file.js';
import { isTableActive, type TableState } from '../table_state.js';
import type { TableActions } from '../table_training.js';
import { mostSeed } from '../url_state.js';
import { pasteBox, takeDrops } from './dropping.js';
import { fillTable } from './table.js';
import { mountTableResult } from './table_result.js';
import { field, keepInAddress, numberInput } from './training_controls.js';
import { bytesText } from './training_figures.js';

/** Rows of the preview. */
const previewRows = 6;

/** A sentence for each phase; no number in it keeps changing. */
function statusText({ phase, table, step, steps, seconds }: TableState): string {
  const done = `${step.toLocaleString('en')} of ${steps.toLocaleString('en')} steps`;
  switch (phase) {
    case 'empty':
      return 'No table yet.';
    case 'reading':
      return 'Reading the table…';
    case 'ready':
      return `${table?.name ?? 'The table'} is read. Choose the column to learn, and start.`;
    case 'preparing':
      return 'Preparing the rows…';
    case 'running':
      return 'Training.';
    case 'pausing':
      return 'Pausing…';
    case 'paused':
      return `Paused after ${done}.`;
    case 'done':
      return `Trained: ${done} in ${significant(seconds)} s.`;
    case 'stopped':
      return `Stopped after ${done}.`;
  }
}

/** Where a table comes from: a file, dropped or chosen; pasted; or the example. */
function source(store: Store<AppState>, trainer: TableActions): HTMLElement {
  const input = h('input', { id: 'table-file', type: 'file', accept: '.csv,.tsv,.txt,.gz' });
  const example = h(
    'button',
    { type: 'button', class: 'small', id: 'table-example' },
    'Use an example',
  );
  const label = h('label', { for: 'table-file', class: 'button' }, 'Choose a table');
  const { rows, columns } = tableLimits;
  const limits = `CSV or TSV in UTF-8: at most ${bytesText(mostBytes)}, ${rows.toLocaleString('en')} rows and ${columns} columns. It stays in this page.`;
  const zone = h(
    'div',
    { class: 'drop', id: 'table-drop' },
    h('p', {}, 'Drop a table here'),
    input,
    label,
    ' ',
    example,
    h('p', { class: 'hint' }, limits),
  );
  const give = (name: string, text: string) =>
    trainer.give([new File([text], name, { type: 'text/csv' })]);
  takeDrops(zone, (files) => void trainer.give(files));
  input.addEventListener('change', () => {
    void trainer.give([...(input.files ?? [])]).then(() => {
      input.value = '';
    });
  });
  example.addEventListener('click', () => {
    const { seed } = store.get().options;
    void give(`Synthetic rents, seed ${seed}`, exampleTable(seed));
  });
  store.watch(['table'], ({ table }) => {
    for (const each of [input, example]) each.disabled = isTableActive(table);
  });
  const paste = pasteBox('table-paste', 'Or paste a table', 'Use this table', (text) => {
    void give('The pasted table', text);
  });
  return h('div', {}, zone, paste);
}

/** The first rows, and what every column holds. */
function preview(store: Store<AppState>): HTMLElement {
  const size = h('p', { class: 'hint wide', id: 'table-size' });
  const first = h('div', { id: 'table-preview' });
  const columns = h('div', { id: 'table-columns' });
  const behind = h(
    'details',
    { class: 'behind' },
    h('summary', {}, 'What the columns hold'),
    columns,
  );
  const root = h('div', {}, size, first, behind);
  let shown: TableState['table'];
  store.watch(['table'], ({ table: { table, columns: found } }) => {
    root.hidden = !table;
    if (!table || table === shown) return;
    shown = table;
    const names = table.named ? 'its first line names them' : 'no line names them';
    setText(
      size,
      `${table.name}: ${count(table.rows.length, 'row')}, ${count(table.columns.length, 'column')} (${names}).`,
    );
    fillTable(first, {
      caption: 'The first rows',
      columns: ['Line', ...table.columns],
      rows: table.rows
        .slice(0, previewRows)
        .map((cells, i) => ({ cells: [String(table.lines[i]), ...cells] })),
    });
    fillTable(columns, {
      caption: 'Columns',
      columns: ['Column', 'Holds', 'Missing'],
      rows: found.map((column) => ({
        cells: [column.name, columnText(column), column.missing.toLocaleString('en')],
      })),
    });
  });
  return root;
}

const kinds = { '': 'what it holds', regression: 'a number', classification: 'classes' };

/** The list of columns; the last one is chosen unless the address names another. */
function targetPicker(store: Store<AppState>, actions: Pick<Actions, 'setForm'>) {
  const target = h('select', { id: 'table-target' });
  target.addEventListener('change', () => actions.setForm('target', target.value));
  let shown: TableState['columns'] = [];
  store.watch(['table'], ({ table: { columns }, form }) => {
    if (columns === shown) return;
    shown = columns;
    target.replaceChildren(...columns.map(({ name }) => h('option', { value: name }, name)));
    const known = columns.find(({ name }) => name === form.target);
    target.value = (known ?? columns.at(-1))?.name ?? '';
  });
  return target;
}

/** The settings: target, problem, network, epochs and seed. */
function settings(store: Store<AppState>, actions: Pick<Actions, 'setForm' | 'choose'>) {
  const target = targetPicker(store, actions);
  const kind = h(
    'select',
    { id: 'table-kind' },
    ...Object.entries(kinds).map(([value, name]) => h('option', { value }, name)),
  );
  const hidden = h('input', { id: 'table-hidden', type: 'text', value: '64-64', size: 8 });
  const epochs = numberInput('table-epochs', 1, 10_000);
  const seed = numberInput('table-seed', 0, mostSeed, store.get().options.seed);
  epochs.placeholder = 'by the rows';
  for (const [name, input] of [
    ['kind', kind],
    ['hidden', hidden],
    ['epochs', epochs],
  ] as const)
    keepInAddress(name, input, store, actions);
  seed.addEventListener('change', () => actions.choose({ seed: Number(seed.value) }));
  const problem = h('p', { class: 'hint', id: 'table-problem' });
  store.watch(['table', 'form'], ({ table }) => {
    const { columns } = table;
    const chosen = columns.find(({ name }) => name === target.value);
    const found = chosen && problemOf(chosen, kind.value);
    setText(
      problem,
      found ? `It is learnt as ${found === 'regression' ? 'a number' : 'classes'}.` : '',
    );
    for (const input of [target, kind, hidden, epochs, seed]) input.disabled = isTableActive(table);
  });
  return {
    root: h(
      'div',
      { class: 'stack' },
      h(
        'div',
        { class: 'fields tight' },
        field('Target', target),
        field('Learn it as', kind),
        field('Hidden layers', hidden),
        field('Epochs', epochs),
        field('Seed', seed),
      ),
      problem,
    ),
    choice: () => ({
      target: target.value,
      kind: kind.value || undefined,
      hidden: hidden.value,
      epochs: epochs.value.trim() === '' ? undefined : Number(epochs.value),
      seed: Number(seed.value),
    }),
  };
}

/** The buttons, the progress, and what is wrong. */
function controls(
  store: Store<AppState>,
  actions: Pick<Actions, 'setForm' | 'choose'>,
  trainer: TableActions,
): HTMLElement {
  const form = settings(store, actions);
  const start = h('button', { type: 'button', id: 'table-start', class: 'primary' }, 'Start');
  const pause = h('button', { type: 'button', id: 'table-pause' }, 'Pause');
  const stop = h('button', { type: 'button', id: 'table-stop' }, 'Stop');
  const bar = h('progress', { 'aria-label': 'Steps done', max: 1, value: 0 });
  const status = h('p', { class: 'outcome', role: 'status', id: 'table-status' });
  const failure = h('div', { role: 'alert', id: 'table-failure' });
  const notes = h('ul', { class: 'hint wide', id: 'table-notes' });
  start.addEventListener('click', () => void trainer.train(form.choice()));
  pause.addEventListener('click', () => {
    if (store.get().table.phase === 'paused') trainer.resume();
    else trainer.pause();
  });
  stop.addEventListener('click', () => trainer.stop());
  let message: string | undefined;
  store.watch(['table', 'run', 'engine'], ({ table, run, engine }) => {
    const { phase, step, steps } = table;
    const busy = run.phase === 'running' || engine.phase === 'starting';
    const active = isTableActive(table);
    start.disabled = active || busy || !table.table || phase === 'reading';
    pause.disabled = phase !== 'running' && phase !== 'paused';
    stop.disabled = !active;
    setText(pause, phase === 'paused' ? 'Resume' : 'Pause');
    bar.hidden = steps === 0;
    bar.value = steps > 0 ? step / steps : 0;
    setText(status, statusText(table));
    if (message !== table.message) {
      ({ message } = table);
      failure.replaceChildren(
        ...(message ? [h('div', { class: 'notice bad' }, h('p', {}, message))] : []),
      );
    }
    notes.replaceChildren(...table.notes.map((text) => h('li', {}, text)));
    notes.hidden = table.notes.length === 0;
  });
  return h(
    'div',
    { class: 'stack' },
    form.root,
    h('div', { class: 'train-buttons' }, start, pause, stop),
    bar,
    status,
    failure,
    notes,
  );
}

/** Fills the panel. */
export function mountTable(
  root: HTMLElement,
  store: Store<AppState>,
  actions: Pick<Actions, 'setForm' | 'choose' | 'saved'>,
  trainer: TableActions,
): void {
  const result = h('div', { class: 'stack' });
  mountTableResult(result, store, actions, trainer);
  root.append(
    h(
      'div',
      { class: 'train-layout' },
      h('div', { class: 'stack' }, source(store, trainer), controls(store, actions, trainer)),
      h('div', { class: 'stack' }, preview(store), result),
    ),
  );
}
