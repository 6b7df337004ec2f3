/** What the page says of itself: a newer version, and whether it opens without a network. */
import type { Actions } from '../actions.js';
import { h, setText } from '../dom.js';
import { workFields, workInProgress } from '../leave_guard.js';
import type { AppState } from '../state.js';
import type { Store } from '../store.js';

/** Fills the box of the offered update, and the place that tells of use without a network. */
export function mountSite(
  root: HTMLElement,
  offline: HTMLElement,
  store: Store<AppState>,
  actions: Actions,
): void {
  const button = h('button', { type: 'button', id: 'update' }, 'Reload to update');
  const when = h('p');
  const notice = h('div', { class: 'notice', id: 'update-notice' }, when, h('p', {}, button));
  button.addEventListener('click', () => actions.reloadSite());
  store.watch(['site', ...workFields], (state) => {
    const { site } = state;
    setText(
      offline,
      site.offline
        ? 'Stored in this browser: it also opens without a network, as do the pages of the API ' +
            'reference that you have opened.'
        : '',
    );
    const work = workInProgress(state);
    button.disabled = work !== undefined;
    setText(
      when,
      work
        ? `A newer version of this page is ready. ${work} Update when it has ended.`
        : 'A newer version of this page is ready.',
    );
    if (!site.update) notice.remove();
    else if (!notice.isConnected) root.append(notice);
  });
}
