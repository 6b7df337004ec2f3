/** The comparison in words, or why there is none yet. */
import type { Actions } from '../actions.js';
import { type Case, pairCases } from '../compare.js';
import { h } from '../dom.js';
import { list } from '../format.js';
import { nativeMeasurements } from '../native_files.js';
import type { AppState } from '../state.js';
import type { Store } from '../store.js';
import { type LeftOut, leftOut, summarise, summariseWhole } from '../summary.js';
import {
  leftOutText,
  machineSentences,
  reservations,
  type Step,
  steps,
  verdict,
  wholeVerdict,
} from '../verdict.js';

export const nativeCommand = 'scripts/playground';

/** A command line with a button to copy it. */
export function command(text: string): HTMLElement {
  const copy = h('button', { type: 'button', 'aria-label': `Copy the command ${text}` }, 'Copy');
  copy.addEventListener('click', () => {
    navigator.clipboard.writeText(text).then(
      () => {
        copy.textContent = 'Copied';
      },
      () => {
        copy.textContent = 'Select it instead';
      },
    );
  });
  return h('div', { class: 'command' }, h('code', {}, text), copy);
}

function stepItem({ title, figure, interval, what }: Step): HTMLElement {
  return h(
    'li',
    {},
    h('b', {}, title),
    h('span', { class: 'figure' }, figure),
    h('span', { class: 'interval' }, interval),
    h('p', { class: 'what' }, what),
  );
}

/** The two runs of the command that make the sides A and B. */
const nativeRuns = () => [
  h('code', {}, 'parallax bench all --json best.jsonl'),
  ' (A) and ',
  h('code', {}, 'parallax bench all --reproducible --json exact.jsonl'),
  ' (B)',
];

function noNative(): HTMLElement {
  return h(
    'div',
    { class: 'panel', id: 'no-native' },
    h('h3', {}, 'No native results for this machine yet'),
    h(
      'p',
      { class: 'muted' },
      'This page can measure your browser, but not yet say how far that is from native. In a clone of ' +
        'the repository, one command measures this machine and serves this page with its results:',
    ),
    command(nativeCommand),
    h(
      'p',
      { class: 'hint' },
      'Or run ',
      ...nativeRuns(),
      ' on this machine and drop both files into the section “Results and data” below.',
    ),
  );
}

/** The names may be many, so they unfold on demand. */
function leftOutItem(left: LeftOut): HTMLElement {
  return h(
    'details',
    { class: 'hint wide left-out' },
    h('summary', {}, leftOutText(left)),
    h('p', {}, `${list(left.names)}.`),
  );
}

/** What can be said without all three sides, and how to get them. */
function incomplete(cases: readonly Case[]): HTMLElement {
  const whole = summariseWhole(cases);
  return h(
    'div',
    { class: 'notice warn' },
    h(
      'p',
      { id: 'verdict' },
      whole
        ? wholeVerdict(whole)
        : 'No case has valid results on all three sides with the same parameters and number of ' +
            'threads, so there is nothing to compare. The tables below show what each side has.',
    ),
    h('p', {}, 'The native sides come from ', ...nativeRuns(), '.'),
  );
}

function answer(state: AppState): HTMLElement[] {
  const native = nativeMeasurements(state);
  const browser = state.browser?.measurements ?? [];
  if (native.length === 0 || browser.length === 0) return [];
  const cases = pairCases(native, browser);
  const summary = summarise(cases);
  const without = leftOut(cases).map(leftOutItem);
  if (!summary) return state.run.phase === 'running' ? [] : [incomplete(cases), ...without];
  const machine = machineSentences(summary);
  return [
    h(
      'div',
      { class: 'panel' },
      h('p', { class: 'verdict', id: 'verdict', role: 'status' }, verdict(summary)),
      machine.length > 0 && h('p', { class: 'hint wide', id: 'machine' }, machine.join(' ')),
      ...reservations(summary).map((text) =>
        h('div', { class: 'notice warn reservation' }, h('p', {}, text)),
      ),
      ...without,
      h('ol', { class: 'steps' }, ...steps(summary).map(stepItem)),
    ),
  ];
}

/** Fills the box above the charts. */
export function mountHeadline(root: HTMLElement, store: Store<AppState>, actions: Actions): void {
  store.watch(['native', 'browser', 'files', 'run'], (state) => {
    const { native } = state;
    const parts: HTMLElement[] = answer(state);
    if (native.phase === 'absent' && nativeMeasurements(state).length === 0) parts.push(noNative());
    if (native.phase === 'failed') {
      const again = h('button', { type: 'button' }, 'Try again');
      again.addEventListener('click', () => void actions.loadNative());
      parts.push(
        h(
          'div',
          { class: 'notice bad', id: 'native-failed' },
          h('p', {}, native.message),
          h('p', {}, again),
        ),
      );
    }
    root.replaceChildren(...parts);
  });
}
