/** Which work would be lost if the page were left. */
import { expect, test } from '@playwright/test';
import { workAtStake, workInProgress } from '../../../web/src/leave_guard.js';
import { idleSelfTest } from '../../../web/src/self_test_state.js';
import { type AppState, idleTraining, type TrainingState } from '../../../web/src/state.js';
import { emptyTable } from '../../../web/src/table_state.js';
import { idleTwins } from '../../../web/src/twins_state.js';

const idle = {
  run: { phase: 'idle' },
  training: idleTraining,
  profile: { phase: 'idle' },
  peers: { phase: 'idle' },
  peersResult: undefined,
  ab: { phase: 'idle' },
  table: emptyTable,
  twins: idleTwins,
  selfTest: idleSelfTest,
  browser: undefined,
  earlier: { phase: 'ready', runs: [], unreadable: 0 },
  saved: [],
} as unknown as AppState;
const rows = { name: 'this browser', rows: [{}], measurements: [] } as unknown as NonNullable<
  AppState['browser']
>;
/** Earlier runs, of which the one called now is shown. */
const kept = (...ids: string[]) =>
  ({
    phase: 'ready',
    runs: ids.map((id) => ({ id })),
    unreadable: 0,
    current: 'now',
  }) as unknown as AppState['earlier'];
const noRows = { ...rows, rows: [] };
const beside = { rows: [{}] } as unknown as NonNullable<AppState['peersResult']>;
const measuring = { phase: 'running', progress: { what: '', fraction: 0 } } as const;
const about = { task: 'mnist' } as TrainingState['about'];
const trained = (change: object) => ({
  training: { ...idleTraining, about, step: 20, phase: 'done', ...change } as TrainingState,
});

const tested = { phase: 'done', result: {} } as AppState['ab'];
const learnt = { ...emptyTable, phase: 'done', result: {} } as AppState['table'];

const cases: [string, Partial<AppState>, 'in progress' | 'not saved' | 'nothing', RegExp?][] = [
  ['nothing was done', {}, 'nothing'],
  ['a run', { run: { phase: 'running' } }, 'in progress', /benchmark run/],
  ['a profile', { profile: { phase: 'running' } }, 'in progress', /profile/],
  ['what an A/B test found', { ab: tested }, 'not saved', /A\/B test/],
  ['the same A/B test, downloaded', { ab: tested, saved: [tested.result!] }, 'nothing'],
  ['an A/B test', { ab: { phase: 'starting' } }, 'in progress', /A\/B test/],
  [
    'training that begins',
    trained({ phase: 'preparing', step: 0 }),
    'in progress',
    /being trained/,
  ],
  ['training', trained({ phase: 'running' }), 'in progress', /being trained/],
  ['paused training', trained({ phase: 'paused' }), 'in progress', /paused/],
  ['rows', { browser: rows }, 'not saved', /last run/],
  ['rows that were downloaded', { browser: rows, saved: [rows] }, 'nothing'],
  ['rows that are kept', { browser: rows, earlier: kept('now', 'before') }, 'nothing'],
  ['rows that were removed', { browser: rows, earlier: kept('before') }, 'not saved', /not kept/],
  ['newer rows than those downloaded', { browser: { ...rows }, saved: [rows] }, 'not saved'],
  ['a run without rows', { browser: noRows, run: { phase: 'done', milliseconds: 1 } }, 'nothing'],
  ['a trained model', trained({}), 'not saved', /training run/],
  ['a stopped model', trained({ phase: 'stopped' }), 'not saved', /training run/],
  ['a run that diverged', trained({ phase: 'failed' }), 'not saved', /training run/],
  ['a run that failed at once', trained({ phase: 'failed', step: 0 }), 'nothing'],
  ['a model that was downloaded', { ...trained({}), saved: [about!] }, 'nothing'],
  ['a self-test', { selfTest: { ...idleSelfTest, phase: 'running' } }, 'in progress', /self-test/],
  ['two engines', { twins: { ...idleTwins, phase: 'paused' } }, 'in progress', /Two engines/],
  ['a table', { table: { ...emptyTable, phase: 'running' } }, 'in progress', /your table/],
  ['a table that is only read', { table: { ...emptyTable, phase: 'ready' } }, 'nothing'],
  ['what a table taught', { table: learnt }, 'not saved', /your table has not been downloaded/],
  ['the same, downloaded', { table: learnt, saved: [learnt.result!] }, 'nothing'],
  ['a finished profile', { profile: { phase: 'done' } }, 'nothing'],
  ['libraries', { peers: measuring }, 'in progress', /Other libraries/],
  ['their rows', { peersResult: beside }, 'not saved', /of other libraries/],
  ['their rows that were downloaded', { peersResult: beside, saved: [beside] }, 'nothing'],
];
for (const [name, change, stake, sentence] of cases) {
  test(`${name}: ${stake}`, () => {
    const state = { ...idle, ...change };
    expect(workInProgress(state) !== undefined).toBe(stake === 'in progress');
    expect(workAtStake(state) !== undefined).toBe(stake !== 'nothing');
    if (sentence) expect(workAtStake(state)).toMatch(sentence);
  });
}
