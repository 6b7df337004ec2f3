/** What a measurement beside other libraries found: figures, verdicts, the chart and its table. */
import {
  type BrowserPeer,
  browserPeers,
  cases,
  type MeasuredEntry,
  metric,
  type PeerCase,
  speed,
  summarise,
} from '../../bench/peers/for_page.mjs';
import { type ChartSpec, type Point, type Series, tableOnly } from './chart_spec.js';
import { count, list, significant, times } from './format.js';
import { type Interval, straddlesOne } from './interval.js';
import { partName } from './route.js';
import type { Row } from './rows.js';
import type { TableData } from './views/table.js';

/** What to measure: keys of cases and of peers. */
export interface PeersChoice {
  cases: readonly string[];
  peers: readonly string[];
  length: 'quick' | 'full';
  seed: number;
}

/** What one engine did on one case. ratio: how many times as fast as it ours is; only of peers. */
export type EngineOutcome = { name: string } & (
  | { figure: Interval; ratio?: Interval }
  /** Why there is no figure; fault: whether something went wrong. */
  | { none: string; fault: boolean }
);

export interface CaseOutcome {
  title: string;
  unit: string;
  /** Why the whole case is void. */
  voided: string | undefined;
  /** Ours first. */
  engines: readonly EngineOutcome[];
}

export interface PeersResult {
  choice: PeersChoice;
  /** Of the page's engine; peers were asked for as many. */
  threads: number;
  isolated: boolean;
  /** Those that started, ours first. */
  engines: readonly { name: string; version: string; threads: number; tier: string }[];
  /** Peers that did not start, and why. */
  missing: readonly { what: string; why: string }[];
  /** What happened meanwhile. */
  notes: readonly string[];
  cases: readonly CaseOutcome[];
  /** In the format of result files. */
  rows: readonly Row[];
}

/** The cases that the page offers: those that take seconds, and that peers know. */
const offered = [
  '256 x 256 x 256',
  '512 x 512 x 512',
  'predict 784-200-10, batch 1',
  'predict 784-200-10, batch 64',
  'predict 512-1024-1024-512-10, batch 1',
  'predict 512-1024-1024-512-10, batch 8',
  'predict 512-1024-1024-512-10, batch 32',
  'train 784-200-10, batch 64',
  'train 5-64-64-64-64-1, batch 1000',
];

export const titleOf = ({ kind, name }: PeerCase): string =>
  kind === 'gemm' ? `product ${name}` : name;

/** Each with its key in the address. */
export const pageCases = cases
  .filter(({ name }) => offered.includes(name))
  .map((item) => ({ item, key: partName(titleOf(item)), title: titleOf(item) }));

/** The cases of a choice, in the order of all. */
export const casesOf = (choice: PeersChoice): PeerCase[] =>
  pageCases.filter(({ key }) => choice.cases.includes(key)).map(({ item }) => item);

export const peersOf = (choice: PeersChoice): BrowserPeer[] =>
  browserPeers.filter(({ key }) => choice.peers.includes(key));

const interval = ({ median, low, high }: { median: number; low: number; high: number }) => ({
  value: median,
  low,
  high,
});

/** The outcome of an engine that was measured on a case. */
function measured(item: PeerCase, entry: MeasuredEntry, ours: MeasuredEntry): EngineOutcome {
  const { name } = entry.engine;
  const { failure } = entry;
  if (failure !== undefined) return { name, none: `no time: ${failure}`, fault: true };
  const { of } = metric(item);
  const figure = interval(summarise(entry.ns.map(of)));
  if (entry === ours || ours.failure !== undefined) return { name, figure };
  return { name, figure, ratio: interval(speed(entry, ours)) };
}

/** What a case gave. entries: of the engines that run it, ours first; voided: why it is void. */
export function outcomeOf(
  item: PeerCase,
  entries: readonly MeasuredEntry[],
  { choice, missing }: Pick<PeersResult, 'choice' | 'missing'>,
  voided: string | undefined,
): CaseOutcome {
  const ours = entries[0]!;
  const engines = [measured(item, ours, ours)];
  for (const { name, cannot } of peersOf(choice)) {
    if (missing.some(({ what }) => what === name)) continue;
    const why = cannot?.(item);
    const entry = entries.find(({ engine }) => engine.name === name);
    if (entry) engines.push(measured(item, entry, ours));
    else if (why) engines.push({ name, none: `not run: ${why}`, fault: false });
    else engines.push({ name, none: 'not run: it ended in an earlier case', fault: true });
  }
  return { title: titleOf(item), unit: metric(item).unit, voided, engines };
}

/** What the ratio says. */
function verdictOf(ratio: Interval): 'faster' | 'slower' | 'even' {
  if (straddlesOne(ratio)) return 'even';
  return ratio.low > 1 ? 'faster' : 'slower';
}

const verdictText = { faster: 'faster', slower: 'slower', even: 'no difference seen' };

const ratiosOf = ({ cases: all }: PeersResult, name: string) =>
  all.flatMap(({ voided, engines }, x) => {
    const found = engines.find((each) => each.name === name);
    if (voided !== undefined || !found || !('ratio' in found) || !found.ratio) return [];
    return [{ x, ratio: found.ratio }];
  });

/** "Beside jax-js, Parallax is faster in 5 and not seen to differ in 1 of 6 cases." */
function peerSentence(result: PeersResult, name: string): string {
  const all = ratiosOf(result, name).map(({ ratio }) => verdictOf(ratio));
  if (all.length === 0) return '';
  const words = { faster: 'faster', slower: 'slower', even: 'not seen to differ' };
  const parts = Object.entries(words).flatMap(([verdict, word]) => {
    const number = all.filter((each) => each === verdict).length;
    return number > 0 ? [`${word} in ${number}`] : [];
  });
  return `Beside ${name}, Parallax is ${list(parts)} of ${count(all.length, 'case')}.`;
}

const peerNames = ({ engines }: PeersResult) =>
  engines.map(({ name }) => name).filter((name) => name !== 'parallax');

/** The result in sentences. */
export const summaryText = (result: PeersResult): string =>
  peerNames(result)
    .map((name) => peerSentence(result, name))
    .filter(Boolean)
    .join(' ');

/** Who was measured: versions and threads. */
export function enginesText({ engines, threads, isolated }: PeersResult): string {
  const names = engines.map(({ name, version, threads: own, tier }) =>
    [name, version, tier, count(own, 'thread')].filter(Boolean).join(' '),
  );
  const alone = isolated
    ? ''
    : ' This page is not cross-origin isolated, so that all of them run on one thread.';
  const fewer = engines.filter(({ threads: own }) => own < threads).map(({ name }) => name);
  return `Measured: ${list(names)}.${alone}${policyText(fewer)}`;
}

/** Why these run on one thread; empty if there are none. */
export const policyText = (names: readonly string[]): string =>
  names.length > 0
    ? ` On one thread only: ${list(names)}, since more threads would need scripts made at run time, which the policy of this page forbids. To compare like with like, choose one thread.`
    : '';

const withInterval = ({ value, low, high }: Interval, show: (value: number) => string) =>
  `${show(value)} (${significant(low)}–${significant(high)})`;

function rowsOf({ title, unit, voided, engines }: CaseOutcome): TableData['rows'] {
  return engines.map((each) => {
    const { name } = each;
    if (voided !== undefined)
      return { void: true, cells: [title, name, `void: ${voided}`, '–', '–'] };
    if ('none' in each) return { void: each.fault, cells: [title, name, each.none, '–', '–'] };
    const figure = `${withInterval(each.figure, significant)} ${unit}`;
    if (!each.ratio) return { cells: [title, name, figure, '–', '–'] };
    const ratio = withInterval(each.ratio, times);
    return { cells: [title, name, figure, ratio, verdictText[verdictOf(each.ratio)]] };
  });
}

function tableOf(result: PeersResult): TableData {
  return {
    caption:
      'Medians of alternating rounds with their 95% intervals, and how many times as fast Parallax is, round by round.',
    columns: ['Case', 'Engine', 'Figure', 'Times as fast', 'Parallax is'],
    rows: [
      ...result.cases.flatMap(rowsOf),
      ...result.missing.map(({ what, why }) => ({
        void: true,
        cells: ['all cases', what, `did not load: ${why}`, '–', '–'],
      })),
    ],
  };
}

/** A bar for each case and peer; only the table where there is no ratio. */
export function peersChart(result: PeersResult): ChartSpec {
  const named = {
    id: 'peers',
    title: 'Parallax and other libraries in this page',
    table: tableOf(result),
    wide: true,
  };
  const found = peerNames(result).map((name) => ({ name, ratios: ratiosOf(result, name) }));
  const places = new Set(found.flatMap(({ ratios }) => ratios.map(({ x }) => x)));
  const drawn = [...places].sort((a, b) => a - b);
  const series = found.map(
    ({ name, ratios }, i): Series => ({
      name: `beside ${name}`,
      role: 'other',
      number: i + 1,
      points: ratios.map(({ x, ratio: { value: y, low, high } }): Point => {
        const note = verdictText[verdictOf({ value: y, low, high })];
        return { x: drawn.indexOf(x), y, low, high, note };
      }),
    }),
  );
  if (drawn.length === 0)
    return { ...tableOnly, ...named, about: 'There is no ratio to draw: the table says why.' };
  return {
    ...named,
    about:
      'How many times as fast Parallax is as each library, in the same rounds; below 1 the library is faster. A bar whose whisker contains 1 shows no difference.',
    kind: 'bars',
    categories: drawn.map((x) => result.cases[x]?.title ?? ''),
    x: { title: '' },
    y: { title: 'times as fast' },
    series: series.filter(({ points }) => points.length > 0),
    marks: [{ name: 'equally fast', value: 1 }],
    notes: [],
  };
}
