/** Taking a result along: as a link, as files, as a table for an issue. */
import type { Actions } from '../actions.js';
import { download, h, setText } from '../dom.js';
import { count } from '../format.js';
import { markdownOf } from '../markdown.js';
import { nativeMeasurements } from '../native_files.js';
import { toCsv, toJsonLines } from '../result_file.js';
import { addressOf } from '../router.js';
import type { Row } from '../rows.js';
import { hashOf, sharedHash } from '../share.js';
import { shownResults } from '../shown.js';
import type { AppState } from '../state.js';
import type { Store } from '../store.js';
import { copier } from './copying.js';

/** Longer links are cut off by some programs. */
const longLink = 8_000;

const nameOf = ({ suite, case: name, metric }: Row) => `${suite}: ${name}: ${metric}`;

/** The native rows of the cases that this browser measured. */
function nativeRows({ native, files, browser }: AppState): readonly Row[] {
  const measured = new Set(browser?.rows.map(nameOf));
  const sets = native.phase === 'ready' ? [native.set] : files;
  return sets.flatMap(({ rows }) =>
    rows.filter((row) => {
      const { kind, name } = row.engine as { kind: string; name: string };
      return kind === 'native' && name === 'parallax' && measured.has(nameOf(row));
    }),
  );
}

/** The address of this page with the result in it. */
async function linkOf(state: AppState): Promise<string> {
  const rows = [...(state.browser?.rows ?? []), ...nativeRows(state)];
  const [address] = addressOf({ ...state, route: { view: 'start' } }).split(sharedHash);
  return `${location.origin}${address}${await hashOf(rows)}`;
}

/** Fills the box below the answer; it is there once this browser has been measured. */
export function mountSharing(
  root: HTMLElement,
  store: Store<AppState>,
  actions: Pick<Actions, 'saved'>,
): void {
  const rows = (): readonly Row[] => store.get().browser?.rows ?? [];
  const button = (id: string, text: string) => h('button', { type: 'button', id }, text);
  const link = button('copy-link', 'Copy link');
  const markdown = button('copy-markdown', 'Copy as Markdown');
  const jsonl = button('download-jsonl', 'Download JSON lines');
  const csv = button('download-csv', 'Download CSV');
  const { note, text, copy } = copier('shared');
  root.append(h('div', { class: 'train-buttons' }, link, markdown, jsonl, csv), note, text);

  link.addEventListener('click', async () => {
    const value = await linkOf(store.get());
    const size = count(value.length, 'character');
    const warning =
      value.length > longLink ? ' Some programs cut off long links: pass on the file then.' : '';
    await copy(value, `a link of ${size}. The result is in it; no server keeps it.${warning}`);
  });
  markdown.addEventListener('click', async () => {
    const { main } = shownResults(store.get());
    const answer = document.getElementById('answer')?.textContent ?? '';
    await copy(markdownOf(main?.cases ?? [], answer), 'a table for an issue, in Markdown.');
  });
  /** Downloads the last run, which is then not lost with the page. */
  function save(name: string, type: string, content: string): void {
    download(name, type, content);
    const { browser } = store.get();
    if (browser) actions.saved(browser);
  }
  jsonl.addEventListener('click', () =>
    save('parallax-browser.jsonl', 'application/jsonl', toJsonLines(rows())),
  );
  csv.addEventListener('click', () => save('parallax-browser.csv', 'text/csv', toCsv(rows())));
  store.watch(['browser', 'native', 'files'], (state) => {
    const { browser } = state;
    root.hidden = !browser || browser.rows.length === 0;
    text.hidden = true;
    if (!browser) return;
    const beside =
      nativeMeasurements(state).length > 0 ? ' The link holds the native side, too.' : '';
    setText(
      note,
      `${count(browser.rows.length, 'row')} of the last run. Files are in the format that the command reads and writes.${beside}`,
    );
  });
}
