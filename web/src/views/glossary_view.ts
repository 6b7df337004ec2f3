/** All terms of the page, in the order of the alphabet. */
import { h } from '../dom.js';
import { entries } from '../glossary.js';

/** Fills the list. */
export function mountGlossary(root: HTMLElement): void {
  const sorted = entries.toSorted((a, b) => a.name.localeCompare(b.name, 'en'));
  root.replaceChildren(
    ...sorted.map(({ id, name, text }) =>
      h('div', { id: `term-${id}` }, h('dt', {}, name), h('dd', {}, text)),
    ),
  );
}
