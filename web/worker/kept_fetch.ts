/** Puts the kept files between coi-serviceworker and the network; runs before it. */
import files from 'virtual:kept-files';
import { PrecacheController } from 'workbox-precaching';

declare const self: ServiceWorkerGlobalScope;

/** Files that are no part of the build, or large and not always needed: the newest that can be had. */
const changing = /^(api|data|peers|results)\//;
/** What is shown in place of a page of those that was never opened while there was a network. */
const absent = 'no_network.html';
const scope = self.registration.scope;
const seen = `parallax-seen-${scope}`;

const network = self.fetch.bind(self);
const takeOver = self.skipWaiting.bind(self);

const kept = new PrecacheController();
kept.precache(files);

/** It is shown at the address of the absent page, so its own addresses must be whole. */
async function absentPage(): Promise<Response | undefined> {
  const page = await kept.matchPrecache(scope + absent);
  if (!page) return undefined;
  const text = (await page.text()).replaceAll('="./', `="${scope}`);
  const headers = { 'Content-Type': 'text/html; charset=utf-8' };
  return new Response(text, { status: 503, statusText: 'No network', headers });
}

/** Fetches a file, and keeps it for when there is no network. */
async function newest(request: Request): Promise<Response> {
  const cache = await caches.open(seen);
  try {
    const answer = await network(request);
    /* That a host has no such file is worth keeping, too. */
    if (answer.ok || answer.status === 404) await cache.put(request, answer.clone());
    return answer;
  } catch (error) {
    const old = await cache.match(request);
    const given = old ?? (request.mode === 'navigate' ? await absentPage() : undefined);
    if (given) return given;
    throw error;
  }
}

async function answer(request: Request): Promise<Response> {
  const { origin, pathname } = new URL(request.url);
  const address = origin + pathname;
  if (request.method !== 'GET' || !address.startsWith(scope)) return network(request);
  const path = address.slice(scope.length);
  if (changing.test(path)) return newest(request);
  /* The query of a page has its options, which make no difference to its text. */
  const page = path === '' || path.endsWith('/') ? `${address}index.html` : address;
  return (await kept.matchPrecache(page)) ?? network(request);
}

/* Workbox fetches by this, too. What a new build adds is not among the kept files yet, so that comes
 * from the network. */
self.fetch = (input, init) =>
  input instanceof Request && init === undefined ? answer(input) : network(input, init);

/* coi-serviceworker lets a new service worker take over at once. Here a new version waits until the
 * user asks for it, or until no page of the old one is open. */
self.skipWaiting = () => Promise.resolve();
self.addEventListener('message', ({ data }) => {
  if ((data as { type?: unknown } | null)?.type === 'update') void takeOver();
});
