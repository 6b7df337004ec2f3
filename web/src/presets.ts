/** Settings of training to begin with, each with what it shows. */
import type { FormState } from './url_state.js';

export interface Preset {
  name: string;
  /** What it shows. */
  about: string;
  /** Settings that are not the task's own. */
  form: FormState;
}

export const presets: readonly Preset[] = [
  {
    name: 'Digits in seconds',
    about: 'Real handwritten digits; afterwards it recognises what you draw.',
    form: { task: 'mnist', length: 'quick' },
  },
  {
    name: 'A function of five variables',
    about: 'The learnt function beside the true one, and how far it is from the noise.',
    form: { task: 'interp5d' },
  },
  {
    name: 'Stories, word by word',
    about: 'A language model whose perplexity can be compared with that of the grammar itself.',
    form: { task: 'gpt2-nano', length: 'quick' },
  },
  {
    name: 'Pictures and captions',
    about: 'Two networks learn which picture belongs to which sentence.',
    form: { task: 'clip-nano', length: 'quick' },
  },
  {
    name: 'A rate that is too high',
    about: 'Plain gradient descent diverges; the run ends on its last good step, and says which.',
    form: { task: 'interp5d', length: 'quick', optimizer: 'sgd', rate: '1' },
  },
];

/** The settings that a preset decides: those that it does not name return to the task's own. */
export const presetNames = [
  'task',
  'length',
  'steps',
  'batch',
  'optimizer',
  'model',
  'rate',
] as const;

/** The settings with those of the preset. */
export function withPreset(form: FormState, { form: own }: Preset): FormState {
  const others = Object.entries(form).filter(
    ([name]) => !presetNames.some((decided) => decided === name),
  );
  return { ...Object.fromEntries(others), ...own };
}

/** The preset that these settings are; undefined if they are of none. */
export const presetOf = (form: FormState): Preset | undefined =>
  presets.find(({ form: own }) =>
    presetNames.every((name) => (form[name] ?? '') === (own[name] ?? '')),
  );
