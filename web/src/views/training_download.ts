/** The button that downloads what the page knows of the last training run. */
import type { Actions } from '../actions.js';
import { download, h } from '../dom.js';
import type { AppState, TrainingState } from '../state.js';
import type { Store } from '../store.js';
import { isActive } from './training_controls.js';

/** The run as JSON: the model, its data and its recipe, the loss of every step, and the measures. */
export function trainingJson(training: TrainingState): string {
  const { about, phase, step, seconds, steered, measures, measuredAt, losses } = training;
  const report = { ...about, ended: phase, step, seconds, steered, measuredAt, measures, losses };
  return `${JSON.stringify(report, null, 1)}\n`;
}

/** Creates the button; it can be used once training has ended. */
export function trainingDownload(store: Store<AppState>, actions: Actions): HTMLElement {
  const button = h('button', { type: 'button', id: 'train-download' }, 'Download the run (JSON)');
  button.addEventListener('click', () => {
    const { training } = store.get();
    const { about } = training;
    if (!about) return;
    download(`parallax-${about.task}.json`, 'application/json', trainingJson(training));
    actions.saved(about);
  });
  store.watch(['training'], ({ training: { about, phase, step } }) => {
    button.disabled = !about || step === 0 || isActive(phase);
  });
  return h('div', { class: 'train-buttons' }, button);
}
