/** Results and data in and out: downloads, a drop zone, and the files that were read. */
import type { Actions } from '../actions.js';
import { download, h, setText } from '../dom.js';
import { count } from '../format.js';
import { fileText } from '../native_files.js';
import { toCsv, toJsonLines } from '../result_file.js';
import type { ResultSet, Row } from '../rows.js';
import type { AppState, MnistState } from '../state.js';
import type { Store } from '../store.js';

function downloads(store: Store<AppState>): HTMLElement {
  const rows = (): readonly Row[] => store.get().browser?.rows ?? [];
  const jsonl = h('button', { type: 'button', id: 'download-jsonl' }, 'Download JSON lines');
  const csv = h('button', { type: 'button', id: 'download-csv' }, 'Download CSV');
  const note = h('p', { class: 'hint' });
  jsonl.addEventListener('click', () =>
    download('parallax-browser.jsonl', 'application/jsonl', toJsonLines(rows())),
  );
  csv.addEventListener('click', () => download('parallax-browser.csv', 'text/csv', toCsv(rows())));
  store.watch(['browser', 'run'], ({ browser, run }) => {
    const none = !browser || browser.rows.length === 0;
    jsonl.disabled = none;
    csv.disabled = none;
    const later =
      run.phase === 'running'
        ? 'The rows of this run can be downloaded after its last round, or when you cancel it.'
        : 'Run the benchmark first; then its rows can be downloaded.';
    setText(
      note,
      none
        ? later
        : `${count(browser.rows.length, 'row')} of the last run, in the format that the command reads and writes.`,
    );
  });
  return h(
    'div',
    {},
    h('h3', {}, 'This browser’s results'),
    h('div', { class: 'train-buttons' }, jsonl, csv),
    note,
  );
}

function imagesText(mnist: MnistState): string {
  switch (mnist.phase) {
    case 'looking':
      return 'Images: looking for MNIST…';
    case 'real':
      return `Images: ${mnist.images.toLocaleString('en')} real ones (${mnist.source}).`;
    case 'synthetic':
      return `Images: seeded noise, labelled as such in the results. ${
        mnist.message ?? 'Add the two MNIST files (IDX) to use real ones.'
      }`;
  }
}

function dropZone(actions: Actions): HTMLElement {
  const input = h('input', { id: 'file', type: 'file', multiple: true });
  const zone = h(
    'div',
    { class: 'drop', id: 'drop' },
    h('p', {}, 'Drop result files (JSON lines) or MNIST files (IDX, gzipped or not) here'),
    input,
    h('label', { for: 'file', class: 'button' }, 'Choose files'),
  );
  input.addEventListener('change', () => {
    void actions.addFiles([...(input.files ?? [])]).then(() => {
      /* So that the same file can be chosen again once it has been corrected. */
      input.value = '';
    });
  });
  const over = (on: boolean) => (event: DragEvent) => {
    event.preventDefault();
    zone.classList.toggle('over', on);
  };
  zone.addEventListener('dragover', over(true));
  zone.addEventListener('dragleave', over(false));
  zone.addEventListener('drop', (event) => {
    over(false)(event);
    void actions.addFiles([...(event.dataTransfer?.files ?? [])]);
  });
  return zone;
}

function fileItem(set: ResultSet, served: boolean, actions: Actions): HTMLElement {
  const remove = h('button', { type: 'button', 'aria-label': `Remove ${set.name}` }, 'Remove');
  remove.addEventListener('click', () => actions.removeFile(set.name));
  return h(
    'li',
    {},
    h('b', {}, set.name),
    h('span', { class: 'muted' }, fileText(set, served)),
    remove,
  );
}

/** Fills the panel. */
export function mountExchange(root: HTMLElement, store: Store<AppState>, actions: Actions): void {
  const errors = h('div', { id: 'file-errors', role: 'alert' });
  const images = h('p', { class: 'hint', id: 'images' });
  const files = h('ul', { class: 'file-list', 'aria-label': 'Files that were read' });
  store.watch(['fileErrors'], ({ fileErrors }) => {
    errors.replaceChildren(
      ...fileErrors.map((text) => h('div', { class: 'notice bad' }, h('p', {}, text))),
    );
  });
  store.watch(['mnist'], ({ mnist }) => setText(images, imagesText(mnist)));
  store.watch(['files', 'native'], (state) => {
    const served = state.native.phase === 'ready';
    files.replaceChildren(...state.files.map((set) => fileItem(set, served, actions)));
  });
  root.append(
    h(
      'div',
      { class: 'exchange' },
      downloads(store),
      h('div', {}, h('h3', {}, 'Files from elsewhere'), dropZone(actions), errors, files, images),
    ),
  );
}
