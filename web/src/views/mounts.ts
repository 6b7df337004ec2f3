/** Creates the contents of each view when it is first entered; its code is loaded then. */
import type { Actions } from '../actions.js';
import { byId } from '../dom.js';
import type { ViewName } from '../route.js';
import type { AppState } from '../state.js';
import type { Store } from '../store.js';
import { mountControls } from './controls_panel.js';
import { mountEngine } from './engine_panel.js';
import { mountHeadline } from './headline.js';
import { mountNative } from './native_panel.js';
import { mountSharing } from './sharing.js';
import { mountSuites } from './suites_panel.js';
import { explain } from './terms.js';

const box = (id: string) => byId(id, HTMLElement);

type Mount = (store: Store<AppState>, actions: Actions) => Promise<void>;

const mounts: Record<ViewName, Mount> = {
  async start(store, actions) {
    mountControls(box('controls'), store, actions);
    mountHeadline(box('headline'), store, actions);
    mountSharing(box('sharing'), store, actions);
    mountEngine(box('engine'), store, actions);
    mountSuites(box('answer-chart'), box('suites'), store);
    mountNative(box('native'), store);
    explain(box('hero'));
  },
  async suite(store, actions) {
    const { mountSuite } = await import('./suite_view.js');
    mountSuite(box('view-suite'), store, actions);
  },
  async train(store, actions) {
    const { mountTraining } = await import('./training_panel.js');
    mountTraining(box('trainer'), store, actions);
    explain(box('view-train'));
  },
  async table(store, actions) {
    const [{ mountTable }, trainer] = await Promise.all([
      import('./table_view.js'),
      actions.table(),
    ]);
    mountTable(box('table'), store, actions, trainer);
    explain(box('view-table'));
  },
  async twins(store, actions) {
    const [{ mountTwins }, trainer] = await Promise.all([
      import('./twins_view.js'),
      actions.twins(),
    ]);
    mountTwins(box('twins'), store, actions, trainer);
    explain(box('view-twins'));
  },
  async 'self-test'(store, actions) {
    const [{ mountSelfTest }, test] = await Promise.all([
      import('./self_test_view.js'),
      actions.selfTest(),
    ]);
    mountSelfTest(box('self-test'), store, actions, test);
    explain(box('view-self-test'));
  },
  async profile(store, actions) {
    const [{ mountProfile }, { mountStartUp }] = await Promise.all([
      import('./profile_panel.js'),
      import('./start_up_view.js'),
    ]);
    mountProfile(box('profiler'), store, actions);
    mountStartUp(box('start-up'), store);
    explain(box('view-profile'));
  },
  async peers(store, actions) {
    const { mountPeers } = await import('./peers_panel.js');
    mountPeers(box('peers'), box('peers-result'), store, actions);
    explain(box('view-peers'));
  },
  async compare(store, actions) {
    const [{ mountAgainst }, { mountEarlier }, { mountAb }] = await Promise.all([
      import('./against_panel.js'),
      import('./earlier_panel.js'),
      import('./ab_panel.js'),
    ]);
    mountAgainst(box('against'), store);
    mountEarlier(box('earlier'), store, actions.earlier);
    mountAb(box('ab'), store, actions);
  },
  async files(store, actions) {
    const { mountExchange } = await import('./exchange_panel.js');
    mountExchange(box('exchange'), store, actions);
    explain(box('view-files'));
  },
  async method() {
    explain(box('view-method'));
  },
  async glossary() {
    const { mountGlossary } = await import('./glossary_view.js');
    mountGlossary(box('glossary'));
  },
};

/** Returns a function that creates the contents of a view; once, however often it is called. */
export function createMount(
  store: Store<AppState>,
  actions: Actions,
): (view: ViewName) => Promise<void> {
  const mounted = new Map<ViewName, Promise<void>>();
  return (view) => {
    const found = mounted.get(view) ?? mounts[view](store, actions);
    mounted.set(view, found);
    return found;
  };
}
