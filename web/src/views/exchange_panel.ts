/** Results and data from elsewhere: a drop zone, and the files that were read. */
import type { Actions } from '../actions.js';
import { h, setText } from '../dom.js';
import { fileText } from '../native_files.js';
import { routeLink } from '../route.js';
import type { ResultSet } from '../rows.js';
import type { AppState, MnistState } from '../state.js';
import type { Store } from '../store.js';
import { takeDrops } from './dropping.js';

function imagesText(mnist: MnistState): string {
  switch (mnist.phase) {
    case 'offered':
      return `Images: ${mnist.images.toLocaleString('en')} real handwritten digits from ${mnist.from}, loaded when a run or a task needs them. Or add two MNIST files (IDX).`;
    case 'loading':
      return 'Images: loading the digits…';
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
  takeDrops(zone, (files) => void actions.addFiles(files));
  return zone;
}

/** Links to the suites that a file has rows of. */
function suiteLinks({ measurements }: ResultSet): HTMLElement {
  const suites = [...new Set(measurements.map(({ suite }) => suite))];
  const links = suites.map((suite) => h('a', { href: routeLink({ view: 'suite', suite }) }, suite));
  return h('span', { class: 'links' }, 'Drawn in: ', ...links);
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
    suiteLinks(set),
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
  root.append(dropZone(actions), errors, files, images);
}
