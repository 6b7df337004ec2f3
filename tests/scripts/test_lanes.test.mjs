/** Which tests run in parallel, and which run at all. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseJobs, tiers } from '../../scripts/test_jobs.mjs';
import { runInLanes } from '../../scripts/test_lanes.mjs';

/** Runs jobs that take this many ticks; resolves to the events, in order. */
async function eventsOf(jobs, lanes) {
  const events = [];
  const made = Object.entries(jobs).map(([name, { ticks = 1, after = [], turn }]) => ({
    name,
    after,
    turn,
    async run() {
      events.push(`+${name}`);
      for (let i = 0; i < ticks; i++) await new Promise(setImmediate);
      events.push(`-${name}`);
    },
  }));
  await runInLanes(made, lanes);
  return events.join(' ');
}

describe('lanes', () => {
  it('take jobs in order, as many at once as there are lanes', async () => {
    const jobs = { a: { ticks: 5 }, b: {}, c: {} };
    assert.equal(await eventsOf(jobs, 2), '+a +b -b +c -c -a');
    assert.equal(await eventsOf(jobs, 1), '+a -a +b -b +c -c');
  });
  it('hold a job until what it waits for has ended, and run others meanwhile', async () => {
    const jobs = { a: { after: ['c'] }, b: { ticks: 3 }, c: {} };
    assert.equal(await eventsOf(jobs, 2), '+b +c -c +a -a -b');
  });
  it('run jobs that take turns one after the other', async () => {
    const jobs = { a: { ticks: 5, turn: 'x' }, b: { turn: 'x' }, c: {} };
    assert.equal(await eventsOf(jobs, 2), '+a +c -c -a +b -b');
  });
  it('refuse what could never end', async () => {
    await assert.rejects(eventsOf({ a: { after: ['b'] } }, 2), /^Error: a: waits for "b", which/);
    const circle = { a: { after: ['b'] }, b: { after: ['a'] } };
    await assert.rejects(eventsOf(circle, 2), /wait for each other: a, b$/);
  });
});

describe('a run', () => {
  const names = (...options) => chooseJobs(options).map(({ name }) => name);

  it('of tiers has their jobs and what these wait for', () => {
    assert.deepEqual(
      new Set(chooseJobs([]).map(({ tier }) => tier)),
      new Set(['builds', ...tiers]),
    );
    for (const tier of tiers) {
      const jobs = chooseJobs([`--${tier}`, '--no-skip']);
      assert.ok(jobs.every((job) => [tier, 'builds'].includes(job.tier)));
      assert.ok(jobs.some((job) => job.tier === tier));
    }
    const all = tiers.flatMap((tier) => names(`--${tier}`));
    assert.deepEqual(new Set(all), new Set(names()), 'all tiers are everything');
    assert.deepEqual(names('--web'), [
      'build of wasm',
      'build of release',
      'package',
      'page',
      'web: page in Chromium',
      'web: page in Firefox',
    ]);
  });
  it('waits for nothing that is not in it', async () => {
    for (const options of [[], ['--quick'], ...tiers.map((tier) => [`--${tier}`])]) {
      const jobs = chooseJobs(options).map((job) => ({ ...job, run() {} }));
      await runInLanes(jobs, 2);
    }
  });
});
