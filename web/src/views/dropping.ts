/** Files and texts that are dropped on a part of the page or pasted into it. */
import { h } from '../dom.js';

/** Makes the zone take files that are dropped on it. */
export function takeDrops(zone: HTMLElement, give: (files: readonly File[]) => void): void {
  const over = (on: boolean) => (event: DragEvent) => {
    event.preventDefault();
    zone.classList.toggle('over', on);
  };
  zone.addEventListener('dragover', over(true));
  zone.addEventListener('dragleave', over(false));
  zone.addEventListener('drop', (event) => {
    over(false)(event);
    give([...(event.dataTransfer?.files ?? [])]);
  });
}

/** A field for a text, with a button that uses it. The text stays, so that it can be corrected. */
export function pasteBox(
  id: string,
  summary: string,
  use: string,
  give: (text: string) => void,
): HTMLElement {
  const text = h('textarea', {
    id,
    class: 'copied',
    rows: 6,
    spellcheck: 'false',
    'aria-label': summary,
  });
  const button = h('button', { type: 'button', id: `${id}-use`, class: 'small' }, use);
  button.addEventListener('click', () => give(text.value));
  return h('details', { class: 'more' }, h('summary', {}, summary), text, button);
}
