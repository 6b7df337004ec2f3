/** The page: its state, its actions, and the views that show the one and call the other. */
import { createActions } from './actions.js';
import { byId } from './dom.js';
import { keepEstimate } from './estimate.js';
import { keepFrames } from './frames.js';
import { guardLeaving } from './leave_guard.js';
import { keepMinute } from './minute.js';
import { readRoute } from './route.js';
import { startRouter } from './router.js';
import { createRuntime } from './runtime.js';
import { idleSelfTest } from './self_test_state.js';
import { startSiteWorker, unknownSite } from './service_worker_client.js';
import { type AppState, idleTraining } from './state.js';
import { createStore } from './store.js';
import { emptyTable } from './table_state.js';
import { mountTheme } from './theme.js';
import { idleTwins } from './twins_state.js';
import { misread, readForm, readRun } from './url_state.js';
import { createMount } from './views/mounts.js';
import { mountNotices } from './views/notices.js';
import { mountSite } from './views/site_notices.js';

const store = createStore<AppState>({
  route: readRoute(location.search),
  options: readRun(location.search),
  form: readForm(location.search),
  misread: misread(location.search),
  suites: [],
  minute: 'unknown',
  engine: { phase: 'starting' },
  estimate: { phase: 'waiting' },
  run: { phase: 'idle' },
  dropped: [],
  voided: undefined,
  browser: undefined,
  native: { phase: 'loading' },
  reference: { phase: 'loading' },
  shared: { phase: 'absent' },
  files: [],
  earlier: { phase: 'unread', runs: [], unreadable: 0 },
  compared: [],
  ab: { phase: 'idle' },
  fileErrors: [],
  mnist: { phase: 'loading' },
  tasks: [],
  optimizers: [],
  training: idleTraining,
  reading: { phase: 'none' },
  writing: { phase: 'none' },
  table: emptyTable,
  frames: undefined,
  twins: idleTwins,
  selfTest: idleSelfTest,
  models: [],
  profile: { phase: 'idle' },
  peers: { phase: 'idle' },
  peersResult: undefined,
  trainingFiles: {},
  trainingFileError: undefined,
  theme: 0,
  site: unknownSite,
  saved: [],
  leaving: false,
});
const runtime = createRuntime(store);
/* Before the views, so that the engine loads while they are created. */
const started = runtime.engine();
const actions = createActions(store, runtime, startSiteWorker(store, started));
keepMinute(store, runtime);
keepEstimate(store, runtime);
guardLeaving(store);
keepFrames(store);

mountTheme(byId('theme', HTMLButtonElement), () => store.set({ theme: store.get().theme + 1 }));
mountNotices(byId('notices', HTMLElement), store);
mountSite(byId('site', HTMLElement), byId('offline', HTMLElement), store, actions);
startRouter(store, createMount(store, actions));
void actions.loadShared();
/* Otherwise the list is read when it is looked at. */
if (store.get().form.with) void actions.earlier.load();
addEventListener('hashchange', () => void actions.loadShared());
/* Drawn before the engine has started. */
const reference = actions.loadReference();

/* What follows the answer is shown when it has its place. */
document.body.classList.add('starting');
void started
  /* The engine panel shows why it did not start. */
  .catch(() => undefined)
  .then(() => Promise.all([actions.loadNative(), reference]))
  .then(() => document.body.classList.remove('starting'));
