/** Formatting of numbers for people to read. */

/** Three significant digits, without an exponent unless very small or large: "0.0123", "1,230". */
export function significant(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'not a number' : 'infinite';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e9) return value.toExponential(digits - 1);
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
  return Number(value.toPrecision(digits)).toLocaleString('en', {
    maximumFractionDigits: decimals,
  });
}

/** A share as a percentage, "71%", with one decimal below 10%. */
export function percent(share: number): string {
  const value = share * 100;
  return `${Math.abs(value) < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en')}%`;
}

/** A ratio, "2.94×". */
export function times(ratio: number): string {
  return `${significant(ratio)}×`;
}

/** Remaining time: "about 40 s", "about 2 min". */
export function timeLeft(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 1) return 'a moment';
  if (seconds < 10) return `about ${Math.ceil(seconds)} s`;
  if (seconds < 90) return `about ${Math.ceil(seconds / 5) * 5} s`;
  return `about ${Math.round(seconds / 60)} min`;
}

/** Expected time: "about 90 seconds", "about 12 minutes". */
export function expected(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `about ${count(Math.max(1, Math.ceil(seconds)), 'second')}`;
  if (seconds < 97.5) return `about ${Math.round(seconds / 5) * 5} seconds`;
  const minutes = seconds / 60;
  if (minutes < 90) return `about ${Math.round(minutes)} minutes`;
  return `about ${significant(minutes / 60, 2)} hours`;
}

/** Elapsed time: "12.3 s", "2 min 5 s". */
export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** What is said of a run that took much longer than was expected; a sentence after another. */
export function lateText(milliseconds: number, estimated: number | undefined): string {
  if (estimated === undefined || milliseconds < 1.5 * estimated) return '';
  return ` The estimate, ${expected(estimated)}, is for a machine that does nothing else.`;
}

/** "1 row", "2 rows". */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`;
}

/** "a", "a and b", "a, b and c". */
export function list(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** The same with a capital letter at its beginning. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The message of an error. */
export function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
