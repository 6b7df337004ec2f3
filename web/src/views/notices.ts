/** Warnings that the user must see before trusting a figure. */
import { h } from '../dom.js';
import type { AppState } from '../state.js';
import type { Store } from '../store.js';

/** Fills the box below the title. */
export function mountNotices(root: HTMLElement, store: Store<AppState>): void {
  store.watch(['hidden', 'run', 'dropped'], ({ hidden, run, dropped }) => {
    root.replaceChildren(
      ...dropped.map((why) =>
        h('div', { class: 'notice warn' }, h('p', {}, `A case was dropped: ${why}`)),
      ),
    );
    if (hidden && run.phase !== 'idle') {
      root.append(
        h(
          'div',
          { class: 'notice warn', id: 'hidden-notice' },
          h(
            'p',
            {},
            'The page was hidden during the run. Browsers slow hidden pages down, and every round ' +
              'measures every case, so the results are void. Keep the page in view and run again.',
          ),
        ),
      );
    }
  });
}
