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

/** The failed tests in such a report, each with its error, if it has one. */
export function failedInTap(text) {
  return text
    .split(/^(?= *(?:not )?ok \d+ - )/m)
    .map((part) => /^ *not ok \d+ - (.*)\n([\s\S]*)/.exec(part))
    .filter(Boolean)
    .map(([, name, details]) => {
      const [, error = ''] =
        /^ +error: (?:\|-\n)?([\s\S]*?)(?:^ +code:|^ *\.\.\.$)/m.exec(details) ?? [];
      return withDetail(name, error);
    });
}

const DETAIL = 12;

/** A name, and below it the last lines of what the test printed. */
export function withDetail(name, printed) {
  const lines = printed.split('\n').filter((line) => line.trim());
  return [name, ...lines.slice(-DETAIL).map((line) => `    ${line.trim()}`)].join('\n');
}

const entities = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

/** The tests of ctest's report, an XML file: how each ended, and the failed with what they printed. */
export function testsOfCtest(text) {
  const cases = /<testcase name="([^"]*)"[^>]*? status="(\w+)">([\s\S]*?)<\/testcase>/g;
  return [...text.matchAll(cases)].map(([, name, status, body]) => {
    if (status === 'run') return { name, ended: 'passed' };
    // A missing program is "notrun" as well, but not skipped.
    if (body.includes('SKIP_REGULAR_EXPRESSION_MATCHED')) return { name, ended: 'skipped' };
    const printed = /<system-out>([\s\S]*?)<\/system-out>/.exec(body)?.[1] ?? '';
    const plain = printed.replace(/&(\w+);/g, (whole, entity) => entities[entity] ?? whole);
    return { name, ended: 'failed', problem: withDetail(name, plain) };
  });
}

/**
 * The counts of such a report of node:test. Its own count of skipped tests omits suites that were
 * skipped as a whole.
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
