/** The comparison in words. */

import type { Side } from './compare.js';
import { capital, count, list, percent, times } from './format.js';
import { type Interval, inverse, isNarrow, straddlesOne } from './interval.js';
import { hasInterval, type Moved, type Movement, type Work, works } from './machine_movement.js';
import type { LeftOut, Stopped, Summary, Whole } from './summary.js';

export function intervalText({ low, high }: Interval, show: (value: number) => string): string {
  return `95% CI ${show(low)}–${show(high)}`;
}

const numbers = (all: readonly number[]) => list(all.map(String));
const threadsWord = (all: readonly number[]) =>
  all.length === 1 && all[0] === 1 ? 'thread' : 'threads';

/** Who the sentences are about, unless the results are of another machine. */
const yours = 'your browser';

/** "2 threads", with how many of them did work, if the rows say so. */
function threadsText({ threads, worked }: Summary): string {
  const given = `${numbers(threads)} ${threadsWord(threads)}`;
  const said = [worked.A, worked.B, worked.C].map(numbers);
  if (said.some((each) => each === '')) return given;
  const [best, exact, browser] = said;
  if (best === exact && exact === browser) {
    if (browser === numbers(threads)) return `${given} at work`;
    return `${given}, of which ${browser} worked`;
  }
  const natively = best === exact ? best : `${best} (A) and ${exact} (B)`;
  return `${given}, of which ${natively} worked natively and ${browser} in the browser`;
}

/** Why the ratio of these sides has no interval: "the run was stopped in its first round". */
function stoppedText(all: readonly Stopped[], ...related: readonly Side[]): string | undefined {
  const texts = all
    .filter(({ side }) => related.includes(side))
    .map(({ side, inFirst }) => {
      if (side === 'C') {
        return inFirst
          ? 'the run was stopped in its first round'
          : 'the run was stopped before all cases had their second round';
      }
      /* The command can be asked for one round only, so the run need not have been stopped. */
      return inFirst
        ? `native run ${side} has only one round`
        : `not all cases of native run ${side} have two rounds`;
    });
  return texts.length > 0 ? list(texts) : undefined;
}

/** The figure with its interval: "Your browser reaches 34% of native (95% CI 33%–35%)...". */
export function verdict(summary: Summary, subject = yours): string {
  const share = inverse(summary.whole);
  const interval = intervalText(share, percent);
  const over = `over ${count(summary.cases, 'case')} with ${threadsText(summary)}`;
  const reached = percent(share.value);
  const stopped = stoppedText(summary.stopped, 'C', 'A');
  if (stopped) {
    const where = `${over.charAt(0).toUpperCase()}${over.slice(1)}`;
    return `${where}, ${subject} reaches about ${reached} of native; ${stopped}, so the uncertainty of this figure is not known.`;
  }
  if (!straddlesOne(summary.whole)) {
    return `${capital(subject)} reaches ${reached} of native (${interval}), ${over}.`;
  }
  return isNarrow(summary.whole)
    ? `${capital(subject)} is as fast as native: no difference seen (${reached}, ${interval}), ${over}.`
    : `${capital(subject)} reaches ${reached} of native, and may be as fast: the interval is wide (${interval}), ${over}.`;
}

/** The gap where it cannot be split. */
export function wholeVerdict({ cases, ratio, spread }: Whole, subject = yours): string {
  const share = inverse(ratio);
  const interval = spread ? ` (${intervalText(share, percent)})` : '';
  return (
    `${capital(subject)} reaches ${spread ? '' : 'about '}${percent(share.value)} of native${interval}, over ` +
    `${count(cases, 'case')}. How much of the difference is the instruction set is not known, because no ` +
    'case has valid results of the second native run (B).'
  );
}

/** One of the two factors of the gap. */
export interface Step {
  title: string;
  figure: string;
  interval: string;
  what: string;
}

const untold =
  'It is not clear whether there is a difference: the interval is wide and contains 1.';

function factor(
  title: string,
  ratio: Interval,
  same: string,
  slower: string,
  faster: string,
  stopped: string | undefined,
): Step {
  if (stopped) {
    return {
      title,
      figure: `about ${times(ratio.value)}`,
      interval: 'no interval',
      what: `It is not clear whether there is a difference: ${stopped}.`,
    };
  }
  let what = ratio.value > 1 ? slower : faster;
  if (straddlesOne(ratio)) what = isNarrow(ratio) ? same : untold;
  return { title, figure: times(ratio.value), interval: intervalText(ratio, times), what };
}

/** The gap, split: C/A = B/A × C/B. */
export function steps({ instructions, engine, whole, stopped }: Summary): Step[] {
  return [
    factor(
      'Instruction set, B / A',
      instructions,
      'No difference seen: this machine gains nothing from wider vectors and fused multiply-add.',
      'Slower than native at its best, which has wider vectors and fused multiply-add: this is what WebAssembly’s instruction set costs on this processor.',
      'Faster than native at its best.',
      stoppedText(stopped, 'B', 'A'),
    ),
    factor(
      'Engine, C / B',
      engine,
      'No difference seen: the browser runs these instructions as fast as native code.',
      'Slower than native code with the same vectors: this is what compiling and running in the browser costs.',
      'Faster than 128-bit native code without fused multiply-add; the relaxed tier does fuse.',
      stoppedText(stopped, 'C', 'B'),
    ),
    factor(
      'Together, C / A',
      whole,
      'No difference seen.',
      'Slower in the browser than native at its best.',
      'Faster in the browser than native at its best.',
      stoppedText(stopped, 'C', 'A'),
    ),
  ];
}

/** If the machine's speed changed by more than this share, the runs should be repeated. */
const much = 0.1;

/** Whether the interval shows no difference; false without an interval. */
const isStill = (moved: Moved) => hasInterval(moved) && straddlesOne(moved);

/** "6% slower at arithmetic (4.1%–8.2%)": undefined where no difference is seen. */
function changeText(work: Work, moved: Moved): string | undefined {
  if (isStill(moved)) return undefined;
  if (!hasInterval(moved)) {
    const speed = 1 / moved.value;
    return `about ${percent(Math.abs(speed - 1))} ${speed < 1 ? 'slower' : 'faster'} at ${work}`;
  }
  const { value, low, high } = inverse(moved);
  const [way, near, far] = value < 1 ? ['slower', high, low] : ['faster', low, high];
  const change = (speed: number) => percent(Math.abs(speed - 1));
  return `${change(value)} ${way} at ${work} (${change(near)}–${change(far)})`;
}

function movedText(moved: Movement): string {
  const changes = works.flatMap((work) => changeText(work, moved[work]) ?? []);
  const still = works.filter((work) => isStill(moved[work]));
  if (changes.length === 0) return `kept its speed at ${list(still)}: no difference seen`;
  const rest = still.length > 0 ? `; at ${list(still)} no difference was seen` : '';
  return `became ${list(changes)}${rest}`;
}

const movedMuch = (moved: Movement) =>
  works.some((work) => !isStill(moved[work]) && Math.abs(1 / moved[work].value - 1) > much);

/**
 * How the machine itself changed between the runs, in sentences; empty if it was not measured. here:
 * whether it is this machine, which can be measured again.
 */
export function machineSentences({ movement, roundless, stopped }: Summary, here = true): string[] {
  const { natives, browser } = movement;
  if (roundless.length > 0) return [];
  if (!browser) {
    const unknown =
      'Whether the machine itself became faster or slower since the native run is not known, because one of the runs has no yardstick';
    const wider = 'the same run on another day may differ by more than the interval says';
    return [stopped.length > 0 ? `${unknown}.` : `${unknown}: ${wider}.`];
  }
  const out = [`Since the native run, the machine itself ${movedText(browser)}.`];
  if (natives && works.some((work) => !isStill(natives[work]))) {
    out.push(`Between native runs A and B, it ${movedText(natives)}.`);
  }
  /* If only the ratio of the native runs has an interval, "the intervals" would mislead. */
  if (stopped.length === 0) {
    out.push('The intervals are widened to allow for this.');
  }
  if (here && (movedMuch(browser) || (natives && movedMuch(natives)))) {
    out.push('That is a lot: run scripts/playground again, and then this page right away.');
  }
  return out;
}

/** Reservations about the comparison, as sentences. */
export function reservations({ roundless, assumed }: Summary): string[] {
  const out: string[] = [];
  if (roundless.length > 0) {
    out.push(
      `The results of ${list(roundless)} do not record rounds, so cases are treated as independent, which they are not: the intervals are too narrow. Measure again with this version.`,
    );
  }
  if (assumed.length > 0) {
    out.push(
      `On ${list(assumed)}, the costs of threads were assumed, not measured: plans may have chosen too many threads or too few.`,
    );
  }
  return out;
}

const reasons: Record<LeftOut['why'], string> = {
  void: 'void on at least one side',
  useless: 'the interval reaches 0',
  otherParameters: 'measured natively with different parameters',
  unmeasured: 'not measured on both native sides with the same number of threads',
};

/** How many cases were left out of the comparison and why, as a line. */
export function leftOutText({ why, names }: LeftOut): string {
  return `${count(names.length, 'case')} left out: ${reasons[why]}`;
}
