/** What to do about each thing that the engine had to give up. */
import type { Downgrade, EngineInfo } from 'parallax-nn/bench';

/** What a reason contains, and what helps. */
const remedies: readonly (readonly [RegExp, string])[] = [
  [
    /not cross-origin isolated/,
    'Enable threads with the button below, if there is one, or open the page through scripts/playground, which sends both headers.',
  ],
  [
    /no SharedArrayBuffer|no WebAssembly (threads|SIMD)/,
    'Update the browser, or open this page in a current Chrome, Edge, Firefox or Safari.',
  ],
  [
    /reproducible rules out/,
    'This was asked for. Choose another engine among the options to allow faster ones.',
  ],
  [/has no relaxed/, 'Update the browser, or open this page in one of those named.'],
  [
    /is wrong here/,
    'Update the browser: this is a fault of its compiler, which the engine avoids.',
  ],
  [/shared memory/, 'Close other tabs and programs that use much memory, then reload the page.'],
  [
    /no more workers|did not start/,
    'Reload the page. If it stays so, close other tabs, or choose fewer threads among the options.',
  ],
  [
    /tier simd has one thread|at most \d+ threads/,
    'Choose another engine, or fewer threads, among the options.',
  ],
];

/** What to do about one downgrade. */
export function remedyOf({ reason }: Pick<Downgrade, 'reason'>): string {
  const found = remedies.find(([pattern]) => pattern.test(reason));
  return found?.[1] ?? 'Reload the page, or try a current version of another browser.';
}

export interface Advice {
  /** What is missing, and why. */
  problem: string;
  remedy: string;
}

/** Groups downgrades by reason, so that each reason is stated once. */
function downgrades(all: readonly Downgrade[]): Advice[] {
  const byReason = new Map<string, Downgrade[]>();
  for (const each of all) {
    byReason.set(each.reason, [...(byReason.get(each.reason) ?? []), each]);
  }
  return [...byReason].map(([reason, each]) => ({
    problem: `${each.map(({ wanted }) => wanted).join(' and ')} → ${each[0]?.got}: ${reason}.`,
    remedy: remedyOf({ reason }),
  }));
}

/** Everything that keeps this engine from its best, with what to do about it. */
export function adviceFor(info: EngineInfo): Advice[] {
  const advice = downgrades(info.downgrades);
  if (info.threads > 1 && !info.costsMeasured) {
    advice.push({
      problem:
        'The threads started too late for their cost to be measured; it is assumed until a later plan measures it.',
      remedy: 'Close what else is busy on this machine, and reload the page.',
    });
  }
  if (info.isaNote) {
    advice.push({
      problem: `${info.isa}: ${info.isaNote}.`,
      remedy: 'Update the browser, or compare with a current version of another one.',
    });
  }
  return advice;
}
