/** Exhibits of what has been learnt: texts, matrices, pictures and bars, for any task. */
import type { Exhibit } from 'parallax-nn/bench';
import type { ChartSpec } from '../chart_spec.js';
import { colourOf, isLight, type Rgb, type Scale, scaleOf } from '../colour_scale.js';
import { h, setText } from '../dom.js';
import { barCharts, exhibitCsv, exhibitJson, matrixCharts } from '../exhibit_files.js';
import {
  columnLabels,
  labelAt,
  part,
  pixels,
  scalesOf,
  spread,
  stretched,
  together,
} from '../exhibits.js';
import { significant } from '../format.js';
import { type Card, createCard } from './chart_card.js';
import { type Savable, saveButtons } from './save_buttons.js';
import { fillTable } from './table.js';

/** Matrices up to this size show their numbers. */
const mostNumbers = 16;
/** Columns of numbers that fit into a card of normal width. */
const mostBeside = 5;
/** Most rows and columns in the table of a larger matrix. */
const mostTable = 33;

const css = ([red, green, blue]: Rgb) => `rgb(${red} ${green} ${blue})`;

/** Paints RGBA bytes, four to a pixel; the style sheet enlarges the picture. */
function paint(bytes: Uint8ClampedArray<ArrayBuffer>, columns: number, label: string) {
  const canvas = h('canvas', { width: columns, height: bytes.length / 4 / columns });
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', label);
  canvas.getContext('2d')?.putImageData(new ImageData(bytes, columns), 0, 0);
  return canvas;
}

function heatBytes(values: ArrayLike<number>, scale: Scale): Uint8ClampedArray<ArrayBuffer> {
  const bytes = new Uint8ClampedArray(4 * values.length);
  for (let i = 0; i < values.length; i++) bytes.set([...colourOf(values[i]!, scale), 255], 4 * i);
  return bytes;
}

/** A colour scale with the numbers at its ends. */
function legend(scale: Scale): HTMLElement {
  const steps = 64;
  const at = (i: number) => scale.low + ((scale.high - scale.low) * i) / (steps - 1);
  const values = Array.from({ length: steps }, (_, i) => at(i));
  const text = `Colours from ${significant(scale.low)} to ${significant(scale.high)}`;
  return h(
    'div',
    { class: 'scale' },
    h('span', {}, significant(scale.low)),
    paint(heatBytes(values, scale), steps, text),
    h('span', {}, significant(scale.high)),
  );
}

/** A small matrix: a table whose cells are coloured. */
function numberedMatrix(exhibit: Exhibit, i: number, scale: Scale): HTMLElement {
  const { rows, columns, labels, rowTitle, columnTitle } = exhibit;
  const across = columnLabels(exhibit);
  const values = part(exhibit, i);
  const corner = [rowTitle, columnTitle].filter(Boolean).join(' \\ ');
  const head = Array.from({ length: columns }, (_, c) =>
    h('th', { scope: 'col' }, labelAt(across, c)),
  );
  const body = Array.from({ length: rows }, (_, r) => {
    const cells = Array.from({ length: columns }, (_, c) => {
      const value = values[r * columns + c]!;
      const cell = h('td', {}, significant(value, 2));
      const back = colourOf(value, scale);
      cell.style.backgroundColor = css(back);
      cell.style.color = isLight(back) ? '#000' : '#fff';
      return cell;
    });
    return h('tr', {}, h('th', { scope: 'row' }, labelAt(labels, r)), ...cells);
  });
  const table = h(
    'table',
    { class: 'heat-table' },
    h('thead', {}, h('tr', {}, h('td', {}, corner), ...head)),
    h('tbody', {}, ...body),
  );
  table.style.setProperty('--columns', String(columns));
  return h(
    'div',
    { class: 'table-box', tabindex: 0, role: 'region', 'aria-label': exhibit.name },
    table,
  );
}

/** A large matrix: a picture with the ends of its axes, and the value under the pointer. */
function paintedMatrix(exhibit: Exhibit, i: number, scale: Scale): HTMLElement {
  const { name, rows, columns, labels, rowTitle, columnTitle } = exhibit;
  const across = columnLabels(exhibit);
  const values = part(exhibit, i);
  const label = `${name}: ${rows} by ${columns} values, listed in the table below.`;
  const canvas = paint(heatBytes(values, scale), columns, label);
  const ends = (names: readonly string[], n: number, title: string) => [
    h('span', {}, labelAt(names, 0)),
    h('b', {}, title),
    h('span', {}, labelAt(names, n - 1)),
  ];
  const reading = h('p', { class: 'hint reading', 'aria-hidden': 'true' });
  canvas.addEventListener('pointermove', ({ offsetX, offsetY }) => {
    const c = Math.floor((offsetX / canvas.clientWidth) * columns);
    const r = Math.floor((offsetY / canvas.clientHeight) * rows);
    const value = values[r * columns + c];
    if (c < 0 || c >= columns || value === undefined) return;
    const [row, column] = [labelAt(labels, r), labelAt(across, c)];
    setText(
      reading,
      `${rowTitle || 'row'} ${row}, ${columnTitle || 'column'} ${column}: ${significant(value)}`,
    );
  });
  canvas.addEventListener('pointerleave', () => setText(reading, ''));
  return h(
    'div',
    { class: 'heat' },
    h('div', { class: 'down' }, ...ends(labels, rows, rowTitle)),
    canvas,
    h('div', { class: 'across' }, ...ends(across, columns, columnTitle)),
    reading,
  );
}

/** Fills a table with the numbers of a large matrix, evenly spaced ones if it is very large. */
function matrixTable(box: HTMLElement, exhibit: Exhibit): void {
  const { name, count, rows, columns, labels, rowTitle } = exhibit;
  const across = columnLabels(exhibit);
  const [down, right] = [spread(rows, mostTable), spread(columns, mostTable)];
  const whole = down.length === rows && right.length === columns;
  const tables = Array.from({ length: count }, (_, i) => {
    const values = part(exhibit, i);
    const one = h('div');
    fillTable(one, {
      caption: `${name}${count > 1 ? `, ${i + 1} of ${count}` : ''}${whole ? '' : `: ${down.length} of ${rows} rows, ${right.length} of ${columns} columns, evenly spaced`}.`,
      columns: [rowTitle, ...right.map((c) => labelAt(across, c))],
      rows: down.map((r) => ({
        cells: [
          labelAt(labels, r),
          ...right.map((c) => significant(values[r * columns + c] ?? Number.NaN)),
        ],
      })),
    });
    return one;
  });
  box.replaceChildren(...tables);
}

function drawMatrix(exhibit: Exhibit, scale: Scale): HTMLElement {
  const small = exhibit.rows <= mostNumbers && exhibit.columns <= mostNumbers;
  const one = small ? numberedMatrix : paintedMatrix;
  return h(
    'div',
    { class: 'stack' },
    h(
      'div',
      { class: small ? 'stack' : 'heats' },
      ...Array.from({ length: exhibit.count }, (_, i) => one(exhibit, i, scale)),
    ),
    legend(scale),
  );
}

function drawImages(exhibit: Exhibit): HTMLElement {
  const { count, columns, labels, values } = exhibit;
  const scale = scaleOf(values);
  const tiles = Array.from({ length: count }, (_, i) => {
    const name = labels[i];
    const tile = paint(pixels(exhibit, i, scale), columns, name ?? `Picture ${i + 1} of ${count}`);
    return h('li', {}, tile, name ? h('span', {}, name) : undefined);
  });
  const range = `Values from ${significant(scale.low)} (dark) to ${significant(scale.high)} (light).`;
  const own =
    'Each is scaled to its own range, from its least value (dark) to its greatest (light).';
  const list = h('ul', { class: labels.length > 0 ? 'tiles named' : 'tiles' }, ...tiles);
  const line = together(labels);
  if (line > 1) list.style.gridTemplateColumns = `repeat(${line}, minmax(0, 96px))`;
  return h(
    'div',
    { class: 'stack' },
    list,
    h('p', { class: 'hint' }, stretched(exhibit) ? own : range),
  );
}

function drawing(exhibit: Exhibit, scale: Scale | undefined): HTMLElement {
  if (exhibit.kind === 'text') return h('pre', { class: 'generated', tabindex: 0 }, exhibit.text);
  return exhibit.kind === 'matrix'
    ? drawMatrix(exhibit, scale ?? scaleOf(exhibit.values))
    : drawImages(exhibit);
}

/** A picture of an exhibit: as a chart, or of the pictures in the box. */
async function pngOfExhibit(exhibit: Exhibit, box: HTMLElement): Promise<Blob> {
  const { pngOf, tilesPng } = await import('../chart_png.js');
  if (exhibit.kind === 'matrix') return pngOf(...matrixCharts(exhibit));
  const tiles = [...box.querySelectorAll('canvas')].map((canvas, i) => ({
    canvas,
    name: exhibit.labels[i] ?? '',
  }));
  return tilesPng(exhibit.name, tiles);
}

/** What an exhibit is saved as; a text has no figures. */
const savableOf = (exhibit: Exhibit, box: HTMLElement): Savable => ({
  file: exhibit.name.replaceAll(/[^\w]+/g, '-'),
  title: exhibit.name,
  ...(exhibit.kind === 'text'
    ? {}
    : { png: () => pngOfExhibit(exhibit, box), csv: () => exhibitCsv(exhibit) }),
  json: () => exhibitJson(exhibit),
});

/** A section that is kept when its exhibit is renewed, so that an open table stays open. */
class Section {
  readonly root: HTMLElement;
  readonly #box = h('div');
  readonly #tableBox = h('div');
  readonly #behind = h('details', { class: 'behind' }, h('summary', {}, 'Table'), this.#tableBox);
  readonly #saves = saveButtons();
  #exhibit: Exhibit | undefined;

  constructor(name: string) {
    const title = name.charAt(0).toUpperCase() + name.slice(1);
    const { element } = this.#saves;
    this.root = h(
      'section',
      { class: 'exhibit' },
      h('h4', {}, title),
      this.#box,
      this.#behind,
      element,
    );
    this.root.setAttribute('aria-label', title);
    this.#behind.addEventListener('toggle', () => this.#fillTable());
  }

  show(exhibit: Exhibit, scale: Scale | undefined): void {
    this.#exhibit = exhibit;
    this.#box.replaceChildren(drawing(exhibit, scale));
    this.#saves.offer(savableOf(exhibit, this.#box));
    const { kind, count, rows, columns } = exhibit;
    const numbered = rows <= mostNumbers && columns <= mostNumbers;
    const wide = kind === 'matrix' && (count > 1 || (numbered && columns > mostBeside));
    this.#behind.hidden = kind !== 'matrix' || numbered;
    this.root.classList.toggle('wide', kind === 'text' || wide);
    this.#fillTable();
  }

  #fillTable(): void {
    if (this.#exhibit && this.#behind.open) matrixTable(this.#tableBox, this.#exhibit);
  }
}

/** Does what is waiting piece by piece, so that all of it together makes no frame late. */
class Pieces {
  readonly #waiting = new Map<string, () => void>();
  #working = false;

  /** Adds a piece in place of one with the same key. */
  add(key: string, piece: () => void): void {
    this.#waiting.set(key, piece);
    if (this.#working) return;
    this.#working = true;
    setTimeout(() => this.#work());
  }

  clear(): void {
    this.#waiting.clear();
  }

  #work(): void {
    const [next] = this.#waiting;
    this.#working = next !== undefined;
    if (!next) return;
    const [key, piece] = next;
    this.#waiting.delete(key);
    piece();
    setTimeout(() => this.#work());
  }
}

/** Returns a function that draws the exhibits of a run into the box, whenever they are renewed. */
export function exhibitsView(box: HTMLElement): (exhibits: readonly Exhibit[]) => void {
  let sections = new Map<string, Section>();
  let cards = new Map<string, Card>();
  let shown: readonly Exhibit[] | undefined;
  const pieces = new Pieces();
  function show(exhibit: Exhibit, scale: Scale | undefined): readonly [string, Section] {
    const key = `${exhibit.kind} ${exhibit.name}`;
    const section = sections.get(key) ?? new Section(exhibit.name);
    pieces.add(key, () => section.show(exhibit, scale));
    return [key, section];
  }
  function draw(spec: ChartSpec): readonly [string, Card] {
    const card = cards.get(spec.id) ?? createCard(spec.id);
    pieces.add(spec.id, () => card.show(spec));
    return [spec.id, card];
  }
  return (exhibits) => {
    if (exhibits === shown) return;
    shown = exhibits;
    pieces.clear();
    const scales = scalesOf(exhibits);
    const others = exhibits.filter(({ kind }) => kind !== 'bars');
    sections = new Map(others.map((exhibit) => show(exhibit, scales.get(exhibit.name))));
    cards = new Map(barCharts(exhibits).map(draw));
    const parts = [
      ...[...sections.values()].map(({ root }) => root),
      ...[...cards.values()].map(({ element }) => element),
    ];
    /* Moving an element would take the focus from it. */
    const same =
      parts.length === box.children.length && parts.every((each, i) => box.children[i] === each);
    if (!same) box.replaceChildren(...parts);
  };
}
