/** This browser beside everything else, on rows whose truth is known. */
import { expect, test } from '@playwright/test';
import { againstAll, againstChart } from '../../../web/src/against.js';
import type { AppState } from '../../../web/src/state.js';
import { type Change, type Given, measure, stateWith } from './sample_rows.js';

const rounds = (median: number) => [0.98, 0.99, 1, 1.01, 1.02, 1].map((each) => each * median);
const run = (median: number, change: Change = {}) =>
  measure({ median, rounds: rounds(median), costs: 'measured', ...change });

function stateOf(given: Partial<Given>, earlier: readonly ReturnType<typeof run>[] = []): AppState {
  const state = stateWith({ native: [], browser: [], others: [], alone: false, ...given });
  const compared = earlier.map((measurements, i) => ({
    ...{ id: String(i), name: `run of day ${i + 1}`, rows: [], measurements },
  }));
  return { ...state, compared };
}

const outcomes = (state: AppState) =>
  againstChart(againstAll(state))?.table.rows.map(({ cells }) => [cells[0], cells[3]]);

test('native, earlier runs and files are each a win, a loss or no difference', () => {
  const state = stateOf(
    {
      native: run(50, { kind: 'native' }),
      browser: run(100),
      others: run(100).map((measurement) => ({ file: 'other.jsonl', measurement })),
    },
    [run(150), run(80)],
  );
  expect(outcomes(state)).toEqual([
    ['A: native at its best', 'loss'],
    [expect.stringMatching(/^1: .*\(run of day 1\)$/), 'win'],
    [expect.stringMatching(/^2: .*\(run of day 2\)$/), 'loss'],
    [expect.stringMatching(/^3: .*\(other\.jsonl\)$/), 'no difference'],
  ]);
  const { all } = againstAll(state);
  expect(all[1]?.speed.value).toBeCloseTo(1.5, 6);
});

test('rates count like times', () => {
  const rate = { better: 'higher', unit: 'GFLOP/s' };
  const state = stateOf({ browser: run(100, rate) }, [run(50, rate)]);
  expect(againstAll(state).all[0]?.speed.value).toBeCloseTo(2, 6);
});

test('what has no case in common is named, not drawn', () => {
  const state = stateOf({ browser: run(100) }, [run(100, { threads: 1 }), run(100)]);
  const against = againstAll(state);
  expect(against.all).toHaveLength(1);
  expect(against.without).toEqual([expect.stringContaining('run of day 1')]);
  expect(againstChart(against)?.notes.join()).toMatch(/Not drawn.*run of day 1/);
});

test('a run of one round has no outcome', () => {
  const state = stateOf({ browser: run(100) }, [measure({ median: 50, costs: 'measured' })]);
  expect(outcomes(state)?.[0]?.[1]).toBe('not known: no interval');
});

test('a wide interval does not show that there is no difference', () => {
  const wild = { rounds: [60, 150, 90, 170, 70, 120] };
  const state = stateOf({ browser: run(100, wild) }, [run(100)]);
  expect(outcomes(state)?.[0]?.[1]).toBe('no difference seen, but the interval is wide');
});

test('nothing is compared before this browser was measured', () => {
  const state = stateOf({ native: run(50, { kind: 'native' }) }, [run(100)]);
  expect(againstChart(againstAll(state))).toBeUndefined();
});
