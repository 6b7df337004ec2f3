/** A pad to draw a digit on, with a pointer or with keys, and what the trained network sees in it. */
import type { HeldSample } from 'parallax-nn/bench';
import type { Actions } from '../actions.js';
import {
  type Drawing,
  drawingOf,
  drawLine,
  emptyDrawing,
  imageOf,
  type Place,
  padSide,
} from '../digit_image.js';
import { h, setText } from '../dom.js';
import { percent } from '../format.js';
import type { AppState, ReadingState } from '../state.js';
import type { Store } from '../store.js';
import { quickChoice } from '../training.js';
import { isActive } from './training_controls.js';

/** Cells that an arrow key moves the pen by. */
const keyStep = 4;

/** Milliseconds after which the pen counts as resting: what a screen reader says must not change all the time. */
const penRests = 250;

const arrows: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** A sentence about what the network sees, once the pen rests. */
export function readingText(reading: ReadingState): string {
  switch (reading.phase) {
    case 'none':
      return 'Nothing is drawn.';
    case 'failed':
      return reading.message;
    case 'known': {
      const { shares } = reading;
      const digit = shares.indexOf(Math.max(...shares));
      return `The network sees a ${digit}: ${percent(shares[digit]!)}.`;
    }
  }
}

/** The pad itself. changed: called after every stroke, and when the drawing is replaced. */
class Pad {
  readonly root: HTMLElement;
  readonly #canvas = h('canvas', {
    width: padSide,
    height: padSide,
    tabindex: 0,
    role: 'application',
    id: 'digit-pad',
    'aria-label': 'Drawing pad',
    'aria-describedby': 'digit-keys',
  });
  readonly #pen = h('span', { class: 'pen', 'aria-hidden': 'true' });
  #drawing: Drawing = emptyDrawing();
  #place: Place = { x: padSide / 2, y: padSide / 4 };
  #down = false;

  constructor(
    readonly changed: (drawing: Drawing) => void,
    readonly told: (text: string) => void,
  ) {
    this.root = h('div', { class: 'pad' }, this.#canvas, this.#pen);
    this.#listenToPointer();
    this.#canvas.addEventListener('keydown', (event) => this.#onKey(event));
    this.#canvas.addEventListener('blur', () => {
      this.#down = false;
    });
    this.#show();
  }

  get drawing(): Drawing {
    return this.#drawing;
  }

  /** Replaces the drawing. */
  set(drawing: Drawing): void {
    this.#drawing = drawing;
    this.#show();
    this.changed(drawing);
  }

  #listenToPointer(): void {
    const canvas = this.#canvas;
    const placeOf = ({ clientX, clientY }: MouseEvent): Place => {
      const { left, top, width, height } = canvas.getBoundingClientRect();
      return {
        x: ((clientX - left) / width) * padSide,
        y: ((clientY - top) / height) * padSide,
      };
    };
    canvas.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      this.#place = placeOf(event);
      this.#lineThrough([this.#place]);
    });
    canvas.addEventListener('pointermove', (event) => {
      if (!canvas.hasPointerCapture(event.pointerId)) return;
      /* A fast stroke has several places between two frames. */
      this.#lineThrough([...event.getCoalescedEvents(), event].map(placeOf));
    });
  }

  #onKey(event: KeyboardEvent): void {
    const arrow = arrows[event.key];
    if (arrow) {
      const step = (at: number, by: number) =>
        Math.min(padSide - 1, Math.max(0, at + keyStep * by));
      const to = { x: step(this.#place.x, arrow[0]), y: step(this.#place.y, arrow[1]) };
      if (this.#down) this.#lineThrough([to]);
      this.#place = to;
    } else if (event.key === ' ') {
      this.#down = !this.#down;
      if (this.#down) this.#lineThrough([this.#place]);
      this.told(this.#down ? 'The pen is down.' : 'The pen is up.');
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      this.set(emptyDrawing());
      this.told('The pad is empty.');
    } else return;
    event.preventDefault();
    this.#showPen();
  }

  #lineThrough(places: readonly Place[]): void {
    for (const to of places) {
      drawLine(this.#drawing, this.#place, to);
      this.#place = to;
    }
    this.#show();
    this.changed(this.#drawing);
  }

  #show(): void {
    const bytes = new Uint8ClampedArray(4 * this.#drawing.length);
    for (let i = 0; i < this.#drawing.length; i++) {
      bytes.fill(255 * this.#drawing[i]!, 4 * i, 4 * i + 3);
      bytes[4 * i + 3] = 255;
    }
    this.#canvas.getContext('2d')?.putImageData(new ImageData(bytes, padSide), 0, 0);
    this.#showPen();
  }

  #showPen(): void {
    this.#pen.style.left = `${(100 * this.#place.x) / padSide}%`;
    this.#pen.style.top = `${(100 * this.#place.y) / padSide}%`;
    this.#pen.classList.toggle('down', this.#down);
  }
}

/** Ten rows, one for each digit, which are only changed, so that they can follow a stroke. */
function shareRows() {
  const rows = Array.from({ length: 10 }, (_, digit) => {
    const bar = h('div', { class: 'bar' });
    const share = h('td', {}, '–');
    const cell = h('td', { class: 'bar-cell', 'aria-hidden': 'true' }, bar);
    return { bar, share, row: h('tr', {}, h('th', { scope: 'row' }, String(digit)), cell, share) };
  });
  const table = h(
    'table',
    { class: 'bars', id: 'digit-shares' },
    h('caption', {}, 'Probability of each digit'),
    h('tbody', {}, ...rows.map(({ row }) => row)),
  );
  return {
    table,
    show(reading: ReadingState) {
      const shares = reading.phase === 'known' ? reading.shares : [];
      const most = Math.max(...shares);
      for (const [digit, { bar, share, row }] of rows.entries()) {
        const value = shares[digit];
        bar.style.width = `${100 * (value ?? 0)}%`;
        setText(share, value === undefined ? '–' : percent(value));
        row.classList.toggle('most', value === most);
      }
    },
  };
}

/** What stands in place of the pad before a network was trained, with the button that trains one. */
function mountNoNetwork(store: Store<AppState>, actions: Actions): HTMLElement {
  const text = h('p', { id: 'digit-none' });
  const train = h('button', { type: 'button', id: 'digit-train' }, 'Train one on digits: seconds');
  train.addEventListener('click', () => {
    const task = store.get().tasks.find(({ takes }) => takes === 'digits');
    if (task) void actions.trainer.start(quickChoice(task.name, store.get().options.seed));
  });
  const root = h('div', { class: 'stack' }, text, h('div', { class: 'train-buttons' }, train));
  store.watch(['training', 'run', 'tasks'], ({ training: { phase, learnt }, run, tasks }) => {
    root.hidden = learnt?.kind === 'digits';
    train.disabled = isActive(phase) || run.phase === 'running' || tasks.length === 0;
    setText(
      text,
      isActive(phase)
        ? 'A network is being trained. If it learns digits, the pad appears as soon as it has learnt a little.'
        : 'A network that knows digits must be trained first.',
    );
  });
  return root;
}

/** Says which digit was put on the pad. */
const sampleText = ({ y }: HeldSample) =>
  `A ${y[0]} that was held out: the network was not trained on it.`;

/** The pad with its buttons, and what is said of it. ask: called when the drawing has changed. */
function drawingBox(store: Store<AppState>, ask: (drawing: Drawing) => void) {
  const said = h('p', { class: 'hint', role: 'status', id: 'digit-said' });
  const tell = (text: string) => setText(said, text);
  const pad = new Pad(ask, tell);
  const clear = h('button', { type: 'button', id: 'digit-clear' }, 'Clear');
  clear.addEventListener('click', () => {
    pad.set(emptyDrawing());
    tell('');
  });
  const sample = h('button', { type: 'button', id: 'digit-sample' }, 'Start from a test digit');
  sample.addEventListener('click', () => {
    const { learnt } = store.get().training;
    const samples = learnt?.kind === 'digits' ? learnt.samples : [];
    const chosen = samples[Math.floor(Math.random() * samples.length)];
    if (!chosen) return;
    pad.set(drawingOf(chosen.x));
    tell(sampleText(chosen));
  });
  const buttons = h('div', { class: 'train-buttons' }, clear, sample);
  return { pad, root: h('div', {}, pad.root, buttons, said) };
}

/** What the network sees, with a sentence once the pen rests. */
function readingBox(store: Store<AppState>): HTMLElement {
  const shares = shareRows();
  const seen = h('p', { class: 'outcome', role: 'status', id: 'digit-seen' });
  const keys = h(
    'p',
    { class: 'hint', id: 'digit-keys' },
    'Draw with a pointer; or with keys: arrows move the pen, the space bar sets it down and lifts it, Delete clears.',
  );
  let rest = 0;
  store.watch(['reading'], ({ reading }) => {
    shares.show(reading);
    clearTimeout(rest);
    rest = window.setTimeout(() => setText(seen, readingText(reading)), penRests);
  });
  return h('div', { class: 'stack' }, seen, shares.table, keys);
}

/** Fills the section. */
export function mountDigitPad(root: HTMLElement, store: Store<AppState>, actions: Actions): void {
  let asked = 0;
  /** Asks for the drawing of this moment, at most once a frame. */
  const ask = () => {
    if (asked !== 0) return;
    asked = requestAnimationFrame(() => {
      asked = 0;
      const busy = store.get().run.phase === 'running';
      if (!busy) actions.readDigit(imageOf(left.pad.drawing));
    });
  };
  const left = drawingBox(store, ask);
  const drawing = h('div', { class: 'try-layout' }, left.root, readingBox(store));
  root.append(
    h('h2', {}, 'Draw a digit'),
    h(
      'p',
      { class: 'sub' },
      'The network just trained recognises what you draw. As in MNIST, the drawing is scaled to a box of 20 by 20 pixels, and its centre of mass put at the centre of 28 by 28 (LeCun and others, Proc. IEEE 86, 1998).',
    ),
    mountNoNetwork(store, actions),
    drawing,
  );
  let network: unknown;
  store.watch(['training', 'form', 'tasks'], ({ training: { learnt }, form, tasks }) => {
    const task = tasks.find(({ name }) => name === form.task) ?? tasks[0];
    drawing.hidden = learnt?.kind !== 'digits';
    root.hidden = drawing.hidden && task?.takes !== 'digits';
    /* What has been learnt meanwhile may see something else. */
    if (learnt !== network) ask();
    network = learnt;
  });
}
