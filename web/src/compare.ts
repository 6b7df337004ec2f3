/**
 * Pairs measurements of the three sides, case by case:
 *
 *   A  native at its best,
 *   B  native restricted to what WebAssembly has (128 bits, no fused multiply-add),
 *   C  this browser.
 *
 * Rows belong to the same case if name, metric, threads and parameters agree. Only rows of Parallax
 * itself are on a side; rows of other engines, from files, are shown next to them.
 * The ratios of times are B/A (the cost of the instruction set), C/B (the cost of the engine), C/A.
 */
import { type Interval, isFinitePositive, leastRounds, ratio, welch } from './interval.js';
import type { Measurement } from './rows.js';

/** Which side a measurement is on; undefined for native runs that are neither. */
export type Side = 'A' | 'B' | 'C';

/** One case with its measurement on each side, all with the same number of threads. */
export interface Case {
  key: string;
  suite: string;
  name: string;
  /** The name, with the parameters in which cases of the same name differ. */
  title: string;
  metric: string;
  unit: string;
  threads: number;
  parameters: Readonly<Record<string, string | number | boolean>>;
  A?: Measurement;
  B?: Measurement;
  C?: Measurement;
  /** Measurements of engines that are on no side, by name. */
  others: Map<string, Measurement>;
}

/** A measurement from a file that is on no side. */
export interface Foreign {
  file: string;
  measurement: Measurement;
}

/** Ratios of times: above 1 is slower. */
export interface Ratios {
  /** B/A. */
  instructions?: Interval;
  /** C/B. */
  engine?: Interval;
  /** C/A. */
  whole?: Interval;
}

type Parameters = Case['parameters'];

const parametersText = (parameters: Parameters) =>
  Object.entries(parameters)
    .map(([name, value]) => `${name} ${value}`)
    .sort()
    .join(', ');

const joined = (...parts: readonly (string | number)[]) => parts.join('\u0001');
const nameOf = ({ suite, case: name }: Measurement) => joined(suite, name);

/** A key that all metrics of a case share. */
export const caseKey = ({ suite, name, threads, parameters }: Case) =>
  joined(suite, name, threads, parametersText(parameters));

/**
 * Keys that identify cases. Timed cases are the same only if their parameters are; a case without a
 * figure of speed may have findings among its parameters, such as the instruction set of a peak.
 */
function keysOf(measurements: readonly Measurement[]): (m: Measurement) => string {
  const timed = new Set(measurements.filter(({ primary }) => primary).map(nameOf));
  return (m) =>
    joined(
      nameOf(m),
      m.metric,
      m.unit,
      m.threads,
      timed.has(nameOf(m)) ? parametersText(m.parameters) : '',
    );
}

/** The better of two measurements by the same side: valid before void, otherwise the faster. */
function better(a: Measurement, b: Measurement): Measurement {
  if ((a.voided === undefined) !== (b.voided === undefined)) return a.voided === undefined ? a : b;
  if (a.direction === 'none') return a;
  return (a.direction === 'higher') === a.value >= b.value ? a : b;
}

function put(to: Case, side: Side, measurement: Measurement): void {
  const there = to[side];
  to[side] = there ? better(there, measurement) : measurement;
}

/** The program whose rows are on a side. */
const ours = 'parallax';

/** Whether a row can be on a native side. */
export const isNativeSide = (m: Measurement) => m.kind === 'native' && m.program === ours;

/** The name of a measurement on no side: its engine, its machine, and the file it came from. */
const foreignName = ({ file, measurement: { engine, machine } }: Foreign) =>
  `${engine} on ${machine} (${file})`;

/** Creates a case that no side has measured yet. */
function newCase(key: string, m: Measurement): Case {
  return {
    key,
    suite: m.suite,
    name: m.case,
    title: m.case,
    metric: m.metric,
    unit: m.unit,
    threads: m.threads,
    parameters: m.parameters,
    others: new Map(),
  };
}

/** Whether two cases differ in parameters at most. */
export const isNamesake = (a: Case, b: Case) =>
  a.suite === b.suite && a.name === b.name && a.metric === b.metric && a.threads === b.threads;

/** Gives cases of the same name titles that distinguish them. */
function giveTitles(cases: readonly Case[]): void {
  const named = new Map<string, Case[]>();
  for (const each of cases) {
    const name = joined(each.suite, each.name, each.metric, each.threads);
    named.set(name, [...(named.get(name) ?? []), each]);
  }
  for (const some of named.values()) {
    const texts = some.map(({ parameters }) =>
      Object.entries(parameters).map(([name, value]) => `${name} ${value}`),
    );
    for (const [i, each] of some.entries()) {
      const own = texts[i]?.filter((text) => texts.some((all) => !all.includes(text)));
      if (own && own.length > 0) each.title = `${each.name} (${own.join(', ')})`;
    }
  }
}

/** Groups the rows of native runs and of one browser run, in the order of the browser's rows. */
export function pairCases(
  native: readonly Measurement[],
  browser: readonly Measurement[],
  others: readonly Foreign[] = [],
): Case[] {
  const keyOf = keysOf([...native, ...browser, ...others.map(({ measurement }) => measurement)]);
  const cases = new Map<string, Case>();
  const caseOf = (m: Measurement): Case => {
    const key = keyOf(m);
    const found = cases.get(key) ?? newCase(key, m);
    cases.set(key, found);
    return found;
  };
  /* Other programs describe a case by parameters of their own: a unique case of that name is it. */
  const caseBeside = (m: Measurement): Case => {
    const made = newCase(keyOf(m), m);
    if (m.program === ours || cases.has(made.key)) return caseOf(m);
    const namesakes = [...cases.values()].filter(
      (each) => (each.A ?? each.B ?? each.C) && isNamesake(each, made),
    );
    return (namesakes.length === 1 && namesakes[0]) || caseOf(m);
  };
  for (const m of browser) if (m.kind === 'wasm') put(caseOf(m), 'C', m);
  const held = native.filter(isNativeSide);
  for (const m of held) put(caseOf(m), m.exact ? 'B' : 'A', m);
  /* On a machine with only 128 bits the restricted run is also the best. A best run that is void is
   * not replaced: its side stays void. */
  for (const m of held) {
    const to = caseOf(m);
    if (to.B) to.A ??= to.B;
  }
  for (const foreign of others) {
    const { others: beside } = caseBeside(foreign.measurement);
    const name = foreignName(foreign);
    const there = beside.get(name);
    beside.set(name, there ? better(there, foreign.measurement) : foreign.measurement);
  }
  giveTitles([...cases.values()]);
  return [...cases.values()];
}

/** Whether there are enough rounds to show their spread. */
export const hasRounds = ({ rounds = [] }: Measurement) => rounds.length >= leastRounds;

/** Whether its run ended before its second round; false for older versions, which do not say. */
export const hasOneRound = (m: Measurement | undefined) =>
  m?.roundsWritten === true && m.voided === undefined && !hasRounds(m);

/** Logarithms of times, round by round; rates are converted to times. */
export function logTimes({ rounds = [], direction }: Measurement): number[] {
  const sign = direction === 'higher' ? -1 : 1;
  return rounds.map((each) => sign * Math.log(each));
}

/** Whether it has a valid figure for ratios, with an interval whose logarithm exists. */
export const isUsable = (m: Measurement | undefined): m is Measurement =>
  m !== undefined &&
  m.voided === undefined &&
  m.direction !== 'none' &&
  m.value > 0 &&
  (hasRounds(m) || m.low > 0);

/** The time of a divided by that of b; undefined unless both are valid. */
export function timesAsLong(a?: Measurement, b?: Measurement): Interval | undefined {
  if (!isUsable(a) || !isUsable(b)) return undefined;
  if (hasRounds(a) && hasRounds(b)) return finite(welch(logTimes(a), logTimes(b)));
  return finite(a.direction === 'lower' ? ratio(a, b) : ratio(b, a));
}

const finite = (interval: Interval) => (isFinitePositive(interval) ? interval : undefined);

function defined<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

/** The ratios of one case, between the sides that have valid measurements. */
export function ratiosOf({ A, B, C }: Case): Ratios {
  return defined<Ratios>({
    instructions: timesAsLong(B, A),
    engine: timesAsLong(C, B),
    whole: timesAsLong(C, A),
  });
}

/** A measurement of the case by any side: they agree on what was measured. */
export function anyOf({ A, B, C, others }: Case): Measurement | undefined {
  return C ?? A ?? B ?? [...others.values()][0];
}

/** Selects figures of speed, one per case and number of threads: the first that a suite reports. */
export function speedCases(cases: readonly Case[]): Case[] {
  const seen = new Set<string>();
  return cases.filter((each) => {
    if (!anyOf(each)?.primary) return false;
    const key = caseKey(each);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
