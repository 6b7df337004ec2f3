/** What to train and how, the buttons, and the progress. */
import type { BenchSize, TaskInfo } from 'parallax-nn/bench';
import type { Actions } from '../actions.js';
import { h, setText } from '../dom.js';
import { significant } from '../format.js';
import { routeLink } from '../route.js';
import { mostBytes } from '../small_file.js';
import {
  type AppState,
  isTesting,
  type MnistState,
  type TrainingPhase,
  type TrainingState,
} from '../state.js';
import type { Store } from '../store.js';
import type { TrainingChoice } from '../training.js';
import { type FormName, mostSeed } from '../url_state.js';
import { pasteBox, takeDrops } from './dropping.js';
import { bytesText } from './training_figures.js';

/** The slider is logarithmic: its value is 20 times the decimal logarithm of the rate. */
const rateOf = (slider: string) => 10 ** (Number(slider) / 20);
const sliderOf = (rate: number) => Math.round(20 * Math.log10(rate));

/** A rate as the address has it. */
const addressRate = (rate: number) => String(significant(rate, 2));

const sizes: Record<BenchSize, string> = {
  quick: 'Quick',
  default: 'Standard',
  full: 'Long',
};

/** Whether a run is in progress, so that its settings cannot change. */
export const isActive = (phase: TrainingPhase): boolean =>
  phase === 'preparing' || phase === 'running' || phase === 'paused';

/** A sentence for each phase. Screen readers announce it, so no number in it keeps changing. */
export function statusText({ phase, about, step, seconds, waiting }: TrainingState): string {
  const name = about?.task ?? 'the task';
  const steps = `${step.toLocaleString('en')} of ${(about?.steps ?? 0).toLocaleString('en')} steps`;
  switch (phase) {
    case 'idle':
      return 'Nothing trained yet.';
    case 'preparing':
      return 'Preparing: making the data and compiling the model.';
    case 'running':
      if (waiting === 'pause') return 'Pausing…';
      return waiting === 'stop' ? 'Stopping…' : `Training ${name}.`;
    case 'paused':
      return `Paused after ${steps}.`;
    case 'done':
      return `Trained ${name}: ${steps} in ${significant(seconds)} s.`;
    case 'stopped':
      return about ? `Stopped after ${steps}.` : 'Stopped before the first step.';
    case 'failed':
      return step > 0 ? `Failed after ${steps}.` : 'Failed.';
  }
}

/** A field below its label. */
export function field(label: string, input: HTMLElement, hint?: string): HTMLElement {
  return h(
    'div',
    { class: 'field' },
    h('label', { for: input.id, class: 'label' }, label),
    input,
    hint ? h('p', { class: 'hint' }, hint) : undefined,
  );
}

export function numberInput(id: string, least: number, most: number, value?: number) {
  return h('input', {
    id,
    type: 'number',
    min: least,
    max: most,
    step: 1,
    value,
    placeholder: value === undefined ? 'task’s default' : undefined,
  });
}

/** The number in a field; undefined if nothing was typed. */
const numberOf = (input: HTMLInputElement): number | undefined =>
  input.value.trim() === '' ? undefined : Number(input.value);

const textOf = (text: string): string | undefined => (text.trim() === '' ? undefined : text.trim());

/**
 * Shows the setting that the address has, also when a preset changes it, and keeps the address up to
 * date with the field.
 */
export function keepInAddress(
  name: FormName,
  input: HTMLInputElement | HTMLSelectElement,
  store: Store<AppState>,
  actions: Pick<Actions, 'setForm'>,
): void {
  const initial = input.value;
  let shown: string | undefined;
  store.watch(['form'], ({ form }) => {
    if (form[name] === shown) return;
    shown = form[name];
    input.value = shown ?? initial;
  });
  input.addEventListener('change', () => {
    shown = input.value === initial ? undefined : input.value || undefined;
    actions.setForm(name, shown ?? '');
  });
}

/** The list of tasks; at first the first one is chosen. */
function taskPicker(
  store: Store<AppState>,
  actions: Actions,
  changed: (task: TaskInfo, byUser: boolean) => void,
) {
  const list = h('div', { class: 'tasks' });
  const waiting = h('p', { class: 'hint' }, 'Starting the engine to list its tasks…');
  let chosen: TaskInfo | undefined;
  const inputs: HTMLInputElement[] = [];
  const show = () => {
    const { tasks, form } = store.get();
    waiting.hidden = tasks.length > 0;
    inputs.length = 0;
    chosen = tasks.find(({ name }) => name === form.task) ?? tasks[0];
    list.replaceChildren(
      ...tasks.map((task) => {
        const checked = task === chosen;
        const input = h('input', { type: 'radio', name: 'task', value: task.name, checked });
        input.addEventListener('change', () => {
          chosen = task;
          actions.setForm('task', task.name);
          changed(task, true);
        });
        inputs.push(input);
        const name = h('b', {}, task.name);
        return h('label', { class: 'task' }, input, h('span', {}, name, ` ${task.description}.`));
      }),
    );
    if (chosen) changed(chosen, false);
  };
  store.watch(['tasks'], show);
  /* Not after a click, which has done so already: the input must keep the focus. */
  store.watch(['form'], ({ form, tasks }) => {
    const wanted = form.task ?? tasks[0]?.name;
    if (chosen && wanted !== chosen.name) show();
  });
  store.watch(['training'], ({ training }) => {
    for (const input of inputs) input.disabled = isActive(training.phase);
  });
  return {
    root: h('fieldset', {}, h('legend', {}, 'Task'), waiting, list),
    chosen: () => chosen,
  };
}

/** Which images a task that learns from digits will get. */
function digitsText(mnist: MnistState): string {
  switch (mnist.phase) {
    case 'offered':
      return `Without files: ${mnist.images.toLocaleString('en')} real digits from ${mnist.from}.`;
    case 'loading':
      return 'Loading the digits…';
    case 'real':
      return `${mnist.images.toLocaleString('en')} images from ${mnist.source}.`;
    case 'synthetic':
      return mnist.message ?? 'Choose an image file and its label file.';
  }
}

/** What is chosen by file, by task. */
const fileButtons: Record<TaskInfo['takes'], string> = {
  text: 'Choose a text file',
  table: 'Choose a CSV table',
  digits: 'Choose the two MNIST files',
  nothing: '',
};

/** Which data a task will get. */
function dataText(takes: TaskInfo['takes'], { trainingFiles, mnist }: AppState): string {
  if (takes === 'digits') return digitsText(mnist);
  const file = takes === 'text' || takes === 'table' ? trainingFiles[takes] : undefined;
  if (file) return `${file.name}, ${file.bytes.length.toLocaleString('en')} bytes.`;
  const last = takes === 'table' ? 'Its last column is the target. ' : '';
  return `${last}It can be dropped here, too: at most ${bytesText(mostBytes)}. Without a file, data is generated from the seed.`;
}

/** The link to the view that does more with tables. */
const ownTable = () =>
  h(
    'p',
    { class: 'hint' },
    h('a', { href: routeLink({ view: 'table' }) }, 'Your own table'),
    ' with words, a target of your choice and predictions of new rows has a view of its own.',
  );

/** The picker for files that the chosen task can learn from instead of its own data. */
function filePicker(store: Store<AppState>, actions: Actions) {
  const input = h('input', { id: 'train-file', type: 'file', class: 'behind-button' });
  const label = h('label', { for: 'train-file', class: 'button' });
  const what = h('p', { class: 'hint', id: 'train-data' });
  const remove = h('button', { type: 'button', class: 'small' }, 'Remove the file');
  const error = h('p', { class: 'hint bad', role: 'alert' });
  let takes: TaskInfo['takes'] = 'nothing';
  const give = async (files: readonly File[]) => {
    const busy = isActive(store.get().training.phase);
    if (takes !== 'nothing' && !busy) await actions.giveTrainingFiles(takes, files);
  };
  const paste = pasteBox('train-paste', 'Or paste a text', 'Use this text', (text) => {
    void give([new File([text], 'the pasted text', { type: 'text/plain' })]);
  });
  const own = ownTable();
  const root = h(
    'div',
    { class: 'field file-field drop-field' },
    ...[input, label, what, remove, paste, own, error],
  );
  takeDrops(root, (files) => void give(files));
  input.addEventListener('change', () => {
    void give([...(input.files ?? [])]).then(() => {
      /* So that the same file can be chosen again once it has been corrected. */
      input.value = '';
    });
  });
  remove.addEventListener('click', () => {
    if (takes === 'text' || takes === 'table') actions.removeTrainingFile(takes);
    input.focus();
  });
  const show = () => {
    const { trainingFiles, trainingFileError, training } = store.get();
    const file = takes === 'text' || takes === 'table' ? trainingFiles[takes] : undefined;
    root.hidden = takes === 'nothing';
    paste.hidden = takes !== 'text';
    own.hidden = takes !== 'table';
    input.multiple = takes === 'digits';
    input.disabled = isActive(training.phase);
    remove.hidden = !file;
    remove.disabled = input.disabled;
    setText(error, trainingFileError ?? '');
    setText(label, fileButtons[takes]);
    setText(what, dataText(takes, store.get()));
  };
  store.watch(['trainingFiles', 'trainingFileError', 'mnist', 'training'], show);
  return {
    root,
    show(task: TaskInfo) {
      ({ takes } = task);
      show();
    },
  };
}

function rateLayout(input: HTMLElement, text: HTMLElement, own: HTMLElement): HTMLElement {
  const label = h('label', { for: input.id, class: 'label' }, 'Learning rate');
  const hint = h('span', { class: 'hint' }, 'Can be changed during training.');
  const line = (...children: HTMLElement[]) => h('div', { class: 'row-between' }, ...children);
  return h('div', {}, line(label, text), input, line(hint, own));
}

/** The slider of the learning rate, which can change during a run. */
function ratePicker(store: Store<AppState>, actions: Actions) {
  const input = h('input', { id: 'train-rate', type: 'range', min: -120, max: 0, step: 1 });
  const text = h('output', { for: 'train-rate' });
  const own = h('button', { type: 'button', class: 'small', id: 'train-own-rate' }, 'Use default');
  let rate: number | undefined;
  const choose = (value: number | undefined) => {
    rate = value;
    actions.setForm('rate', value === undefined ? '' : addressRate(value));
  };
  const show = () => {
    const { training } = store.get();
    const now = isActive(training.phase) ? (training.rate ?? rate) : rate;
    input.value = String(sliderOf(now ?? 1e-3));
    const told = now === undefined ? 'task’s default' : significant(now, 2);
    setText(text, told);
    input.setAttribute('aria-valuetext', told);
    own.disabled = rate === undefined || isActive(training.phase);
  };
  input.addEventListener('input', () => {
    const value = rateOf(input.value);
    choose(value);
    actions.trainer.setRate(value);
    show();
  });
  own.addEventListener('click', () => {
    choose(undefined);
    show();
    input.focus();
  });
  store.watch(['form'], ({ form }) => {
    const given = Number(form.rate);
    const valid = given > 0 && given <= 1;
    /* The address has two digits: a rate that it stands for is kept as it is. */
    if (rate !== undefined && form.rate === addressRate(rate)) return;
    rate = valid ? given : undefined;
    show();
  });
  store.watch(['training'], show);
  return {
    root: rateLayout(input, text, own),
    value: () => rate,
    reset() {
      choose(undefined);
      show();
    },
  };
}

function buttons(
  store: Store<AppState>,
  actions: Actions,
  choice: () => TrainingChoice | undefined,
) {
  const start = h('button', { type: 'button', id: 'train-start', class: 'primary' }, 'Start');
  const pause = h('button', { type: 'button', id: 'train-pause' }, 'Pause');
  const step = h('button', { type: 'button', id: 'train-step' }, 'One step');
  const stop = h('button', { type: 'button', id: 'train-stop' }, 'Stop');
  start.addEventListener('click', () => {
    const chosen = choice();
    if (chosen) void actions.trainer.start(chosen);
  });
  pause.addEventListener('click', () => {
    if (store.get().training.phase === 'paused') actions.trainer.resume();
    else actions.trainer.pause();
  });
  step.addEventListener('click', () => actions.trainer.step());
  stop.addEventListener('click', () => actions.trainer.stop());
  store.watch(['training', 'run', 'peers', 'ab', 'engine', 'tasks'], (state) => {
    const { run, peers, engine, tasks } = state;
    const { phase, waiting } = state.training;
    const starting = engine.phase === 'starting' || tasks.length === 0;
    const measuring = run.phase === 'running' || peers.phase === 'running' || isTesting(state);
    const busy = measuring || starting;
    start.disabled = isActive(phase) || busy;
    pause.disabled = (phase !== 'running' && phase !== 'paused') || waiting !== 'nothing';
    step.disabled = phase !== 'paused' || waiting !== 'nothing';
    stop.disabled = !isActive(phase) || waiting === 'stop';
    const rest = phase === 'paused' ? 'Resume' : 'Pause';
    setText(pause, waiting === 'pause' ? 'Pausing…' : rest);
    setText(stop, waiting === 'stop' ? 'Stopping…' : 'Stop');
  });
  return h('div', { class: 'train-buttons' }, start, pause, step, stop);
}

function progressBar(store: Store<AppState>): HTMLElement {
  const bar = h('progress', { 'aria-label': 'Steps done', max: 1, value: 0 });
  store.watch(['training'], ({ training: { phase, about, step } }) => {
    bar.hidden = phase === 'idle' || (phase === 'failed' && step === 0);
    if (about) bar.value = step / about.steps;
    else bar.removeAttribute('value');
  });
  return bar;
}

/** Settings of a run besides task, data and rate; undefined where nothing was typed. */
type Recipe = Omit<TrainingChoice, 'task' | 'rate'>;

/** The list of optimizers, which the engine names once it has started. */
function optimizerPicker(store: Store<AppState>): HTMLSelectElement {
  const none = h('option', { value: '' }, 'task’s default');
  const optimizer = h('select', { id: 'train-optimizer' }, none);
  store.watch(['optimizers', 'form'], ({ optimizers, form }) => {
    optimizer.append(
      ...optimizers
        .filter((name) => ![...optimizer.options].some(({ value }) => value === name))
        .map((name) => h('option', { value: name }, name)),
    );
    if (form.optimizer) optimizer.value = form.optimizer;
  });
  return optimizer;
}

function recipeFields(store: Store<AppState>, actions: Actions) {
  const size = h(
    'select',
    { id: 'train-size' },
    ...Object.entries(sizes).map(([value, name]) => h('option', { value }, name)),
  );
  const seed = numberInput('train-seed', 0, mostSeed, store.get().options.seed);
  const steps = numberInput('train-steps', 1, 1e6);
  const batch = numberInput('train-batch', 1, 1e5);
  const optimizer = optimizerPicker(store);
  const model = h('input', { id: 'train-model', type: 'text', placeholder: 'task’s default' });
  for (const [name, input] of [
    ['length', size],
    ['steps', steps],
    ['batch', batch],
    ['optimizer', optimizer],
    ['model', model],
  ] as const)
    keepInAddress(name, input, store, actions);
  seed.addEventListener('change', () => actions.choose({ seed: numberOf(seed) ?? 0 }));
  store.watch(['training', 'run'], ({ training }) => {
    for (const input of [size, seed, steps, batch, optimizer, model]) {
      input.disabled = isActive(training.phase);
    }
  });
  return {
    first: h('div', { class: 'fields tight' }, field('Length', size), field('Seed', seed)),
    more: h(
      'details',
      { class: 'more' },
      h('summary', {}, 'Optimizer, batch, steps and model'),
      h(
        'div',
        { class: 'fields tight' },
        field('Optimizer', optimizer),
        field('Samples per batch', batch),
        field('Steps', steps),
        field('Model', model, 'Changed settings follow a colon: gpt2-nano:layers=2'),
      ),
    ),
    value: (): Recipe => ({
      size: size.value as BenchSize,
      seed: numberOf(seed) ?? 0,
      steps: numberOf(steps),
      batchSize: numberOf(batch),
      optimizer: textOf(optimizer.value),
      model: textOf(model.value),
    }),
  };
}

/** The state of the run in a sentence, and why it failed. */
function outcome(store: Store<AppState>): HTMLElement[] {
  const status = h('p', { class: 'outcome', role: 'status', id: 'train-status' });
  const failure = h('div', { role: 'alert', id: 'train-failure' });
  store.watch(['training', 'run', 'peers'], ({ training, run, peers }) => {
    setText(
      status,
      run.phase === 'running' || peers.phase === 'running'
        ? 'Wait for the benchmark to end: each would slow the other down.'
        : statusText(training),
    );
    const { message } = training;
    if (failure.textContent === (message ?? '')) return;
    failure.replaceChildren(
      ...(message ? [h('div', { class: 'notice bad' }, h('p', {}, message))] : []),
    );
  });
  return [status, failure];
}

/** Fills the two boxes: the list of tasks, and the settings to train the chosen one with. */
export function mountTrainingControls(
  tasksBox: HTMLElement,
  box: HTMLElement,
  store: Store<AppState>,
  actions: Actions,
): void {
  const files = filePicker(store, actions);
  const rate = ratePicker(store, actions);
  const recipe = recipeFields(store, actions);
  const tasks = taskPicker(store, actions, (task, byUser) => {
    files.show(task);
    if (byUser) rate.reset();
  });
  const choice = (): TrainingChoice | undefined => {
    const task = tasks.chosen();
    return task && { task: task.name, rate: rate.value(), ...recipe.value() };
  };
  tasksBox.append(tasks.root);
  box.append(
    recipe.first,
    files.root,
    rate.root,
    recipe.more,
    buttons(store, actions, choice),
    progressBar(store),
    ...outcome(store),
  );
}
