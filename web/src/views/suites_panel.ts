/** The chart of the answer, and one line and one small picture for each suite. */

import { h } from '../dom.js';
import { routeLink } from '../route.js';
import { type Shown, type ShownSuite, shownResults } from '../shown.js';
import type { AppState } from '../state.js';
import type { Store } from '../store.js';
import { answerChart, besideChart, suiteLine } from '../suite_lines.js';
import { suiteText } from '../suite_texts.js';
import { createCard } from './chart_card.js';
import { redrawResults } from './redraw.js';
import { boxesView, stripView } from './strip_view.js';
import { prose, setProse } from './terms.js';

/** Rows arrive after the last round: until then there is nothing new to draw. */
const waitingText =
  'This browser is being measured. Each round measures every case once, so that a slow moment of the machine affects all cases alike; the results appear here after the last round, or when you cancel the run.';

/** Whose results a suite shows if not this machine's. */
export const badges = { own: '', reference: 'reference', shared: 'shared' } as const;

function suiteItem(shown: Shown, of: ShownSuite): HTMLElement {
  const { suite, origin } = of;
  const { text, strip, boxes } = suiteLine(shown, of);
  const { title } = suiteText(suite);
  const line = h('p', { class: 'line' });
  setProse(line, text);
  return h(
    'li',
    { class: 'panel', id: `suite-${suite}` },
    h(
      'h3',
      {},
      h(
        'a',
        { class: 'suite-link', href: routeLink({ view: 'suite', suite }) },
        title === suite ? suite : `${suite}: ${title}`,
      ),
      origin !== 'own' && h('span', { class: `badge ${origin}` }, badges[origin]),
    ),
    line,
    strip && stripView(strip),
    boxes && boxesView(boxes),
  );
}

/** Fills the boxes of the chart and of the suites. */
export function mountSuites(chart: HTMLElement, root: HTMLElement, store: Store<AppState>): void {
  const card = createCard('answer');
  const list = h('ul', { class: 'suites', 'aria-label': 'Suites' });
  const title = h('h2', {}, 'Suite by suite');
  const key = h(
    'p',
    { class: 'sub' },
    'Each dot is a case, or one of its readings where there is nothing to compare it with: ',
    h('span', { class: 'tag native' }, 'A'),
    ' native at its best, ',
    h('span', { class: 'tag native128' }, 'B'),
    ' native with only what WebAssembly has, ',
    h('span', { class: 'tag browser' }, 'C'),
    ' the browser. Each box is a hash, full if it equals the native one. A suite opens into its own view, with charts, tables and method.',
  );
  const waiting = prose(waitingText, { class: 'notice', id: 'waiting' });
  chart.append(waiting, card.element);
  root.append(title, key, list);

  function show(): void {
    const state = store.get();
    if (state.route.view !== 'start') return;
    const shown = shownResults(state);
    const spec = answerChart(shown) ?? besideChart(shown);
    card.element.hidden = !spec;
    if (spec) card.show(spec);
    title.hidden = shown.suites.length === 0;
    key.hidden = title.hidden;
    list.replaceChildren(...shown.suites.map((of) => suiteItem(shown, of)));
  }

  store.watch(['run', 'browser'], ({ run, browser }) => {
    waiting.hidden = run.phase !== 'running' || browser !== undefined;
  });
  redrawResults(store, show);
}
