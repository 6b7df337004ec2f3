/** Which results the page shows: those of this machine, else those of a link, else the reference. */
import { type Case, type Foreign, pairCases } from './compare.js';
import { machineSuite } from './machine_movement.js';
import { comparedMeasurements, foreignMeasurements, nativeMeasurements } from './native_files.js';
import type { Elsewhere, Measurement, ResultSet } from './rows.js';
import type { AppState, ElsewhereState } from './state.js';

export type Origin = 'own' | Elsewhere;

/** Results that belong together, paired by case. */
export interface Results {
  origin: Origin;
  /** Of all suites, with the machine's own. */
  cases: readonly Case[];
  native: readonly Measurement[];
}

/** What is shown of one suite. */
export interface ShownSuite extends Results {
  suite: string;
}

export interface Shown {
  /** The results that the answer is about: the first of a browser; undefined without any. */
  main: Results | undefined;
  /** Suite by suite: one that was not measured here is shown as elsewhere, and says so. */
  suites: readonly ShownSuite[];
}

type Inputs = Pick<AppState, 'native' | 'browser' | 'files' | 'compared' | 'shared' | 'reference'>;

const setOf = (state: ElsewhereState): ResultSet | undefined =>
  state.phase === 'ready' ? state.set : undefined;

function pair(set: ResultSet, origin: Elsewhere): Results {
  const native = set.measurements.filter(({ kind }) => kind === 'native');
  return { origin, native, cases: pairCases(native, set.measurements) };
}

/** The reference beside what was measured here: only the cases that this browser measured too. */
function beside(state: Inputs, own: readonly Foreign[]): Foreign[] {
  const reference = setOf(state.reference);
  const ours = state.browser?.measurements ?? [];
  if (!reference || ours.length === 0 || nativeMeasurements(state).length > 0) return [...own];
  const key = ({ suite, case: name, metric, threads }: Measurement) =>
    [suite, name, metric, threads].join('\u0001');
  const measured = new Set(ours.map(key));
  const others = reference.measurements.filter(
    (m) => m.suite !== machineSuite && measured.has(key(m)),
  );
  return [...own, ...others.map((measurement) => ({ file: 'reference', measurement }))];
}

/** What was measured on this machine, and what the user's files hold. */
function ownResults(state: Inputs): Results | undefined {
  const native = nativeMeasurements(state);
  const browser = state.browser?.measurements ?? [];
  /* Without served results, files were dropped in to be shown. */
  const alone = state.native.phase !== 'ready';
  const others = [...comparedMeasurements(state), ...foreignMeasurements(state)];
  const cases = pairCases(native, browser, beside(state, others)).filter(
    ({ C, others }) => alone || C !== undefined || others.size > 0,
  );
  return cases.length > 0 ? { origin: 'own', cases, native } : undefined;
}

function bySuite(results: Results): Map<string, Case[]> {
  const suites = new Map<string, Case[]>();
  for (const each of results.cases) {
    suites.set(each.suite, [...(suites.get(each.suite) ?? []), each]);
  }
  return suites;
}

function find(state: Inputs): Shown {
  const shared = setOf(state.shared);
  const reference = setOf(state.reference);
  const all = [
    ownResults(state),
    shared && pair(shared, 'shared'),
    reference && pair(reference, 'reference'),
  ].filter((results) => results !== undefined);
  const suites = new Map<string, ShownSuite>();
  /* The reference has every suite, in the order of the engine; what comes first replaces it. */
  for (const results of all.toReversed()) {
    for (const [suite, cases] of bySuite(results)) suites.set(suite, { ...results, suite, cases });
  }
  const last = suites.get(machineSuite);
  suites.delete(machineSuite);
  const main = all.find(({ cases }) => cases.some(({ suite, C }) => C && suite !== machineSuite));
  return { main, suites: [...suites.values(), ...(last ? [last] : [])] };
}

const inputs = ['native', 'browser', 'files', 'compared', 'shared', 'reference'] as const;
let known: { of: Inputs; shown: Shown } | undefined;

/** What the page shows now; several views ask, so the last answer is kept. */
export function shownResults(state: Inputs): Shown {
  if (!known || inputs.some((name) => known?.of[name] !== state[name])) {
    known = { of: state, shown: find(state) };
  }
  return known.shown;
}
