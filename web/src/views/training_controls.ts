/** What to train and how, the buttons, and the progress. */
import type { BenchSize, TaskInfo } from 'parallax-nn/bench';
import type { Actions } from '../actions.js';
import { h, setText } from '../dom.js';
import { significant } from '../format.js';
import type { AppState, TrainingPhase, TrainingState } from '../state.js';
import type { Store } from '../store.js';
import type { TrainingChoice } from '../training.js';
import { mostSeed } from '../url_state.js';

/** The slider is logarithmic: its value is 20 times the decimal logarithm of the rate. */
const rateOf = (slider: string) => 10 ** (Number(slider) / 20);
const sliderOf = (rate: number) => Math.round(20 * Math.log10(rate));

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

function field(label: string, input: HTMLElement, hint?: string): HTMLElement {
  return h(
    'div',
    { class: 'field' },
    h('label', { for: input.id, class: 'label' }, label),
    input,
    hint ? h('p', { class: 'hint' }, hint) : undefined,
  );
}

function numberInput(id: string, least: number, most: number, value?: number) {
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

/** The list of tasks; at first the first one that needs no files is chosen. */
function taskPicker(store: Store<AppState>, changed: (task: TaskInfo) => void) {
  const list = h('div', { class: 'tasks' });
  const waiting = h('p', { class: 'hint' }, 'Starting the engine to list its tasks…');
  let chosen: TaskInfo | undefined;
  const inputs: HTMLInputElement[] = [];
  store.watch(['tasks'], ({ tasks }) => {
    waiting.hidden = tasks.length > 0;
    inputs.length = 0;
    chosen =
      tasks.find(({ name }) => name === chosen?.name) ??
      tasks.find(({ takes }) => takes !== 'digits') ??
      tasks[0];
    list.replaceChildren(
      ...tasks.map((task) => {
        const checked = task === chosen;
        const input = h('input', { type: 'radio', name: 'task', value: task.name, checked });
        input.addEventListener('change', () => {
          chosen = task;
          changed(task);
        });
        inputs.push(input);
        const name = h('b', {}, task.name);
        return h('label', { class: 'task' }, input, h('span', {}, name, ` ${task.description}.`));
      }),
    );
    if (chosen) changed(chosen);
  });
  store.watch(['training'], ({ training }) => {
    for (const input of inputs) input.disabled = isActive(training.phase);
  });
  return {
    root: h('fieldset', {}, h('legend', {}, 'Task'), waiting, list),
    chosen: () => chosen,
  };
}

/** The picker for files that the chosen task can learn from instead of its own data. */
function filePicker(store: Store<AppState>, actions: Actions) {
  const input = h('input', { id: 'train-file', type: 'file', class: 'behind-button' });
  const label = h('label', { for: 'train-file', class: 'button' });
  const what = h('p', { class: 'hint', id: 'train-data' });
  const remove = h('button', { type: 'button', class: 'small' }, 'Remove the file');
  const error = h('p', { class: 'hint bad', role: 'alert' });
  const root = h('div', { class: 'field file-field' }, input, label, what, remove, error);
  let takes: TaskInfo['takes'] = 'nothing';
  input.addEventListener('change', () => {
    if (takes === 'nothing') return;
    void actions.giveTrainingFiles(takes, [...(input.files ?? [])]).then(() => {
      /* So that the same file can be chosen again once it has been corrected. */
      input.value = '';
    });
  });
  remove.addEventListener('click', () => {
    if (takes === 'text' || takes === 'table') actions.removeTrainingFile(takes);
    input.focus();
  });
  const show = () => {
    const { trainingFiles, mnist, trainingFileError, training } = store.get();
    const file = takes === 'text' || takes === 'table' ? trainingFiles[takes] : undefined;
    root.hidden = takes === 'nothing';
    input.multiple = takes === 'digits';
    input.disabled = isActive(training.phase);
    remove.hidden = !file;
    remove.disabled = input.disabled;
    setText(error, trainingFileError ?? '');
    setText(
      label,
      {
        text: 'Choose a text file',
        table: 'Choose a CSV table',
        digits: 'Choose the two MNIST files',
        nothing: '',
      }[takes],
    );
    if (takes === 'digits') {
      setText(
        what,
        mnist.phase === 'real'
          ? `${mnist.images.toLocaleString('en')} images from ${mnist.source}.`
          : (mnist.phase === 'synthetic' && mnist.message) ||
              'This page has no images: choose an image file and its label file.',
      );
    } else {
      const size = file && `${file.bytes.length.toLocaleString('en')} bytes`;
      const last = takes === 'table' ? 'Its last column is the target. ' : '';
      const own = `${last}Without a file, data is generated from the seed.`;
      setText(what, file ? `${file.name}, ${size}.` : own);
    }
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

/** The slider of the learning rate, which can change during a run. */
function ratePicker(store: Store<AppState>, actions: Actions) {
  const input = h('input', { id: 'train-rate', type: 'range', min: -120, max: 0, step: 1 });
  const text = h('output', { for: 'train-rate' });
  const own = h('button', { type: 'button', class: 'small', id: 'train-own-rate' }, 'Use default');
  let rate: number | undefined;
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
    rate = rateOf(input.value);
    actions.trainer.setRate(rate);
    show();
  });
  own.addEventListener('click', () => {
    rate = undefined;
    show();
    input.focus();
  });
  store.watch(['training'], show);
  return {
    root: h(
      'div',
      {},
      h(
        'div',
        { class: 'row-between' },
        h('label', { for: 'train-rate', class: 'label' }, 'Learning rate'),
        text,
      ),
      input,
      h(
        'div',
        { class: 'row-between' },
        h('span', { class: 'hint' }, 'Can be changed during training.'),
        own,
      ),
    ),
    value: () => rate,
    reset() {
      rate = undefined;
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
  const stop = h('button', { type: 'button', id: 'train-stop' }, 'Stop');
  start.addEventListener('click', () => {
    const chosen = choice();
    if (chosen) void actions.trainer.start(chosen);
  });
  pause.addEventListener('click', () => {
    if (store.get().training.phase === 'paused') actions.trainer.resume();
    else actions.trainer.pause();
  });
  stop.addEventListener('click', () => actions.trainer.stop());
  store.watch(
    ['training', 'run', 'engine', 'tasks'],
    ({ training: { phase, waiting }, run, engine, tasks }) => {
      const busy = run.phase === 'running' || engine.phase === 'starting' || tasks.length === 0;
      start.disabled = isActive(phase) || busy;
      pause.disabled = (phase !== 'running' && phase !== 'paused') || waiting !== 'nothing';
      stop.disabled = !isActive(phase) || waiting === 'stop';
      const rest = phase === 'paused' ? 'Resume' : 'Pause';
      setText(pause, waiting === 'pause' ? 'Pausing…' : rest);
      setText(stop, waiting === 'stop' ? 'Stopping…' : 'Stop');
    },
  );
  return h('div', { class: 'train-buttons' }, start, pause, stop);
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

function recipeFields(store: Store<AppState>) {
  const size = h(
    'select',
    { id: 'train-size' },
    ...Object.entries(sizes).map(([value, name]) => h('option', { value }, name)),
  );
  const seed = numberInput('train-seed', 0, mostSeed, store.get().options.seed);
  const steps = numberInput('train-steps', 1, 1e6);
  const batch = numberInput('train-batch', 1, 1e5);
  const optimizer = h(
    'select',
    { id: 'train-optimizer' },
    h('option', { value: '' }, 'task’s default'),
  );
  store.watch(['optimizers'], ({ optimizers }) => {
    optimizer.append(
      ...optimizers
        .filter((name) => ![...optimizer.options].some(({ value }) => value === name))
        .map((name) => h('option', { value: name }, name)),
    );
  });
  const model = h('input', { id: 'train-model', type: 'text', placeholder: 'task’s default' });
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
  store.watch(['training', 'run'], ({ training, run }) => {
    setText(
      status,
      run.phase === 'running'
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
  const recipe = recipeFields(store);
  const tasks = taskPicker(store, (task) => {
    files.show(task);
    rate.reset();
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
