/** Where the time of a model goes: what to measure, and the tables. */
import type { Actions } from '../actions.js';
import { h, setText } from '../dom.js';
import { workInProgress } from '../leave_guard.js';
import {
  ceilingsSentence,
  itemsTable,
  type ProfileResult,
  profileSentence,
  stepsTable,
} from '../profile_text.js';
import type { AppState, ProfileState } from '../state.js';
import type { Store } from '../store.js';
import { fillTable } from './table.js';
import { keepInAddress } from './training_controls.js';

const mostSamples = 4096;

/** A sentence for each phase, for screen readers too: no number in it keeps changing. */
function statusText(state: ProfileState): string {
  switch (state.phase) {
    case 'idle':
      return 'Nothing measured yet.';
    case 'running':
      return 'Measuring the model and the ceilings of this machine in turn…';
    case 'cancelled':
      return 'Cancelled.';
    default:
      return '';
  }
}

function field(label: string, input: HTMLElement, ...more: HTMLElement[]): HTMLElement {
  const name = h('label', { for: input.id, class: 'label' }, label);
  return h('div', { class: 'field' }, name, input, ...more);
}

/** The form; calls start with what was chosen. */
function form(store: Store<AppState>, actions: Actions): HTMLElement {
  const names = h('datalist', { id: 'profile-models' });
  const model = h('input', {
    id: 'profile-model',
    type: 'text',
    value: 'gpt2-nano',
    list: names.id,
    required: true,
    spellcheck: 'false',
    autocomplete: 'off',
  });
  const batch = h('input', {
    id: 'profile-batch',
    type: 'number',
    value: 8,
    min: 1,
    max: mostSamples,
    step: 1,
    required: true,
  });
  const training = h('input', { id: 'profile-training', type: 'checkbox' });
  keepInAddress('profile', model, store, actions);
  keepInAddress('samples', batch, store, actions);
  training.checked = store.get().form.training === 'yes';
  training.addEventListener('change', () =>
    actions.setForm('training', training.checked ? 'yes' : ''),
  );
  const start = h('button', { type: 'submit', class: 'primary', id: 'profile-start' }, 'Measure');
  const cancel = h('button', { type: 'button', id: 'profile-cancel' }, 'Cancel');
  const root = h(
    'form',
    { class: 'row-between wrapping' },
    field('Model', model, names),
    field('Batch', batch),
    h('label', {}, training, ' A training step with Adam'),
    h('div', { class: 'buttons' }, start, cancel),
  );
  root.addEventListener('submit', (event) => {
    event.preventDefault();
    void actions.profile({
      model: model.value.trim(),
      batchSize: Number(batch.value),
      training: training.checked,
    });
  });
  cancel.addEventListener('click', () => actions.cancelProfile());
  store.watch(['models'], ({ models }) => {
    const examples = [...models, 'mlp:784-200-10'];
    names.replaceChildren(...examples.map((value) => h('option', { value })));
  });
  store.watch(['profile', 'run', 'training', 'peers', 'ab', 'engine'], (state) => {
    const running = state.profile.phase === 'running';
    const work = workInProgress(state);
    start.disabled = work !== undefined || state.engine.phase !== 'ready';
    start.title = running ? '' : (work ?? '');
    cancel.hidden = !running;
  });
  return root;
}

/** The result: sentences, the largest groups, and every step on demand. */
function resultView(store: Store<AppState>): HTMLElement {
  const sentence = h('p', { id: 'profile-result', role: 'status' });
  const items = h('div', { id: 'profile-items' });
  const steps = h('div');
  const ceilings = h('p', { class: 'hint wide' });
  const all = h('details', { class: 'behind' }, h('summary', {}, 'Every step'), steps);
  const root = h('div', { class: 'stack' }, sentence, items, ceilings, all);
  let shown: ProfileResult | undefined;
  const showSteps = () => {
    if (shown && all.open) fillTable(steps, stepsTable(shown));
  };
  all.addEventListener('toggle', showSteps);
  store.watch(['profile'], ({ profile: { result } }) => {
    root.hidden = !result;
    if (!result || result === shown) return;
    shown = result;
    setText(sentence, profileSentence(result));
    setText(ceilings, ceilingsSentence(result));
    fillTable(items, itemsTable(result));
    showSteps();
  });
  return root;
}

/** Fills the panel. */
export function mountProfile(root: HTMLElement, store: Store<AppState>, actions: Actions): void {
  const status = h('p', { class: 'outcome', id: 'profile-status', role: 'status' });
  const bar = h('progress', { max: 1, 'aria-label': 'Measured so far' });
  const failure = h('p');
  const notice = h('div', { class: 'notice bad', role: 'alert', id: 'profile-failed' }, failure);
  const measured = h('div', {}, bar);
  root.append(
    h('div', { class: 'stack' }, form(store, actions), status, measured, notice, resultView(store)),
  );
  store.watch(['profile'], ({ profile }) => {
    setText(status, statusText(profile));
    status.hidden = status.textContent === '';
    measured.hidden = profile.phase !== 'running';
    bar.value = profile.fraction ?? 0;
    notice.hidden = profile.phase !== 'failed';
    setText(failure, profile.message ?? '');
  });
}
