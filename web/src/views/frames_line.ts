/** How smoothly the page was drawn during training, in a line. */
import { h, setText } from '../dom.js';
import type { Frames } from '../frames.js';
import type { AppState } from '../state.js';
import type { Store } from '../store.js';

/** "60 frames a second, the longest gap 18 ms" */
export function framesText(frames: Frames | undefined): string {
  if (!frames) return '';
  const { perSecond, longest } = frames;
  return `This page was drawn ${Math.round(perSecond)} times a second meanwhile; the longest time between two frames was ${Math.round(longest)} ms.`;
}

export function framesLine(store: Store<AppState>): HTMLElement {
  const line = h('p', { class: 'hint wide frames' });
  store.watch(['frames'], ({ frames }) => {
    line.hidden = !frames;
    setText(line, framesText(frames));
  });
  return line;
}
