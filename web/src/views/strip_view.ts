/** Small pictures of a suite: a dot for each case on an axis that begins at 0, or boxes. */
import type { LaneRole } from '../chart_spec.js';
import { count, significant } from '../format.js';
import type { Box, Strip } from '../suite_lines.js';

const [width, height, foot] = [300, 46, 30] as const;
/** Room at the ends, so that no dot or label is cut off. */
const margin = 10;

function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | number>,
  text?: string,
): SVGElementTagNameMap[K] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  if (text !== undefined) element.append(text);
  return element;
}

/** Each side has a line of its own. */
const lineOf = { A: 6, B: 14, C: 24, other: 24 } as const;

function describe({ dots, unit, mark }: Strip): string {
  const of = (role: LaneRole) => dots.filter((dot) => dot.role === role).map(({ value }) => value);
  const ends = (['C', 'B', 'A', 'other'] as const).flatMap((role) => {
    const values = of(role);
    if (values.length === 0) return [];
    const [least, most] = [Math.min(...values), Math.max(...values)].map((value) =>
      significant(value),
    );
    return [`${role}: from ${least} to ${most}`];
  });
  return `${ends.join('; ')} ${unit}; ${mark.name} is ${significant(mark.value)}.`;
}

/** A drawing with its description. */
function picture(label: string, tall: number, parts: readonly SVGElement[]): SVGSVGElement {
  const root = svg('svg', {
    class: 'strip',
    viewBox: `0 0 ${width} ${tall}`,
    role: 'img',
    'aria-label': label,
  });
  root.append(...parts);
  return root;
}

export function stripView(strip: Strip): SVGSVGElement {
  const { dots, most, mark, unit } = strip;
  const at = (value: number) => margin + ((width - 2 * margin) * value) / most;
  const marked = at(mark.value);
  const label = (x: number, text: string, anchor = 'middle') =>
    svg('text', { x, y: height - 3, 'text-anchor': anchor }, text);
  return picture(describe(strip), height, [
    svg('line', { class: 'axis', x1: margin, x2: width - margin, y1: foot, y2: foot }),
    svg('line', { class: 'mark', x1: marked, x2: marked, y1: 2, y2: foot }),
    ...dots.map(({ role, value, name }) => {
      const dot = svg('circle', { class: `dot ${role}`, cx: at(value), cy: lineOf[role], r: 4 });
      dot.append(svg('title', {}, `${role}, ${name}: ${significant(value)} ${unit}`));
      return dot;
    }),
    label(margin, '0', 'start'),
    label(marked, `${mark.name} = ${significant(mark.value)}`),
  ]);
}

const boxWords = {
  equal: 'equal to the last bit',
  unequal: 'not equal',
  alone: 'without a counterpart',
} as const;

/** Side of a box, and the distance from one to the next. */
const [boxSide, boxStep] = [9, 12] as const;

const perLine = Math.floor((width - 2 * margin) / boxStep);

function boxView(box: Box, i: number): SVGElement {
  const x = margin + boxStep * (i % perLine);
  const y = 2 + boxStep * Math.floor(i / perLine);
  const root = svg('g', { class: `box ${box}` });
  root.append(svg('rect', { x, y, width: boxSide, height: boxSide, rx: 2 }));
  /* A cross, so that it is not the colour alone that tells. */
  if (box === 'unequal')
    root.append(
      svg('path', { d: `M${x} ${y}l${boxSide} ${boxSide}m0 ${-boxSide}l${-boxSide} ${boxSide}` }),
    );
  return root;
}

/** A box for each hash: full if it is equal, empty without a counterpart, crossed if unequal. */
export function boxesView(boxes: readonly Box[]): SVGSVGElement {
  const text = (Object.keys(boxWords) as Box[]).flatMap((kind) => {
    const number = boxes.filter((box) => box === kind).length;
    return number > 0 ? [`${count(number, 'hash', 'hashes')} ${boxWords[kind]}`] : [];
  });
  const tall = 4 + boxStep * Math.ceil(boxes.length / perLine);
  return picture(`${text.join('; ')}.`, tall, boxes.map(boxView));
}
