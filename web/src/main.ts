/** The page: its state, its actions, and the views that show the one and call the other. */
import { createActions } from './actions.js';
import { byId } from './dom.js';
import { keepEstimate } from './estimate.js';
import { createRuntime } from './runtime.js';
import { type AppState, idleTraining } from './state.js';
import { createStore } from './store.js';
import { mountTheme } from './theme.js';
import { readRun } from './url_state.js';
import { mountCharts } from './views/charts_panel.js';
import { mountControls } from './views/controls_panel.js';
import { mountEngine } from './views/engine_panel.js';
import { mountExchange } from './views/exchange_panel.js';
import { mountHeadline } from './views/headline.js';
import { mountNotices } from './views/notices.js';
import { mountProfile } from './views/profile_panel.js';
import { mountTraining } from './views/training_panel.js';

const store = createStore<AppState>({
  options: readRun(location.search),
  suites: [],
  engine: { phase: 'starting' },
  estimate: { phase: 'waiting' },
  run: { phase: 'idle' },
  dropped: [],
  hidden: false,
  browser: undefined,
  native: { phase: 'loading' },
  files: [],
  fileErrors: [],
  mnist: { phase: 'looking' },
  tasks: [],
  optimizers: [],
  training: idleTraining,
  models: [],
  profile: { phase: 'idle' },
  trainingFiles: {},
  trainingFileError: undefined,
  theme: 0,
});
const runtime = createRuntime(store);
/* Before the views, so that the engine loads while they are created. */
const started = runtime.engine();
const actions = createActions(store, runtime);
keepEstimate(store, runtime);

mountTheme(byId('theme', HTMLButtonElement), () => store.set({ theme: store.get().theme + 1 }));
mountNotices(byId('notices', HTMLElement), store);
mountControls(byId('controls', HTMLElement), store, actions);
mountEngine(byId('engine', HTMLElement), store, actions);
mountHeadline(byId('headline', HTMLElement), store, actions);
mountCharts(byId('charts', HTMLElement), store);
mountTraining(byId('trainer', HTMLElement), store, actions);
mountProfile(byId('profiler', HTMLElement), store, actions);
mountExchange(byId('exchange', HTMLElement), store, actions);

void started
  /* The engine panel shows why it did not start. */
  .catch(() => undefined)
  .then(() => Promise.all([actions.loadNative(), actions.loadImages()]));
