/**
 * Threads on hosts that cannot send headers (GitHub Pages): a service worker adds the two headers
 * to the host's responses. Only on request, and the page is reloaded once, never in a loop.
 */

const worker = './isolation_worker.js';
const guard = 'parallax-isolated';

/** Installs the service worker and reloads the page. Throws a sentence if that does not help. */
export async function isolate(): Promise<void> {
  const registration = await navigator.serviceWorker.register(worker, { scope: './' });
  await navigator.serviceWorker.ready;
  if (sessionStorage.getItem(guard) === registration.scope) {
    throw new Error(
      'The page was reloaded with the headers, but this browser still does not isolate it.',
    );
  }
  sessionStorage.setItem(guard, registration.scope);
  location.reload();
}
