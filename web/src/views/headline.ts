/** The answer: of this machine, of a shared result, or, before anything ran, of the reference. */
import type { Actions } from '../actions.js';
import {
  aloneAnswer,
  answerOf,
  type Beside,
  machineOf,
  subjectOf,
  wholeAnswer,
} from '../answer.js';
import type { Case } from '../compare.js';
import { h } from '../dom.js';
import { list } from '../format.js';
import { nativeMeasurements } from '../native_files.js';
import { routeLink } from '../route.js';
import type { Measurement } from '../rows.js';
import { type Results, type Shown, shownResults } from '../shown.js';
import type { AppState } from '../state.js';
import type { Store } from '../store.js';
import { besideReference } from '../suite_lines.js';
import { type LeftOut, leftOut, type Summary, summarise, summariseWhole } from '../summary.js';
import { threadsGain } from '../threads_gain.js';
import {
  leftOutText,
  machineSentences,
  reservations,
  type Step,
  steps,
  verdict,
  wholeVerdict,
} from '../verdict.js';
import { nativeRuns } from './native_panel.js';
import { explain, prose, setProse } from './terms.js';

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

/** Native results are there, and this browser has not been measured yet. */
function nativeReady(state: AppState): HTMLElement | undefined {
  const [first] = nativeMeasurements(state);
  if (!first || state.browser || state.run.phase === 'running') return undefined;
  const when = first.day ? ` on ${first.day}` : '';
  const text = `This machine was measured natively${when}: run the benchmark to see how close this browser comes to that.`;
  return h('div', { class: 'notice good', id: 'native-ready' }, prose(text));
}

/** The names may be many, so they unfold on demand. */
function leftOutItem(left: LeftOut): HTMLElement {
  return h(
    'details',
    { class: 'hint wide left-out' },
    h('summary', {}, leftOutText(left)),
    h('p', { class: 'long-list' }, `${list(left.names)}.`),
  );
}

/** Whose results these are, unless they are this machine's. */
function originLabel({ origin, cases }: Results, browser: Measurement | undefined): HTMLElement[] {
  if (origin === 'own') return [];
  const when = browser?.day ? `, ${browser.day}` : '';
  const where = `${machineOf(cases)}, ${browser?.engine ?? 'native runs only'}${when}`;
  const text =
    origin === 'reference'
      ? `Reference: ${where}. Not this machine: run the benchmark to see yours.`
      : `Shared by link: ${where}. Not this machine: run the benchmark to see yours.`;
  return [h('p', { class: `origin ${origin}`, id: 'origin' }, text)];
}

/** The sentence, and whatever else is there, in one panel. */
function panel(
  results: Results,
  sentence: string,
  browser: Measurement | undefined,
  ...more: (HTMLElement | false)[]
): HTMLElement {
  const answer = h('p', { class: 'verdict', id: 'answer', role: 'status' });
  setProse(answer, sentence);
  return h(
    'section',
    { class: 'panel', 'aria-label': 'Answer' },
    ...originLabel(results, browser),
    answer,
    ...more,
    h(
      'p',
      { class: 'hint wide' },
      h('a', { href: routeLink({ view: 'compare' }) }, 'Compare'),
      ' with earlier runs of this browser, or one setting with another: threads, engines, batches, optimizers.',
    ),
  );
}

function full(results: Results, summary: Summary, beside: Beside): HTMLElement {
  const { origin } = results;
  const subject = subjectOf(origin, beside.browser);
  const machine = machineSentences(summary, origin === 'own');
  const { gain } = beside;
  const threads = gain
    ? ` What threads give is that of the layer ${gain.where}, on one and as the plan runs it.`
    : '';
  const items = h('ol', { class: 'steps' }, ...steps(summary).map(stepItem));
  explain(items);
  return panel(
    results,
    answerOf(summary, subject, beside),
    beside.browser,
    prose(`${verdict(summary, subject)}${threads}`, { class: 'hint wide', id: 'verdict' }),
    machine.length > 0 && prose(machine.join(' '), { class: 'hint wide', id: 'machine' }),
    ...reservations(summary).map((text) =>
      h('div', { class: 'notice warn reservation' }, prose(text)),
    ),
    ...(origin === 'own' ? leftOut(results.cases).map(leftOutItem) : []),
    items,
  );
}

/** What can be said without all three sides, and how to get them. */
function incomplete(results: Results, beside: Beside): HTMLElement {
  const subject = subjectOf(results.origin, beside.browser);
  const whole = summariseWhole(results.cases);
  const sentence = whole
    ? wholeAnswer(whole, subject, beside)
    : 'There is nothing to compare yet: no case has valid results on all three sides.';
  const why = whole
    ? wholeVerdict(whole, subject)
    : 'No case has valid results on all three sides with the same parameters and number of threads. The views of the suites show what each side has.';
  return panel(
    results,
    sentence,
    beside.browser,
    prose(why, { class: 'hint wide', id: 'verdict' }),
    h('p', { class: 'hint wide' }, 'The native sides come from ', ...nativeRuns(), '.'),
    ...leftOut(results.cases).map(leftOutItem),
  );
}

/** The answer where this browser was measured and nothing native is there. */
function alone(results: Results, shown: Shown, beside: Beside): HTMLElement {
  const all = results.cases.flatMap(({ C }) => C ?? []);
  if (all.every(({ voided }) => voided !== undefined)) {
    return panel(results, `Nothing of this run counts: ${all[0]?.voided}.`, beside.browser);
  }
  const speed = besideReference(results.cases);
  const reference = shown.suites
    .flatMap(({ cases }) => cases)
    .flatMap(({ others }) => [...others.values()]);
  const other = reference.find(({ origin }) => origin === 'reference');
  const name = other ? `that of the reference machine (${other.machine})` : 'the reference';
  return panel(results, aloneAnswer(speed, name, beside), beside.browser);
}

const browserRow = (cases: readonly Case[]): Measurement | undefined =>
  cases.flatMap(({ C }) => C ?? [])[0];

/** The panel with the answer, if there is anything to say. */
function answer(state: AppState): HTMLElement[] {
  const shown = shownResults(state);
  const { main } = shown;
  if (!main) return [];
  const browser = browserRow(main.cases);
  const beside: Beside = { browser, gain: threadsGain(main.cases) };
  const summary = summarise(main.cases);
  if (summary) return [full(main, summary, beside)];
  if (main.native.length > 0) {
    if (!browser || state.run.phase === 'running') return [];
    return [incomplete(main, beside)];
  }
  return browser ? [alone(main, shown, beside)] : [];
}

/** Fills the box with the answer. */
export function mountHeadline(root: HTMLElement, store: Store<AppState>, actions: Actions): void {
  let shown: readonly unknown[] = [];
  store.watch(['native', 'browser', 'files', 'run', 'reference', 'shared'], (state) => {
    const { native, browser, files, run, reference, shared } = state;
    /* Progress alone changes nothing here, and would take the focus from what is read. */
    const now = [native, browser, files, run.phase, reference, shared];
    if (now.every((each, i) => each === shown[i])) return;
    shown = now;
    const ready = nativeReady(state);
    const parts: HTMLElement[] = [...(ready ? [ready] : []), ...answer(state)];
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
