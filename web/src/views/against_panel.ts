/** How this browser compares with all that measured the same, and where each of them comes from. */
import { againstAll, againstChart } from '../against.js';
import { h } from '../dom.js';
import { count, list } from '../format.js';
import { nativeMeasurements } from '../native_files.js';
import { routeLink } from '../route.js';
import type { Measurement } from '../rows.js';
import type { AppState } from '../state.js';
import type { Store } from '../store.js';
import { createCard } from './chart_card.js';
import { redrawResults } from './redraw.js';

const link = (view: 'start' | 'files', text: string) => h('a', { href: routeLink({ view }) }, text);

/** "120 rows: native avx512, 2026-11-30". */
function heldText(measurements: readonly Measurement[]): string {
  const engines = [...new Set(measurements.map(({ engine }) => engine))];
  const days = [...new Set(measurements.map(({ day }) => day).filter(Boolean))];
  return `${count(measurements.length, 'row')}: ${[list(engines), list(days)].filter(Boolean).join(', ')}.`;
}

function source(name: string, ...about: (Node | string)[]): HTMLElement {
  return h('div', {}, h('dt', {}, name), h('dd', {}, ...about));
}

/** What there is to compare with, and how to get what is missing. */
function sources(state: AppState): HTMLElement {
  const { browser, reference, files, compared, run } = state;
  const native = nativeMeasurements(state);
  const running = run.phase === 'running' ? 'It is being measured.' : 'Not measured yet: ';
  return h(
    'dl',
    { class: 'facts sources' },
    source(
      'This browser',
      browser ? heldText(browser.measurements) : running,
      browser || run.phase === 'running' ? '' : link('start', 'run the benchmark'),
    ),
    source(
      'Native, this machine',
      native.length > 0 ? heldText(native) : 'None: ',
      native.length > 0 ? '' : link('files', 'how to get them'),
    ),
    source(
      'Reference',
      reference.phase === 'ready'
        ? `Another machine. ${heldText(reference.set.measurements)}`
        : 'This page has none.',
    ),
    source(
      'Dropped files',
      files.length > 0 ? `${list(files.map(({ name }) => name))}. ` : 'None: ',
      link('files', files.length > 0 ? 'remove or add' : 'add some'),
    ),
    source(
      'Earlier runs',
      compared.length > 0
        ? `${list(compared.map(({ name }) => name))}.`
        : 'None chosen: see the list below.',
    ),
  );
}

/** Fills the box. */
export function mountAgainst(root: HTMLElement, store: Store<AppState>): void {
  const card = createCard('against');
  const held = h('div', { class: 'panel', id: 'sources' });
  const none = h(
    'p',
    { class: 'hint wide', id: 'against-none' },
    'Nothing has a valid case in common with this browser’s run: one with the same parameters and number of threads.',
  );
  root.append(held, none, card.element);

  function show(): void {
    const state = store.get();
    if (state.route.view !== 'compare') return;
    held.replaceChildren(sources(state));
    const spec = againstChart(againstAll(state));
    card.element.hidden = !spec;
    none.hidden = spec !== undefined || !state.browser;
    if (spec) card.show(spec);
  }

  let phase = '';
  store.watch(['run'], ({ run }) => {
    /* Progress alone changes nothing here. */
    if (run.phase !== phase) show();
    ({ phase } = run);
  });
  redrawResults(store, show);
}
