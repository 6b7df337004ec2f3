/** A text of the user's that the trained language model continues. */
import type { Actions } from '../actions.js';
import { h, setText } from '../dom.js';
import type { AppState, TrainingFile } from '../state.js';
import type { Store } from '../store.js';
import { field, keepInAddress } from './training_controls.js';

/** The first words of a text, with which it can be continued as with any of its own characters. */
export function firstWords({ bytes }: TrainingFile): string {
  const start = new TextDecoder().decode(bytes.subarray(0, 200));
  return /\S[^\n\r]{0,15}/.exec(start)?.[0] ?? '';
}

/** What the text begins with, and the temperature; kept in the address. */
function writingFields(store: Store<AppState>, actions: Actions) {
  const beginning = h('input', {
    id: 'write-beginning',
    type: 'text',
    value: 'The ',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const temperature = h('input', {
    id: 'write-temperature',
    type: 'number',
    min: 0,
    max: 2,
    step: 0.1,
    value: 0.8,
  });
  keepInAddress('beginning', beginning, store, actions);
  keepInAddress('temperature', temperature, store, actions);
  let file: TrainingFile | undefined;
  store.watch(['trainingFiles'], ({ trainingFiles: { text: given }, form: chosen }) => {
    if (!given || given === file) return;
    file = given;
    if (!chosen.beginning) beginning.value = firstWords(given);
  });
  return { beginning, temperature };
}

/** Fills the section, which is shown once a model was trained on a text. */
export function mountWriting(root: HTMLElement, store: Store<AppState>, actions: Actions): void {
  const { beginning, temperature } = writingFields(store, actions);
  const write = h('button', { type: 'submit', id: 'write-start' }, 'Continue it');
  const stop = h('button', { type: 'button', id: 'write-stop' }, 'Stop');
  const form = h(
    'form',
    { class: 'fields tight' },
    field('The text begins with', beginning),
    field('Temperature', temperature),
    h('div', { class: 'train-buttons' }, write, stop),
  );
  const text = h('pre', { class: 'generated', id: 'written', tabindex: 0 });
  const failure = h('p', { class: 'hint bad', role: 'alert', id: 'write-failed' });
  /* Another text each time, but the same ones after a reload. */
  let seed = 0;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void actions.write({
      beginning: beginning.value,
      temperature: Number(temperature.value),
      seed: seed++,
    });
  });
  stop.addEventListener('click', () => actions.stopWriting());
  root.append(
    h('h2', {}, 'Let it continue your text'),
    h(
      'p',
      { class: 'sub' },
      'The model writes character by character, with those of the text it was trained on. At temperature 0 it always takes the likeliest; at 1 it draws as it has learnt.',
    ),
    form,
    failure,
    text,
  );
  store.watch(['training', 'writing', 'run'], ({ training: { learnt }, writing, run }) => {
    root.hidden = learnt?.kind !== 'text';
    const busy = writing.phase === 'writing';
    write.disabled = busy || run.phase === 'running';
    stop.disabled = !busy;
    text.hidden = writing.phase === 'none' || writing.text === '';
    if (writing.phase !== 'none') setText(text, writing.text);
    setText(failure, writing.phase === 'failed' ? writing.message : '');
  });
}
