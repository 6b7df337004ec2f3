/**
 * Threads on hosts that cannot send headers (GitHub Pages): a service worker adds the two headers to
 * what the host sends. Only on request, and it reloads the page once, never in a circle.
 */

const worker = './isolation_worker.js';
const guard = 'parallax-isolated';

/** Installs the service worker and reloads. Fails with a sentence when it cannot. */
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
