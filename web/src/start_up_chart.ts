/** What the start of a page takes, phase by phase. */
import { type ChartSpec, plainPoint, type Series } from './chart_spec.js';
import type { Case } from './compare.js';
import { significant } from './format.js';
import { lanesOf, valid } from './lanes.js';

/** A phase and its milliseconds. Those of a start follow one another. */
export interface Phase {
  name: string;
  milliseconds: number;
}

/** One bar for each start. */
export interface Start {
  name: string;
  phases: readonly Phase[];
}

/** The suite of rows about the package. */
export const packageSuite = 'package';

export function startChart(
  starts: readonly Start[],
  words: Pick<ChartSpec, 'id' | 'title' | 'about'>,
): ChartSpec {
  const names = [...new Set(starts.flatMap(({ phases }) => phases.map(({ name }) => name)))];
  const timeOf = ({ phases }: Start, name: string) =>
    phases.find((phase) => phase.name === name)?.milliseconds;
  const sum = ({ phases }: Start) => phases.reduce((all, each) => all + each.milliseconds, 0);
  const text = (value: number | undefined) => (value === undefined ? '–' : significant(value));
  return {
    ...words,
    kind: 'stacks',
    categories: starts.map(({ name }) => name),
    x: { title: '' },
    y: { title: 'milliseconds' },
    series: names.map(
      (name, i): Series => ({
        name,
        role: 'part',
        number: i + 1,
        points: starts.flatMap((start, x) => {
          const time = timeOf(start, name);
          return time ? [plainPoint(x, time)] : [];
        }),
      }),
    ),
    marks: [],
    notes: [],
    wide: true,
    table: {
      caption: 'Milliseconds of each phase.',
      columns: ['Phase', ...starts.map(({ name }) => name)],
      rows: [
        ...names.map((name) => ({
          cells: [name, ...starts.map((each) => text(timeOf(each, name)))],
        })),
        { cells: ['all', ...starts.map((each) => text(sum(each)))] },
      ],
    },
  };
}

/** Phases of the smallest page, in their order: the names under which it measures them. */
const phases = ['navigation', 'script', 'module and worker', 'engine', 'first step', 'training'];

/** The start of the smallest page, from the rows of scripts/start_up.mjs; the rest goes into a table. */
export function packageCharts(cases: readonly Case[]): { charts: ChartSpec[]; rest: Case[] } {
  const parts = cases.filter(({ metric, unit }) => phases.includes(metric) && unit === 'ms');
  const starts = lanesOf(parts).flatMap((lane): Start[] => {
    const found = phases.flatMap((name) => {
      const m = parts.map((each) => each.metric === name && valid(lane.of(each))).find(Boolean);
      return m ? [{ name, milliseconds: m.value }] : [];
    });
    return found.length > 0 ? [{ name: lane.name, phases: found }] : [];
  });
  if (starts.length === 0) return { charts: [], rest: [...cases] };
  const chart = startChart(starts, {
    id: 'package-start',
    title: 'From the address to the first result of the smallest page',
    about:
      'Medians of the visits, each with nothing in a cache. The module is fetched and compiled while the worker starts: their phase ends when both are ready.',
  });
  return { charts: [chart], rest: cases.filter((each) => !parts.includes(each)) };
}
