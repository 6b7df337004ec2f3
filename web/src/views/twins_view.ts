/** Two engines that train the same model in turns: their curves, and whether the bits are equal. */
import type { Tier } from 'parallax-nn/bench';
import type { Actions } from '../actions.js';
import { h, setText } from '../dom.js';
import { spread } from '../exhibits.js';
import { count, significant } from '../format.js';
import type { LossChart } from '../loss_chart.js';
import { type LossLine, ranges } from '../loss_curve.js';
import { tiers } from '../self_test.js';
import type { AppState, LossPoint } from '../state.js';
import type { Store } from '../store.js';
import { isTableActive } from '../table_state.js';
import type { TwinActions, TwinsChoice } from '../twins.js';
import { areTwinsActive, type Twin, type TwinsState } from '../twins_state.js';
import { framesLine } from './frames_line.js';
import { fillTable } from './table.js';
import { field, isActive, keepInAddress, numberInput } from './training_controls.js';

const usualSteps = 200;

/** A sentence for each phase; no number in it keeps changing. */
function statusText({ phase, steps }: TwinsState): string {
  switch (phase) {
    case 'idle':
      return 'Not started yet.';
    case 'starting':
      return 'Starting two engines…';
    case 'running':
      return 'Training in turns.';
    case 'pausing':
      return 'Pausing…';
    case 'paused':
      return 'Paused.';
    case 'done':
      return `Both have done ${count(steps, 'step')}.`;
    case 'stopped':
      return 'Stopped.';
    case 'failed':
      return 'Failed.';
  }
}

/** Whether the losses have the same bits, and whether that is promised. */
export function bitsText({ found, twins }: Pick<TwinsState, 'found' | 'twins'>): string {
  const { compared, differs, largest } = found;
  const [a, b] = twins;
  if (!a || !b || compared === 0) return '';
  const exact = a.exact && b.exact;
  if (differs === undefined) {
    const promise = exact ? '' : ' With this tier, that is not promised.';
    return `The losses of all ${count(compared, 'step')} are equal to the last bit.${promise}`;
  }
  const by = `from step ${differs} on; the largest difference is ${significant(largest, 2)} of the loss.`;
  return exact
    ? `The losses DIFFER ${by} Between exact tiers that must not be.`
    : `The losses differ ${by} A tier that fuses multiply and add rounds once where the other rounds twice; a difference in the last bit grows as training goes on.`;
}

const linesOf = ([a, b]: readonly Twin[]): Map<LossLine, readonly LossPoint[]> =>
  new Map<LossLine, readonly LossPoint[]>([
    ['first', ranges(a?.curve ?? [])],
    ['second', ranges(b?.curve ?? [])],
  ]);

/** Most rows in the table of the curves. */
const mostRows = 25;

/** Some losses of both, with all their digits; filled only while it is open. */
function lossTable(store: Store<AppState>): HTMLElement {
  const box = h('div', { id: 'twins-losses' });
  const root = h('details', { class: 'behind' }, h('summary', {}, 'Table of the losses'), box);
  const show = () => {
    const [a, b] = store.get().twins.twins;
    root.hidden = !a || !b;
    if (!root.open || !a || !b) return;
    fillTable(box, {
      caption: 'Losses by step; of several steps their mean, where a curve is long.',
      columns: ['Step', a.tier, b.tier],
      rows: spread(Math.min(a.curve.length, b.curve.length), mostRows).map((i) => ({
        cells: [a.curve[i]!.step, a.curve[i]!.loss, b.curve[i]!.loss].map(String),
      })),
    });
  };
  root.addEventListener('toggle', show);
  store.watch(['twins'], show);
  return root;
}

/** Both curves in one chart, and what is known of the two engines in a table. */
function curves(store: Store<AppState>): HTMLElement {
  const canvas = h('canvas', {
    role: 'img',
    'aria-label': 'Loss of both engines by step; whether they are equal is said below.',
  });
  const empty = h(
    'p',
    { class: 'empty' },
    h('span', {}, 'Both loss curves are drawn here, one on the other.'),
  );
  const key = h('ul', { class: 'key' });
  const bits = h('p', { class: 'suite-line', role: 'status', id: 'twins-bits' });
  const engines = h('div', { id: 'twins-engines' });
  let chart: Promise<LossChart> | undefined;
  let named = '';
  store.watch(['twins', 'theme'], ({ twins: { twins, found } }) => {
    const lines = linesOf(twins);
    const drawn = twins.some(({ curve }) => curve.length > 0);
    empty.hidden = drawn;
    canvas.hidden = !drawn;
    const names = twins.map(({ tier }) => tier);
    if (names.join() !== named) {
      named = names.join();
      const classes = ['line browser', 'line native second'];
      key.replaceChildren(
        ...names.map((name, i) =>
          h('li', {}, h('span', { class: classes[i], 'aria-hidden': 'true' }), name),
        ),
      );
    }
    setText(bits, bitsText({ twins, found }));
    engines.hidden = twins.length === 0;
    if (twins.length > 0) {
      fillTable(engines, {
        caption: 'The engines',
        columns: ['Tier', 'Threads', 'Exact', 'Seconds of its turns'],
        rows: twins.map(({ tier, threads, exact, seconds }) => ({
          cells: [tier, String(threads), exact ? 'yes' : 'no', significant(seconds)],
        })),
      });
    }
    if (!drawn) return;
    chart ??= import('../loss_chart.js').then(({ createLossChart }) => createLossChart(canvas));
    void chart.then((loaded) => loaded.draw(lines, 'step'));
  });
  return h(
    'div',
    { class: 'stack' },
    key,
    h('div', { class: 'canvas-box' }, empty, canvas),
    bits,
    lossTable(store),
    engines,
    framesLine(store),
  );
}

/** The settings; all of them are kept in the address. */
function settings(store: Store<AppState>, actions: Pick<Actions, 'setForm'>) {
  const task = h('select', { id: 'twins-task' });
  const choices = () => tiers.map((tier) => h('option', { value: tier }, tier));
  const first = h('select', { id: 'twins-first' }, ...choices());
  const second = h('select', { id: 'twins-second' }, ...choices());
  second.value = 'simd-threads';
  const steps = numberInput('twins-steps', 1, 10_000, usualSteps);
  for (const [name, input] of [
    ['first', first],
    ['second', second],
    ['turns', steps],
  ] as const)
    keepInAddress(name, input, store, actions);
  task.addEventListener('change', () => actions.setForm('task', task.value));
  store.watch(['tasks'], ({ tasks, form }) => {
    task.replaceChildren(...tasks.map(({ name }) => h('option', { value: name }, name)));
    const known = tasks.some(({ name }) => name === form.task);
    task.value = (known ? form.task : tasks[0]?.name) ?? '';
  });
  store.watch(['twins'], ({ twins }) => {
    for (const input of [task, first, second, steps]) input.disabled = areTwinsActive(twins);
  });
  return {
    root: h(
      'div',
      { class: 'fields tight' },
      field('Task', task),
      field('First engine', first),
      field('Second engine', second),
      field('Steps', steps),
    ),
    choice: (): TwinsChoice => ({
      task: task.value,
      tiers: [first.value as Tier, second.value as Tier],
      steps: Math.max(1, Number(steps.value) || usualSteps),
      seed: store.get().options.seed,
    }),
  };
}

/** The settings and the buttons. */
function controls(
  store: Store<AppState>,
  actions: Pick<Actions, 'setForm'>,
  trainer: TwinActions,
): HTMLElement {
  const form = settings(store, actions);
  const start = h('button', { type: 'button', id: 'twins-start', class: 'primary' }, 'Start');
  const pause = h('button', { type: 'button', id: 'twins-pause' }, 'Pause');
  const stop = h('button', { type: 'button', id: 'twins-stop' }, 'Stop');
  const status = h('p', { class: 'outcome', role: 'status', id: 'twins-status' });
  const failure = h('p', { class: 'hint bad wide', role: 'alert', id: 'twins-failed' });
  start.addEventListener('click', () => void trainer.start(form.choice()));
  pause.addEventListener('click', () => {
    if (store.get().twins.phase === 'paused') trainer.resume();
    else trainer.pause();
  });
  stop.addEventListener('click', () => trainer.stop());
  store.watch(['twins', 'run', 'training', 'table', 'selfTest', 'tasks'], (state) => {
    const { twins, run, training, table, selfTest, tasks } = state;
    const active = areTwinsActive(twins);
    const others = [run, selfTest].some(({ phase }) => phase === 'running');
    const busy = others || isActive(training.phase) || isTableActive(table);
    start.disabled = active || busy || tasks.length === 0;
    start.title = busy ? 'The engine is busy with a run or with training.' : '';
    pause.disabled = twins.phase !== 'running' && twins.phase !== 'paused';
    setText(pause, twins.phase === 'paused' ? 'Resume' : 'Pause');
    stop.disabled = !active;
    setText(status, statusText(twins));
    setText(failure, twins.message ?? '');
  });
  const buttons = h('div', { class: 'train-buttons' }, start, pause, stop);
  return h('div', { class: 'stack' }, form.root, buttons, status, failure);
}

/** Fills the panel. */
export function mountTwins(
  root: HTMLElement,
  store: Store<AppState>,
  actions: Pick<Actions, 'setForm'>,
  trainer: TwinActions,
): void {
  root.append(
    h('div', { class: 'train-layout' }, controls(store, actions, trainer), curves(store)),
  );
}
