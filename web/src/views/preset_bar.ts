/** Presets of training: a click sets the form below. */
import type { Actions } from '../actions.js';
import { h, setText } from '../dom.js';
import { presetOf, presets } from '../presets.js';
import type { AppState } from '../state.js';
import type { Store } from '../store.js';
import { isActive } from './training_controls.js';

export function presetBar(
  store: Store<AppState>,
  actions: Pick<Actions, 'choosePreset'>,
): HTMLElement {
  const about = h('p', { class: 'hint wide', id: 'preset-about' });
  const buttons = presets.map((preset) => {
    const button = h('button', { type: 'button', class: 'small' }, preset.name);
    button.addEventListener('click', () => actions.choosePreset(preset));
    return button;
  });
  store.watch(['form', 'training'], ({ form, training }) => {
    const chosen = presetOf(form);
    for (const [i, button] of buttons.entries()) {
      button.disabled = isActive(training.phase);
      button.setAttribute('aria-pressed', String(presets[i] === chosen));
    }
    setText(about, chosen?.about ?? 'Or choose a task and its settings yourself.');
  });
  return h(
    'div',
    { class: 'presets', role: 'group', 'aria-label': 'Presets' },
    h('div', { class: 'train-buttons' }, ...buttons),
    about,
  );
}
