/**
 * Pairs measurements of the three sides, case by case:
 *
 *   A  native at its best,
 *   B  native held to what WebAssembly has (128 bits, no fused multiply-add),
 *   C  this browser.
 *
 * Only rows of Parallax itself are on a side; what files hold of other engines stands beside.
 * Times relate as B/A (the cost of the instruction set), C/B (the cost of the engine) and C/A.
 */
import { geometricMean, type Interval, ratio } from './interval.js';
import type { Measurement } from './rows.js';

/** Which side a measurement is on; undefined for native runs that are neither. */
export type Side = 'A' | 'B' | 'C';

/** One case as the sides measured it, with the same number of threads. */
export interface Case {
  key: string;
  suite: string;
  name: string;
  metric: string;
  unit: string;
  threads: number;
  parameters: Readonly<Record<string, string | number | boolean>>;
  A?: Measurement;
  B?: Measurement;
  C?: Measurement;
  /** Of engines that are on no side, by their names. */
  others: Map<string, Measurement>;
}

/** A measurement from a file that is on no side. */
export interface Foreign {
  file: string;
  measurement: Measurement;
}

/** Ratios of times, so that above 1 is slower. */
export interface Ratios {
  /** B/A. */
  instructions?: Interval;
  /** C/B. */
  engine?: Interval;
  /** C/A. */
  whole?: Interval;
}

const keyOf = (m: Measurement) => [m.suite, m.case, m.metric, m.unit, m.threads].join('\u0001');

/** Of two measurements of the same thing by the same side: a valid one, then the faster. */
function better(a: Measurement, b: Measurement): Measurement {
  if ((a.voided === undefined) !== (b.voided === undefined)) return a.voided === undefined ? a : b;
  if (a.direction === 'none') return a;
  return (a.direction === 'higher') === a.value >= b.value ? a : b;
}

function put(to: Case, side: Side, measurement: Measurement): void {
  const there = to[side];
  to[side] = there ? better(there, measurement) : measurement;
}

/** Whether a row can be on a native side. */
export const isNativeSide = (m: Measurement) => m.kind === 'native' && m.program === 'parallax';

/** What stands beside the sides: its engine, where that ran, and the file that says so. */
const foreignName = ({ file, measurement: { engine, machine } }: Foreign) =>
  `${engine} on ${machine} (${file})`;

/** Groups the rows of native runs and of one browser run. Order is that of the browser's rows. */
export function pairCases(
  native: readonly Measurement[],
  browser: readonly Measurement[],
  others: readonly Foreign[] = [],
): Case[] {
  const cases = new Map<string, Case>();
  const caseOf = (m: Measurement): Case => {
    const key = keyOf(m);
    const found = cases.get(key);
    if (found) return found;
    const made: Case = {
      key,
      suite: m.suite,
      name: m.case,
      metric: m.metric,
      unit: m.unit,
      threads: m.threads,
      parameters: m.parameters,
      others: new Map(),
    };
    cases.set(key, made);
    return made;
  };
  for (const m of browser) if (m.kind === 'wasm') put(caseOf(m), 'C', m);
  const ours = native.filter(isNativeSide);
  for (const m of ours) put(caseOf(m), m.exact ? 'B' : 'A', m);
  /* The best is itself held to 128 bits, on a machine that has no more. A best run that is void is
   * no reason: it leaves the side void. */
  for (const m of ours) {
    const to = caseOf(m);
    if (to.B) to.A ??= to.B;
  }
  for (const foreign of others) {
    const { others: beside } = caseOf(foreign.measurement);
    const name = foreignName(foreign);
    const there = beside.get(name);
    beside.set(name, there ? better(there, foreign.measurement) : foreign.measurement);
  }
  return [...cases.values()];
}

/** How many times as long a took as b. */
function timesAsLong(a?: Measurement, b?: Measurement): Interval | undefined {
  if (!a || !b || a.voided !== undefined || b.voided !== undefined) return undefined;
  if (a.direction === 'none' || !(a.low > 0) || !(b.low > 0)) return undefined;
  return a.direction === 'lower' ? ratio(a, b) : ratio(b, a);
}

function defined<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

/** The ratios of one case, as far as its sides were measured and are valid. */
export function ratiosOf({ A, B, C }: Case): Ratios {
  return defined<Ratios>({
    instructions: timesAsLong(B, A),
    engine: timesAsLong(C, B),
    whole: timesAsLong(C, A),
  });
}

/** What a set of cases says about this browser on this machine. */
export interface Summary {
  /** Over the cases that all three sides measured. */
  cases: number;
  instructions: Interval;
  engine: Interval;
  whole: Interval;
  /** Cases left out because a side is void, or was not measured. */
  voided: number;
  unpaired: number;
  /** Numbers of threads of the cases, ascending. */
  threads: readonly number[];
}

/** A measurement of the case, whichever side made it: they agree on what was measured. */
export function anyOf({ A, B, C, others }: Case): Measurement | undefined {
  return C ?? A ?? B ?? [...others.values()][0];
}

/** Only figures of speed, one per case and number of threads: the first that a suite reports. */
export function speedCases(cases: readonly Case[]): Case[] {
  const seen = new Set<string>();
  return cases.filter((each) => {
    if (!anyOf(each)?.primary) return false;
    const key = [each.suite, each.name, each.threads].join('\u0001');
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** Geometric means over the cases that all three sides measured; undefined when there is none. */
export function summarise(all: readonly Case[]): Summary | undefined {
  const measuredHere = speedCases(all).filter(({ C }) => C !== undefined);
  const complete: { each: Case; ratios: Required<Ratios> }[] = [];
  let voided = 0;
  let unpaired = 0;
  for (const each of measuredHere) {
    const { instructions, engine, whole } = ratiosOf(each);
    if (instructions && engine && whole) {
      complete.push({ each, ratios: { instructions, engine, whole } });
    } else if ([each.A, each.B, each.C].some((side) => side?.voided !== undefined)) voided += 1;
    else unpaired += 1;
  }
  if (complete.length === 0) return undefined;
  const mean = (name: keyof Ratios) => geometricMean(complete.map(({ ratios }) => ratios[name]));
  return {
    cases: complete.length,
    instructions: mean('instructions'),
    engine: mean('engine'),
    whole: mean('whole'),
    voided,
    unpaired,
    threads: [...new Set(complete.map(({ each }) => each.threads))].sort((a, b) => a - b),
  };
}
