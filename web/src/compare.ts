/**
 * Pairs measurements of the three sides, case by case:
 *
 *   A  native at its best,
 *   B  native held to what WebAssembly has (128 bits, no fused multiply-add),
 *   C  this browser.
 *
 * Rows are of one case when its name, metric, threads and parameters are the same. Only rows of
 * Parallax itself are on a side; what files hold of other engines stands beside.
 * Times relate as B/A (the cost of the instruction set), C/B (the cost of the engine) and C/A.
 */
import { type Interval, isFinitePositive, leastRounds, ratio, welch } from './interval.js';
import type { Measurement } from './rows.js';

/** Which side a measurement is on; undefined for native runs that are neither. */
export type Side = 'A' | 'B' | 'C';

/** One case as the sides measured it, with the same number of threads. */
export interface Case {
  key: string;
  suite: string;
  name: string;
  /** The name, with those parameters by which cases of the same name differ. */
  title: string;
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

type Parameters = Case['parameters'];

const parametersText = (parameters: Parameters) =>
  Object.entries(parameters)
    .map(([name, value]) => `${name} ${value}`)
    .sort()
    .join(', ');

const joined = (...parts: readonly (string | number)[]) => parts.join('\u0001');
const nameOf = ({ suite, case: name }: Measurement) => joined(suite, name);

/** The same for all metrics of a case. */
export const caseKey = ({ suite, name, threads, parameters }: Case) =>
  joined(suite, name, threads, parametersText(parameters));

/**
 * Tells cases apart. What is timed is the same only with the same parameters; a case without a figure
 * of speed may have findings among them, such as the instruction set of a measured peak.
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

/** The program that is on the sides. */
const ours = 'parallax';

/** Whether a row can be on a native side. */
export const isNativeSide = (m: Measurement) => m.kind === 'native' && m.program === ours;

/** What stands beside the sides: its engine, where that ran, and the file that says so. */
const foreignName = ({ file, measurement: { engine, machine } }: Foreign) =>
  `${engine} on ${machine} (${file})`;

/** A case without any side yet. */
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

/** Whether all but the parameters is the same. */
export const isNamesake = (a: Case, b: Case) =>
  a.suite === b.suite && a.name === b.name && a.metric === b.metric && a.threads === b.threads;

/** Cases of one name get titles by which they can be told apart. */
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

/** Groups the rows of native runs and of one browser run. Order is that of the browser's rows. */
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
  /* Other programs describe the same case in their own words: where only one has its name, it is that. */
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
  /* The best is itself held to 128 bits, on a machine that has no more. A best run that is void is
   * no reason: it leaves the side void. */
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

/** Whether the spread between the rounds of a run can be seen. */
export const hasRounds = ({ rounds = [] }: Measurement) => rounds.length >= leastRounds;

/** Whether its run ended before it had a second round; of older versions nothing is known. */
export const hasOneRound = (m: Measurement | undefined) =>
  m?.roundsWritten === true && m.voided === undefined && !hasRounds(m);

/** Logarithms of times, round by round; of rates, those of the times that they stand for. */
export function logTimes({ rounds = [], direction }: Measurement): number[] {
  const sign = direction === 'higher' ? -1 : 1;
  return rounds.map((each) => sign * Math.log(each));
}

/** Whether it has a figure that enters ratios, with an interval that has a logarithm. */
export const isUsable = (m: Measurement | undefined): m is Measurement =>
  m !== undefined &&
  m.voided === undefined &&
  m.direction !== 'none' &&
  m.value > 0 &&
  (hasRounds(m) || m.low > 0);

/** How many times as long a took as b. */
function timesAsLong(a?: Measurement, b?: Measurement): Interval | undefined {
  if (!isUsable(a) || !isUsable(b)) return undefined;
  if (hasRounds(a) && hasRounds(b)) return finite(welch(logTimes(a), logTimes(b)));
  return finite(a.direction === 'lower' ? ratio(a, b) : ratio(b, a));
}

const finite = (interval: Interval) => (isFinitePositive(interval) ? interval : undefined);

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

/** A measurement of the case, whichever side made it: they agree on what was measured. */
export function anyOf({ A, B, C, others }: Case): Measurement | undefined {
  return C ?? A ?? B ?? [...others.values()][0];
}

/** Only figures of speed, one per case and number of threads: the first that a suite reports. */
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
