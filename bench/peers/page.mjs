// The page that scripts/peers drives: an object of engines, called by name.

import { jaxEngine } from './engine_jax.mjs';
import { ortEngine } from './engine_ort.mjs';
import { parallaxEngine } from './engine_parallax.mjs';
import { tfjsEngine } from './engine_tfjs.mjs';
import { makeData } from './peer_data.mjs';

async function ortWeb(threads) {
  const ort = await import('./node_modules/onnxruntime-web/dist/ort.wasm.min.mjs');
  ort.env.wasm.numThreads = threads;
  const { numThreads } = ort.env.wasm;
  return {
    about: { version: ort.env.versions.web, threads: numThreads },
    ...ortEngine(ort, { executionProviders: ['wasm'], graphOptimizationLevel: 'all' }, false),
  };
}

const makers = {
  ort: ({ threads }) => ortWeb(threads),
  tfjs: ({ threads }) => tfjsEngine(globalThis.tf, threads),
  jax: ({ threads }) => jaxEngine(threads),
  parallax: ({ tier, threads }) => parallaxEngine(tier, threads),
};

const engines = {};

globalThis.peers = {
  /** Starts an engine under a name; resolves to what its rows say about it. */
  async start(name, maker, options) {
    engines[name] = await makers[maker](options);
    return engines[name].about;
  },
  open: (name, item, recipe) => engines[name].open(item, makeData(item, recipe)),
  results: async (name) => [...(await engines[name].results())],
  restart: (name) => engines[name].restart(),
  run: (name, count) => engines[name].run(count),
  peak: (name) => engines[name].peak(),
  close: (name) => engines[name].close(),
};
