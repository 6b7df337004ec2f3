/** What can be taken away from the last training run: its figures, its weights, and how to repeat it. */
import type { Actions } from '../actions.js';
import { download, h, setText } from '../dom.js';
import type { AppState, TrainingState } from '../state.js';
import type { Store } from '../store.js';
import { codeOf, commandOf, type GivenData } from '../training_code.js';
import { copier } from './copying.js';
import { isActive } from './training_controls.js';

/** The run as JSON: the model, its data and its recipe, the loss of every step, and the measures. */
export function trainingJson(training: TrainingState): string {
  const { about, phase, step, seconds, steered, measures, measuredAt, losses } = training;
  const report = { ...about, ended: phase, step, seconds, steered, measuredAt, measures, losses };
  return `${JSON.stringify(report, null, 1)}\n`;
}

/** What the run that is shown learns from. */
function dataOf({ training: { choice }, tasks, trainingFiles }: AppState): GivenData {
  const takes = tasks.find(({ name }) => name === choice?.task)?.takes;
  const own = takes === 'text' || takes === 'table' ? trainingFiles[takes] : undefined;
  return { takes, file: own?.name };
}

/** Creates the buttons; files are there once training has ended, the way to repeat it at once. */
export function trainingDownload(store: Store<AppState>, actions: Actions): HTMLElement {
  const button = (id: string, text: string, title: string) =>
    h('button', { type: 'button', class: 'small', id, title }, text);
  const run = button('train-download', 'Save the run', 'Its recipe, losses and measures, as JSON');
  const weights = button('train-weights', 'Save the weights', 'As a safetensors file');
  const command = button('train-command', 'Copy as command', 'To train natively like this');
  const code = button('train-code', 'Copy as code', 'To train with the package like this');
  const failure = h('p', { class: 'hint bad wide', role: 'alert', id: 'train-weights-failed' });
  const { note, text, copy } = copier('train-copy');
  run.addEventListener('click', () => {
    const { training } = store.get();
    const { about } = training;
    if (!about) return;
    download(`parallax-${about.task}.json`, 'application/json', trainingJson(training));
    actions.saved(about);
  });
  weights.addEventListener('click', async () => {
    setText(failure, '');
    const { about } = store.get().training;
    const file = await actions.weightsFile();
    if ('problem' in file) setText(failure, file.problem);
    else if (about)
      download(`parallax-${about.task}.safetensors`, 'application/octet-stream', new Blob([file]));
  });
  const copying = (write: typeof codeOf, told: string) => () => {
    const { choice } = store.get().training;
    if (choice) void copy(write(choice, dataOf(store.get())), told);
  };
  command.addEventListener(
    'click',
    copying(commandOf, 'a command that trains natively like this.'),
  );
  code.addEventListener(
    'click',
    copying(codeOf, 'a program that trains with the package like this.'),
  );
  store.watch(['training'], ({ training: { about, phase, step, choice, learnt } }) => {
    run.disabled = !about || step === 0 || isActive(phase);
    weights.disabled = run.disabled || !learnt;
    command.disabled = !choice;
    code.disabled = !choice;
  });
  const buttons = h('div', { class: 'train-buttons' }, run, weights, command, code);
  return h('div', { class: 'stack' }, buttons, failure, note, text);
}
