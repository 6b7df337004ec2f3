/** Measurements as text, for tables and tooltips. */
import { percent, significant } from './format.js';
import type { Measurement, Share } from './rows.js';

/** "1 of 2 threads worked"; undefined if all of them did. */
export function idleThreads({ threads, threadsWorked = threads }: Measurement): string | undefined {
  return threadsWorked < threads ? `${threadsWorked} of ${threads} threads worked` : undefined;
}

/** The median with its interval, or why it is void. */
export function figureText(m: Measurement | undefined): string {
  if (!m) return '–';
  if (m.voided !== undefined) return `void: ${m.voided}`;
  /* A single figure has no interval to show. */
  const interval = m.low < m.high ? ` (${significant(m.low)}–${significant(m.high)})` : '';
  const idle = idleThreads(m);
  return `${significant(m.value)}${interval}${idle ? `, ${idle}` : ''}`;
}

/** A share of what the machine allows, or why there is none. */
export function shareText(share: Share | undefined): string {
  if (!share) return '–';
  return share.failure === undefined ? percent(share.share) : `no share: ${share.failure}`;
}

/** A note on how many shares of a chart were not drawn; none if all were. */
export function undrawn(shares: readonly (Share | undefined)[]): string[] {
  const failed = shares.filter((share) => share?.failure !== undefined).length;
  if (failed === 0) return [];
  return [
    failed === 1
      ? 'One share is invalid and not drawn: the table says why.'
      : `${failed} shares are invalid and not drawn: the table says why.`,
  ];
}
