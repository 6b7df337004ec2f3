/* Adds to every answer of this origin the two headers that make a page cross-origin isolated. The
 * page installs it only when asked to; see src/isolation.ts. */
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (new URL(request.url).origin !== self.location.origin) return;
  /* What is only in the cache cannot be fetched in another mode. */
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
