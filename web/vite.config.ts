import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { defineConfig } from 'vite';
import { siteDigits } from './digits_plugin.ts';
import { sitePeers } from './peers_plugin.ts';
import { referenceResults } from './reference_plugin.ts';
import { rowSchema } from './row_schema_plugin.ts';
import { serviceWorker } from './service_worker_plugin.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Reads the headers from public/_headers, so that this server and static hosts send the same. */
function headersFile(): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of readFileSync(here('./public/_headers'), 'utf8').split('\n')) {
    const match = /^ {2}([A-Za-z-]+): (.+)$/.exec(line);
    if (match?.[1] && match[2]) headers[match[1]] = match[2];
  }
  return headers;
}

/** A page without these headers has no threads; the mode "unisolated" omits them to test that. */
const isolationHeaders = ['Cross-Origin-Opener-Policy', 'Cross-Origin-Embedder-Policy'];

/** Puts the policy into the page itself, for hosts that cannot send headers (GitHub Pages). */
function policyInPage(policy: string): Plugin {
  return {
    name: 'policy-in-page',
    /* The dev server injects styles and its client inline. */
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: {
          'http-equiv': 'Content-Security-Policy',
          /* `frame-ancestors` is not allowed in a policy inside a page. */
          content: policy.replace(/; frame-ancestors [^;]+/, ''),
        },
        injectTo: 'head-prepend',
      },
    ],
  };
}

/** Adds the notices of parallax-nn, which is bundled already, so that Vite cannot see its parts. */
function packageNotices(): Plugin {
  return {
    name: 'package-notices',
    apply: 'build',
    generateBundle() {
      const source = readFileSync(here('../wasm/dist/THIRD_PARTY_NOTICES.txt'), 'utf8');
      this.emitFile({ type: 'asset', fileName: 'THIRD_PARTY_NOTICES_parallax-nn.txt', source });
    },
  };
}

export default defineConfig(({ mode }) => {
  const all = headersFile();
  const policy = all['Content-Security-Policy'];
  if (!policy) throw new Error('public/_headers has no Content-Security-Policy');
  const served = Object.fromEntries(
    Object.entries(all).filter(
      ([name]) => mode !== 'unisolated' || !isolationHeaders.includes(name),
    ),
  );
  const { 'Content-Security-Policy': _, ...development } = served;
  return {
    root: here('.'),
    /* Relative, so that the same files work at the root of a host and below a project's path. */
    base: './',
    plugins: [
      rowSchema(here('../bench/results.schema.json')),
      referenceResults(here('../bench/results')),
      policyInPage(policy),
      packageNotices(),
      siteDigits(),
      sitePeers(here('../bench/peers/node_modules')),
      serviceWorker(),
    ],
    server: { headers: development },
    preview: { headers: served },
    worker: { format: 'es' },
    build: {
      target: 'es2022',
      /* Licences of the code in the page; parallax-nn has a file of its own. */
      license: { fileName: 'THIRD_PARTY_NOTICES.md' },
      modulePreload: { polyfill: false },
      /* Inlined assets would be data: URLs, which the policy refuses to fetch. */
      assetsInlineLimit: 0,
      rolldownOptions: {
        input: ['./index.html', './minimal.html', './no_network.html'].map(here),
      },
    },
  };
});
