/** Words that a web developer may not know, explained where they stand. */
import { h, setText } from '../dom.js';
import { entries, type Term } from '../glossary.js';
import { routeLink } from '../route.js';

const byText = new Map(entries.flatMap((term) => term.as.map((text) => [text, term] as const)));

/* The longest first, so that "relaxed SIMD" is not found as "SIMD". */
const alternatives = [...byText.keys()]
  .toSorted((a, b) => b.length - a.length)
  .map((text) => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&'));
const pattern = new RegExp(`(?<![\\w-])(?:${alternatives.join('|')})(?![\\w-])`, 'g');

interface Note {
  root: HTMLElement;
  name: HTMLElement;
  text: HTMLElement;
  link: HTMLAnchorElement;
}

/** Shown for one term at a time. */
let note: Note | undefined;

function createNote(): Note {
  const name = h('b');
  const text = h('p', { role: 'status' });
  const link = h('a', {}, 'All terms');
  const root = h('div', { id: 'term-note', popover: 'auto' }, name, text, link);
  link.addEventListener('click', () => root.hidePopover());
  document.body.append(root);
  return { root, name, text, link };
}

/** Puts the note below the word, within the window. */
function place(root: HTMLElement, beside: HTMLElement): void {
  const { left, bottom, top } = beside.getBoundingClientRect();
  const { width, height } = root.getBoundingClientRect();
  const below = bottom + 6 + height <= innerHeight;
  root.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  root.style.top = `${below ? bottom + 6 : Math.max(8, top - height - 6)}px`;
}

function open(term: Term, beside: HTMLElement): void {
  note ??= createNote();
  setText(note.name, term.name);
  setText(note.text, term.text);
  note.link.setAttribute('href', routeLink({ view: 'glossary', part: term.id }));
  /* Where the browser has no popovers, the button's title still has the text. */
  if (!note.root.showPopover) return;
  if (!note.root.matches(':popover-open')) note.root.showPopover();
  place(note.root, beside);
}

function termButton(text: string, term: Term): HTMLElement {
  const button = h('button', { type: 'button', class: 'term', title: term.text }, text);
  button.addEventListener('click', () => open(term, button));
  return button;
}

/** The text with a button for the first place of each term. told: terms that were explained. */
function pieces(text: string, told: Set<Term>): (Node | string)[] {
  const found: (Node | string)[] = [];
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    const term = byText.get(match[0]);
    if (!term || told.has(term)) continue;
    told.add(term);
    const end = match.index + match[0].length;
    /* A line may break after a button, but not before the sign that follows the word. */
    const [sign = ''] = /^[.,;:)%]+/.exec(text.slice(end)) ?? [];
    const button = termButton(match[0], term);
    found.push(
      text.slice(from, match.index),
      sign ? h('span', { class: 'glued' }, button, sign) : button,
    );
    from = end + sign.length;
  }
  return [...found, text.slice(from)];
}

/** Sets text only when it changes, with its terms explained. */
export function setProse(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.replaceChildren(...pieces(text, new Set()));
}

/** A paragraph with its terms explained. */
export function prose(text: string, attributes: Record<string, string> = {}): HTMLElement {
  const element = h('p', attributes);
  setProse(element, text);
  return element;
}

/** Elements inside which a button has no place. */
const apart = 'a, button, summary, label, legend, code, h1, h2, h3, option';

/** Explains the terms in what an element holds, each at its first place. */
export function explain(root: HTMLElement): void {
  const told = new Set<Term>();
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  while (walker.nextNode()) texts.push(walker.currentNode as Text);
  for (const text of texts) {
    if (text.parentElement?.closest(apart)) continue;
    const parts = pieces(text.data, told);
    if (parts.length > 1) text.replaceWith(...parts);
  }
}
