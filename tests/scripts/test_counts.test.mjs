/** When a skipped test fails a run, and that publishing waits for the tests. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import {
  closing,
  countsOfTap,
  failedInTap,
  skippedInTap,
  testsOfCtest,
} from '../../scripts/test_counts.mjs';

const TAP = `TAP version 13
# Subtest: commands
    ok 1 - learns digits # SKIP PARALLAX_DATA is not set
    ok 2 - speaks of PARALLAX_DATA
    1..2
ok 1 - commands
# Subtest: in a browser
ok 2 - in a browser # SKIP no browser
1..2
# tests 2
# suites 2
# pass 1
# fail 0
# cancelled 0
# skipped 1
# todo 0
`;

describe('a skipped test', () => {
  const counts = countsOfTap(TAP);

  it('is counted, like a whole suite, and named with its reason', () => {
    assert.deepEqual(counts, { passed: 1, failed: 0, skipped: 2 });
    assert.deepEqual(skippedInTap(TAP), [
      'learns digits: PARALLAX_DATA is not set',
      'in a browser: no browser',
    ]);
  });

  it('is a failure with --no-skip', () => {
    assert.deepEqual(closing(counts, []), { lines: ['1 passed, 0 failed, 2 skipped'], ok: true });
    assert.deepEqual(closing(counts, ['--no-skip']), {
      lines: ['2 skipped, which --no-skip counts as failed', '1 passed, 2 failed'],
      ok: false,
    });
    assert.ok(closing({ ...counts, skipped: 0 }, ['--no-skip']).ok);
    assert.ok(!closing({ ...counts, passed: 0 }, []).ok, 'a run of nothing');
  });
});

describe('a failed test', () => {
  it('of node:test is named with its error', () => {
    const report = `TAP version 13
# Subtest: sums
    # Subtest: adds
    not ok 1 - adds
      ---
      duration_ms: 2.4
      error: |-
        the sum
        
        2 !== 3
        
      code: 'ERR_ASSERTION'
      ...
    # Subtest: subtracts
    ok 2 - subtracts
      ---
      duration_ms: 0.2
      ...
    1..2
not ok 1 - sums
  ---
  error: '1 subtest failed'
  code: 'ERR_TEST_FAILURE'
  ...
not ok 2 - ends without a word
  ---
  duration_ms: 0.1
  ...
not ok 3 - throws a text
  ---
  error: 'a text'
  ...
1..3
# tests 2
# pass 1
# fail 1
`;
    assert.deepEqual(failedInTap(report), [
      'adds\n    the sum\n    2 !== 3',
      "sums\n    '1 subtest failed'",
      'ends without a word',
      "throws a text\n    'a text'",
    ]);
  });

  it('of ctest is named with what it printed', () => {
    const report = `<testsuite tests="3">
  <testcase name="a:one" classname="a:one" time="0.1" status="run">
    <system-out>a.one 3 checks, 0 failed</system-out>
  </testcase>
  <testcase name="a:two" classname="a:two" time="0.1" status="fail">
    <failure message=""/>
    <system-out>two.c:3: 4 &lt; 3 &amp; &quot;so&quot;
a.two 3 checks, 1 failed
</system-out>
  </testcase>
  <testcase name="a:three" classname="a:three" time="0" status="notrun">
    <skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>
    <system-out>skipped: no data</system-out>
  </testcase>
</testsuite>
`;
    assert.deepEqual(testsOfCtest(report), [
      { name: 'a:one', ended: 'passed' },
      {
        name: 'a:two',
        ended: 'failed',
        problem: 'a:two\n    two.c:3: 4 < 3 & "so"\n    a.two 3 checks, 1 failed',
      },
      { name: 'a:three', ended: 'skipped' },
    ]);
  });
});

describe('the workflows', () => {
  const folder = new URL('../../.github/workflows/', import.meta.url);
  const texts = Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), 'utf8')]),
  );
  const prepare = readFileSync(new URL('../actions/prepare/action.yml', folder), 'utf8');
  /** The jobs of a workflow, as text. */
  const jobsOf = (text) =>
    text
      .slice(text.indexOf('\njobs:'))
      .split(/\n {2}(?=\w+:\n)/)
      .slice(1);
  const publishes = /npm publish|uses: \.\/\.github\/workflows\/pages\.yml|deploy-pages@/;

  it('publish nothing before the tests have passed', () => {
    const called = 'pages.yml';
    assert.match(texts[called], /\non:\n {2}workflow_call:\n(?! )/, 'it runs only when called');
    const found = Object.entries(texts).flatMap(([name, text]) =>
      jobsOf(text)
        .filter((job) => publishes.test(job) && name !== called)
        .map((job) => [name, text, job]),
    );
    assert.deepEqual(found.map(([name]) => name).sort(), ['ci.yml', 'package.yml']);
    for (const [name, text, job] of found) {
      assert.match(job, /\n {4}needs: tests\n/, name);
      assert.match(text, /\n {2}tests:\n {4}uses: \.\/\.github\/workflows\/tests\.yml\n/, name);
    }
  });

  it('skip nothing silently where everything can be installed', () => {
    for (const job of jobsOf(texts['tests.yml']).filter((each) => /scripts\/test/.test(each))) {
      if (!/^macos/.test(job)) assert.match(job, /run: scripts\/test .*--no-skip\n/);
    }
    assert.match(
      readFileSync(new URL('../../.ci/run', import.meta.url), 'utf8'),
      /scripts\/test --no-skip /,
    );
  });

  it('fetch the data and the toolchain before they test', () => {
    for (const [name, text] of Object.entries(texts)) {
      for (const job of jobsOf(text).filter((each) => /run: scripts\/(test|setup)/.test(each))) {
        const [before] = job.split(/run: scripts\/(?:test|setup)/);
        assert.match(before, /uses: \.\/\.github\/actions\/prepare\n/, name);
      }
    }
    assert.match(prepare, /scripts\/fetch_data build\/data\n.*PARALLAX_DATA=/);
  });

  it('pin the actions of others by commit', () => {
    for (const [name, text] of Object.entries({ ...texts, prepare })) {
      for (const [, action] of text.matchAll(/uses: (.*)/g)) {
        if (!action.startsWith('./')) assert.match(action, /@[0-9a-f]{40} # v\d/, name);
      }
    }
  });
});
