/** What to run, the Run button, and the progress. */
import type { BenchProgress } from 'parallax-nn/bench';
import type { Actions } from '../actions.js';
import { h, setText } from '../dom.js';
import { capital, count, duration, expected, lateText, list, timeLeft } from '../format.js';
import {
  type AppState,
  awaitsMinute,
  chosenSuites,
  type EstimateState,
  isMinute,
  isTesting,
} from '../state.js';
import type { Store } from '../store.js';
import {
  defaultRun,
  mostRounds,
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

export function chip(
  type: 'checkbox' | 'radio',
  name: string,
  value: string,
  text: string,
  title?: string,
): { label: HTMLLabelElement; input: HTMLInputElement } {
  const input = h('input', { type, name, value });
  return { input, label: h('label', { class: 'chip', title }, input, h('span', {}, text)) };
}

/** What is chosen, in words. */
function choiceText(state: AppState): string {
  const { suites, options, engine } = state;
  if (suites.length === 0) {
    return engine.phase === 'starting' ? 'Starting the engine to list its suites…' : '';
  }
  if (awaitsMinute(state)) return 'Asking the engine what a minute has room for…';
  const { suites: named } = options;
  const names = suites.map(({ name }) => name);
  const unknown = typeof named === 'object' ? named.filter((name) => !names.includes(name)) : [];
  if (unknown.length > 0) {
    return `The address names ${list(unknown)}, but the suites are ${list(names)}.`;
  }
  const chosen = chosenSuites(state) ?? names;
  if (chosen.length === 0) return 'Choose at least one suite.';
  const [only] = chosen;
  if (chosen.length === 1) {
    return `${only}: ${suites.find(({ name }) => name === only)?.description}.`;
  }
  const room = isMinute(state) && chosen.length < names.length;
  const why = room ? ': as many as a run of a minute has room for here' : '';
  return `${count(chosen.length, 'suite')} of ${names.length}${why}.`;
}

const isSame = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((name) => b.includes(name));

function suitePicker(store: Store<AppState>, actions: Actions): HTMLElement {
  const chips = h('div', { class: 'chips' });
  const inputs = new Map<string, HTMLInputElement>();
  const choose = () => {
    const chosen = [...inputs].filter(([, input]) => input.checked).map(([name]) => name);
    const { minute, options } = store.get();
    /* The choice of the page keeps the address short. */
    if (options.size === 'quick' && typeof minute === 'object' && isSame(chosen, minute)) {
      actions.chooseSuites(undefined);
    } else actions.chooseSuites(chosen.length === inputs.size ? 'all' : chosen);
  };
  store.watch(['suites'], ({ suites }) => {
    inputs.clear();
    const labels = suites.map(({ name, description }) => {
      const { label, input } = chip('checkbox', 'suite', name, name, description);
      input.addEventListener('change', choose);
      inputs.set(name, input);
      return label;
    });
    chips.replaceChildren(...labels);
  });
  store.watch(['suites', 'minute', 'options', 'run'], (state) => {
    const chosen = chosenSuites(state);
    for (const [name, input] of inputs) {
      input.disabled = state.run.phase === 'running';
      input.checked = !awaitsMinute(state) && (chosen?.includes(name) ?? true);
    }
  });
  return h('fieldset', {}, h('legend', {}, 'Suites'), chips);
}

function sizePicker(store: Store<AppState>, actions: Actions): HTMLElement {
  const inputs = runSizes.map((size) => {
    const { label, input } = chip('radio', 'size', size, sizeNames[size]);
    input.addEventListener('change', () => actions.choose({ size }));
    return { label, input, size };
  });
  store.watch(['options', 'run'], ({ options, run }) => {
    for (const { input, size } of inputs) {
      input.checked = options.size === size;
      input.disabled = run.phase === 'running';
    }
  });
  const chips = h('div', { class: 'chips' }, ...inputs.map(({ label }) => label));
  return h('fieldset', {}, h('legend', {}, 'Size'), chips);
}

/** A field for a whole number from 0 to `most`; an empty one is 0. What it cannot be, it says. */
export function numberField(
  label: string,
  id: string,
  most: number,
  changed: (value: number) => void,
) {
  const noteId = `${id}-note`;
  const input = h('input', {
    id,
    type: 'number',
    min: 0,
    max: most,
    step: 1,
    inputmode: 'numeric',
    'aria-describedby': noteId,
  });
  const note = h('span', { class: 'hint bad', role: 'alert', id: noteId });
  let shown = 0;
  const show = (value: number): void => {
    shown = value;
    input.value = String(value);
  };
  input.addEventListener('change', () => {
    /* What is no number at all is not in the field's value. */
    const text = input.validity.badInput ? '' : input.value || '0';
    const value = wholeNumber(text, most, -1);
    const not = text && `, not ${text}`;
    const wrong = `This must be a whole number from 0 to ${most}${not}. It is ${shown} again.`;
    setText(note, value < 0 ? wrong : '');
    show(value < 0 ? shown : value);
    if (value >= 0) changed(value);
  });
  return {
    input,
    show,
    field: h(
      'div',
      { class: 'field' },
      h('label', { for: id, class: 'label' }, label),
      input,
      note,
    ),
  };
}

function moreOptions(store: Store<AppState>, actions: Actions): HTMLElement {
  const seed = numberField('Seed', 'seed', mostSeed, (value) => actions.choose({ seed: value }));
  const rounds = numberField('Rounds (0: as the size says)', 'rounds', mostRounds, (value) =>
    actions.choose({ rounds: value }),
  );
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
    rounds.show(options.rounds);
    seed.show(options.seed);
    threads.show(options.threads);
    tier.value = options.tier;
    for (const input of [rounds.input, seed.input, threads.input, tier])
      input.disabled = run.phase === 'running';
  });
  return h(
    'details',
    { class: 'more' },
    h('summary', {}, 'Engine, threads, rounds and seed'),
    h(
      'div',
      { class: 'fields' },
      h('div', { class: 'field' }, h('label', { for: 'tier', class: 'label' }, 'Engine'), tier),
      threads.field,
      rounds.field,
      seed.field,
    ),
  );
}

function runText({ run, voided }: AppState): string {
  const note =
    voided === undefined ? '' : ` ${capital(voided)} during the run: its results are void.`;
  switch (run.phase) {
    case 'done':
      return `Done in ${duration(run.milliseconds)}.${lateText(run.milliseconds, run.estimated)}${note}`;
    case 'cancelled':
      return `Cancelled after ${duration(run.milliseconds)}; the results so far stay until the page is left.${note}`;
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

/** "Run: about 50 seconds". */
function runLabel({ run, estimate }: AppState): string {
  if (run.phase === 'running') return 'Running…';
  return estimate.phase === 'known' ? `Run: ${expected(estimate.milliseconds)}` : 'Run';
}

/** Whether the address asks for something else than the default, which is then shown. */
const isChosen = ({ options }: AppState): boolean =>
  JSON.stringify(options) !== JSON.stringify(defaultRun);

/** Fills the panel with the controls of a run. */
export function mountControls(root: HTMLElement, store: Store<AppState>, actions: Actions): void {
  const run = h('button', { type: 'button', class: 'primary', id: 'run' }, 'Run');
  const cancel = h('button', { type: 'button', id: 'cancel' }, 'Cancel');
  const outcome = h('p', { class: 'outcome', role: 'status', id: 'outcome' });
  const plan = h('p', { class: 'hint wide', id: 'size-hint' });
  run.addEventListener('click', () => void actions.run());
  cancel.addEventListener('click', () => actions.cancel());
  store.watch(
    ['run', 'engine', 'suites', 'minute', 'options', 'training', 'ab', 'voided', 'estimate'],
    (state) => {
      const running = state.run.phase === 'running';
      const noSuite = chosenSuites(state)?.length === 0;
      const waits = state.engine.phase === 'starting' || awaitsMinute(state);
      run.disabled = running || waits || noSuite || isTesting(state);
      run.title = isTesting(state) ? 'An A/B test is in progress.' : '';
      setText(run, runLabel(state));
      cancel.hidden = !running;
      setText(outcome, runText(state));
      const { size } = state.options;
      setText(plan, [choiceText(state), sizeHints[size], estimateText(state.estimate)].join(' '));
    },
  );
  const choices = h(
    'details',
    { class: 'more', id: 'choices', open: isChosen(store.get()) },
    h('summary', {}, 'Choose suites, size and engine'),
    h('div', { class: 'fields' }, suitePicker(store, actions), sizePicker(store, actions)),
    moreOptions(store, actions),
  );
  root.append(
    h('div', { class: 'actions' }, run, cancel, outcome),
    plan,
    progressView(store),
    choices,
  );
}
