/**
 * The self-test: in every tier that runs here, gradients against difference quotients and functions
 * against double precision, and training runs bit by bit, between tiers and with the committed hashes.
 */
import { type BenchParallax, type BenchRow, load, type Tier } from 'parallax-nn/bench';
import { type BoundedOutput, trainedOutputs } from './bounded_outputs.js';
import { count, significant } from './format.js';
import type { Row } from './rows.js';
import type { Finding, Verdict } from './self_test_state.js';

export const tiers: readonly Tier[] = ['simd', 'simd-threads', 'relaxed-threads'];

/** How much is tested: the training runs that take seconds, or one of every model as well. */
export type TestSize = 'quick' | 'full';

/** The cases of the suite `bits` by size; none: all. */
const bitsCases: Record<TestSize, readonly string[]> = {
  quick: ['interp5d', 'mnist', 'every operation'],
  full: [],
};

/** The seed of the committed hashes. */
const seed = 0;
/** The share of a tier's time that the suite `accuracy` takes, roughly. */
const accuracyShare = 0.3;

interface Checks {
  passed: boolean;
  failure?: string;
  /** The error, and how large it may be. */
  error?: number;
  tolerance?: number;
  lossBits?: string;
  lastLoss?: number;
}

const checksOf = (row: Row) => row.checks as Checks;

/** What a case of the suite `bits` gave. */
export interface Bits {
  case: string;
  hash: string;
  lastLoss: number | undefined;
}

/** The hash of each case of the suite `bits` among these rows. */
export function bitsOf(rows: readonly Row[]): Bits[] {
  return rows.flatMap((row) => {
    const { lossBits: hash, lastLoss } = checksOf(row);
    return row.suite === 'bits' && hash ? [{ case: String(row.case), hash, lastLoss }] : [];
  });
}

/**
 * The committed hashes by case: those of the exact native run in bench/results, with the data of
 * this test.
 */
export function committedBits(rows: readonly Row[]): Map<string, string> {
  const exact = rows.filter((row) => {
    const engine = row.engine as { kind?: string; exact?: boolean };
    const data = row.data as { kind?: string; seed?: number };
    return (
      engine.kind === 'native' && engine.exact && data.kind === 'synthetic' && data.seed === seed
    );
  });
  return new Map(bitsOf(exact).map(({ case: name, hash }) => [name, hash]));
}

/** The error of a case as a share of its bound. */
const shareOf = (row: Row): number => {
  const { error = 0, tolerance = 1 } = checksOf(row);
  return tolerance > 0 ? error / tolerance : error;
};

/** One finding for a group of cases of the suite `accuracy`: they pass if each is within its bound. */
function withinBounds(tier: Tier, check: string, rows: readonly Row[]): Finding {
  const cases = new Set(rows.map((row) => row.case));
  const wrong = rows.filter((row) => !checksOf(row).passed);
  const [worst] = rows.toSorted((a, b) => shareOf(b) - shareOf(a));
  if (!worst) return { tier, check, verdict: 'failed', detail: 'No case was measured.' };
  if (wrong.length > 0) {
    const names = [...new Set(wrong.map((row) => `${row.case}: ${checksOf(row).failure}`))];
    return { tier, check, verdict: 'failed', detail: names.join('; ') };
  }
  return {
    tier,
    check,
    verdict: 'passed',
    detail: `${count(cases.size, 'case')}; the worst is ${worst.case}: ${significant(shareOf(worst), 2)} of its bound.`,
  };
}

/** The findings of the suite `accuracy`. */
export function accuracyFindings(tier: Tier, rows: readonly Row[]): Finding[] {
  const gradients = rows.filter((row) => String(row.case).startsWith('gradient of'));
  const others = rows.filter((row) => !gradients.includes(row));
  return [
    withinBounds(tier, 'gradients against central differences', gradients),
    withinBounds(tier, 'functions and sums against double precision', others),
  ];
}

/** The finding about the outputs of a network that the tier has trained. */
export function outputsFinding(tier: Tier, outputs: readonly BoundedOutput[]): Finding {
  const worst = Math.max(...outputs.map(({ error, bound }) => error / bound));
  return {
    tier,
    check: 'outputs of a network that it trained, against double precision',
    /* Not "greater", so that what is not a number fails. */
    verdict: worst <= 1 ? 'passed' : 'failed',
    detail: `${count(outputs.length, 'output')}; the worst error is ${significant(worst, 2)} of its bound.`,
  };
}

/** The finding of one training run on an exact tier: the same bits as before, and as committed. */
function exactFinding(
  tier: Tier,
  { case: name, hash }: Bits,
  first: Bits | undefined,
  committed: string | undefined,
): Finding {
  const check = `bits of ${name}`;
  const same = first === undefined || first.hash === hash;
  if (!same) {
    const detail = `${hash}, but ${first.hash} on the first exact tier.`;
    return { tier, check, verdict: 'failed', detail };
  }
  if (committed === undefined) {
    return { tier, check, verdict: 'told', detail: `${hash}; there is no committed hash.` };
  }
  return committed === hash
    ? { tier, check, verdict: 'passed', detail: `${hash}, as committed.` }
    : { tier, check, verdict: 'failed', detail: `${hash}, but ${committed} is committed.` };
}

/** What is said of a tier that fuses multiply and add: its bits differ, by how much is told. */
function relaxedFinding(tier: Tier, { case: name, hash, lastLoss }: Bits, first?: Bits): Finding {
  const exact = first?.lastLoss;
  const by =
    lastLoss === undefined || exact === undefined
      ? ''
      : ` The last loss differs by ${significant(Math.abs(lastLoss / exact - 1), 2)} of it.`;
  const same = first?.hash === hash;
  const detail = same
    ? `${hash}, as on the exact tiers, which is not promised.`
    : `${hash}: this tier rounds once where exact ones round twice, so its bits are its own.${by}`;
  return { tier, check: `bits of ${name}`, verdict: 'told', detail };
}

/** The findings of the suite `bits`. first: what the first exact tier gave, by case. */
export function bitsFindings(
  tier: Tier,
  exact: boolean,
  found: readonly Bits[],
  first: ReadonlyMap<string, Bits>,
  committed: ReadonlyMap<string, string>,
): Finding[] {
  if (found.length === 0) {
    return [{ tier, check: 'bits of training', verdict: 'failed', detail: 'No run gave bits.' }];
  }
  return found.map((bits) => {
    const before = first.get(bits.case);
    return exact
      ? exactFinding(tier, bits, before, committed.get(bits.case))
      : relaxedFinding(tier, bits, before);
  });
}

/** The findings as a text to copy. */
export function findingsText(findings: readonly Finding[], engine: string): string {
  const lines = findings.map(
    ({ tier, check, verdict, detail }) => `${verdict.toUpperCase()}  ${tier}  ${check}: ${detail}`,
  );
  return [`Parallax self-test, ${engine}`, ...lines, ''].join('\n');
}

/** The outcome in a sentence. */
export function outcomeText(findings: readonly Finding[]): string {
  const of = (verdict: Verdict) => findings.filter((each) => each.verdict === verdict).length;
  const failed = of('failed');
  const rest = of('skipped') > 0 ? ` ${count(of('skipped'), 'tier')} cannot run here.` : '';
  return failed > 0
    ? `${count(failed, 'check')} FAILED, ${of('passed')} passed.${rest}`
    : `All ${count(of('passed'), 'check')} passed.${rest}`;
}

export interface SelfTestRun {
  size: TestSize;
  committed: ReadonlyMap<string, string>;
  signal: AbortSignal;
  onFinding(finding: Finding): void;
  /** fraction: of the whole test, 0 to 1. */
  onProgress(fraction: number, doing: string): void;
}

/** Runs one suite and returns its rows. A case that is dropped is a finding. */
async function rowsOf(
  plx: BenchParallax,
  tier: Tier,
  suite: string,
  cases: readonly string[],
  run: SelfTestRun,
  onProgress: (fraction: number, name: string) => void,
): Promise<BenchRow[]> {
  return plx.bench({
    suites: [suite],
    ...(cases.length > 0 ? { cases: [...cases] } : {}),
    size: 'quick',
    seed,
    signal: run.signal,
    onProgress: ({ fraction, case: name, failure }) => {
      if (failure) run.onFinding({ tier, check: suite, verdict: 'failed', detail: failure });
      onProgress(fraction, name);
    },
  });
}

/** Tests one tier with an engine of its own. Returns its bits if it is exact. */
async function testTier(
  plx: BenchParallax,
  tier: Tier,
  at: number,
  first: ReadonlyMap<string, Bits>,
  run: SelfTestRun,
): Promise<Bits[]> {
  const { exact } = await plx.ready();
  const tell = (from: number, share: number) => (fraction: number, name: string) =>
    run.onProgress((at + from + share * fraction) / tiers.length, `${tier}: ${name}`);
  const accuracy = await rowsOf(plx, tier, 'accuracy', [], run, tell(0, accuracyShare));
  for (const finding of accuracyFindings(tier, accuracy)) run.onFinding(finding);
  run.onFinding(outputsFinding(tier, await trainedOutputs(plx)));
  const cases = bitsCases[run.size];
  const rows = await rowsOf(plx, tier, 'bits', cases, run, tell(accuracyShare, 1 - accuracyShare));
  const found = bitsOf(rows);
  for (const finding of bitsFindings(tier, exact, found, first, run.committed)) {
    run.onFinding(finding);
  }
  return exact ? found : [];
}

/** Tests all tiers, one after the other. Rejects if it is cancelled or an engine is lost. */
export async function selfTest(run: SelfTestRun): Promise<void> {
  const first = new Map<string, Bits>();
  for (const [at, tier] of tiers.entries()) {
    run.onProgress(at / tiers.length, `${tier}: starting`);
    let plx: BenchParallax;
    try {
      plx = await load({ tier, signal: run.signal });
    } catch (error) {
      if (run.signal.aborted) throw error;
      const detail = error instanceof Error ? error.message : String(error);
      run.onFinding({ tier, check: 'start', verdict: 'skipped', detail });
      continue;
    }
    try {
      for (const bits of await testTier(plx, tier, at, first, run)) {
        if (!first.has(bits.case)) first.set(bits.case, bits);
      }
    } finally {
      plx.dispose();
    }
  }
}
