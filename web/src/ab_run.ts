/** A/B tests on this page, one at a time, on engines of their own. Loaded when the first one begins. */
import { type BenchParallax, type EngineInfo, load } from 'parallax-nn/bench';
import { type AbChoice, type AbSide, sidesOf } from './ab_choice.js';
import { measurePairs, type Pair } from './ab_measure.js';
import { count, sentence } from './format.js';
import { wasCancelled } from './runtime.js';
import type { AbState, AppState } from './state.js';
import type { Store } from './store.js';
import { watchPage } from './watch_page.js';

/** The engine of a side. */
export type AbEngineInfo = Pick<
  EngineInfo,
  'tier' | 'threads' | 'cpus' | 'isa' | 'vectorBits' | 'fma' | 'exact'
>;

export interface AbResult {
  choice: AbChoice;
  sides: readonly [AbSide, AbSide];
  engines: readonly [AbEngineInfo, AbEngineInfo];
  /** When it ended. */
  date: string;
  pairs: readonly Pair[];
  /** Whether both sides must compute the same bits; then they did, or the test is void. */
  sameBits: boolean;
  /** Why it is void. */
  voided?: string;
}

const keyOf = ({ tier, threads }: AbSide) => `${tier} ${threads}`;

/** The engines that the sides need; sides with the same settings share one. */
async function startEngines(
  sides: readonly [AbSide, AbSide],
  signal: AbortSignal,
  started: (plx: BenchParallax) => void,
): Promise<[BenchParallax, BenchParallax]> {
  const [first, second] = sides;
  const start = async ({ tier, threads }: Pick<AbSide, 'tier' | 'threads'>) => {
    const plx = await load({
      ...(tier === 'auto' ? {} : { tier }),
      ...(threads > 0 ? { threads } : {}),
      signal,
    });
    started(plx);
    await plx.ready();
    return plx;
  };
  /* One after the other: the costs of threads are measured at the start. */
  const one = await start(first);
  if (keyOf(first) === keyOf(second)) return [one, one];
  /* "The best" or "the fastest" is the same one for both sides. */
  const { threads } = second;
  const tier = second.tier === first.tier ? one.info().tier : second.tier;
  return [one, await start({ tier, threads })];
}

/** Why an engine is not the one that its side asked for. */
function otherEngine({ name, threads, tier }: AbSide, info: EngineInfo): string | undefined {
  if (threads === 0 || threads === info.threads || tier === 'simd') return undefined;
  const reason = info.downgrades.find(({ wanted }) => wanted === `${threads} threads`)?.reason;
  return `The side ${name} has ${count(info.threads, 'thread')}: ${reason ?? 'the browser gave no more'}.`;
}

/** Engines of one tier agree to the last bit, whatever their threads, and so do all exact ones. */
const agree = (a: AbEngineInfo, b: AbEngineInfo) => a.tier === b.tier || (a.exact && b.exact);

/** What happened in the pairs that makes them void. */
function wrongPairs(
  pairs: readonly Pair[],
  engines: readonly [AbEngineInfo, AbEngineInfo],
  sameBits: boolean,
): string | undefined {
  for (const { first, second } of pairs) {
    if (first.threads !== engines[0].threads || second.threads !== engines[1].threads)
      return 'threads were lost';
    if (sameBits && first.hash !== second.hash)
      return 'the two sides computed different results, although these must have the same bits';
  }
  return undefined;
}

const about = ({ tier, threads, cpus, isa, vectorBits, fma, exact }: EngineInfo): AbEngineInfo => ({
  ...{ tier, threads, cpus, isa, vectorBits, fma, exact },
});

export class AbRun {
  #abort: AbortController | undefined;

  constructor(readonly store: Store<AppState>) {}

  async start(choice: AbChoice): Promise<void> {
    if (this.#abort) return;
    const controller = new AbortController();
    this.#abort = controller;
    const engines: BenchParallax[] = [];
    this.#show({ phase: 'starting' });
    try {
      const result = await this.#measure(choice, controller.signal, (plx) => engines.push(plx));
      this.store.set({ ab: { phase: 'done', result } });
    } catch (error) {
      if (wasCancelled(error)) this.#show({ phase: 'cancelled' });
      else this.#show({ phase: 'failed', message: sentence(error) });
    } finally {
      for (const plx of engines) plx.dispose();
      this.#abort = undefined;
    }
  }

  cancel(): void {
    this.#abort?.abort();
  }

  /** The last result stays until there is a new one. */
  #show(state: Omit<AbState, 'result'>): void {
    const { result } = this.store.get().ab;
    this.store.set({ ab: result ? { ...state, result } : state });
  }

  async #measure(
    choice: AbChoice,
    signal: AbortSignal,
    started: (plx: BenchParallax) => void,
  ): Promise<AbResult> {
    const sides = sidesOf(choice);
    const loaded = await startEngines(sides, signal, started);
    for (const [i, side] of sides.entries()) {
      const other = otherEngine(side, (loaded[i] as BenchParallax).info());
      if (other !== undefined) throw new Error(other);
    }
    const engines = [about(loaded[0].info()), about(loaded[1].info())] as const;
    const sameBits = choice.differs !== 'batch' && agree(...engines);
    let voided: string | undefined;
    /* The first reason is enough. */
    const unwatch = watchPage((why) => {
      voided ??= why;
    });
    const settings = { pairs: Number(choice.pairs), seed: choice.seed, signal };
    this.#show({ phase: 'running' });
    try {
      const pairs = await measurePairs(sides, loaded, settings, (progress) =>
        this.#show({ phase: 'running', progress }),
      );
      unwatch();
      const why = voided ?? wrongPairs(pairs, engines, sameBits);
      return {
        ...{ choice, sides, engines, pairs, sameBits, date: new Date().toISOString() },
        ...(why === undefined ? {} : { voided: why }),
      };
    } finally {
      unwatch();
    }
  }
}
