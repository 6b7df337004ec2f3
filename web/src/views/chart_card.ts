/** A chart with its title, legend, notes and table. */
import type { Place } from '../chart_places.js';
import { type ChartSpec, colourName, keyOf, notesOf, type Series, tagOf } from '../chart_spec.js';
import { h, setText } from '../dom.js';
import { significant } from '../format.js';
import { heatOf } from '../heat.js';
import { drawnHeight } from '../parts.js';
import { chartKeys } from './chart_keys.js';
import { chartSavable, saveButtons } from './save_buttons.js';
import { fillTable } from './table.js';
import { setProse } from './terms.js';

function keyItem({ series, name }: { series: Series; name: string }): HTMLElement {
  const colour = colourName(series.role, series.number);
  return h(
    'li',
    {},
    h('span', { class: `tag ${colour}`, 'aria-hidden': 'true' }, tagOf(series)),
    name,
  );
}

/** The colours of a map, from its least value to its greatest. */
function scaleItem(spec: ChartSpec): HTMLElement {
  const { ends, at } = heatOf(spec);
  const bar = h('span', { class: 'gradient', 'aria-hidden': 'true' });
  const steps = Array.from({ length: 9 }, (_, i) => at(i / 8));
  bar.style.background = `linear-gradient(to right, ${steps.join(', ')})`;
  const [least, most] = ends.map((end) => significant(end));
  return h('li', {}, least, bar, `${most} ${spec.y.title}`);
}

export interface Card {
  element: HTMLElement;
  show(spec: ChartSpec): void;
}

function note(text: string): HTMLElement {
  const element = h('p', { class: 'hint' });
  setProse(element, text);
  return element;
}

/** Shows the point at a place once the code that draws is there. */
async function point(canvas: HTMLCanvasElement, place: Place | undefined): Promise<void> {
  const { showAt } = await import('../chart_draw.js');
  showAt(canvas, place);
}

/** Creates an empty card; the code that draws is loaded with the first chart. */
export function createCard(id: string): Card {
  const title = h('h3', { id: `${id}-title` });
  const about = h('p', { class: 'sub' });
  const key = h('ul', { class: 'key' });
  const canvas = h('canvas', { 'aria-hidden': 'true' });
  const box = h('div', { class: 'canvas-box', tabindex: 0, role: 'application' }, canvas);
  const notes = h('div');
  const table = h('div');
  const summary = h('summary', {}, 'Table');
  const behind = h('details', { class: 'behind' }, summary, table);
  const keys = chartKeys(box, (place) => void point(canvas, place));
  const saves = saveButtons();
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
    keys.spoken,
    notes,
    behind,
    saves.element,
  );
  return {
    element,
    show(spec) {
      current = spec;
      element.classList.toggle('wide', spec.wide ?? false);
      setText(title, spec.title);
      setProse(about, spec.about);
      key.replaceChildren(...(spec.kind === 'heat' ? [scaleItem(spec)] : keyOf(spec).map(keyItem)));
      notes.replaceChildren(...notesOf(spec).map(note));
      keys.show(spec);
      saves.offer(chartSavable(spec));
      const drawn = spec.kind !== 'table';
      box.hidden = !drawn;
      summary.hidden = !drawn;
      behind.open ||= !drawn;
      const height = drawnHeight(spec);
      if (height !== undefined) box.style.height = `${height}px`;
      showTable();
      if (!drawn) return;
      void import('../chart_draw.js').then(({ draw }) => {
        if (current === spec) draw(canvas, spec);
      });
    },
  };
}
