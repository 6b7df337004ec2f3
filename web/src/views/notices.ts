/** Warnings that the user must see before trusting a figure. */
import { h } from '../dom.js';
import { capital } from '../format.js';
import type { AppState } from '../state.js';
import type { Store } from '../store.js';

const notice = (text: string, attributes: Record<string, string> = {}) =>
  h('div', { class: 'notice warn', ...attributes }, h('p', {}, text));

/** Why the run is void, and what to do. */
const voidText = (why: string) =>
  `${capital(why)} during the run. Times are wrong then, and every round measures every case, so the ` +
  'results are void. Keep the page in view and the computer awake, and run again.';

/** Fills the box below the title. */
export function mountNotices(root: HTMLElement, store: Store<AppState>): void {
  store.watch(
    ['voided', 'run', 'dropped', 'shared', 'reference', 'misread'],
    ({ voided, run, dropped, shared, reference, misread }) => {
      const failed = [shared, reference].flatMap((each) =>
        each.phase === 'failed' ? [each.message] : [],
      );
      root.replaceChildren(
        ...failed.map((message) => notice(message, { class: 'notice bad' })),
        ...misread.map((text) => notice(text)),
        ...dropped.map((why) => notice(`A case was dropped: ${why}`)),
        ...(voided !== undefined && run.phase !== 'idle'
          ? [notice(voidText(voided), { id: 'void-notice' })]
          : []),
      );
    },
  );
}
