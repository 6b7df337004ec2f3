import { defineConfig } from '@playwright/test';
import { chromiumPath, isolatedPort, unisolatedPort } from './places.js';

/** Serves the built page as users get it; the mode "unisolated" omits the two headers. */
function preview(port: number, mode: string) {
  return {
    command: `../../node_modules/.bin/vite preview ../../web --config ../../web/vite.config.ts --mode ${mode} --port ${port} --strictPort`,
    url: `http://localhost:${port}/`,
    reuseExistingServer: false,
    timeout: 30_000,
  };
}

export default defineConfig({
  testDir: '.',
  testMatch: '**/*.spec.ts',
  outputDir: '../../build/playwright',
  /* No test judges the times that the page measures, so two pages may slow each other down. */
  workers: 2,
  timeout: 90_000,
  expect: { timeout: 20_000 },
  forbidOnly: Boolean(process.env.CI),
  reporter: 'list',
  webServer: [preview(isolatedPort, 'production'), preview(unisolatedPort, 'unisolated')],
  use: {
    /* Service workers load past the routes by which tests replace files; site.spec.ts allows them. */
    serviceWorkers: 'block',
    baseURL: `http://localhost:${isolatedPort}/`,
    launchOptions: {
      executablePath: chromiumPath(),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
