/** Measuring beside other libraries: what to measure, the progress, and what was found. */
import { browserPeers, lengths } from '../../../bench/peers/for_page.mjs';
import type { Actions } from '../actions.js';
import { download, h, setText } from '../dom.js';
import { count, duration, list, significant, timeLeft } from '../format.js';
import { workInProgress } from '../leave_guard.js';
import { bytesOf, isBuilt, threadsOf } from '../peers_engines.js';
import {
  enginesText,
  type PeersChoice,
  type PeersResult,
  pageCases,
  peersChart,
  peersOf,
  policyText,
  summaryText,
} from '../peers_result.js';
import { toCsv, toJsonLines } from '../result_file.js';
import type { AppState, PeersState } from '../state.js';
import type { Store } from '../store.js';
import { defaultRun, type FormName, mostSeed, mostThreads } from '../url_state.js';
import { createCard } from './chart_card.js';
import { chip, numberField } from './controls_panel.js';

const allCases = pageCases.map(({ key }) => key);
const allPeers = browserPeers.map(({ key }) => key);
const lengthNames = { quick: 'Quick', full: 'Thorough' } as const;

/** The keys that an address names; all if it names none. */
const named = (text: string | undefined, all: readonly string[]): string[] => {
  const keys = text?.split(',');
  return all.filter((key) => keys?.includes(key) ?? true);
};

/** What is chosen, from the address. */
const choiceOf = ({ form, options }: AppState): PeersChoice => ({
  cases: named(form['peer-cases'], allCases),
  peers: named(form.peers, allPeers),
  length: form['peer-length'] === 'full' ? 'full' : 'quick',
  seed: options.seed,
});

/** Keys that the address names, but that do not exist. */
const unknownKeys = ({ form }: AppState): string[] =>
  [...(form['peer-cases']?.split(',') ?? []), ...(form.peers?.split(',') ?? [])].filter(
    (key) => key !== 'none' && !allCases.includes(key) && !allPeers.includes(key),
  );

/** What Run would do, or what keeps it from doing it. */
function planText(state: AppState): string {
  if (!isBuilt)
    return 'This build of the page has no other libraries. Run scripts/setup, or npm ci --ignore-scripts in bench/peers, and build the page again.';
  const unknown = unknownKeys(state);
  if (unknown.length > 0)
    return `The address names ${list(unknown)}; choose from the cases and libraries here.`;
  const choice = choiceOf(state);
  if (choice.cases.length === 0) return 'Choose at least one case.';
  if (choice.peers.length === 0) return 'Choose at least one library.';
  const { rounds, sampleNs } = lengths[choice.length];
  const size = peersOf(choice).reduce((sum, peer) => sum + bytesOf(peer), 0);
  return `${count(rounds, 'round')} of ${count(choice.cases.length, 'case')}, at least ${sampleNs / 1e6} ms each. The chosen libraries are ${significant(size / 1e6, 2)} MB, loaded once.${threadsText(state, choice)}`;
}

/** Who will not have the threads of the engine, and why. */
function threadsText({ engine }: AppState, choice: PeersChoice): string {
  if (engine.phase !== 'ready') return '';
  const { isolated, threads } = engine.info;
  if (!isolated)
    return ' This page is not cross-origin isolated, so that all of them run on one thread.';
  const fewer = peersOf(choice).filter((peer) => threadsOf(peer, threads) < threads);
  return policyText(fewer.map(({ name }) => name));
}

/** Chips for some of many, kept in the address. */
function picker(
  legend: string,
  name: FormName,
  items: readonly { key: string; title: string }[],
  { store, actions }: { store: Store<AppState>; actions: Actions },
): HTMLElement {
  const all = items.map(({ key }) => key);
  const chips = items.map(({ key, title }) => ({ key, ...chip('checkbox', name, key, title) }));
  const choose = () => {
    const chosen = chips.filter(({ input }) => input.checked).map(({ key }) => key);
    actions.setForm(name, chosen.length === all.length ? '' : chosen.join(',') || 'none');
  };
  for (const { input } of chips) input.addEventListener('change', choose);
  store.watch(['form', 'peers'], ({ form, peers }) => {
    const chosen = named(form[name], all);
    for (const { key, input } of chips) {
      input.checked = chosen.includes(key);
      input.disabled = peers.phase === 'running';
    }
  });
  const labels = chips.map(({ label }) => label);
  return h('fieldset', {}, h('legend', {}, legend), h('div', { class: 'chips' }, ...labels));
}

function lengthPicker(store: Store<AppState>, actions: Actions): HTMLElement {
  const keys = ['quick', 'full'] as const;
  const chips = keys.map((key) => ({
    key,
    ...chip('radio', 'peer-length', key, lengthNames[key]),
  }));
  for (const { key, input } of chips)
    input.addEventListener('change', () =>
      actions.setForm('peer-length', key === 'full' ? key : ''),
    );
  store.watch(['form', 'options', 'peers'], (state) => {
    const { length } = choiceOf(state);
    for (const { key, input } of chips) {
      input.checked = key === length;
      input.disabled = state.peers.phase === 'running';
    }
  });
  const labels = chips.map(({ label }) => label);
  return h('fieldset', {}, h('legend', {}, 'Length'), h('div', { class: 'chips' }, ...labels));
}

function moreOptions(store: Store<AppState>, actions: Actions): HTMLElement {
  const seed = numberField('Seed', 'peers-seed', mostSeed, (value) =>
    actions.choose({ seed: value }),
  );
  const threads = numberField('Threads (0: automatic)', 'peers-threads', mostThreads, (value) =>
    actions.choose({ threads: value }),
  );
  store.watch(['options', 'peers'], ({ options, peers }) => {
    seed.show(options.seed);
    threads.show(options.threads);
    for (const { input } of [seed, threads]) input.disabled = peers.phase === 'running';
  });
  const { options } = store.get();
  return h(
    'details',
    {
      class: 'more',
      open: options.threads !== defaultRun.threads || options.seed !== defaultRun.seed,
    },
    h('summary', {}, 'Threads and seed'),
    h('div', { class: 'fields' }, threads.field, seed.field),
  );
}

/** A sentence for each phase, for screen readers too: no number in it keeps changing. */
function statusText(state: PeersState): string {
  switch (state.phase) {
    case 'idle':
      return 'Nothing measured yet.';
    case 'running':
      return 'Measuring in turns…';
    case 'done':
      return `Done in ${duration(state.milliseconds)}.`;
    case 'cancelled':
      return `Cancelled after ${duration(state.milliseconds)}; the cases that were done are kept.`;
    case 'failed':
      return `The measurement failed: ${state.message}`;
  }
}

function runButtons(store: Store<AppState>, actions: Actions): HTMLElement {
  const run = h('button', { type: 'button', class: 'primary', id: 'peers-run' }, 'Run');
  const cancel = h('button', { type: 'button', id: 'peers-cancel' }, 'Cancel');
  const status = h('p', { class: 'outcome', id: 'peers-status', role: 'status' });
  run.addEventListener('click', () => void actions.measurePeers(choiceOf(store.get())));
  cancel.addEventListener('click', () => actions.cancelPeers());
  store.watch(['form', 'options', 'peers', 'engine', 'run', 'training', 'profile'], (state) => {
    const { cases, peers } = choiceOf(state);
    const running = state.peers.phase === 'running';
    const work = workInProgress(state);
    const nothing = !isBuilt || cases.length === 0 || peers.length === 0;
    run.disabled = work !== undefined || nothing || state.engine.phase !== 'ready';
    run.title = running ? '' : (work ?? '');
    setText(run, running ? 'Running…' : 'Run');
    cancel.hidden = !running;
    setText(status, statusText(state.peers));
  });
  return h('div', { class: 'actions' }, run, cancel, status);
}

function progressView(store: Store<AppState>): HTMLElement {
  const bar = h('progress', { max: 1, value: 0, 'aria-label': 'Measured so far' });
  const what = h('span', { id: 'peers-what' });
  const left = h('span', { id: 'peers-left' });
  const text = h('p', { class: 'progress-text' }, what, left);
  const box = h('div', { class: 'progress', hidden: true }, bar, text);
  store.watch(['peers'], ({ peers }) => {
    box.hidden = peers.phase !== 'running';
    if (peers.phase !== 'running') return;
    const { fraction, millisecondsLeft } = peers.progress;
    bar.value = fraction;
    setText(what, peers.progress.what);
    setText(
      left,
      millisecondsLeft === undefined
        ? 'estimating the time left'
        : `${timeLeft(millisecondsLeft)} left`,
    );
  });
  return box;
}

/** Downloads the rows, which are then not lost with the page. */
function downloads(store: Store<AppState>, actions: Actions): HTMLElement {
  const button = (text: string, name: string, type: string, write: typeof toCsv) => {
    const made = h('button', { type: 'button', id: `peers-${name}` }, text);
    made.addEventListener('click', () => {
      const { peersResult } = store.get();
      if (!peersResult) return;
      download(`parallax-peers.${name}`, type, write(peersResult.rows));
      actions.saved(peersResult);
    });
    return made;
  };
  return h(
    'div',
    { class: 'train-buttons' },
    button('Download JSON lines', 'jsonl', 'application/jsonl', toJsonLines),
    button('Download CSV', 'csv', 'text/csv', toCsv),
  );
}

function resultView(root: HTMLElement, store: Store<AppState>, actions: Actions): void {
  const summary = h('p', { class: 'suite-line', id: 'peers-summary', role: 'status' });
  const engines = h('p', { class: 'hint wide', id: 'peers-engines' });
  const notes = h('ul', { class: 'hint wide', id: 'peers-notes' });
  const files = downloads(store, actions);
  const card = createCard('peers');
  const table = card.element.querySelector('details');
  if (table) table.open = true;
  root.append(summary, card.element, h('div', { class: 'panel stack' }, engines, notes, files));
  let shown: { result?: PeersResult; theme?: number } = {};
  store.watch(['peers', 'peersResult', 'theme'], ({ peers, peersResult: result, theme }) => {
    root.hidden = !result || result.cases.length + result.missing.length === 0;
    if (!result || root.hidden) return;
    setText(summary, peers.phase === 'running' ? '' : summaryText(result));
    if (shown.result === result && shown.theme === theme) return;
    shown = { result, theme };
    setText(engines, enginesText(result));
    notes.hidden = result.notes.length === 0;
    notes.replaceChildren(...result.notes.map((text) => h('li', {}, text)));
    files.hidden = result.rows.length === 0;
    card.show(peersChart(result));
  });
}

/** Fills the panel of the form, and the box of the result below it. */
export function mountPeers(
  root: HTMLElement,
  result: HTMLElement,
  store: Store<AppState>,
  actions: Actions,
): void {
  const cases = pageCases.map(({ key, title }) => ({ key, title }));
  const peers = browserPeers.map(({ key, name }) => ({ key, title: name }));
  const plan = h('p', { class: 'hint wide', id: 'peers-plan' });
  const both = { store, actions };
  root.append(
    h(
      'div',
      { class: 'stack' },
      picker('Cases', 'peer-cases', cases, both),
      h(
        'div',
        { class: 'fields' },
        picker('Libraries', 'peers', peers, both),
        lengthPicker(store, actions),
      ),
      moreOptions(store, actions),
      runButtons(store, actions),
      plan,
      progressView(store),
    ),
  );
  store.watch(['form', 'options', 'engine'], (state) => setText(plan, planText(state)));
  resultView(result, store, actions);
}
