/** Options of a run, and how the page's address encodes them. */

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
  /** Undefined stands for all suites of the engine. */
  suites?: readonly string[];
  size: RunSize;
  seed: number;
  tier: TierChoice;
  /** 0: as many as measurements show to be worthwhile. */
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

/** Parses a whole number from 0 to `most`; returns `otherwise` if the text is anything else. */
export function wholeNumber(value: string | null, most: number, otherwise: number): number {
  if (value === null || !/^\d{1,15}$/.test(value)) return otherwise;
  const number = Number(value);
  return number <= most ? number : otherwise;
}

/** The largest seed. */
export const mostSeed = 2 ** 32 - 1;
export const mostThreads = 64;

/** Reads options from an address; what is missing or invalid gets its default. */
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

/** Writes options as a query; defaults are left out, so the plain address stays plain. */
export function writeRun(options: RunOptions): string {
  const query = new URLSearchParams();
  if (options.suites) query.set('suites', options.suites.join(','));
  if (options.size !== defaultRun.size) query.set('size', options.size);
  if (options.seed !== defaultRun.seed) query.set('seed', String(options.seed));
  if (options.tier !== defaultRun.tier) query.set('tier', options.tier);
  if (options.threads !== defaultRun.threads) query.set('threads', String(options.threads));
  /* A comma needs no escape in a query, and people should be able to read the address. */
  const text = query.toString().replaceAll('%2C', ',');
  return text ? `?${text}` : '';
}
