/** The colours of the charts, as eyes see them that lack one kind of cone. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { converter, differenceCiede2000, type Lrgb, wcagContrast } from 'culori';
import { colourName, partColours } from '../../../web/src/chart_spec.js';
import { colourOf } from '../../../web/src/colour_scale.js';

/**
 * What is left of linear RGB without one kind of cone: table 1 of Machado, Oliveira and Fernandes, "A
 * Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE Transactions on
 * Visualization and Computer Graphics 15 (2009), 1291-1298, severity 1.0.
 */
const eyes = {
  'with all cones': [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  'with protanopia': [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  'with deuteranopia': [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  'with tritanopia': [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
} as const;
type Eye = (typeof eyes)[keyof typeof eyes];

const linear = converter('lrgb');
const lab = converter('lab65');

/** A colour as an eye sees it. */
function seen(colour: string, eye: Eye): Lrgb {
  const found = linear(colour);
  if (!found) throw new Error(`${colour} is no colour.`);
  const [r, g, b] = eye.map(([x, y, z]) => {
    const sum = x * found.r + y * found.g + z * found.b;
    return Math.min(1, Math.max(0, sum));
  });
  return { mode: 'lrgb', r: r ?? 0, g: g ?? 0, b: b ?? 0 };
}

/** The difference of two colours by CIEDE2000: about 1 can just be seen side by side. */
const apart = differenceCiede2000();
const difference = (a: string, b: string, eye: Eye) => apart(seen(a, eye), seen(b, eye));

const css = readFileSync(new URL('../../../web/src/styles/page.css', import.meta.url), 'utf8');
const themes = ['light', 'dark'] as const;

/** The value of a colour of the page in a theme. */
function hexOf(name: string, theme: (typeof themes)[number]): string {
  const [, light, dark] =
    new RegExp(`--${name}: light-dark\\((#\\w+), (#\\w+)\\);`).exec(css) ?? [];
  const value = theme === 'light' ? light : dark;
  if (!value) throw new Error(`The page has no colour ${name}.`);
  return value;
}

const sides = (['A', 'B', 'C'] as const).map((role) => colourName(role));
const others = [1, 2, 3, 4].map((number) => colourName('other', number));
const all = [...new Set([...sides, ...others, ...partColours, colourName('mark')])];

/** Least difference of colours that stand alone, ten times what can just be seen. */
const leastDifference = 10;

const pairs = (names: readonly string[]) =>
  names.flatMap((a, i) => names.slice(i + 1).map((b) => [a, b] as const));

for (const theme of themes) {
  for (const [name, eye] of Object.entries(eyes)) {
    test(`${theme}: the three sides differ ${name}`, () => {
      for (const [a, b] of pairs(sides)) {
        const found = difference(hexOf(a, theme), hexOf(b, theme), eye);
        expect(found, `${a} and ${b}`).toBeGreaterThan(leastDifference);
      }
    });

    test(`${theme}: neighbours in a stack differ ${name}`, () => {
      for (const [i, part] of partColours.entries()) {
        const next = partColours[(i + 1) % partColours.length] as string;
        const found = difference(hexOf(part, theme), hexOf(next, theme), eye);
        expect(found, `${part} and ${next}`).toBeGreaterThan(leastDifference);
      }
    });
  }

  test(`${theme}: lines and bars can be seen, and letters on them read (WCAG 1.4.11 and 1.4.3)`, () => {
    for (const name of all) {
      const colour = hexOf(name, theme);
      expect(wcagContrast(colour, hexOf('panel', theme)), name).toBeGreaterThanOrEqual(3);
      expect(wcagContrast(colour, hexOf('on-tag', theme)), name).toBeGreaterThanOrEqual(4.5);
    }
  });
}

for (const [name, eye] of Object.entries(eyes)) {
  const lightness = (value: number, signed: boolean) => {
    const scale = { low: signed ? -1 : 0, high: 1, signed };
    const [red, green, blue] = colourOf(value, scale);
    return lab(seen(`rgb(${red}, ${green}, ${blue})`, eye)).l;
  };
  test(`the scale of a map becomes lighter all the way ${name}`, () => {
    const steps = Array.from({ length: 33 }, (_, i) => lightness(i / 32, false));
    for (const [i, each] of steps.entries())
      if (i > 0) expect(each, `step ${i}`).toBeGreaterThan(steps[i - 1] as number);
  });

  test(`the scale of signed values becomes darker to both ends, which differ, ${name}`, () => {
    for (const sign of [-1, 1]) {
      const steps = Array.from({ length: 17 }, (_, i) => lightness((sign * i) / 16, true));
      for (const [i, each] of steps.entries())
        if (i > 0) expect(each, `step ${sign * i}`).toBeLessThan(steps[i - 1] as number);
    }
    const end = (value: number) => {
      const [red, green, blue] = colourOf(value, { low: -1, high: 1, signed: true });
      return `rgb(${red}, ${green}, ${blue})`;
    };
    for (const value of [0.5, 1])
      expect(difference(end(-value), end(value), eye)).toBeGreaterThan(leastDifference);
  });
}
