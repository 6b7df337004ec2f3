/** When a skipped test fails a run, and that publishing waits for the tests. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { closing, countsOfTap, skippedInTap } from '../../scripts/test_counts.mjs';

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
