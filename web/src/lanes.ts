/** Who measured a set of cases: the columns of its tables, the series of its charts. */
import type { Role } from './chart_spec.js';
import type { Case, Side } from './compare.js';
import type { Measurement } from './rows.js';

export interface Lane {
  name: string;
  /** The name above a column, where no colour tells the sides apart. */
  column: string;
  role: Role;
  /** Of the role other: which of them, from 1. */
  number?: number;
  of(each: Case): Measurement | undefined;
}

const sides: readonly Side[] = ['A', 'B', 'C'];
export const sideNames: Record<Side, string> = {
  A: 'native at its best',
  B: 'native, 128 bits without fused multiply-add',
  C: 'this browser',
};

/** The three sides, and then every other engine that measured one of the cases. */
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
