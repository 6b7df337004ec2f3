/** Tables that give the figures of a chart to readers who cannot see it. */
import { h } from '../dom.js';
import { explain } from './terms.js';

export interface TableData {
  caption: string;
  columns: readonly string[];
  rows: readonly {
    cells: readonly string[];
    void?: boolean;
    /** How dark each cell is, 0 to 1, if the table is a heat map. */
    shades?: readonly number[];
  }[];
}

function dataCell(text: string, shade: number | undefined): HTMLElement {
  const cell = h('td', {}, text);
  if (shade !== undefined) {
    cell.classList.add('shaded');
    cell.style.setProperty('--shade', shade.toFixed(3));
  }
  return cell;
}

/** Replaces the contents of the box with the table. The first cell of a row is its heading. */
export function fillTable(box: HTMLElement, { caption, columns, rows }: TableData): void {
  const head = h('tr', {}, ...columns.map((column) => h('th', { scope: 'col' }, column)));
  explain(head);
  const body = rows.map((row) =>
    h(
      'tr',
      { class: row.void ? 'void' : undefined },
      ...row.cells.map((cell, i) =>
        i === 0 ? h('th', { scope: 'row' }, cell) : dataCell(cell, row.shades?.[i]),
      ),
    ),
  );
  const table = h(
    'table',
    {},
    h('caption', {}, caption),
    h('thead', {}, head),
    h('tbody', {}, ...body),
  );
  /* A box that scrolls must be reachable with the keyboard. */
  box.replaceChildren(
    h('div', { class: 'table-box', tabindex: 0, role: 'region', 'aria-label': caption }, table),
  );
}
