/** Navigation: links and the Back button change the view without loading the page again. */
import { byId } from './dom.js';
import { type Route, readRoute, routeText, type ViewName, viewNames } from './route.js';
import { sharedHash } from './share.js';
import type { AppState } from './state.js';
import type { Store } from './store.js';
import { writeAddress } from './url_state.js';

const titles: Record<ViewName, string> = {
  start: 'Parallax: native and browser, one core',
  suite: 'Suite',
  train: 'Train a model here',
  table: 'Learn from your own table',
  twins: 'Two engines side by side',
  'self-test': 'Self-test',
  profile: 'Where the time goes',
  peers: 'Beside other libraries',
  compare: 'Compare',
  files: 'Results and data',
  method: 'Method',
  glossary: 'Glossary',
};

function titleOf({ view, suite }: Route): string {
  if (view === 'start') return titles.start;
  return `${suite ?? titles[view]} · Parallax`;
}

/** A shared result stays in the address; other parts behind "#" are places in one view. */
const keptHash = () => (location.hash.startsWith(sharedHash) ? location.hash : '');

/** The address that the state stands for. */
export const addressOf = ({ options, route, form }: Pick<AppState, 'options' | 'route' | 'form'>) =>
  `${location.pathname}${writeAddress(options, route, form)}${keptHash()}`;

/** The views that a link of the page's own navigation leads to only by way of another view. */
const within: Partial<Record<ViewName, ViewName>> = { table: 'train', twins: 'train' };

/** Shows the section of the view, and marks its link, or that of the view that it belongs to. */
function show({ view }: Route): void {
  for (const name of viewNames) byId(`view-${name}`, HTMLElement).hidden = name !== view;
  for (const link of document.querySelectorAll<HTMLAnchorElement>('nav.views a')) {
    const to = readRoute(new URL(link.href).search).view;
    if (to === view) link.setAttribute('aria-current', 'page');
    else if (to === within[view]) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
  }
}

/** The element that a new view begins with, which gets the focus. */
function heading({ view, part }: Route): HTMLElement | null {
  const entry = view === 'glossary' && part ? document.getElementById(`term-${part}`) : null;
  return entry ?? document.querySelector<HTMLElement>(`#view-${view} h1`);
}

/** Whether only the part of a suite changed, which leaves the reader where he is. */
const isSamePlace = (a: Route, b: Route) =>
  a.view === b.view && a.suite === b.suite && a.view === 'suite';

/** The link that a plain click would follow within this page; undefined if it leads elsewhere. */
function innerLink(event: MouseEvent): HTMLAnchorElement | undefined {
  const plain =
    event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  const href = link?.getAttribute('href') ?? '';
  return plain && link && (href.startsWith('?') || href === './') ? link : undefined;
}

/**
 * Follows the address. mount: creates the contents of a view, once; the view is entered when it has
 * settled.
 */
export function startRouter(
  store: Store<AppState>,
  mount: (view: ViewName) => Promise<void>,
): void {
  let last = store.get().route;
  async function enter(route: Route, scroll: boolean): Promise<void> {
    document.title = titleOf(route);
    show(route);
    const before = last;
    last = route;
    await mount(route.view);
    if (store.get().route !== route || isSamePlace(before, route)) return;
    const target = heading(route);
    target?.setAttribute('tabindex', '-1');
    target?.focus({ preventScroll: true });
    if (scroll) {
      if (route.part && target) target.scrollIntoView({ block: 'start' });
      else window.scrollTo({ top: 0, behavior: 'instant' });
    }
  }
  document.addEventListener('click', (event) => {
    const link = innerLink(event);
    if (!link || event.defaultPrevented) return;
    event.preventDefault();
    const route = readRoute(new URL(link.href).search);
    store.set({ route });
    history.pushState(null, '', addressOf(store.get()));
    void enter(route, true);
  });
  addEventListener('popstate', () => {
    const route = readRoute(location.search);
    /* A link to a place within the view, such as the skip link. */
    if (routeText(route) === routeText(store.get().route)) return;
    store.set({ route });
    /* Settings are those of now, not those of when this view was left. */
    history.replaceState(null, '', addressOf(store.get()));
    void enter(route, false);
  });
  document.title = titleOf(last);
  show(last);
  const { route } = store.get();
  void mount(route.view).then(() => {
    if (route.view === 'glossary' && route.part) heading(route)?.scrollIntoView();
  });
}
