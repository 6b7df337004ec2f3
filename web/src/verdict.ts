/** The comparison in words. */
import type { Summary } from './compare.js';
import { count, list, percent, times } from './format.js';
import { type Interval, straddlesOne } from './interval.js';

/** A ratio of times as a share of speed. */
function inverse({ value, low, high }: Interval): Interval {
  return { value: 1 / value, low: 1 / high, high: 1 / low };
}

export function intervalText({ low, high }: Interval, show: (value: number) => string): string {
  return `95% CI ${show(low)}–${show(high)}`;
}

/** The top line: "Your browser reaches 34% of native (95% CI 33%–35%)...". */
export function verdict(summary: Summary): string {
  const share = inverse(summary.whole);
  const interval = intervalText(share, percent);
  const threads = `${list(summary.threads.map(String))} ${
    summary.threads.length === 1 && summary.threads[0] === 1 ? 'thread' : 'threads'
  }`;
  const over = `over ${count(summary.cases, 'case')} with ${threads}`;
  return straddlesOne(summary.whole)
    ? `Your browser is as fast as native: no difference seen (${percent(share.value)}, ${interval}), ${over}.`
    : `Your browser reaches ${percent(share.value)} of native (${interval}), ${over}.`;
}

/** One of the two factors of the gap. */
export interface Step {
  title: string;
  figure: string;
  interval: string;
  what: string;
}

function factor(
  title: string,
  ratio: Interval,
  same: string,
  slower: string,
  faster: string,
): Step {
  let what = ratio.value > 1 ? slower : faster;
  if (straddlesOne(ratio)) what = same;
  return { title, figure: times(ratio.value), interval: intervalText(ratio, times), what };
}

/** The gap, split: C/A = B/A × C/B. */
export function steps({ instructions, engine, whole }: Summary): Step[] {
  return [
    factor(
      'Instruction set, B / A',
      instructions,
      'No difference seen: this machine gains nothing from wider vectors and fused multiply-add.',
      'Longer than native at its best, for want of wide vectors and fused multiply-add: WebAssembly’s instruction set costs this much on this processor.',
      'Shorter than native at its best.',
    ),
    factor(
      'Engine, C / B',
      engine,
      'No difference seen: the browser runs these instructions as fast as native code.',
      'Longer than native code with the same vectors: what compiling and running in the browser costs.',
      'Shorter than native code of 128 bits without fused multiply-add; the relaxed tier does fuse.',
    ),
    factor(
      'Together, C / A',
      whole,
      'No difference seen.',
      'Longer in this browser than natively at its best.',
      'Shorter in this browser than natively.',
    ),
  ];
}

/** What the summary leaves out, as sentences. */
export function leftOut({ voided, unpaired }: Summary): string[] {
  const out: string[] = [];
  if (voided > 0) out.push(`${count(voided, 'case')} left out as void.`);
  if (unpaired > 0) {
    out.push(
      `${count(unpaired, 'case')} left out: not measured natively with the same number of threads.`,
    );
  }
  return out;
}
