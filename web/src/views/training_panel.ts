/** Training on this page: controls, figures, and the loss curve. */
import type { Actions } from '../actions.js';
import { h, setText } from '../dom.js';
import { percent, significant } from '../format.js';
import type { LossChart } from '../loss_chart.js';
import { lossSeries } from '../loss_curve.js';
import type { AppState, TrainingState } from '../state.js';
import type { Store } from '../store.js';
import { fillTable } from './table.js';

/** The slider is logarithmic: its value is ten times the decimal logarithm of the rate. */
const rateOf = (slider: string) => 10 ** (Number(slider) / 10);

function select(id: string, label: string, values: readonly number[], chosen: number) {
  const input = h(
    'select',
    { id },
    ...values.map((value) =>
      h('option', { value, selected: value === chosen }, value.toLocaleString('en')),
    ),
  );
  return {
    input,
    field: h('div', { class: 'field' }, h('label', { for: id, class: 'label' }, label), input),
  };
}

function statusText(training: TrainingState): string {
  switch (training.phase) {
    case 'idle':
      return 'Nothing trained yet.';
    case 'running':
      return `Training: epoch ${training.epoch + 1} of ${training.epochs}.`;
    case 'paused':
      return `Paused in epoch ${training.epoch + 1} of ${training.epochs}.`;
    case 'done':
      return `Trained ${training.epochs} epochs in ${significant(training.seconds)} s.`;
    case 'stopped':
      return `Stopped after ${training.step.toLocaleString('en')} steps.`;
    case 'failed':
      return `Training failed: ${training.message ?? 'for no known reason.'}`;
  }
}

function figures(training: TrainingState): [string, string][] {
  const { rmse, r2, samplesPerSecond, train } = training;
  const last = train.at(-1);
  return [
    ['Step', training.step.toLocaleString('en')],
    ['Time', `${significant(training.seconds)} s`],
    ['Loss', last ? significant(last.loss) : '–'],
    ['Held-out RMSE', rmse === undefined ? '–' : significant(rmse)],
    ['Held-out R²', r2 === undefined ? '–' : percent(r2)],
    ['Speed', samplesPerSecond ? `${significant(samplesPerSecond)} samples/s` : '–'],
  ];
}

/** A few rows of the curve, for those who cannot see it. */
function curveRows(training: TrainingState): string[][] {
  const { held } = training;
  const every = Math.max(1, Math.ceil(held.length / 20));
  return held
    .filter((_, i) => i % every === every - 1 || i === held.length - 1)
    .map(({ step, seconds, loss }) => [
      step.toLocaleString('en'),
      significant(seconds),
      significant(loss),
    ]);
}

function mountButtons(store: Store<AppState>, actions: Actions): HTMLElement {
  const samples = select('train-samples', 'Samples', [1_000, 5_000, 10_000, 50_000], 10_000);
  const epochs = select('train-epochs', 'Epochs', [50, 200, 1_000, 5_000], 200);
  const rate = h('input', {
    id: 'train-rate',
    type: 'range',
    min: -50,
    max: -10,
    step: 1,
    value: -30,
  });
  const rateText = h('output', { for: 'train-rate' });
  const start = h('button', { type: 'button', id: 'train-start', class: 'primary' }, 'Train');
  const pause = h('button', { type: 'button', id: 'train-pause' }, 'Pause');
  const stop = h('button', { type: 'button', id: 'train-stop' }, 'Stop');
  const status = h('p', { class: 'outcome', role: 'status', id: 'train-status' });
  const showRate = () => {
    const text = significant(rateOf(rate.value), 2);
    setText(rateText, text);
    rate.setAttribute('aria-valuetext', text);
  };
  showRate();
  rate.addEventListener('input', () => {
    showRate();
    actions.trainer.setRate(rateOf(rate.value));
  });
  start.addEventListener(
    'click',
    () =>
      void actions.trainer.start({
        samples: Number(samples.input.value),
        epochs: Number(epochs.input.value),
        rate: rateOf(rate.value),
        seed: store.get().options.seed,
      }),
  );
  pause.addEventListener('click', () => {
    if (store.get().training.phase === 'paused') actions.trainer.resume();
    else actions.trainer.pause();
  });
  stop.addEventListener('click', () => actions.trainer.stop());
  store.watch(['training', 'run', 'engine'], ({ training, run, engine }) => {
    const active = training.phase === 'running' || training.phase === 'paused';
    start.disabled = active || run.phase === 'running' || engine.phase === 'starting';
    pause.disabled = !active;
    stop.disabled = !active;
    pause.textContent = training.phase === 'paused' ? 'Resume' : 'Pause';
    samples.input.disabled = active;
    epochs.input.disabled = active;
    setText(
      status,
      run.phase === 'running'
        ? 'Wait for the benchmark: both would be slowed.'
        : statusText(training),
    );
  });
  return h(
    'div',
    { class: 'stack' },
    h('div', { class: 'fields tight' }, samples.field, epochs.field),
    h(
      'div',
      {},
      h(
        'div',
        { class: 'row-between' },
        h('label', { for: 'train-rate', class: 'label' }, 'Learning rate'),
        rateText,
      ),
      rate,
    ),
    h('div', { class: 'train-buttons' }, start, pause, stop),
    status,
  );
}

function axisPicker(changed: (axis: 'step' | 'seconds') => void): HTMLElement {
  const pick = (value: 'step' | 'seconds', text: string, checked: boolean) => {
    const input = h('input', { type: 'radio', name: 'loss-axis', value, checked });
    input.addEventListener('change', () => changed(value));
    return h('label', { class: 'chip small' }, input, h('span', {}, text));
  };
  return h(
    'fieldset',
    {},
    h('legend', { class: 'sr' }, 'Loss against'),
    h('div', { class: 'chips' }, pick('step', 'By step', true), pick('seconds', 'By time', false)),
  );
}

/** Fills the panel. The chart's code is loaded with the first training. */
export function mountTraining(root: HTMLElement, store: Store<AppState>, actions: Actions): void {
  const canvas = h('canvas', {
    role: 'img',
    'aria-label': 'Loss while training; the table below holds the same figures.',
  });
  const empty = h(
    'p',
    { class: 'empty' },
    'The loss curve is drawn here while the network learns.',
  );
  const key = lossSeries.map(({ name, colour }) =>
    h('li', {}, h('span', { class: `line ${colour}`, 'aria-hidden': 'true' }), name),
  );
  const list = h('dl', { class: 'facts' });
  const tableBox = h('div');
  const behind = h(
    'details',
    { class: 'behind' },
    h('summary', {}, 'Table of the curve'),
    tableBox,
  );
  let axis: 'step' | 'seconds' = 'step';
  let chart: Promise<LossChart> | undefined;

  const showTable = (training: TrainingState) => {
    if (!behind.open) return;
    fillTable(tableBox, {
      caption: 'Mean squared error on the samples held out, target scaled to unit variance.',
      columns: ['Step', 'Seconds', 'Loss'],
      rows: curveRows(training).map((cells) => ({ cells })),
    });
  };
  const draw = () => {
    const { training } = store.get();
    empty.hidden = training.phase !== 'idle';
    if (training.phase === 'idle') return;
    chart ??= import('../loss_chart.js').then(({ createLossChart }) => createLossChart(canvas));
    void chart.then((loaded) => loaded.show(store.get().training, axis));
  };
  behind.addEventListener('toggle', () => showTable(store.get().training));
  store.watch(['training'], ({ training }) => {
    list.replaceChildren(
      ...figures(training).map(([name, value]) =>
        h('div', {}, h('dt', {}, name), h('dd', {}, value)),
      ),
    );
    showTable(training);
    draw();
  });
  root.append(
    h(
      'div',
      { class: 'train-layout' },
      mountButtons(store, actions),
      h(
        'div',
        { class: 'stack' },
        list,
        h(
          'div',
          { class: 'row-between wrapping' },
          h('ul', { class: 'key' }, ...key),
          axisPicker((value) => {
            axis = value;
            draw();
          }),
        ),
        h('div', { class: 'canvas-box' }, empty, canvas),
        behind,
      ),
    ),
  );
}
