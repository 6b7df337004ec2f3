/**
 * The page's side of its service worker, which keeps the page for use without a network and adds the
 * two headers that isolate it where the host sends none. An update is offered, and the page reloads
 * itself at most once a session: to be isolated, before anyone has touched it.
 */
import { workInProgress } from './leave_guard.js';
import type { AppState } from './state.js';
import type { Store } from './store.js';

const script = './service_worker.js';
/** Key of the session's note that the page has reloaded itself. */
const reloaded = 'parallax-reloaded';

export type Isolation =
  /** There are threads, or it is not yet known why not. */
  | { phase: 'none' }
  /** The service worker is being installed. */
  | { phase: 'preparing' }
  /** The page will be isolated when it is loaded again. */
  | { phase: 'ready' }
  /** why: a sentence, with what to do. */
  | { phase: 'impossible'; why: string };

export interface SiteState {
  /** Whether the page opens without a network. */
  offline: boolean;
  /** Whether a newer version of the page is ready. */
  update: boolean;
  isolation: Isolation;
}

export const unknownSite: SiteState = {
  offline: false,
  update: false,
  isolation: { phase: 'none' },
};

const plainHttp =
  'This page was opened over plain HTTP, where browsers allow no threads: open it over HTTPS, or from localhost.';
const noWorkers =
  'The host of this page does not send the headers that threads need, and this browser has no service worker that could add them. Private windows and blocked site data often switch them off: open the page in an ordinary window, or serve it with the two headers.';
const stillNot =
  'A service worker adds the headers, but the browser still gives this page no threads. If it is shown inside another page, open it in a tab of its own; otherwise serve it with the two headers.';

/** Why no service worker can be had here; undefined if one can. */
function missing(): string | undefined {
  if (!isSecureContext) return plainHttp;
  return 'serviceWorker' in navigator ? undefined : noWorkers;
}

/** Notes that the page reloads itself. False if it did so in this session, or this cannot be noted. */
function mayReload(): boolean {
  try {
    if (sessionStorage.getItem(reloaded)) return false;
    sessionStorage.setItem(reloaded, 'once');
    return true;
  } catch {
    return false;
  }
}

/** Resolves when a service worker of the registration works. Rejects if it could not be installed. */
function working(registration: ServiceWorkerRegistration): Promise<void> {
  const worker = registration.active ?? registration.waiting ?? registration.installing;
  return new Promise((resolve, reject) => {
    const look = () => {
      if (worker?.state === 'activated') resolve();
      else if (!worker || worker.state === 'redundant') {
        reject(new Error('the files of the page could not be stored. Is there room for them?'));
      }
    };
    worker?.addEventListener('statechange', look);
    look();
  });
}

/** Installs the service worker and follows it. */
export class SiteWorker {
  #registration: ServiceWorkerRegistration | undefined;
  /** Whether the user asked for the update. */
  #updating = false;
  /** Whether anyone has typed or clicked on the page. */
  #touched = false;

  constructor(readonly store: Store<AppState>) {
    for (const kind of ['pointerdown', 'keydown']) {
      const note = () => {
        this.#touched = true;
      };
      addEventListener(kind, note, { capture: true, once: true });
    }
  }

  /** Never rejects: what cannot be had is told in the state. */
  async start(): Promise<void> {
    const why = missing();
    if (why) return this.#explain(why);
    const { serviceWorker } = navigator;
    /* Not at the first visit, and not after a reload that bypasses the service worker. */
    const controlled = serviceWorker.controller !== null;
    let current = controlled;
    serviceWorker.addEventListener('controllerchange', () => {
      /* The first takes over a page that had none; a later one belongs to a newer version. */
      const newer = current;
      current = true;
      if (this.#updating) location.reload();
      else if (newer) this.#show({ update: true });
    });
    if (!crossOriginIsolated) this.#show({ isolation: { phase: 'preparing' } });
    try {
      const registration = await serviceWorker.register(script, { updateViaCache: 'none' });
      this.#follow(registration);
      await working(registration);
      this.#show({ offline: true });
      if (!crossOriginIsolated) this.#isolate(controlled);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#explain(`${noWorkers} (${message})`);
    }
  }

  /** Loads the page again: its newest version if one is ready, and isolated. */
  reload(): void {
    const waiting = this.#registration?.waiting;
    if (!waiting) {
      location.reload();
      return;
    }
    this.#updating = true;
    waiting.postMessage({ type: 'update' });
  }

  #show(change: Partial<SiteState>): void {
    this.store.set({ site: { ...this.store.get().site, ...change } });
  }

  #explain(why: string): void {
    if (!crossOriginIsolated) this.#show({ isolation: { phase: 'impossible', why } });
  }

  #isolate(controlled: boolean): void {
    if (controlled) this.#explain(stillNot);
    else if (!this.#touched && mayReload()) location.reload();
    else this.#show({ isolation: { phase: 'ready' } });
  }

  #follow(registration: ServiceWorkerRegistration): void {
    this.#registration = registration;
    const look = () => {
      if (registration.waiting && registration.active) this.#show({ update: true });
    };
    registration.addEventListener('updatefound', () =>
      registration.installing?.addEventListener('statechange', look),
    );
    look();
    /* A page that stays open looks for updates when someone comes back to it, but not during work,
     * which a download would disturb. */
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden' || workInProgress(this.store.get())) return;
      registration.update().catch(() => undefined);
    });
  }
}

/**
 * Installs the service worker of a built page; ready settles when the engine has started. The dev
 * server's files change too often to be kept.
 */
export function startSiteWorker(store: Store<AppState>, ready: Promise<unknown>): SiteWorker {
  const site = new SiteWorker(store);
  if (import.meta.env.DEV) return site;
  /* Where the page will be loaded again for its threads, at once; elsewhere the engine comes first. */
  const turn = crossOriginIsolated ? ready.catch(() => undefined) : Promise.resolve();
  void turn.then(() => site.start());
  return site;
}
