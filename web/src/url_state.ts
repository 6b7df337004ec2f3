/** What to run, and its form in the page's address. */

/** How long a run may take. The names are those of the page; the engine's are in engineSize. */
export type RunSize = 'quick' | 'standard' | 'long';
export const runSizes: readonly RunSize[] = ['quick', 'standard', 'long'];
export const engineSize = { quick: 'quick', standard: 'default', long: 'full' } as const;

/** A build of the engine, or the best that runs here. */
export type TierChoice = 'auto' | 'simd' | 'simd-threads' | 'relaxed-threads';
export const tierChoices: readonly TierChoice[] = [
  'auto',
  'simd',
  'simd-threads',
  'relaxed-threads',
];

export interface RunOptions {
  /** Left out: all that the engine knows. */
  suites?: readonly string[];
  size: RunSize;
  seed: number;
  tier: TierChoice;
  /** 0: as many as measure worth it. */
  threads: number;
}

export const defaultRun: RunOptions = {
  size: 'quick',
  seed: 0,
  tier: 'auto',
  threads: 0,
};

function oneOf<T extends string>(value: string | null, all: readonly T[], otherwise: T): T {
  return all.find((each) => each === value) ?? otherwise;
}

/** A whole number from text; otherwise when it is none or lies outside. */
export function wholeNumber(value: string | null, most: number, otherwise: number): number {
  if (value === null || !/^\d{1,15}$/.test(value)) return otherwise;
  const number = Number(value);
  return number <= most ? number : otherwise;
}

/** Seeds are exact up to here. */
export const mostSeed = 2 ** 32 - 1;
export const mostThreads = 64;

/** Reads options from an address; what is missing or makes no sense has its default. */
export function readRun(search: string): RunOptions {
  const query = new URLSearchParams(search);
  const suites = query
    .get('suites')
    ?.split(',')
    .filter((name) => /^[\w-]+$/.test(name));
  return {
    ...(suites ? { suites: [...new Set(suites)] } : {}),
    size: oneOf(query.get('size'), runSizes, defaultRun.size),
    seed: wholeNumber(query.get('seed'), mostSeed, defaultRun.seed),
    tier: oneOf(query.get('tier'), tierChoices, defaultRun.tier),
    threads: wholeNumber(query.get('threads'), mostThreads, defaultRun.threads),
  };
}

/** The query for options; defaults are left out, so the plain address stays plain. */
export function writeRun(options: RunOptions): string {
  const query = new URLSearchParams();
  if (options.suites) query.set('suites', options.suites.join(','));
  if (options.size !== defaultRun.size) query.set('size', options.size);
  if (options.seed !== defaultRun.seed) query.set('seed', String(options.seed));
  if (options.tier !== defaultRun.tier) query.set('tier', options.tier);
  if (options.threads !== defaultRun.threads) query.set('threads', String(options.threads));
  /* A comma needs no escape in a query, and the address is to be read by people. */
  const text = query.toString().replaceAll('%2C', ',');
  return text ? `?${text}` : '';
}
