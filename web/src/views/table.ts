/** A table that can be read without seeing the chart above it. */
import { h } from '../dom.js';

export interface TableData {
  caption: string;
  columns: readonly string[];
  rows: readonly { cells: readonly string[]; void?: boolean }[];
}

/** Replaces what is in the box by the table. The first cell of a row names it. */
export function fillTable(box: HTMLElement, { caption, columns, rows }: TableData): void {
  const head = h('tr', {}, ...columns.map((column) => h('th', { scope: 'col' }, column)));
  const body = rows.map((row) =>
    h(
      'tr',
      { class: row.void ? 'void' : undefined },
      ...row.cells.map((cell, i) =>
        i === 0 ? h('th', { scope: 'row' }, cell) : h('td', {}, cell),
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
  /* A box that scrolls must be reachable by the keyboard. */
  box.replaceChildren(
    h('div', { class: 'table-box', tabindex: 0, role: 'region', 'aria-label': caption }, table),
  );
}
