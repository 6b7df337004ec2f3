/** The answer in one sentence, and who it is about. */
import type { Case } from './compare.js';
import { capital, list, percent, significant } from './format.js';
import { type Interval, isNarrow, straddlesOne } from './interval.js';
import type { Measurement } from './rows.js';
import type { Origin } from './shown.js';
import type { Summary, Whole } from './summary.js';
import type { ThreadsGain } from './threads_gain.js';

/** Who reaches something: "your browser", or the browser of another machine. */
export function subjectOf(origin: Origin, browser: Measurement | undefined): string {
  const name = browser?.engine.split(',')[0] || 'the browser';
  switch (origin) {
    case 'own':
      return 'your browser';
    case 'shared':
      return `the browser of the shared result (${name})`;
    case 'reference':
      return `${name} on the reference machine`;
  }
}

const words = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'];
const inWords = (number: number) => words[number] ?? String(number);

/** "; two threads give 1.9 times": nothing if that was not measured. */
function gainText(gain: ThreadsGain | undefined): string {
  if (!gain) return '';
  const threads = `${inWords(gain.threads)} threads`;
  return straddlesOne(gain.gain)
    ? `; ${threads} are no faster than one`
    : `; ${threads} give ${significant(gain.gain.value, 2)} times the speed of one`;
}

/** "; relaxed SIMD is on": nothing if the rows do not say which build ran. */
function relaxedText(browser: Measurement | undefined): string {
  if (!browser?.tier) return '';
  if (browser.tier !== 'relaxed-threads') return '; relaxed SIMD is off';
  return browser.fma ? '; relaxed SIMD is on' : '; relaxed SIMD is on, but does not fuse here';
}

/** What is known besides the ratios. */
export interface Beside {
  gain: ThreadsGain | undefined;
  /** A row of the browser's run. */
  browser: Measurement | undefined;
}

const rest = ({ gain, browser }: Beside) => `${gainText(gain)}${relaxedText(browser)}.`;

/** Whether an interval is so wide that its figure is only rough. */
const isWide = ({ low, high }: Interval) => high / low > 1.5;

/** The answer where all three sides were measured. */
export function answerOf(summary: Summary, subject: string, beside: Beside): string {
  const { whole, engine, stopped } = summary;
  const wide = stopped.length === 0 && (isWide(whole) || isWide(engine));
  const about = stopped.length > 0 || wide ? 'about ' : '';
  const same = stopped.length === 0 && straddlesOne(whole) && isNarrow(whole);
  const reach = same
    ? 'is as fast as the same code native'
    : `reaches ${about}${percent(1 / whole.value)} of the same code native`;
  const alike = stopped.length === 0 && straddlesOne(engine) && isNarrow(engine);
  const held = alike
    ? 'and is as fast as native at 128 bits'
    : `${about}${percent(1 / engine.value)} of native at 128 bits`;
  const warning = wide ? ' These figures are rough: their intervals are wide.' : '';
  return `${capital(subject)} ${reach}, ${held}${rest(beside)}${warning}`;
}

/** The answer where only one native run is there. */
export function wholeAnswer({ ratio, spread }: Whole, subject: string, beside: Beside): string {
  const about = spread ? '' : 'about ';
  return `${capital(subject)} reaches ${about}${percent(1 / ratio.value)} of the same code native${rest(beside)}`;
}

/** The answer without native results: only how the browser compares with the reference's. */
export function aloneAnswer(
  speed: { ratio: number; cases: number } | undefined,
  reference: string,
  beside: Beside,
): string {
  const compared = speed
    ? `Your browser is ${significant(speed.ratio, 2)} times as fast as ${reference}`
    : 'Your browser has been measured';
  return `${compared}${rest(beside)} How far that is from native on this machine is not known yet.`;
}

/** The machine of these cases: "AMD EPYC". */
export function machineOf(cases: readonly Case[]): string {
  const all = cases.flatMap(({ A, B, C }) => C ?? A ?? B ?? []);
  return list([...new Set(all.map(({ machine }) => machine))]);
}
