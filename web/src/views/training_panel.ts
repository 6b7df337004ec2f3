/** Training on this page: controls, figures, the loss curve, and what has been learnt. */
import type { Actions } from '../actions.js';
import type { Place } from '../chart_places.js';
import type { ChartSpec } from '../chart_spec.js';
import { h, setText } from '../dom.js';
import { significant } from '../format.js';
import type { LossChart } from '../loss_chart.js';
import { type LossLine, type LossView, linesOf, lossLines, lossSpec } from '../loss_curve.js';
import { compareBits, type NativeCurve, nativeCurve } from '../native_curve.js';
import type { ResultSet } from '../rows.js';
import type { AppState, TrainingState } from '../state.js';
import type { Store } from '../store.js';
import { createCard } from './chart_card.js';
import { chartKeys } from './chart_keys.js';
import { mountDigitPad } from './digit_pad.js';
import { exhibitsView } from './exhibits_view.js';
import { framesLine } from './frames_line.js';
import { presetBar } from './preset_bar.js';
import { chartSavable, saveButtons } from './save_buttons.js';
import { fillTable, type TableData } from './table.js';
import { mountTrainingControls } from './training_controls.js';
import { trainingDownload } from './training_download.js';
import { fillFacts, fillMeasures, liveFacts, memorySpec, runFacts } from './training_figures.js';
import { mountWriting } from './writing_panel.js';

/** Most rows in the table of the curve. */
const mostRows = 20;

/** A few points of the curve, for those who cannot see it. */
function curveRows({ train, held }: TrainingState): string[][] {
  const every = Math.max(1, Math.ceil(train.length / mostRows));
  return train
    .filter((_, i) => i % every === every - 1 || i === train.length - 1)
    .map(({ step, seconds, loss, low, high }) => {
      const seen = held.findLast((point) => point.step <= step);
      return [
        step.toLocaleString('en'),
        significant(seconds),
        significant(loss),
        `${significant(low)} to ${significant(high)}`,
        seen ? significant(seen.loss) : '–',
      ];
    });
}

const tableOf = (training: TrainingState): TableData => ({
  caption: 'The loss: mean and range over the steps since the row above.',
  columns: ['Step', 'Seconds', 'Loss', 'Range', 'Held out'],
  rows: curveRows(training).map((cells) => ({ cells })),
});

function choice<T extends string>(
  name: string,
  legend: string,
  options: readonly (readonly [T, string])[],
  changed: (value: T) => void,
): HTMLElement {
  const chips = options.map(([value, text], i) => {
    const input = h('input', { type: 'radio', name, value, checked: i === 0 });
    input.addEventListener('change', () => changed(value));
    return h('label', { class: 'chip small' }, input, h('span', {}, text));
  });
  return h(
    'fieldset',
    {},
    h('legend', { class: 'sr' }, legend),
    h('div', { class: 'chips' }, ...chips),
  );
}

/** The legend of the lines that are drawn. */
function lineKey(lines: Iterable<LossLine>): HTMLElement[] {
  return [...lines].map((line) => {
    const { name, colour } = lossLines[line];
    const mark = h('span', { class: `line ${colour} ${line}`, 'aria-hidden': 'true' });
    return h('li', {}, mark, name);
  });
}

/** Describes the native run on the chart, and says whether the losses have the same bits. */
export function nativeText(
  native: NativeCurve | undefined,
  { losses, steered }: Pick<TrainingState, 'losses' | 'steered'>,
  exact: boolean,
): string {
  if (!native) return '';
  const beside = `Dotted: the same model trained by the native command (${native.engine}).`;
  if (!native.comparable) return `${beside} Its data, seed or length differs.`;
  if (steered) return `${beside} The learning rate was changed here, so the losses differ.`;
  if (!exact || !native.exact) {
    return `${beside} Equal bits are promised only between exact engines: the tiers simd and simd-threads, and --reproducible natively.`;
  }
  const { compared, equal } = compareBits(native, losses);
  if (compared === 0) return beside;
  return `${beside} ${
    equal
      ? `All ${compared} losses that can be compared are equal to the last bit.`
      : 'The losses are NOT EQUAL to the last bit.'
  }`;
}

/** Results that were served with the page or added by the user. */
const nativeSets = ({ native, files }: AppState): readonly ResultSet[] =>
  native.phase === 'ready' ? [native.set, ...files] : files;

const memories = { light: 0.8, strong: 0.95, off: 0 };

/** The curve as a table, filled only while it is open. */
function curveTable(store: Store<AppState>): HTMLElement {
  const box = h('div');
  const root = h('details', { class: 'behind' }, h('summary', {}, 'Table of the curve'), box);
  const show = () => {
    if (!root.open) return;
    fillTable(box, tableOf(store.get().training));
  };
  root.addEventListener('toggle', show);
  store.watch(['training'], show);
  return root;
}

/** Switches for the horizontal axis and the smoothing: they change view and call draw. */
function viewSwitches(view: LossView, draw: () => void): HTMLElement {
  const axes = choice(
    'loss-axis',
    'Loss against',
    [
      ['step', 'By step'],
      ['seconds', 'By time'],
    ],
    (by) => {
      view.by = by;
      draw();
    },
  );
  const smoothing = choice(
    'loss-smoothing',
    'Smoothing',
    [
      ['light', 'Smoothed'],
      ['strong', 'Very smooth'],
      ['off', 'Not smoothed'],
    ],
    (value) => {
      view.memory = memories[value];
      draw();
    },
  );
  return h('div', { class: 'row-between wrapping' }, axes, smoothing);
}

/** The canvas of the loss with what keyboards and files need of it. */
function lossBox() {
  const canvas = h('canvas', { 'aria-hidden': 'true' });
  const empty = h(
    'p',
    { class: 'empty' },
    h('span', {}, 'The loss curve is drawn here while the model learns.'),
  );
  const box = h('div', { class: 'canvas-box' }, empty, canvas);
  const saves = saveButtons();
  const point = async (place: Place | undefined) =>
    (await import('../chart_draw.js')).showAt(canvas, place);
  const keys = chartKeys(box, (place) => void point(place));
  return {
    canvas,
    parts: [box, keys.spoken],
    saves: saves.element,
    /** Shows that there is nothing yet, or offers what is drawn. */
    offer(spec: ChartSpec | undefined): void {
      empty.hidden = spec !== undefined;
      for (const each of [canvas, saves.element]) each.hidden = !spec;
      box.toggleAttribute('tabindex', spec !== undefined);
      if (!spec) return;
      box.tabIndex = 0;
      box.setAttribute('role', 'application');
      keys.show(spec);
      saves.offer(chartSavable(spec));
    },
  };
}

/** The loss chart with its switches and its table. Its code is loaded with the first run. */
function mountCurve(store: Store<AppState>): HTMLElement {
  const box = lossBox();
  const key = h('ul', { class: 'key' });
  const beside = h('p', { class: 'hint', id: 'train-native' });
  const view: LossView = { by: 'step', memory: memories.light };
  let chart: Promise<LossChart> | undefined;
  let drawn = '';
  const draw = () => {
    const { training, engine } = store.get();
    const { about } = training;
    const exact = engine.phase === 'ready' && engine.info.exact;
    const native = about && nativeCurve(nativeSets(store.get()), about, exact);
    const points = native?.points ?? [];
    const lines = [...linesOf(training, points, view.memory).keys()];
    const some = lines.length > 0;
    box.offer(some ? lossSpec(training, points, view, tableOf(training)) : undefined);
    if (lines.join() !== drawn) key.replaceChildren(...lineKey(lines));
    drawn = lines.join();
    const text = nativeText(native, training, exact);
    beside.hidden = text === '';
    beside.textContent = text;
    if (!some) return;
    chart ??= import('../loss_chart.js').then(({ createLossChart }) => createLossChart(box.canvas));
    void chart.then((loaded) => loaded.show(store.get().training, points, view));
  };
  store.watch(['training', 'native', 'files', 'theme'], draw);
  return h(
    'div',
    {},
    viewSwitches(view, draw),
    key,
    ...box.parts,
    beside,
    curveTable(store),
    box.saves,
  );
}

/** Figures of the run that is shown; empty before the first run. */
function mountFigures(store: Store<AppState>): HTMLElement {
  const live = h('dl', { class: 'facts', id: 'train-figures' });
  const run = h('dl', { class: 'facts', id: 'train-run' });
  const measures = h('div', { id: 'train-measures' });
  const memory = createCard('train-memory');
  const behind = h(
    'details',
    { class: 'behind' },
    h('summary', {}, 'Memory by component'),
    memory.element,
  );
  let about: TrainingState['about'];
  let measured: TrainingState['measures'] = [];
  store.watch(['training'], ({ training }) => {
    fillFacts(live, liveFacts(training));
    live.hidden = training.phase === 'idle';
    behind.hidden = !training.about;
    if (training.about !== about) {
      ({ about } = training);
      fillFacts(run, about ? runFacts(about) : []);
      if (about) memory.show(memorySpec(about));
    }
    if (training.measures !== measured) {
      ({ measures: measured } = training);
      fillMeasures(measures, training);
    }
  });
  return h('div', { class: 'stack' }, run, live, measures, behind);
}

/** Fills the panel. */
export function mountTraining(root: HTMLElement, store: Store<AppState>, actions: Actions): void {
  const tasks = h('div');
  const controls = h('div', { class: 'stack' });
  const exhibits = h('div', { class: 'exhibits', id: 'train-exhibits' });
  const none = h('p', { class: 'hint', id: 'train-no-exhibits' });
  const looking = h('p', { class: 'hint', id: 'train-looking' });
  mountTrainingControls(tasks, controls, store, actions);
  const show = exhibitsView(exhibits);
  store.watch(['training'], ({ training }) => {
    show(training.exhibits);
    const ended = training.phase === 'done' || training.phase === 'stopped';
    none.hidden = !ended || training.looking || training.exhibits.length > 0;
    /* During training, measuring is part of it and needs no notice. */
    const waits = training.looking && training.phase !== 'running';
    setText(looking, waits ? 'Measuring and drawing what has been learnt…' : '');
    none.textContent = 'This task shows nothing besides its measures.';
  });
  const right = h(
    'div',
    { class: 'stack' },
    mountCurve(store),
    mountFigures(store),
    framesLine(store),
    trainingDownload(store, actions),
  );
  const pad = h('section', { class: 'try', 'aria-label': 'Draw a digit' });
  const writing = h('section', { class: 'try', 'aria-label': 'Let it continue your text' });
  mountDigitPad(pad, store, actions);
  mountWriting(writing, store, actions);
  root.append(
    presetBar(store, actions),
    tasks,
    h('div', { class: 'train-layout' }, controls, right),
    pad,
    writing,
    looking,
    none,
    exhibits,
  );
}
