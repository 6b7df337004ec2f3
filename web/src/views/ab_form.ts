/** The form of an A/B test. What it holds is in the address, and read from there. */
import {
  type AbChoice,
  type Difference,
  differences,
  isSame,
  leastPairs,
  mostAbThreads,
  mostBatch,
  mostPairs,
  problemOf,
  readChoice,
  tiers,
  usual,
  usualDifference,
  usualValues,
} from '../ab_choice.js';
import type { Actions } from '../actions.js';
import { h, setText } from '../dom.js';
import { type AppState, isTesting } from '../state.js';
import type { Store } from '../store.js';
import type { FormName } from '../url_state.js';
import { isActive } from './training_controls.js';

const isolated = globalThis.crossOriginIsolated;

const differenceNames: Record<Difference, string> = {
  threads: 'Threads',
  tier: 'Engine',
  batch: 'Batch',
  optimizer: 'Optimizer',
};

type Input = HTMLInputElement | HTMLSelectElement;

/** An input, and the value that it shows of a choice. */
interface Bound {
  input: Input;
  of(choice: AbChoice): string;
}

/** Keeps the address up to date with an input; usual values are left out of it. */
function bind(
  name: FormName,
  input: Input,
  initial: () => string,
  of: Bound['of'],
  actions: Pick<Actions, 'setForm'>,
): Bound {
  input.addEventListener('change', () =>
    actions.setForm(name, input.value === initial() ? '' : input.value),
  );
  return { input, of };
}

/** Shows a choice, but not over what the reader is typing. */
function showIn({ input, of }: Bound, choice: AbChoice): void {
  const value = of(choice);
  if (input.value !== value && document.activeElement !== input) input.value = value;
}

function field(label: string, input: HTMLElement, ...more: HTMLElement[]): HTMLElement {
  const name = h('label', { for: input.id, class: 'label' }, label);
  return h('div', { class: 'field' }, name, input, ...more);
}

function select(id: string, options: readonly (readonly [string, string])[]): HTMLSelectElement {
  return h('select', { id }, ...options.map(([value, name]) => h('option', { value }, name)));
}

const named = (names: readonly string[]) => names.map((name) => [name, name] as const);

const numberInput = (id: string, least: number, most: number) =>
  h('input', { id, type: 'number', min: least, max: most, step: 1, inputmode: 'numeric' });

/** The input for the value of a side, of the kind that the difference needs. */
function valueInput(id: string, differs: Difference, optimizers: readonly string[]): Input {
  switch (differs) {
    case 'threads':
      return numberInput(id, 1, mostAbThreads);
    case 'batch':
      return numberInput(id, 1, mostBatch);
    case 'tier':
      return select(id, named(tiers));
    case 'optimizer':
      return select(id, named(optimizers));
  }
}

const sideNames = ['first', 'second'] as const;

function differencePicker(actions: Actions): Bound {
  const input = select(
    'ab-differs',
    differences.map((each) => [each, differenceNames[each]]),
  );
  input.addEventListener('change', () => {
    /* Values of another kind mean nothing now. */
    for (const name of sideNames) actions.setForm(`ab${name}`, '');
    actions.setForm('ab', input.value === usualDifference(isolated) ? '' : input.value);
  });
  return { input, of: ({ differs }) => differs };
}

/** The values of both sides; the inputs are new where another kind of value is needed. */
function sideFields(actions: Actions) {
  const root = h('div', { class: 'fields' });
  let shown = '';
  let bound: readonly Bound[] = [];
  function renew({ differs }: AbChoice, optimizers: readonly string[]): void {
    bound = sideNames.map((name, i) =>
      bind(
        `ab${name}`,
        valueInput(`ab-${name}`, differs, optimizers),
        () => usualValues[differs][i] ?? '',
        ({ values }) => values[i] ?? '',
        actions,
      ),
    );
    root.replaceChildren(
      ...bound.map(({ input }, i) => {
        const one = field(i === 0 ? 'First side' : 'Second side', input);
        const tag = { class: `tag other${i + 1}`, 'aria-hidden': 'true' };
        one.querySelector('label')?.append(' ', h('span', tag, String(i + 1)));
        return one;
      }),
    );
  }
  return {
    root,
    bound: () => bound,
    show(choice: AbChoice, optimizers: readonly string[]): void {
      const kind = `${choice.differs} ${optimizers.join()}`;
      if (kind !== shown) renew(choice, optimizers);
      shown = kind;
    },
  };
}

/** What both sides have in common. */
function commonFields(store: Store<AppState>, actions: Actions) {
  const names = h('datalist', { id: 'ab-models' });
  const model = h('input', {
    ...{ id: 'ab-model', type: 'text', list: names.id, required: true },
    ...{ spellcheck: 'false', autocomplete: 'off' },
  });
  const run = select('ab-run', [
    ['training', 'Training step'],
    ['prediction', 'Prediction'],
  ]);
  const batch = numberInput('ab-batch', 1, mostBatch);
  const optimizer = select('ab-optimizer', []);
  const pairs = numberInput('ab-pairs', leastPairs, mostPairs);
  const kept = (name: FormName, input: Input, initial: string, of: Bound['of']) =>
    bind(name, input, () => initial, of, actions);
  const bound = [
    kept('abmodel', model, usual.model, (choice) => choice.model),
    kept('abrun', run, usual.run, ({ training }) => (training ? 'training' : 'prediction')),
    kept('abbatch', batch, usual.batch, (choice) => choice.batch),
    kept('aboptimizer', optimizer, usual.optimizer, (choice) => choice.optimizer),
    kept('pairs', pairs, usual.pairs, (choice) => choice.pairs),
  ];
  store.watch(['models'], ({ models }) => {
    const examples = [usual.model, ...models];
    names.replaceChildren(...examples.map((value) => h('option', { value })));
  });
  store.watch(['optimizers'], ({ optimizers }) =>
    optimizer.replaceChildren(...optimizers.map((name) => h('option', { value: name }, name))),
  );
  const batchField = field('Batch', batch);
  const optimizerField = field('Optimizer', optimizer);
  const fields = [field('Model', model, names), field('Run', run), batchField, optimizerField];
  return {
    root: h('div', { class: 'fields' }, ...fields, field('Pairs', pairs)),
    bound,
    /** Hides what the sides do not have in common. */
    show({ differs, training }: AbChoice): void {
      batchField.hidden = differs === 'batch';
      optimizerField.hidden = differs === 'optimizer' || !training;
    },
  };
}

/** Why nothing can be measured now; empty if something can. */
function obstacle(choice: AbChoice, state: AppState): string {
  const { run, training, profile } = state;
  const busy = run.phase === 'running' || isActive(training.phase) || profile.phase === 'running';
  return (
    problemOf(choice, state) ??
    (busy ? 'This browser is busy with a run, with training or with a profile.' : '')
  );
}

const sameText =
  'Both sides are the same: this shows how far equal measurements differ in this browser.';

export function abForm(store: Store<AppState>, actions: Actions): HTMLElement {
  const read = (): AbChoice => readChoice(store.get().form, store.get().options, isolated);
  const differs = differencePicker(actions);
  const sides = sideFields(actions);
  const common = commonFields(store, actions);
  const start = h('button', { type: 'submit', class: 'primary', id: 'ab-start' }, 'Measure both');
  const cancel = h('button', { type: 'button', id: 'ab-cancel' }, 'Cancel');
  const note = h('p', { class: 'hint wide', id: 'ab-problem', role: 'status' });
  cancel.addEventListener('click', () => actions.cancelTest());
  store.watch(
    ['form', 'options', 'optimizers', 'engine', 'ab', 'run', 'training', 'profile'],
    (state) => {
      const choice = read();
      const testing = isTesting(state);
      sides.show(choice, state.optimizers);
      common.show(choice);
      for (const each of [differs, ...sides.bound(), ...common.bound]) {
        showIn(each, choice);
        each.input.disabled = testing;
      }
      const why = obstacle(choice, state);
      start.disabled = testing || why !== '' || state.engine.phase !== 'ready';
      cancel.hidden = !testing;
      setText(note, why || (isSame(choice) ? sameText : ''));
      note.hidden = note.textContent === '';
    },
  );
  const root = h(
    'form',
    { class: 'stack', novalidate: true, id: 'ab-form' },
    h('div', { class: 'fields' }, field('What differs', differs.input), sides.root),
    common.root,
    note,
    h('div', { class: 'actions' }, start, cancel),
  );
  root.addEventListener('submit', (event) => {
    event.preventDefault();
    const choice = read();
    if (!start.disabled && obstacle(choice, store.get()) === '') void actions.test(choice);
  });
  return root;
}
