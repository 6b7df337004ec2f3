import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin, type ResolvedConfig } from 'vite';
import { keptFiles } from './kept_files.ts';

const virtual = 'virtual:kept-files';

/** Builds the service worker when the site is complete, since it has the list of its files. */
export function serviceWorker(): Plugin {
  let config: ResolvedConfig;
  return {
    name: 'service-worker',
    apply: 'build',
    configResolved(resolved) {
      config = resolved;
    },
    writeBundle: {
      order: 'post',
      sequential: true,
      async handler() {
        const outDir = resolve(config.root, config.build.outDir);
        const files = keptFiles(outDir);
        await build({
          configFile: false,
          root: config.root,
          base: './',
          mode: config.mode,
          publicDir: false,
          logLevel: 'warn',
          plugins: [
            {
              name: 'kept-files',
              resolveId: (id) => (id === virtual ? `\0${virtual}` : undefined),
              load: (id) =>
                id === `\0${virtual}` ? `export default ${JSON.stringify(files)};` : undefined,
            },
          ],
          build: {
            outDir,
            emptyOutDir: false,
            target: config.build.target,
            license: { fileName: 'THIRD_PARTY_NOTICES_service_worker.md' },
            rolldownOptions: {
              input: fileURLToPath(new URL('./worker/service_worker.ts', import.meta.url)),
              output: { format: 'iife', entryFileNames: 'service_worker.js' },
            },
          },
        });
      },
    },
  };
}
