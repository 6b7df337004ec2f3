/**
 * The service worker of the page: it keeps the files of one build for use without a network, and
 * makes the page cross-origin isolated on hosts that cannot send the headers. vite.config.ts builds
 * it as one script, since browsers have service workers of classic scripts only.
 *
 * A scope has one service worker, and a request one answer. So coi-serviceworker answers all
 * requests, with the headers, and what it takes for the network are the files kept by Workbox.
 */
import './kept_fetch.js';
import 'coi-serviceworker';
