/**
 * Measures which tier is fastest on this JavaScript engine. A file of its own, fetched only for
 * `load({ tier: 'fastest' })`.
 */
import type { LoadOptions, Parallax, Tier } from './api.js';
import type { Chosen } from './client.js';
import type { Choice } from './tiers.js';

/** Products of one run, [SIDE, SIDE] each: a few milliseconds, beside which a message is short. */
const PRODUCTS = 8;
const SIDE = 256;
/** Each tier runs in turns until it has had this long without becoming faster, or the most. */
const STEADY_MS = 50;
const MOST_MS = 500;
const PROBE_MB = 64;

/** The tiers that are compared. */
const RELAXED = 'relaxed-threads';
const TIERS: readonly Tier[] = [RELAXED, 'simd-threads'];

/** What `load` does for this file, which has no code of its own to share. */
export interface Host<P> {
  /** Rejects an argument. */
  refuse(message: string): never;
  /** Returns the best tier that runs here. */
  choose(): Promise<Choice>;
  compile(tier: Tier): Promise<WebAssembly.Module>;
  /** Starts an engine; own replaces options of the call. */
  open(own: Chosen, dropped?: Choice['downgrades']): Promise<P>;
}

/** A tier that is being measured. */
interface Probe {
  tier: Tier;
  wasmModule: WebAssembly.Module;
  plx: Parallax;
  run(): Promise<unknown>;
  /** Milliseconds of its fastest run, of all runs, and of those since the fastest. */
  best: number;
  total: number;
  steady: number;
}

async function probe(tier: Tier, host: Host<Parallax>): Promise<Probe> {
  const wasmModule = await host.compile(tier);
  const plx = await host.open({ tier, wasmModule, threads: 1, memoryMB: PROBE_MB });
  const g = plx.graph();
  const w = g.parameter('w', [SIDE, SIDE]);
  let product = g.matmul(w, w);
  for (let i = 1; i < PRODUCTS; i++) product = g.matmul(product, w);
  /* A sum, so that little is sent back. */
  const whole = await g.compile([g.sum(g.reshape(product, [SIDE * SIDE]), 0)]);
  const more = { best: Number.POSITIVE_INFINITY, total: 0, steady: 0 };
  return { tier, wasmModule, plx, run: () => whole.run({}), ...more };
}

const isSteady = ({ steady, total }: Probe): boolean => steady >= STEADY_MS || total >= MOST_MS;

/**
 * Gives the probes turns until all are steady: engines run code slowly until they have optimised
 * it, which they do while it runs, and what disturbs one probe soon disturbs the others too.
 */
async function measure(probes: readonly Probe[]): Promise<void> {
  while (!probes.every(isSteady)) {
    for (const probe of probes) {
      const began = performance.now();
      await probe.run();
      const time = performance.now() - began;
      /* Less than 2% faster is noise. */
      probe.steady = time < 0.98 * probe.best ? 0 : probe.steady + time;
      probe.best = Math.min(probe.best, time);
      probe.total += time;
    }
  }
}

/** Two tiers have files of their own. */
function checkAddresses(options: LoadOptions, refuse: Host<unknown>['refuse']): void {
  for (const option of ['wasmURL', 'workerURL'] as const) {
    if (options[option] === undefined || typeof options[option] === 'function') continue;
    refuse(`load: with the tier fastest, ${option} must be a function of the tier`);
  }
}

/**
 * Measures the tiers one beside the other, and starts the fastest with its compiled module. A tier
 * that does not start is left out; where one tier alone may run, nothing is measured.
 */
export async function openFastest<P extends Parallax>(
  options: LoadOptions,
  host: Host<P>,
): Promise<P> {
  checkAddresses(options, host.refuse);
  if ((await host.choose()).tier !== RELAXED) return host.open({ measured: [] });
  const started = await Promise.allSettled(TIERS.map((tier) => probe(tier, host)));
  const probes = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  try {
    await measure(probes);
  } finally {
    for (const { plx } of probes) plx.dispose();
  }
  const [first] = probes.sort((a, b) => a.best - b.best);
  const flops = PRODUCTS * 2 * SIDE ** 3;
  const measured = probes.map(({ tier, best }) => ({ tier, gflops: flops / (best * 1e6) }));
  const dropped = started.flatMap((each, i) =>
    each.status === 'fulfilled'
      ? []
      : {
          wanted: TIERS[i]!,
          got: first?.tier ?? '',
          reason: `it did not start: ${(each.reason as Error).message}`,
        },
  );
  if (!first) return host.open({ measured });
  return host.open({ tier: first.tier, wasmModule: first.wasmModule, measured }, dropped);
}
