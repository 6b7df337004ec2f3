/** The runs that this browser keeps: listed, compared with, downloaded, removed. */
import type { Actions } from '../actions.js';
import { h, setText } from '../dom.js';
import { capital, count } from '../format.js';
import { type KeptRun, mostKeptBytes, mostRuns, nameOfRun, timeOf } from '../kept_run.js';
import type { AppState, EarlierState } from '../state.js';
import type { Store } from '../store.js';
import { sizeNames } from '../url_state.js';

/** Suites that are named; more are counted. */
const mostNamed = 4;

function suitesText(suites: readonly string[]): string {
  const named = suites.filter((name) => name !== 'machine');
  return named.length > mostNamed ? count(named.length, 'suite') : named.join(', ');
}

const kilobytes = (bytes: number) => `${Math.ceil(bytes / 1000).toLocaleString('en')} kB`;

function aboutText(run: KeptRun): string {
  const { suites, size, runtime, tier, threads, commit, rows, bytes, voided } = run;
  const engine = [runtime, tier, count(threads, 'thread')].filter(Boolean).join(', ');
  const held = `${count(rows, 'row')} (${kilobytes(bytes)})`;
  return [
    `${suitesText(suites)}; ${sizeNames[size]}; ${engine}; commit ${commit || 'unknown'}; ${held}.`,
    voided === undefined ? '' : `Void: ${voided}.`,
  ]
    .filter(Boolean)
    .join(' ');
}

/** What the list says of itself. */
function stateText({ phase, runs, unreadable }: EarlierState): string {
  const bound = `Finished runs are kept in this browser alone: at most ${mostRuns}, and ${mostKeptBytes / 1e6} MB; the oldest leave first.`;
  const wrong =
    unreadable > 0
      ? ` ${capital(count(unreadable, 'entry', 'entries'))} cannot be read by this version of the page; “Remove all” removes them, too.`
      : '';
  if (phase === 'unavailable') return 'Runs cannot be kept here.';
  if (phase !== 'ready') return 'Reading what is kept…';
  const held =
    runs.length > 0 ? `${capital(count(runs.length, 'run'))} kept.` : 'No run is kept yet.';
  return `${held} ${bound}${wrong}`;
}

function item(
  run: KeptRun,
  { earlier, compared }: Pick<AppState, 'earlier' | 'compared'>,
  actions: Actions['earlier'],
): HTMLElement {
  const { id } = run;
  const name = nameOfRun(run);
  const current = earlier.current === id;
  const box = h('input', {
    type: 'checkbox',
    checked: compared.some((each) => each.id === id),
    disabled: current,
    'aria-label': `Compare with the ${name}`,
  });
  box.addEventListener('change', () => void actions.compare(id, box.checked));
  const button = (text: string, act: () => void) => {
    const made = h('button', { type: 'button', 'aria-label': `${text} the ${name}` }, text);
    made.addEventListener('click', act);
    return made;
  };
  return h(
    'li',
    { 'data-run': id },
    h('b', {}, timeOf(run)),
    h('span', { class: 'muted about' }, aboutText(run)),
    current
      ? h('span', { class: 'muted' }, 'The run that is shown.')
      : h('label', {}, box, ' Compare with'),
    button('Download', () => void actions.download(id)),
    button('Remove', () => void actions.remove(id)),
  );
}

/** Fills the panel. The list is read when it is first looked at. */
export function mountEarlier(
  root: HTMLElement,
  store: Store<AppState>,
  actions: Actions['earlier'],
): void {
  const status = h('p', { class: 'hint wide', role: 'status', id: 'earlier-status' });
  const note = h('p', { class: 'hint wide', role: 'status', id: 'earlier-note' });
  const problemText = h('p');
  const problem = h('div', { class: 'notice bad', role: 'alert', id: 'earlier-problem' });
  problem.append(problemText);
  const runs = h('ul', { class: 'file-list', id: 'earlier-runs', 'aria-label': 'Earlier runs' });
  const all = h('button', { type: 'button', id: 'earlier-remove-all' }, 'Remove all');
  all.addEventListener('click', () => {
    if (confirm('Remove all runs that this browser keeps?')) void actions.removeAll();
  });
  const foot = h('p', {}, all);
  root.append(problem, status, note, runs, foot);
  store.watch(['earlier', 'compared'], (state) => {
    const { earlier } = state;
    setText(status, stateText(earlier));
    setText(note, earlier.note ?? '');
    note.hidden = !earlier.note;
    problem.hidden = earlier.problem === undefined;
    setText(problemText, capital(earlier.problem ?? ''));
    /* What was focused is found again by its name. */
    const focused = document.activeElement?.getAttribute('aria-label');
    const within = runs.contains(document.activeElement);
    runs.replaceChildren(...earlier.runs.map((run) => item(run, state, actions)));
    if (within) {
      const again = [...runs.querySelectorAll<HTMLElement>('[aria-label]')];
      (again.find((each) => each.getAttribute('aria-label') === focused) ?? again[0])?.focus();
    }
    foot.hidden = earlier.runs.length + earlier.unreadable === 0;
  });
  void actions.load();
}
