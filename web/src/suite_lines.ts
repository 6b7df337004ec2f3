/** One line and one small picture for each suite, and the chart of all suites. */
import { boundOf, largest as largestError } from './accuracy_figures.js';
import type { ChartSpec, LaneRole, Point, Series } from './chart_spec.js';
import { type Case, caseKey, isUsable, ratiosOf, speedCases } from './compare.js';
import { capital, count, list, percent, significant } from './format.js';
import { geometricMean, type Interval, inverse } from './interval.js';
import { sideNamesOf } from './lanes.js';
import { machineSuite } from './machine_movement.js';
import type { Measurement } from './rows.js';
import type { Shown, ShownSuite } from './shown.js';
import { type Summary, summarise, summariseWhole } from './summary.js';

/** A dot of a strip. */
interface Dot {
  role: LaneRole;
  value: number;
  name: string;
}

/** Dots on one axis that begins at 0: one for each case, or each round. */
export interface Strip {
  unit: string;
  /** The end of the axis. */
  most: number;
  mark: { value: number; name: string };
  dots: readonly Dot[];
}

/** A box for each hash: whether it is that of the native run. */
export type Box = 'equal' | 'unequal' | 'alone';

export interface SuiteLine {
  text: string;
  strip?: Strip;
  boxes?: readonly Box[];
}

/** Cases of a suite with those of the machine, which a summary corrects its intervals by. */
const withMachine = (shown: Shown, of: ShownSuite): Case[] => [
  ...of.cases,
  ...shown.suites
    .filter(({ suite, origin }) => suite === machineSuite && origin === of.origin)
    .flatMap(({ cases }) => cases),
];

/** The speed of the browser and of 128-bit native code in percent of native at its best. */
function speedStrip(cases: readonly Case[]): Strip | undefined {
  const dots = speedCases(cases).flatMap((each) => {
    const { instructions, whole } = ratiosOf(each);
    const dot = (role: LaneRole, ratio: Interval | undefined) =>
      ratio ? [{ role, value: 100 / ratio.value, name: each.title }] : [];
    return each.C ? [...dot('B', instructions), ...dot('C', whole)] : [];
  });
  if (!dots.some(({ role }) => role === 'C')) return undefined;
  const most = Math.max(120, ...dots.map(({ value }) => value));
  return { unit: '% of native at its best', most, mark: { value: 100, name: 'A' }, dots };
}

/** "45% of native at its best (43%–47%), 92% of native at 128 bits; 4 cases." */
function ratioText(summary: Summary): string {
  const figure = (ratio: Interval) => {
    const { value, low, high } = inverse(ratio);
    const known = summary.stopped.length === 0;
    return known
      ? `${percent(value)} (${percent(low)}–${percent(high)})`
      : `about ${percent(value)}`;
  };
  return `${figure(summary.whole)} of native at its best, ${figure(summary.engine)} of native at 128 bits; ${count(summary.cases, 'case')}.`;
}

/** How many times as fast this browser is as the reference's, in each case that both measured. */
function besideCases(cases: readonly Case[]): { each: Case; ratio: number }[] {
  return speedCases(cases).flatMap((each) => {
    const { C, others } = each;
    const other = [...others.values()].find(
      ({ origin, kind }) => origin === 'reference' && kind === 'wasm',
    );
    if (!isUsable(C) || !isUsable(other)) return [];
    const ratio = C.direction === 'higher' ? C.value / other.value : other.value / C.value;
    return [{ each, ratio }];
  });
}

/** The same as a mean over the cases; undefined without any. */
export function besideReference(
  cases: readonly Case[],
): { ratio: number; cases: number } | undefined {
  const ratios = besideCases(cases).map(({ ratio: value }) => ({ value, low: value, high: value }));
  if (ratios.length === 0) return undefined;
  return { ratio: geometricMean(ratios).value, cases: ratios.length };
}

/** A strip around a mark at 100; undefined without dots. */
function around(unit: string, mark: string, dots: readonly Dot[]): Strip | undefined {
  if (dots.length === 0) return undefined;
  const most = Math.max(120, ...dots.map(({ value }) => value));
  return { unit, most, mark: { value: 100, name: mark }, dots };
}

const withStrip = (text: string, strip: Strip | undefined): SuiteLine =>
  strip ? { text, strip } : { text };

/** The valid figures of a case, with who measured them. */
function figuresOf({ A, B, C, others }: Case): { role: LaneRole; m: Measurement }[] {
  const of = (role: LaneRole, m: Measurement | undefined) =>
    m && m.voided === undefined ? [{ role, m }] : [];
  return [
    ...[of('A', A), of('B', B), of('C', C)].flat(),
    ...[...others.values()].flatMap((m) => of('other', m)),
  ];
}

/** The most readings of a case that are dots. */
const mostReadings = 12;

/** What a figure is the median of; just itself if it is the only one. */
function readings({ value, rounds, values }: Measurement): readonly number[] {
  const all = [rounds, values].find((some) => some !== undefined && some.length > 1) ?? [value];
  return all.slice(0, mostReadings);
}

/** The figures of one metric, where each stands alone. */
function figuresStrip(cases: readonly Case[]): Strip | undefined {
  const [first] = cases;
  const dots = cases
    .filter(({ metric }) => metric === first?.metric)
    .flatMap((each) =>
      figuresOf(each)
        .filter(({ m }) => m.value >= 0)
        .map(({ role, m }) => ({ role, value: m.value, name: each.title })),
    );
  const values = dots.map(({ value }) => value).sort((a, b) => a - b);
  const middle = values[Math.floor(values.length / 2)];
  if (!first || middle === undefined) return undefined;
  const most = 1.1 * (values.at(-1) || 1);
  return { unit: first.unit, most, mark: { value: middle, name: 'median' }, dots };
}

/** How steady the figures were, those of speed if there are any: readings beside their median. */
function steadiness(cases: readonly Case[]): Strip | undefined {
  const timed = speedCases(cases);
  const dots = (timed.length > 0 ? timed : cases).flatMap((each) =>
    figuresOf(each)
      .filter(({ m }) => m.value > 0 && readings(m).length > 1)
      .flatMap(({ role, m }) =>
        readings(m).map((reading, i) => ({
          role,
          value: (100 * reading) / m.value,
          name: `${each.title}, reading ${i + 1}`,
        })),
      ),
  );
  return dots.length > 0
    ? around('% of the median of its case', 'median', dots)
    : figuresStrip(cases);
}

/** Errors as shares of their bounds, which rows of older versions do not have. */
const boundDots = (cases: readonly Case[]): Dot[] =>
  cases.flatMap((each) => {
    const bound = boundOf(each);
    if (bound === undefined) return [];
    return figuresOf(each).map(({ role, m }) => ({
      role,
      value: m.value === 0 ? 0 : (100 * m.value) / bound,
      name: each.name,
    }));
  });

const greatest = (dots: readonly Dot[]) => dots.toSorted((a, b) => b.value - a.value)[0];

function accuracyLine(cases: readonly Case[]): SuiteLine | undefined {
  const functions = cases.filter(
    ({ metric, parameters }) => metric === largestError && parameters.width === undefined,
  );
  const errors = functions.flatMap((each) =>
    figuresOf(each).map(({ role, m }) => ({ role, value: m.value, name: each.name })),
  );
  const worst = greatest(errors);
  if (!worst) return undefined;
  const broken = cases.filter((each) => boundOf(each) !== undefined && (each.C ?? each.A)?.voided);
  const text =
    `The largest error of ${count(functions.length, 'function')} is ${significant(worst.value)} ULP (${worst.name})` +
    (broken.length > 0 ? `; ${count(broken.length, 'error')} above the bound` : '');
  const dots = boundDots(cases);
  const nearest = greatest(dots);
  if (!nearest) {
    const most = 1.2 * worst.value;
    const mark = { value: worst.value, name: worst.name };
    return { text: `${text}.`, strip: { unit: 'ULP', most, mark, dots: errors } };
  }
  return withStrip(
    `${text}; nearest to its bound is ${nearest.name}, at ${percent(nearest.value / 100)} of it.`,
    around('% of the bound', 'bound', dots),
  );
}

function bitsLine({ cases, native }: ShownSuite): SuiteLine | undefined {
  const runs = cases.flatMap(({ C }) => (C?.lossBits && C.voided === undefined ? [C] : []));
  if (runs.length === 0) return undefined;
  const exact = runs.filter((run) => run.exact);
  if (exact.length === 0) {
    return {
      text: `${count(runs.length, 'hash', 'hashes')}; the engine fuses multiply and add, so equal bits are promised only with the tiers simd and simd-threads.`,
      boxes: runs.map(() => 'alone'),
    };
  }
  const boxes = exact.map((run): Box => {
    const counterpart = native.find(
      (m) =>
        m.exact &&
        m.lossBits &&
        m.suite === run.suite &&
        m.case === run.case &&
        m.data === run.data,
    );
    if (!counterpart) return 'alone';
    return counterpart.lossBits === run.lossBits ? 'equal' : 'unequal';
  });
  const judged = boxes.filter((box) => box !== 'alone');
  const unequal = judged.filter((box) => box === 'unequal').length;
  const all = count(judged.length, 'hash', 'hashes');
  if (judged.length === 0)
    return {
      text: `${count(exact.length, 'hash', 'hashes')}; no native run to compare with.`,
      boxes,
    };
  return {
    text:
      unequal === 0
        ? `All ${all} that have a native counterpart are equal to the last bit.`
        : `${unequal} of ${all} are NOT EQUAL to the native ones.`,
    boxes,
  };
}

/** The yardstick of each run. */
function machineLine(cases: readonly Case[]): SuiteLine {
  const figure = (m: Measurement | undefined, where: string) =>
    m && m.voided === undefined ? [`${significant(m.value)} ${m.unit} ${where}`] : [];
  const works = cases.flatMap(({ metric, A, C }) => {
    const figures = [...figure(A, 'natively'), ...figure(C, 'in the browser')];
    return figures.length > 0 ? [`${metric} ${list(figures)}`] : [];
  });
  const text = works.length > 0 ? `${capital(works.join('; '))}.` : 'No valid figure.';
  return withStrip(text, steadiness(cases));
}

/** Why all of a suite is void; undefined if some of it is not. */
function voidText(measured: readonly Case[]): string | undefined {
  const reasons = measured.map(({ A, B, C }) => (C ?? A ?? B)?.voided);
  const [first] = reasons;
  if (first === undefined || !reasons.every((why) => why !== undefined)) return undefined;
  const cases = new Set(measured.map(caseKey)).size;
  return `Void${cases > 1 ? `, all ${cases} cases` : ''}: ${first}.`;
}

/** What can be said where the sides are not all there. */
function partialLine(cases: readonly Case[]): SuiteLine {
  const whole = summariseWhole(cases);
  if (whole) {
    const text = `${percent(1 / whole.ratio.value)} of native at its best; ${count(whole.cases, 'case')}.`;
    return withStrip(text, speedStrip(cases));
  }
  const here = cases.filter(({ C }) => C);
  const measured = here.length > 0 ? here : cases;
  const voided = voidText(measured);
  if (voided !== undefined) return { text: voided };
  const beside = besideReference(cases);
  if (beside) {
    const text = `${significant(beside.ratio, 2)} times as fast as the browser of the reference machine; ${count(beside.cases, 'case')}.`;
    const dots = besideCases(cases).map(
      ({ each, ratio }): Dot => ({ role: 'C', value: 100 * ratio, name: each.title }),
    );
    return withStrip(text, around('% of its speed', 'reference', dots));
  }
  const where = here.length > 0 ? 'measured in this browser' : 'in files';
  const number = count(new Set(measured.map(caseKey)).size, 'case');
  const text = `${number} ${where}; nothing to compare with.`;
  return withStrip(text, steadiness(measured));
}

/** Suites that measure something else than speed. */
const ownLines: Record<string, (of: ShownSuite) => SuiteLine | undefined> = {
  accuracy: ({ cases }) => accuracyLine(cases),
  bits: bitsLine,
  [machineSuite]: ({ cases }) => machineLine(cases),
};

/** The line of a suite. */
export function suiteLine(shown: Shown, of: ShownSuite): SuiteLine {
  const own = ownLines[of.suite]?.(of);
  if (own) return own;
  const summary = summarise(withMachine(shown, of));
  if (!summary) return partialLine(of.cases);
  return withStrip(ratioText(summary), speedStrip(of.cases));
}

const point = (x: number, { value, low, high }: Interval): Point => ({
  x,
  y: 100 * value,
  low: 100 * low,
  high: 100 * high,
});

const shareText = (share: Interval | undefined) =>
  share ? `${percent(share.value)} (${percent(share.low)}–${percent(share.high)})` : '–';

/** A row of the chart: speeds as shares of another side's. */
interface Shares {
  name: string;
  cases: number;
  /** Of A. */
  exact?: Interval;
  browser: Interval;
  /** Of B. */
  engine?: Interval;
}

function sharesOf(name: string, cases: readonly Case[]): Shares | undefined {
  const summary = summarise(cases);
  if (summary) {
    const [exact, browser, engine] = [summary.instructions, summary.whole, summary.engine];
    return {
      ...{ name, cases: summary.cases, exact: inverse(exact) },
      ...{ browser: inverse(browser), engine: inverse(engine) },
    };
  }
  const whole = summariseWhole(cases);
  return whole && { name, cases: whole.cases, browser: inverse(whole.ratio) };
}

/** The answer as a chart: one row over all cases, and one a suite. Native at its best is 100%. */
export function answerChart(shown: Shown): ChartSpec | undefined {
  const { main } = shown;
  const all = main && sharesOf('all cases', main.cases);
  if (!main || !all) return undefined;
  const suites = shown.suites.filter(
    ({ suite, origin }) => suite !== machineSuite && origin === main.origin,
  );
  const rows = [all, ...suites.flatMap((of) => sharesOf(of.suite, withMachine(shown, of)) ?? [])];
  const names = sideNamesOf(main.cases);
  const series = (role: 'B' | 'C', of: (row: Shares) => Interval | undefined): Series => ({
    name: names[role],
    role,
    points: rows.flatMap((row, x) => {
      const share = of(row);
      return share ? [point(x, share)] : [];
    }),
  });
  return {
    id: 'answer',
    title: 'Speed as a percentage of native at its best',
    about:
      'A is the same code native, at its best. From A to B is what the instruction set of WebAssembly costs, from B to C what the browser’s engine costs.',
    kind: 'bars',
    categories: rows.map(({ name }) => name),
    x: { title: '' },
    y: { title: '% of the speed of A' },
    series: [series('B', ({ exact }) => exact), series('C', ({ browser }) => browser)].filter(
      ({ points }) => points.length > 0,
    ),
    marks: [{ name: 'A = 100%', value: 100 }],
    notes: [],
    wide: true,
    table: {
      caption:
        'Speed of each side as a share of another, with its 95% interval: geometric means over the cases of each suite.',
      columns: ['Suite', 'Cases', 'B of A', 'C of A', 'C of B'],
      rows: rows.map(({ name, cases, exact, browser, engine }) => ({
        cells: [name, String(cases), ...[exact, browser, engine].map(shareText)],
      })),
    },
  };
}

/** The chart where there are no native results: this browser against that of the reference. */
export function besideChart(shown: Shown): ChartSpec | undefined {
  const rows = shown.suites.flatMap(({ suite, origin, cases }) => {
    const beside = origin === 'own' ? besideReference(cases) : undefined;
    return beside ? [{ suite, ...beside }] : [];
  });
  if (rows.length === 0) return undefined;
  const points = rows.map(({ ratio: value }, x) => point(x, { value, low: value, high: value }));
  return {
    id: 'answer',
    title: 'Speed as a percentage of the reference machine’s browser',
    about:
      'The same cases with the same number of threads, on two machines: it says as much about the machines as about the browsers.',
    kind: 'bars',
    categories: rows.map(({ suite }) => suite),
    x: { title: '' },
    y: { title: '% of its speed' },
    series: [{ name: 'this browser', role: 'C', points }],
    marks: [{ name: 'reference = 100%', value: 100 }],
    notes: [],
    wide: true,
    table: {
      caption:
        'How many times as fast this browser is: geometric means over the cases of each suite.',
      columns: ['Suite', 'Cases', 'Times as fast'],
      rows: rows.map(({ suite, cases, ratio }) => ({
        cells: [suite, String(cases), significant(ratio)],
      })),
    },
  };
}
