/** An A/B test: its form, its progress, and the outcome with charts and tables. */
import type { AbProgress } from '../ab_measure.js';
import type { AbResult } from '../ab_run.js';
import { abCharts, abFile, bitsText, sidesTable, verdictOf } from '../ab_text.js';
import type { Actions } from '../actions.js';
import { download, h, setText } from '../dom.js';
import { timeLeft } from '../format.js';
import { type AbState, type AppState, isTesting } from '../state.js';
import type { Store } from '../store.js';
import { abForm } from './ab_form.js';
import { createCard } from './chart_card.js';
import { fillTable } from './table.js';
import { setProse } from './terms.js';

/** A sentence for each phase; screen readers announce it, so no number in it keeps changing. */
function statusText({ phase }: AbState): string {
  switch (phase) {
    case 'idle':
      return 'Nothing measured yet.';
    case 'starting':
      return 'Starting the engines…';
    case 'running':
      return 'Measuring both sides in turns…';
    case 'cancelled':
      return 'Cancelled.';
    default:
      return '';
  }
}

const progressText = ({ pairs, of, millisecondsLeft }: AbProgress) =>
  `pair ${pairs} of ${of}, ${timeLeft(millisecondsLeft)} left`;

function progressView(store: Store<AppState>): HTMLElement {
  const bar = h('progress', { max: 1, 'aria-label': 'Pairs measured' });
  const left = h('p', { class: 'progress-text', id: 'ab-left' });
  const box = h('div', {}, bar, left);
  store.watch(['ab'], ({ ab }) => {
    box.hidden = !isTesting({ ab });
    const { progress } = ab;
    bar.value = progress ? progress.pairs / progress.of : 0;
    setText(left, progress ? progressText(progress) : 'warming up; estimating the time left');
  });
  return box;
}

/** The outcome. A card draws in the colours of the moment, so new colours need it again. */
function resultView(store: Store<AppState>, actions: Pick<Actions, 'saved'>): HTMLElement {
  const verdict = h('p', { class: 'verdict', id: 'ab-result', role: 'status' });
  const bits = h('p', { class: 'hint wide', id: 'ab-bits' });
  const sides = h('div', { id: 'ab-sides' });
  const cards = h('div', { class: 'chart-grid' });
  const file = h('button', { type: 'button', id: 'ab-download' }, 'Download JSON');
  const root = h('div', { class: 'stack' }, verdict, bits, sides, cards, h('div', {}, file));
  let shown: { result: AbResult; theme: number } | undefined;
  file.addEventListener('click', () => {
    const { result } = store.get().ab;
    if (!result) return;
    download('parallax-ab.json', 'application/json', abFile(result, navigator.userAgent));
    actions.saved(result);
  });
  store.watch(['ab', 'theme'], ({ ab: { result }, theme }) => {
    root.hidden = !result;
    if (!result || (result === shown?.result && theme === shown.theme)) return;
    shown = { result, theme };
    setProse(verdict, verdictOf(result));
    setText(bits, bitsText(result));
    fillTable(sides, sidesTable(result));
    cards.replaceChildren(
      ...abCharts(result).map((spec) => {
        const card = createCard(spec.id);
        card.show(spec);
        return card.element;
      }),
    );
  });
  return root;
}

/** Fills the panel. */
export function mountAb(root: HTMLElement, store: Store<AppState>, actions: Actions): void {
  const status = h('p', { class: 'outcome', id: 'ab-status', role: 'status' });
  const failure = h('p');
  const notice = h('div', { class: 'notice bad', role: 'alert', id: 'ab-failed' }, failure);
  store.watch(['ab'], ({ ab }) => {
    setText(status, statusText(ab));
    status.hidden = status.textContent === '';
    notice.hidden = ab.phase !== 'failed';
    setText(failure, ab.message ?? '');
  });
  const progress = progressView(store);
  root.append(
    h(
      'div',
      { class: 'stack' },
      abForm(store, actions),
      status,
      progress,
      notice,
      resultView(store, actions),
    ),
  );
}
