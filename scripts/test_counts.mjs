// Sums up a run of the tests.

export const noCounts = () => ({ passed: 0, failed: 0, skipped: 0 });

export function addCounts(to, counts) {
  for (const key of Object.keys(counts)) to[key] += counts[key];
}

/** "3 passed, 0 failed", and how many were skipped, if any were. */
export function sentence({ passed, failed, skipped }) {
  const rest = skipped > 0 ? `, ${skipped} skipped` : '';
  return `${passed} passed, ${failed} failed${rest}`;
}

const SKIPPED = /^ *ok \d+ - (.*) # SKIP(.*)$/gm;

/** The skipped tests in a TAP report of node:test, each with its reason. */
export function skippedInTap(text) {
  return [...text.matchAll(SKIPPED)].map(([, name, why]) => `${name}: ${why.trim()}`);
}

/**
 * The counts of such a report. Its own count of skipped tests omits suites that were skipped as a
 * whole.
 */
export function countsOfTap(text) {
  const count = (name) => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  return {
    passed: count('pass'),
    failed: count('fail') + count('cancelled'),
    skipped: skippedInTap(text).length + count('todo'),
  };
}

/** The final lines, and whether all is well; with --no-skip a skipped test is a failure. */
export function closing(counts, options) {
  const refused = options.includes('--no-skip') ? counts.skipped : 0;
  const failed = counts.failed + refused;
  const lines = refused > 0 ? [`${refused} skipped, which --no-skip counts as failed`] : [];
  lines.push(sentence({ ...counts, failed, skipped: counts.skipped - refused }));
  return { lines, ok: failed === 0 && counts.passed > 0 };
}
