/** How to get native results of this machine, where the page has none. */
import { h } from '../dom.js';
import { nativeMeasurements } from '../native_files.js';
import type { AppState } from '../state.js';
import type { Store } from '../store.js';
import { prose } from './terms.js';

const nativeCommand = 'scripts/playground';

/** A command line with a button to copy it. */
function command(text: string): HTMLElement {
  const copy = h('button', { type: 'button', 'aria-label': `Copy the command ${text}` }, 'Copy');
  copy.addEventListener('click', () => {
    navigator.clipboard.writeText(text).then(
      () => {
        copy.textContent = 'Copied';
      },
      () => {
        copy.textContent = 'Select it instead';
      },
    );
  });
  return h('div', { class: 'command' }, h('code', {}, text), copy);
}

/** The two runs of the command that make the sides A and B. */
export const nativeRuns = () => [
  h('code', {}, 'parallax bench all --json best.jsonl'),
  ' (A) and ',
  h('code', {}, 'parallax bench all --reproducible --json exact.jsonl'),
  ' (B)',
];

function noNative(): HTMLElement {
  const files = h('a', { href: '?view=files' }, 'Files');
  const text = prose(
    'This page can measure your browser, but not yet say how far that is from native on this machine. In a clone of ' +
      'the repository, one command measures this machine and serves this page with its results:',
    { class: 'muted' },
  );
  return h(
    'div',
    { class: 'panel', id: 'no-native' },
    h('h3', {}, 'No native results for this machine yet'),
    text,
    command(nativeCommand),
    h(
      'p',
      { class: 'hint wide' },
      'Or run ',
      ...nativeRuns(),
      ' on this machine and drop both files into the view ',
      files,
      '.',
    ),
  );
}

/** Fills the box below the chart. */
export function mountNative(root: HTMLElement, store: Store<AppState>): void {
  store.watch(['native', 'files'], (state) => {
    const none = state.native.phase === 'absent' && nativeMeasurements(state).length === 0;
    root.replaceChildren(...(none ? [noNative()] : []));
  });
}
