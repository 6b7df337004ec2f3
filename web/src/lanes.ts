/** Lanes: who measured a set of cases. Each is a column of tables and a series of charts. */
import type { LaneRole, Point, Series } from './chart_spec.js';
import type { Case, Side } from './compare.js';
import { idleThreads } from './figure.js';
import type { Measurement } from './rows.js';

export interface Lane {
  name: string;
  /** Column heading, for tables, where no colour distinguishes the sides. */
  column: string;
  role: LaneRole;
  /** Only for the role `other`: its number, from 1. */
  number?: number;
  of(each: Case): Measurement | undefined;
}

const sides: readonly Side[] = ['A', 'B', 'C'];
export const sideNames: Record<Side, string> = {
  A: 'native at its best',
  B: 'native, 128-bit without fused multiply-add',
  C: 'this browser',
};

/** Names of the sides of these cases: those of another machine say so. */
export function sideNamesOf(cases: readonly Case[]): Record<Side, string> {
  const one = cases.flatMap(({ A, B, C }) => C ?? A ?? B ?? [])[0];
  if (!one?.origin) return sideNames;
  const where = one.origin === 'reference' ? 'reference machine' : 'shared result';
  const browser = cases.flatMap(({ C }) => C ?? [])[0];
  return {
    A: `${sideNames.A}, ${where}`,
    B: `${sideNames.B}, ${where}`,
    C: `${browser?.engine.split(',')[0] ?? 'browser'}, ${where}`,
  };
}

/** The three sides, followed by every other engine that measured one of the cases. */
export function lanesOf(cases: readonly Case[]): Lane[] {
  const others = [...new Set(cases.flatMap((each) => [...each.others.keys()]))];
  const names = sideNamesOf(cases);
  return [
    ...sides.map((side): Lane => {
      const name = names[side];
      return { name, column: `${side}: ${name}`, role: side, of: (each) => each[side] };
    }),
    ...others.map((name, i): Lane => {
      const number = i + 1;
      const column = `${number}: ${name}`;
      return { name, column, role: 'other', number, of: (each) => each.others.get(name) };
    }),
  ];
}

/** What a lane's series look like. */
export const looks = ({ role, number }: Lane): Pick<Series, 'role' | 'number'> => ({
  role,
  ...(number ? { number } : {}),
});

/** A measurement unless it is void. */
export const valid = (m: Measurement | undefined): Measurement | undefined =>
  m?.voided === undefined ? m : undefined;

export const isVoid = (each: Case, lanes: readonly Lane[]): boolean =>
  lanes.some(({ of }) => of(each)?.voided !== undefined);

export const drawn = (series: readonly Series[]): Series[] =>
  series.filter(({ points }) => points.length > 0);

/** What a figure summarises: its samples, or if they were left out, its rounds. */
const samplesOf = ({ values, rounds }: Measurement) =>
  [values, rounds].find((some) => some !== undefined && some.length > 1);

/** A figure with its interval, and what it summarises. */
export function pointOf(x: number, m: Measurement, name?: string): Point {
  const { value: y, low, high } = m;
  const [note, samples] = [idleThreads(m), samplesOf(m)];
  return {
    ...{ x, y, low, high },
    ...(name ? { name } : {}),
    ...(note ? { note } : {}),
    ...(samples ? { samples } : {}),
  };
}

/** An identifier from a name. */
export const idOf = (text: string): string => text.replaceAll(/[^\w]+/g, '-');
