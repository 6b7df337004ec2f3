/** What there is to draw of a run, suite by suite. */
import type { ChartSpec, Point, Role, Series } from './chart_spec.js';
import { type Case, pairCases, ratiosOf, type Side, speedCases } from './compare.js';
import { count, percent, significant } from './format.js';
import { exponent, type Interval } from './interval.js';
import type { Measurement, ResultSet } from './rows.js';
import { intervalText } from './verdict.js';

export interface ChartInput {
  native: readonly Measurement[];
  browser: readonly Measurement[];
  files: readonly ResultSet[];
}

const sides: readonly Side[] = ['A', 'B', 'C'];
const sideNames: Record<Side, string> = {
  A: 'native at its best',
  B: 'native, 128 bits without fused multiply-add',
  C: 'this browser',
};

function label({ suite, name, threads }: Case, several: boolean): string {
  return `${suite} ${name}${several ? `, ${count(threads, 'thread')}` : ''}`;
}

const severalThreads = (cases: readonly Case[]) =>
  new Set(cases.map(({ threads }) => threads)).size > 1;

function cell(m: Measurement | undefined): string {
  if (!m) return '–';
  const text = `${significant(m.value)} (${significant(m.low)}–${significant(m.high)})`;
  return m.voided === undefined ? text : `void: ${m.voided}`;
}

function share(ratio: Interval | undefined): string {
  if (!ratio) return '–';
  return `${percent(1 / ratio.value)} (${intervalText(
    { value: 0, low: 1 / ratio.high, high: 1 / ratio.low },
    percent,
  ).replace('95% CI ', '')})`;
}

function ceiling(m: Measurement | undefined): string {
  return m?.ceiling === undefined ? '–' : percent(m.ceiling);
}

/** All cases on one scale: native at its best is 100%. */
export function overview(cases: readonly Case[]): ChartSpec | undefined {
  const shown = speedCases(cases).filter((each) => each.C && ratiosOf(each).whole);
  if (shown.length === 0) return undefined;
  const several = severalThreads(shown);
  const series = (['B', 'C'] as const).map((side): Series => {
    const points = shown.flatMap((each, x): Point[] => {
      const ratios = ratiosOf(each);
      const ratio = side === 'B' ? ratios.instructions : ratios.whole;
      if (!ratio) return [];
      return [{ x, y: 100 / ratio.value, low: 100 / ratio.high, high: 100 / ratio.low }];
    });
    return { name: sideNames[side], role: side, points };
  });
  return {
    id: 'overview',
    title: 'Speed as a percentage of native at its best',
    about:
      'Every case on one scale. The distance from 100% to B is the instruction set, from B to C the browser’s engine.',
    kind: 'bars',
    categories: shown.map((each) => label(each, several)),
    x: { title: '' },
    y: { title: '% of the speed of A' },
    series: series.filter(({ points }) => points.length > 0),
    marks: [{ name: 'A = 100%', value: 100 }],
    notes: [],
    wide: true,
    table: {
      caption:
        'Speed of B and C as a share of A with its 95% interval, and what part of its own ceiling each side reaches.',
      columns: [
        'Case',
        'B of A',
        'C of A',
        'C of B',
        'A of ceiling',
        'B of ceiling',
        'C of ceiling',
      ],
      rows: shown.map((each) => {
        const { instructions, engine, whole } = ratiosOf(each);
        return {
          cells: [
            label(each, several),
            share(instructions),
            share(whole),
            share(engine),
            ceiling(each.A),
            ceiling(each.B),
            ceiling(each.C),
          ],
        };
      }),
    },
  };
}

/** The one parameter whose numbers differ from case to case, if there is just one. */
export function varying(cases: readonly Case[]): string | undefined {
  const values = new Map<string, Set<unknown>>();
  for (const { parameters } of cases) {
    for (const [name, value] of Object.entries(parameters)) {
      values.set(name, (values.get(name) ?? new Set()).add(value));
    }
  }
  const names = [...values].filter(([, seen]) => seen.size > 1).map(([name]) => name);
  const [only] = names;
  if (names.length !== 1 || !only) return undefined;
  const numeric = cases.every(({ parameters }) => typeof parameters[only] === 'number');
  return numeric && (values.get(only)?.size ?? 0) > 2 ? only : undefined;
}

function tableOf(cases: readonly Case[], several: boolean, caption: string) {
  const unit = cases[0]?.unit ?? '';
  return {
    caption: `${caption}: median with its 95% interval, in ${unit}.`,
    columns: [
      'Case',
      ...sides.map((side) => `${side}: ${sideNames[side]}`),
      'C of A',
      'Data',
      'Samples',
    ],
    rows: cases.map((each) => ({
      void: sides.some((side) => each[side]?.voided !== undefined),
      cells: [
        label(each, several),
        ...sides.map((side) => cell(each[side])),
        share(ratiosOf(each).whole),
        (each.C ?? each.A)?.data ?? '–',
        String((each.C ?? each.A)?.samples ?? '–'),
      ],
    })),
  };
}

function sideSeries(
  cases: readonly Case[],
  side: Side,
  place: (each: Case, index: number) => number,
): Series {
  const role: Role = side;
  return {
    name: sideNames[side],
    role,
    points: cases.flatMap((each, i): Point[] => {
      const m = each[side];
      if (!m || m.voided !== undefined) return [];
      return [{ x: place(each, i), y: m.value, low: m.low, high: m.high }];
    }),
  };
}

/** One metric of one suite. */
export function metricChart(cases: readonly Case[]): ChartSpec | undefined {
  const [first] = cases;
  if (!first) return undefined;
  const several = severalThreads(cases);
  const along = several ? undefined : varying(cases);
  const title = `${first.suite}: ${first.metric}`;
  const base = {
    id: `${first.suite}-${first.metric}`.replaceAll(/[^\w-]+/g, '-'),
    title,
    marks: [],
    table: tableOf(cases, several, title),
    y: { title: `${first.metric} (${first.unit})` },
  };
  if (along) {
    const series = sides.map((side) =>
      sideSeries(cases, side, ({ parameters }) => Number(parameters[along])),
    );
    const drawn = series.filter(({ points }) => points.length > 0);
    return {
      ...base,
      about: `Against ${along}, both on logarithmic scales.`,
      kind: 'lines',
      categories: [],
      x: {
        title: along,
        log: true,
        ticks: [...new Set(cases.map(({ parameters }) => Number(parameters[along])))],
      },
      y: { ...base.y, log: true },
      series: drawn,
      notes: drawn.flatMap(({ role, points }) => {
        const slope =
          first.C?.direction === 'lower' || first.A?.direction === 'lower'
            ? exponent(points)
            : undefined;
        return slope
          ? [
              `${role} grows as ${along} to the power ${significant(slope.value)} (${intervalText(slope, significant)}).`,
            ]
          : [];
      }),
    };
  }
  return {
    ...base,
    about: 'Bars are medians, whiskers their 95% intervals.',
    kind: 'bars',
    categories: cases.map((each) => label(each, several)),
    x: { title: '' },
    series: sides
      .map((side) => sideSeries(cases, side, (_, i) => i))
      .filter(({ points }) => points.length > 0),
    notes: [],
  };
}

/** Everything to draw: first the overview, then each metric that the browser measured. */
export function suiteCharts({ native, browser }: ChartInput): ChartSpec[] {
  const cases = pairCases(native, browser).filter(({ C }) => C !== undefined);
  const groups = new Map<string, Case[]>();
  for (const each of cases) {
    const key = `${each.suite}\u0001${each.metric}`;
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  const charts = [...groups.values()].map(metricChart);
  return [overview(cases), ...charts].filter((spec) => spec !== undefined);
}
