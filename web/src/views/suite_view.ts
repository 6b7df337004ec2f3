/** The view of one suite: its line, its charts and tables by part, and its method. */

import type { Actions } from '../actions.js';
import { machineOf } from '../answer.js';
import type { ChartSpec } from '../chart_spec.js';
import { hasRates, priceOf } from '../cost_chart.js';
import { h, setText } from '../dom.js';
import { list } from '../format.js';
import { type Part, partsOf } from '../parts.js';
import { routeLink } from '../route.js';
import { type Shown, type ShownSuite, shownResults } from '../shown.js';
import type { AppState } from '../state.js';
import type { Store } from '../store.js';
import { chartsOf } from '../suite_charts.js';
import { suiteLine } from '../suite_lines.js';
import { suiteText } from '../suite_texts.js';
import { type Card, createCard } from './chart_card.js';
import { redrawResults } from './redraw.js';
import { prose, setProse } from './terms.js';

/** Whose results these are, in words. */
function originText({ origin, cases }: ShownSuite): string {
  const machine = machineOf(cases);
  switch (origin) {
    case 'own':
      return '';
    case 'shared':
      return `Shared by link: measured on ${machine}, not on this machine.`;
    case 'reference':
      return `Reference: measured on ${machine}, not on this machine. Run the benchmark to see yours.`;
  }
}

/** Links to the other suites. */
function suiteLinks({ suites }: Shown, current: string): HTMLElement {
  return h(
    'nav',
    { class: 'tabs', 'aria-label': 'Suites' },
    h('a', { href: './' }, '← All suites'),
    ...suites.map(({ suite }) =>
      h(
        'a',
        {
          href: routeLink({ view: 'suite', suite }),
          'aria-current': suite === current ? 'page' : undefined,
        },
        suite,
      ),
    ),
  );
}

function partLinks(suite: string, parts: readonly Part[], current: Part): HTMLElement | undefined {
  if (parts.length < 2) return undefined;
  return h(
    'nav',
    { class: 'tabs parts', 'aria-label': 'Parts of this suite' },
    ...parts.map((part, i) =>
      h(
        'a',
        {
          href: routeLink({ view: 'suite', suite, ...(i > 0 ? { part: part.name } : {}) }),
          'aria-current': part === current ? 'page' : undefined,
        },
        part.title,
      ),
    ),
  );
}

/** What is said of a suite without results: that of an address may be none. */
function missingText(suite: string, { suites }: AppState): string {
  const names = suites.map(({ name }) => name);
  return names.length === 0 || names.includes(suite)
    ? 'There are no results of this suite yet.'
    : `There is no suite ${suite}: the suites are ${list(names)}.`;
}

/** A field for the price of the machine, by which a chart of costs is drawn. */
function priceField(store: Store<AppState>, actions: Actions) {
  const input = h('input', {
    id: 'price',
    type: 'number',
    min: 0,
    step: 'any',
    inputmode: 'decimal',
    'aria-describedby': 'price-hint',
  });
  const hint = h('span', { class: 'hint', id: 'price-hint' });
  input.value = store.get().form.price ?? '';
  /** Tells whether what the field holds is a price. */
  function judge(): void {
    const { price } = store.get().form;
    const wrong = input.validity.badInput || (price !== undefined && priceOf(price) === undefined);
    input.setAttribute('aria-invalid', String(wrong));
    setText(
      hint,
      wrong
        ? 'A price is a number above 0 and below a thousand million, such as 0.35.'
        : 'In any currency. A part “Cost” then shows what a million samples cost.',
    );
  }
  input.addEventListener('change', () => {
    actions.setForm('price', input.value);
    judge();
  });
  const label = h('label', { for: 'price', class: 'label' }, 'Price of an hour of this machine');
  return { element: h('div', { class: 'field price' }, label, input, hint), judge };
}

function methodPanel(suite: string): HTMLElement {
  return h(
    'section',
    { class: 'panel prose', 'aria-label': 'Method' },
    h('h3', {}, 'How it is measured'),
    prose(suiteText(suite).method),
    h('p', {}, h('a', { href: '?view=method' }, 'How times are taken and runs compared')),
  );
}

/** Fills the section. Cards are kept while the same suite is shown, so that tables stay open. */
export function mountSuite(root: HTMLElement, store: Store<AppState>, actions: Actions): void {
  const title = root.querySelector('h1');
  if (!title) throw new Error('The view of suites has no title.');
  const links = h('div');
  const about = h('p', { class: 'lead' });
  const line = h('p', { class: 'suite-line', id: 'suite-line', role: 'status' });
  const origin = h('p', { class: 'origin', id: 'suite-origin' });
  const tabs = h('div');
  const grid = h('div', { class: 'chart-grid', id: 'charts' });
  const price = priceField(store, actions);
  const method = h('div');
  title.before(links);
  root.append(about, origin, line, tabs, grid, price.element, method);
  let cards = new Map<string, Card>();
  let shownSuite = '';

  function card({ id }: ChartSpec): Card {
    const found = cards.get(id) ?? createCard(id);
    cards.set(id, found);
    return found;
  }

  function showCharts(of: ShownSuite, part: string | undefined): void {
    const parts = partsOf(chartsOf(of.suite, of.cases, of.native, priceOf(store.get().form.price)));
    const current = parts.find(({ name }) => name === part) ?? parts[0];
    const focused = tabs.contains(document.activeElement);
    tabs.replaceChildren(
      ...[current && partLinks(of.suite, parts, current)].filter((each) => each !== undefined),
    );
    if (focused) tabs.querySelector<HTMLElement>('[aria-current]')?.focus();
    const charts = current?.charts ?? [];
    grid.replaceChildren(...charts.map((spec) => card(spec).element));
    for (const spec of charts) card(spec).show(spec);
  }

  function show(): void {
    const state = store.get();
    const { view, suite = '', part } = state.route;
    if (view !== 'suite') return;
    if (suite !== shownSuite) cards = new Map();
    shownSuite = suite;
    const shown = shownResults(state);
    const of = shown.suites.find((each) => each.suite === suite);
    const text = suiteText(suite);
    if (title) setText(title, text.title === suite ? suite : `${suite}: ${text.title}`);
    setProse(about, text.about);
    links.replaceChildren(suiteLinks(shown, suite));
    origin.hidden = !of || of.origin === 'own';
    setText(origin, of ? originText(of) : '');
    setProse(line, of ? suiteLine(shown, of).text : missingText(suite, state));
    price.element.hidden = !of || !hasRates(of.cases);
    price.judge();
    if (of) showCharts(of, part);
    else for (const box of [tabs, grid]) box.replaceChildren();
    method.replaceChildren(methodPanel(suite));
  }

  redrawResults(store, show);
}
