/** Lanes: who measured a set of cases. Each is a column of tables and a series of charts. */
import type { Role } from './chart_spec.js';
import type { Case, Side } from './compare.js';
import type { Measurement } from './rows.js';

export interface Lane {
  name: string;
  /** Column heading, for tables, where no colour distinguishes the sides. */
  column: string;
  role: Role;
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

/** The three sides, followed by every other engine that measured one of the cases. */
export function lanesOf(cases: readonly Case[]): Lane[] {
  const names = [...new Set(cases.flatMap(({ others }) => [...others.keys()]))];
  return [
    ...sides.map((side): Lane => {
      const name = sideNames[side];
      return { name, column: `${side}: ${name}`, role: side, of: (each) => each[side] };
    }),
    ...names.map((name, i): Lane => {
      const number = i + 1;
      const column = `${number}: ${name}`;
      return { name, column, role: 'other', number, of: ({ others }) => others.get(name) };
    }),
  ];
}
