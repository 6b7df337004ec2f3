/** The charts of the last run, each with its legend and its table. */

import { type ChartSpec, colourName, notesOf, type Series } from '../chart_spec.js';
import { h, setText } from '../dom.js';
import { foreignMeasurements, nativeMeasurements } from '../native_files.js';
import type { AppState } from '../state.js';
import type { Store } from '../store.js';
import { suiteCharts } from '../suite_charts.js';
import { fillTable } from './table.js';

/** Least time in milliseconds between two drawings while rows arrive. */
const pace = 400;

/** Rows arrive after the last round: until then there is nothing to draw. */
const waitingText =
  'This browser is being measured. Each round measures every case once, so that a slow moment of the machine affects all cases alike; the results appear here after the last round, or when you cancel the run.';

const patternText = { solid: '', dashed: ' (dashed)', dotted: ' (dotted)' };

function keyItem({ name, role, number, pattern }: Series): HTMLElement {
  const tagClass = role === 'other' ? colourName(role, number) : role.toLowerCase();
  return h(
    'li',
    {},
    h('span', { class: `tag ${tagClass}`, 'aria-hidden': 'true' }, String(number ?? role)),
    `${name}${patternText[pattern ?? 'solid']}`,
  );
}

interface Card {
  element: HTMLElement;
  show(spec: ChartSpec): void;
}

function createCard(id: string): Card {
  const title = h('h3', { id: `${id}-title` });
  const about = h('p', { class: 'sub' });
  const key = h('ul', { class: 'key' });
  const canvas = h('canvas', { role: 'img' });
  const box = h('div', { class: 'canvas-box' }, canvas);
  const notes = h('div');
  const table = h('div');
  const summary = h('summary', {}, 'Table');
  const behind = h('details', { class: 'behind' }, summary, table);
  let current: ChartSpec | undefined;
  const showTable = () => {
    if (current && behind.open) fillTable(table, current.table);
  };
  behind.addEventListener('toggle', showTable);
  const element = h(
    'figure',
    { class: 'panel chart-card', id: `chart-${id}`, 'aria-labelledby': `${id}-title` },
    h('header', {}, title),
    about,
    key,
    box,
    notes,
    behind,
  );
  return {
    element,
    show(spec) {
      current = spec;
      element.classList.toggle('wide', spec.wide ?? false);
      setText(title, spec.title);
      setText(about, spec.about);
      key.replaceChildren(...spec.series.map(keyItem));
      notes.replaceChildren(...notesOf(spec).map((text) => h('p', { class: 'hint' }, text)));
      canvas.setAttribute('aria-label', `${spec.title}. The table below has the same figures.`);
      const drawn = spec.kind !== 'table';
      box.hidden = !drawn;
      summary.hidden = !drawn;
      behind.open ||= !drawn;
      if (spec.kind === 'bars' || spec.kind === 'dots') {
        const rows = spec.categories.length * (spec.series.length * 14 + 12);
        box.style.height = `${Math.max(160, rows + 70)}px`;
      }
      showTable();
      if (!drawn) return;
      void import('../chart_draw.js').then(({ draw }) => {
        if (current === spec) draw(canvas, spec);
      });
    },
  };
}

/** Fills the box of charts. */
export function mountCharts(root: HTMLElement, store: Store<AppState>): void {
  const grid = h('div', { class: 'chart-grid' });
  const cards = new Map<string, Card>();
  let timer: number | undefined;
  const waiting = h('p', { class: 'notice', id: 'waiting', hidden: true }, waitingText);
  root.append(waiting, grid);

  function show(): void {
    timer = undefined;
    const state = store.get();
    const specs = suiteCharts({
      native: nativeMeasurements(state),
      browser: state.browser?.measurements ?? [],
      others: foreignMeasurements(state),
      /* Without served results, files were dropped in to be shown. */
      alone: state.native.phase !== 'ready',
    });
    for (const spec of specs) {
      const card = cards.get(spec.id) ?? createCard(spec.id);
      cards.set(spec.id, card);
      card.show(spec);
    }
    grid.replaceChildren(...specs.flatMap(({ id }) => cards.get(id)?.element ?? []));
  }

  store.watch(['browser', 'native', 'files', 'theme', 'run'], ({ run, browser }) => {
    waiting.hidden = run.phase !== 'running' || browser !== undefined;
    if (timer !== undefined) return;
    timer = window.setTimeout(show, store.get().run.phase === 'running' ? pace : 0);
  });
}
