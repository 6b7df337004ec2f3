// Measures engines side by side on one case: outputs are compared first, then rounds of samples
// alternate. It runs in Node and in pages.
import { Random } from './random.mjs';
import { quantile } from './statistics.mjs';
import { tolerances, worstError } from './tolerances.mjs';

/** Idle time before each sample, so that the previous engine's threads have stopped spinning. */
const GAP_MS = 30;

/** The two lengths of a measurement. */
export const lengths = {
  quick: { rounds: 7, sampleNs: 20e6 },
  full: { rounds: 15, sampleNs: 60e6 },
};

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const runs = (engine, item) => !engine.cannot?.(item);

async function attempt(entry, work) {
  if (entry.failure) return undefined;
  try {
    return await work();
  } catch (error) {
    entry.failure = entry.engine.lost?.() ?? error.message;
    return undefined;
  }
}

async function sample(engine, item, count) {
  if (item.kind === 'train') await engine.restart();
  return engine.run(count);
}

/** The number of iterations that lasts at least sampleNs, found by trying more and more. */
async function calibrate(engine, item, sampleNs) {
  for (let count = 1; ; ) {
    const ns = await sample(engine, item, count);
    if (ns >= sampleNs) return count;
    count = grown(count, ns, sampleNs);
  }
}

/** How many iterations to try after count took ns. */
function grown(count, ns, sampleNs) {
  const wanted = ns > 0 ? Math.ceil((1.1 * count * sampleNs) / ns) : 10 * count;
  return Math.min(Math.max(wanted, count + 1), 10 * count);
}

/**
 * Nanoseconds per iteration. A disturbance may have made too few iterations look long enough, and
 * engines get faster as they run: a sample could then be as short as a step of the clock.
 */
async function timed(entry, item, sampleNs) {
  for (;;) {
    const ns = await sample(entry.engine, item, entry.count);
    if (ns >= sampleNs / 2) return ns / entry.count;
    entry.count = grown(entry.count, ns, sampleNs);
  }
}

/** Measures our ceiling beside the sample. Without a processor for each thread there is none. */
async function sampleCeiling({ engine, failure, peaks }) {
  const gflops = failure ? 0 : await engine.peak?.().catch(() => 0);
  if (gflops > 0) peaks.push(gflops);
}

/** Interference only slows arithmetic down, so the ceiling lies near the top, as in bench/rounds.c. */
const ceilingOf = (peaks) =>
  peaks.length
    ? quantile(
        peaks.toSorted((a, b) => a - b),
        0.9,
      )
    : undefined;

/**
 * Measures engines[0], ours, beside the others. Returns per engine {engine, variant?, ns: [per
 * iteration, one per round], failure?, error, cpus?, ceiling?}; engines that cannot run the case are left out.
 * If an engine has several ways, variant names the fastest, which it found when the case was opened;
 * cpus says how many CPUs it kept busy. Engines of ours also tell the ceiling of arithmetic, GFLOP/s,
 * measured in every round. If an engine fails or ends, its entry is void and the others
 * are measured; without ours, nothing is compared and all are void.
 *
 * tell({round, fraction}) is called before each piece of the work: rounds count from 1, and 0 is what
 * comes before them. A signal ends the measurement with its reason.
 */
export async function measureCase(item, engines, data, method) {
  const { rounds, sampleNs } = method;
  const entries = engines
    .filter((engine) => runs(engine, item))
    .map((engine) => ({ engine, ns: [], peaks: [] }));
  const began = teller(entries.length * (rounds + 2) + 1, method);
  for (const entry of entries) {
    began(0);
    await attempt(entry, async () => {
      entry.variant = await entry.engine.open(item, data);
      entry.output = Float32Array.from(await entry.engine.results());
    });
  }
  began(0);
  await compare(item, data, entries);
  for (const entry of entries) {
    began(0);
    await attempt(entry, async () => {
      entry.count = await calibrate(entry.engine, item, sampleNs);
    });
  }
  await measureRounds(item, entries, began, method);
  method.signal?.throwIfAborted();
  for (const entry of entries) {
    entry.cpus = entry.engine.cpus?.();
    entry.ceiling = ceilingOf(entry.peaks);
    await attempt(entry, () => entry.engine.close());
  }
  // An engine that has ended ended with all of its page; some of it may have been done before.
  for (const entry of entries) entry.failure = entry.engine.lost?.() ?? entry.failure;
  return entries;
}

/** Returns a function to call with the round before each of so many pieces of work. */
function teller(pieces, { signal, tell }) {
  let done = 0;
  return (round) => {
    signal?.throwIfAborted();
    tell?.({ round, fraction: done / pieces });
    done += 1;
  };
}

async function measureRounds(item, entries, began, { rounds, sampleNs, seed, gapMs = GAP_MS }) {
  const random = new Random(seed);
  for (let round = 1; round <= rounds && entries.some(({ failure }) => !failure); ++round) {
    for (const entry of shuffled(entries, random)) {
      began(round);
      await sleep(gapMs);
      await attempt(entry, async () => {
        entry.ns.push(await timed(entry, item, sampleNs));
      });
      await sampleCeiling(entry);
    }
  }
}

function shuffled(entries, random) {
  const order = [...entries];
  for (let i = order.length - 1; i > 0; --i) {
    const j = random.word() % (i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** Voids engines whose output differs from ours, ours if it is wrong, and all if ours failed. */
async function compare(item, data, entries) {
  const [ours] = entries;
  const bounds = await attempt(ours, () => tolerances(item, data, ours));
  for (const entry of entries) {
    if (!bounds) entry.failure ??= `not compared, since ${ours.engine.label} failed`;
    if (entry.failure) continue;
    entry.error = worstError(entry.output, bounds, entry === ours);
    if (!(entry.error <= 1))
      entry.failure = `its output errs by ${entry.error.toPrecision(3)} times the tolerance`;
  }
}
