/* Adds the two headers that make a page cross-origin isolated to every response of this origin. The
 * page installs this worker only on request; see src/isolation.ts. */
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (new URL(request.url).origin !== self.location.origin) return;
  /* A request restricted to the cache can only be fetched in mode "same-origin". */
  if (request.cache === 'only-if-cached' && request.mode !== 'same-origin') return;
  event.respondWith(
    fetch(request).then((answer) => {
      const headers = new Headers(answer.headers);
      headers.set('Cross-Origin-Opener-Policy', 'same-origin');
      headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
      return new Response(answer.body, {
        status: answer.status,
        statusText: answer.statusText,
        headers,
      });
    }),
  );
});
