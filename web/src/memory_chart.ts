/** Memory by component, exact to the byte, as one stack for each case. */
import { type ChartSpec, plainPoint, type Series } from './chart_spec.js';
import { type Case, caseKey } from './compare.js';
import { lanesOf } from './lanes.js';

/** Components from the bottom of a stack, with their names in words. */
export const memoryParts = {
  parameters: 'weights',
  gradients: 'gradients',
  optimizer: 'optimizer',
  activations: 'activations',
  workspace: 'workspace',
  inputs: 'batches',
  kept: 'copies to restore after divergence',
  packed: 'packed weights',
  folded: 'folded values',
} as const;

type Memory = Readonly<Record<string, number>>;

/** What a case needs on one engine. */
interface Need {
  title: string;
  engine: string;
  memory: Memory;
}

const sum = (memory: Memory) => Object.values(memory).reduce((all, bytes) => all + bytes, 0);

/** What each case needs on every side, that of the browser first; all its metrics have the same. */
function needsOf(cases: readonly Case[]): Need[][] {
  const lanes = lanesOf(cases).toSorted((a, b) => Number(b.role === 'C') - Number(a.role === 'C'));
  const found = new Map<string, Need[]>();
  for (const each of cases) {
    const needs = lanes.flatMap((lane) => {
      const memory = lane.of(each)?.memory;
      return memory && sum(memory) > 0 ? [{ title: each.title, engine: lane.column, memory }] : [];
    });
    if (needs.length > 0 && !found.has(caseKey(each))) found.set(caseKey(each), needs);
  }
  return [...found.values()];
}

const whole = (bytes: number) => bytes.toLocaleString('en');

/** A stack for each case, of its first engine. */
export function memoryStacks(
  words: Pick<ChartSpec, 'id' | 'title'>,
  all: readonly (readonly [Need, ...Need[]])[],
): ChartSpec {
  const shown = all.map(([first]) => first);
  const parts = Object.entries(memoryParts).filter(([part]) =>
    all.some((needs) => needs.some(({ memory }) => (memory[part] ?? 0) > 0)),
  );
  return {
    ...words,
    about:
      'Exact, from the plan: weights, their gradients, the state of the optimizer, values that wait for the backward pass, and work space. The table has every byte.',
    kind: 'stacks',
    categories: shown.map(({ title }) => title),
    x: { title: '' },
    y: { title: 'MB' },
    series: parts.map(
      ([part, name], i): Series => ({
        name,
        role: 'part',
        number: i + 1,
        points: shown.flatMap(({ memory }, x) =>
          memory[part] ? [plainPoint(x, memory[part] / 1e6)] : [],
        ),
      }),
    ),
    marks: [],
    notes: [],
    wide: true,
    table: {
      caption: 'Bytes by component.',
      columns: ['Case', 'Engine', ...parts.map(([, name]) => name), 'all'],
      rows: all.flatMap((needs) =>
        needs.map(({ title, engine, memory }) => ({
          cells: [
            title,
            engine,
            ...parts.map(([part]) => whole(memory[part] ?? 0)),
            whole(sum(memory)),
          ],
        })),
      ),
    },
  };
}

/** The memory of a suite's cases; undefined if no row says what its memory is for. */
export function memoryChart(suite: string, cases: readonly Case[]): ChartSpec | undefined {
  const all = needsOf(cases).flatMap(([first, ...more]) =>
    first ? [[first, ...more] as [Need, ...Need[]]] : [],
  );
  if (all.length === 0) return undefined;
  return memoryStacks({ id: `${suite}-memory`, title: `${suite}: memory by component` }, all);
}
