/** Options of a run, and how the page's address encodes them, the view and the settings of forms. */
import { type Route, readRoute, routeText, startRoute } from './route.js';

/** How long a run may take, as the page names it; `engineSize` has the engine's names. */
export type RunSize = 'quick' | 'standard' | 'long';
export const runSizes: readonly RunSize[] = ['quick', 'standard', 'long'];
export const sizeNames: Record<RunSize, string> = {
  quick: 'Quick',
  standard: 'Standard',
  long: 'Long',
};
export const engineSize = { quick: 'quick', standard: 'default', long: 'full' } as const;

/** A build of the engine, the best that runs here, or the one that is measured to be fastest. */
export type TierChoice = 'auto' | 'fastest' | 'simd' | 'simd-threads' | 'relaxed-threads';
export const tierChoices: readonly TierChoice[] = [
  'auto',
  'fastest',
  'simd',
  'simd-threads',
  'relaxed-threads',
];

export interface RunOptions {
  /** Undefined stands for as many as fit into a minute; for all if the size is not quick. */
  suites?: readonly string[] | 'all';
  size: RunSize;
  /** How often each case is visited; 0: as often as the size says. */
  rounds: number;
  seed: number;
  tier: TierChoice;
  /** 0: as many as measurements show to be worthwhile. */
  threads: number;
}

export const defaultRun: RunOptions = {
  size: 'quick',
  rounds: 0,
  seed: 0,
  tier: 'auto',
  threads: 0,
};

function oneOf<T extends string>(value: string | null, all: readonly T[], otherwise: T): T {
  return all.find((each) => each === value) ?? otherwise;
}

/** Parses a whole number from 0 to `most`; returns `otherwise` if the text is anything else. */
export function wholeNumber(value: string | null, most: number, otherwise: number): number {
  if (value === null || !/^\d{1,15}$/.test(value)) return otherwise;
  const number = Number(value);
  return number <= most ? number : otherwise;
}

/** The largest seed. */
export const mostSeed = 2 ** 32 - 1;
export const mostThreads = 64;
export const mostRounds = 32;

function readSuites(text: string | null): RunOptions['suites'] {
  if (text === null || text === 'all') return text ?? undefined;
  return [...new Set(text.split(',').filter((name) => /^[\w-]+$/.test(name)))];
}

/** Reads options from an address; what is missing or invalid gets its default. */
export function readRun(search: string): RunOptions {
  const query = new URLSearchParams(search);
  const suites = readSuites(query.get('suites'));
  return {
    ...(suites ? { suites } : {}),
    size: oneOf(query.get('size'), runSizes, defaultRun.size),
    rounds: wholeNumber(query.get('rounds'), mostRounds, defaultRun.rounds),
    seed: wholeNumber(query.get('seed'), mostSeed, defaultRun.seed),
    tier: oneOf(query.get('tier'), tierChoices, defaultRun.tier),
    threads: wholeNumber(query.get('threads'), mostThreads, defaultRun.threads),
  };
}

/** What each option may be in an address. */
const allowed: Record<Exclude<keyof RunOptions, 'suites'>, string> = {
  size: `one of ${runSizes.join(', ')}`,
  rounds: `a whole number up to ${mostRounds}`,
  seed: `a whole number up to ${mostSeed.toLocaleString('en')}`,
  tier: `one of ${tierChoices.join(', ')}`,
  threads: `a whole number up to ${mostThreads}`,
};

/** What an address says that means nothing here, as sentences. */
export function misread(search: string): string[] {
  const query = new URLSearchParams(search);
  const options = readRun(search);
  const view = query.get('view') ?? '';
  const wrong = Object.entries(allowed).flatMap(([name, what]) => {
    const text = query.get(name) ?? '';
    const used = options[name as keyof typeof allowed];
    const understood =
      typeof used === 'number' ? wholeNumber(text, used, -1) === used : text === used;
    if (text === '' || understood) return [];
    return [`The address says ${name}=${text}, but this must be ${what}. It is ${used} now.`];
  });
  if (view !== '' && view !== 'start' && routeText(readRoute(search)) !== view)
    wrong.push(`The address says view=${view}, but this page has no such view.`);
  return wrong;
}

/** Settings of the forms for training, profiles and peers that are not their defaults, by name. */
export type FormState = Readonly<Record<string, string>>;

/** Names of the settings, which are also their parameters in the address. */
export const formNames = [
  'task',
  'length',
  'steps',
  'batch',
  'optimizer',
  'model',
  'rate',
  'beginning',
  'temperature',
  'target',
  'kind',
  'hidden',
  'epochs',
  'first',
  'second',
  'turns',
  'test',
  'profile',
  'samples',
  'training',
  'peers',
  'peer-cases',
  'peer-length',
  'price',
  'with',
  'ab',
  'abfirst',
  'absecond',
  'abmodel',
  'abrun',
  'abbatch',
  'aboptimizer',
  'pairs',
] as const;
export type FormName = (typeof formNames)[number];

/** Reads the settings of forms; the forms judge the values. */
export function readForm(search: string): FormState {
  const query = new URLSearchParams(search);
  const found = formNames.flatMap((name) => {
    const value = query.get(name);
    return value ? [[name, value] as const] : [];
  });
  return Object.fromEntries(found);
}

/** Writes the address as a query; defaults are left out, so the plain address stays plain. */
export function writeAddress(
  options: RunOptions,
  route: Route = startRoute,
  form: FormState = {},
): string {
  const query = new URLSearchParams();
  const view = routeText(route);
  if (view) query.set('view', view);
  const { suites } = options;
  if (suites) query.set('suites', typeof suites === 'string' ? suites : suites.join(','));
  if (options.size !== defaultRun.size) query.set('size', options.size);
  if (options.rounds !== defaultRun.rounds) query.set('rounds', String(options.rounds));
  if (options.seed !== defaultRun.seed) query.set('seed', String(options.seed));
  if (options.tier !== defaultRun.tier) query.set('tier', options.tier);
  if (options.threads !== defaultRun.threads) query.set('threads', String(options.threads));
  for (const [name, value] of Object.entries(form)) if (value) query.set(name, value);
  /* These need no escape in a query, and people should be able to read the address. */
  const text = query
    .toString()
    .replaceAll('%2C', ',')
    .replaceAll('%2F', '/')
    .replaceAll('%3A', ':');
  return text ? `?${text}` : '';
}
