/**
 * Asks before the page is left while work would be lost: a run in progress, or results that are
 * neither kept in this browser nor downloaded.
 */
import { type AppState, isTesting } from './state.js';
import type { Store } from './store.js';
import { isTableActive } from './table_state.js';
import { areTwinsActive } from './twins_state.js';

type InProgress = Pick<
  AppState,
  'run' | 'training' | 'profile' | 'peers' | 'ab' | 'table' | 'twins' | 'selfTest'
>;
type Work = InProgress & Pick<AppState, 'browser' | 'earlier' | 'peersResult' | 'saved'>;

/** Whether this browser keeps the run that is shown. */
const isKept = ({ earlier: { current, runs } }: Pick<AppState, 'earlier'>): boolean =>
  runs.some(({ id }) => id === current);

/** The fields that say what is in progress. */
export const workFields = [
  ...(['run', 'training', 'profile', 'peers', 'ab', 'table', 'twins', 'selfTest'] as const),
] as const;

/** What is in progress, as a sentence; undefined if nothing is. */
export function workInProgress(work: InProgress): string | undefined {
  const { run, training, profile, peers, table, twins, selfTest } = work;
  if (run.phase === 'running') return 'A benchmark run is in progress.';
  if (profile.phase === 'running') return 'A profile is being measured.';
  if (peers.phase === 'running') return 'Other libraries are being measured.';
  if (isTesting(work)) return 'An A/B test is in progress.';
  if (selfTest.phase === 'running') return 'The self-test is running.';
  if (isTableActive(table)) return 'A network is learning from your table.';
  if (areTwinsActive(twins)) return 'Two engines are training.';
  switch (training.phase) {
    case 'preparing':
    case 'running':
      return 'A model is being trained.';
    case 'paused':
      return 'A training run is paused.';
    default:
      return undefined;
  }
}

/** What would be lost if the page were left, as a sentence; undefined if nothing would. */
export function workAtStake(work: Work): string | undefined {
  const inProgress = workInProgress(work);
  if (inProgress) return inProgress;
  const { browser, training, table, peersResult, ab, saved } = work;
  if (browser && browser.rows.length > 0 && !isKept(work) && !saved.includes(browser))
    return 'The results of the last run are not kept in this browser, and have not been downloaded.';
  if (training.about && training.step > 0 && !saved.includes(training.about))
    return 'The results of the last training run have not been downloaded.';
  if (peersResult && peersResult.rows.length > 0 && !saved.includes(peersResult))
    return 'The results of other libraries have not been downloaded.';
  if (ab.result && !saved.includes(ab.result))
    return 'The results of the A/B test have not been downloaded.';
  if (table.result && !saved.includes(table.result))
    return 'The network that learnt from your table has not been downloaded.';
  return undefined;
}

/** Makes the browser ask before the page is left, as long as work is at stake. */
export function guardLeaving(store: Store<AppState>): void {
  const ask = (event: BeforeUnloadEvent) => event.preventDefault();
  let asking = false;
  const watched = ['browser', 'earlier', 'peersResult', 'saved', 'leaving'] as const;
  store.watch([...workFields, ...watched], (state) => {
    const ought = !state.leaving && workAtStake(state) !== undefined;
    if (ought === asking) return;
    asking = ought;
    /* Only while needed: a page that listens is not kept for the Back button. */
    if (asking) window.addEventListener('beforeunload', ask);
    else window.removeEventListener('beforeunload', ask);
  });
}
