// What a run of the tests comes to. Of those skipped, lacksData counts the ones that only lack real data.

const SKIPPED = /^ *ok \d+ - (.*) # SKIP(.*)$/gm;

/** The skipped tests of a report of node:test in TAP, each with its reason. */
export function skippedInTap(text) {
  return [...text.matchAll(SKIPPED)].map(([, name, why]) => `${name}: ${why.trim()}`);
}

/** Counts of such a report. Its own count of skipped tests leaves out suites that were skipped as a whole. */
export function countsOfTap(text) {
  const count = (name) => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  const skipped = skippedInTap(text);
  return {
    passed: count('pass'),
    failed: count('fail') + count('cancelled'),
    skipped: skipped.length + count('todo'),
    lacksData: skipped.filter((line) => /\bPARALLAX_DATA\b/.test(line)).length,
  };
}

/**
 * The last lines, and whether all is well. A skipped test is a failure with --no-skip; with
 * --no-skip-but-data, unless it lacks data.
 */
export function closing({ passed, failed, skipped, lacksData }, options) {
  const strict = ['--no-skip', '--no-skip-but-data'].find((option) => options.includes(option));
  const excused = { '--no-skip': 0, '--no-skip-but-data': lacksData }[strict] ?? skipped;
  const refused = skipped - excused;
  const lines = refused > 0 ? [`${refused} skipped, which ${strict} counts as failed`] : [];
  const rest = excused > 0 ? `, ${excused} skipped` : '';
  lines.push(`${passed} passed, ${failed + refused} failed${rest}`);
  return { lines, ok: failed + refused === 0 && passed > 0 };
}
