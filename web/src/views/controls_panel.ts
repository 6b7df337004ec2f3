/** What to run, the Run button, and the progress. */
import type { BenchProgress } from 'parallax-nn/bench';
import type { Actions } from '../actions.js';
import { h, setText } from '../dom.js';
import { count, duration, expected, list, timeLeft } from '../format.js';
import { type AppState, chosenSuites, type EstimateState } from '../state.js';
import type { Store } from '../store.js';
import {
  mostSeed,
  mostThreads,
  type RunSize,
  runSizes,
  sizeNames,
  type TierChoice,
  tierChoices,
  wholeNumber,
} from '../url_state.js';

const sizeHints: Record<RunSize, string> = {
  quick: 'Small cases and few samples: wide intervals.',
  standard: 'The cases as published.',
  long: 'Every case, up to a million samples.',
};
const tierNames: Record<TierChoice, string> = {
  auto: 'Best that runs here',
  fastest: 'Fastest: measures which is',
  simd: 'simd: one thread, same bits everywhere',
  'simd-threads': 'simd-threads: same bits everywhere',
  'relaxed-threads': 'relaxed-threads: fused multiply-add',
};

function estimateText(estimate: EstimateState): string {
  switch (estimate.phase) {
    case 'nothing':
      return '';
    case 'waiting':
      return 'An estimate of the time follows when the engine is free.';
    case 'asking':
      return 'Estimating the time…';
    case 'known':
      return `The run takes ${expected(estimate.milliseconds)} on this machine.`;
    case 'unknown':
      return `The time that the run takes is not known: ${estimate.message}.`;
  }
}

function chip(
  type: 'checkbox' | 'radio',
  name: string,
  value: string,
  text: string,
  title?: string,
): { label: HTMLLabelElement; input: HTMLInputElement } {
  const input = h('input', { type, name, value });
  return { input, label: h('label', { class: 'chip', title }, input, h('span', {}, text)) };
}

function suitePicker(store: Store<AppState>, actions: Actions): HTMLElement {
  const chips = h('div', { class: 'chips' });
  const hint = h('p', { class: 'hint' });
  const inputs = new Map<string, HTMLInputElement>();
  const choose = () => {
    const chosen = [...inputs].filter(([, input]) => input.checked).map(([name]) => name);
    /* All suites is the default, which keeps the address short. */
    actions.chooseSuites(chosen.length === inputs.size ? undefined : chosen);
  };
  store.watch(['suites'], ({ suites, options }) => {
    inputs.clear();
    const labels = suites.map(({ name, description }) => {
      const { label, input } = chip('checkbox', 'suite', name, name, description);
      input.checked = options.suites?.includes(name) ?? true;
      input.addEventListener('change', choose);
      inputs.set(name, input);
      return label;
    });
    chips.replaceChildren(...labels);
  });
  store.watch(['suites', 'options', 'run'], ({ suites, options, run }) => {
    const unknown = options.suites?.filter((name) => !inputs.has(name)) ?? [];
    for (const input of inputs.values()) input.disabled = run.phase === 'running';
    if (suites.length === 0) setText(hint, 'Starting the engine to list its suites…');
    else if (unknown.length > 0) {
      setText(
        hint,
        `The address names ${list(unknown)}, but the suites are ${list([...inputs.keys()])}.`,
      );
    } else {
      const chosen = [...inputs].filter(([, input]) => input.checked);
      const only = chosen.length === 1 ? suites.find(({ name }) => name === chosen[0]?.[0]) : null;
      setText(
        hint,
        only?.description ??
          (chosen.length === 0
            ? 'Choose at least one suite.'
            : `${count(chosen.length, 'suite')} of ${suites.length}.`),
      );
    }
  });
  return h('fieldset', {}, h('legend', {}, 'Suites'), chips, hint);
}

function sizePicker(store: Store<AppState>, actions: Actions): HTMLElement {
  const hint = h('p', { class: 'hint', id: 'size-hint' });
  const inputs = runSizes.map((size) => {
    const { label, input } = chip('radio', 'size', size, sizeNames[size]);
    input.addEventListener('change', () => actions.choose({ size }));
    return { label, input, size };
  });
  store.watch(['options', 'run', 'estimate'], ({ options, run, estimate }) => {
    for (const { input, size } of inputs) {
      input.checked = options.size === size;
      input.disabled = run.phase === 'running';
    }
    setText(hint, `${sizeHints[options.size]} ${estimateText(estimate)}`.trim());
  });
  const chips = h('div', { class: 'chips' }, ...inputs.map(({ label }) => label));
  return h('fieldset', {}, h('legend', {}, 'Size'), chips, hint);
}

function numberField(label: string, id: string, most: number, changed: (value: number) => void) {
  const input = h('input', {
    id,
    type: 'number',
    min: 0,
    max: most,
    step: 1,
    inputmode: 'numeric',
  });
  input.addEventListener('change', () => {
    const value = wholeNumber(input.value, most, 0);
    input.value = String(value);
    changed(value);
  });
  return {
    input,
    field: h('div', { class: 'field' }, h('label', { for: id, class: 'label' }, label), input),
  };
}

function moreOptions(store: Store<AppState>, actions: Actions): HTMLElement {
  const seed = numberField('Seed', 'seed', mostSeed, (value) => actions.choose({ seed: value }));
  const threads = numberField('Threads (0: automatic)', 'threads', mostThreads, (value) =>
    actions.choose({ threads: value }),
  );
  const tier = h(
    'select',
    { id: 'tier' },
    ...tierChoices.map((value) => h('option', { value }, tierNames[value])),
  );
  tier.addEventListener('change', () => actions.choose({ tier: tier.value as TierChoice }));
  store.watch(['options', 'run'], ({ options, run }) => {
    seed.input.value = String(options.seed);
    threads.input.value = String(options.threads);
    tier.value = options.tier;
    for (const input of [seed.input, threads.input, tier]) input.disabled = run.phase === 'running';
  });
  return h(
    'details',
    { class: 'more' },
    h('summary', {}, 'Engine, threads and seed'),
    h(
      'div',
      { class: 'fields' },
      h('div', { class: 'field' }, h('label', { for: 'tier', class: 'label' }, 'Engine'), tier),
      threads.field,
      seed.field,
    ),
  );
}

function runText({ run, hidden }: AppState): string {
  const note = hidden ? ' The page was hidden during the run: its results are void.' : '';
  switch (run.phase) {
    case 'done':
      return `Done in ${duration(run.milliseconds)}.${note}`;
    case 'cancelled':
      return `Cancelled after ${duration(run.milliseconds)}; the results so far are kept.${note}`;
    case 'failed':
      return `The run failed: ${run.message}`;
    default:
      return '';
  }
}

/** "round 2 of 6, about 40 s left". */
function progressText({ round, rounds, millisecondsLeft }: BenchProgress): string {
  /* Before the first measurement there is nothing to estimate from. */
  const left = Number.isFinite(millisecondsLeft)
    ? `${timeLeft(millisecondsLeft)} left`
    : 'estimating the time left';
  return `round ${round} of ${rounds}, ${left}`;
}

function progressView(store: Store<AppState>): HTMLElement {
  const bar = h('progress', { max: 1, value: 0, 'aria-label': 'Progress of the run' });
  const what = h('span', { id: 'progress-case' });
  const left = h('span', { id: 'time-left' });
  const box = h(
    'div',
    { class: 'progress', hidden: true },
    bar,
    h('p', { class: 'progress-text' }, what, left),
  );
  store.watch(['run'], ({ run }) => {
    box.hidden = run.phase !== 'running';
    if (run.phase !== 'running') return;
    const { progress } = run;
    bar.value = progress?.fraction ?? 0;
    setText(what, progress ? `${progress.suite}: ${progress.case}` : 'Preparing…');
    setText(left, progress ? progressText(progress) : 'estimating the time left');
  });
  return box;
}

/** Fills the panel with the controls of a run. */
export function mountControls(root: HTMLElement, store: Store<AppState>, actions: Actions): void {
  const run = h('button', { type: 'button', class: 'primary', id: 'run' }, 'Run');
  const cancel = h('button', { type: 'button', id: 'cancel' }, 'Cancel');
  const outcome = h('p', { class: 'outcome', role: 'status', id: 'outcome' });
  run.addEventListener('click', () => void actions.run());
  cancel.addEventListener('click', () => actions.cancel());
  store.watch(['run', 'engine', 'suites', 'options', 'training', 'hidden'], (state) => {
    const running = state.run.phase === 'running';
    const noSuite = chosenSuites(state)?.length === 0;
    run.disabled = running || state.engine.phase === 'starting' || noSuite;
    run.textContent = running ? 'Running…' : 'Run the benchmark';
    cancel.hidden = !running;
    setText(outcome, runText(state));
  });
  root.append(
    h('div', { class: 'fields' }, suitePicker(store, actions), sizePicker(store, actions)),
    moreOptions(store, actions),
    h('div', { class: 'actions' }, run, cancel, outcome),
    progressView(store),
  );
}
