// Engines that live in another page or worker than the one that measures them.
import { makeData } from './peer_data.mjs';

/** Where they live: an object of functions that call the engines by their keys. */
export function hostEngines(makers) {
  const engines = {};
  return {
    /** Starts an engine under a key; resolves to what its rows say about it. */
    async start(key, maker, options) {
      engines[key] = await makers[maker](options);
      return engines[key].about;
    },
    open: (key, item, recipe) => engines[key].open(item, makeData(item, recipe)),
    results: async (key) => [...(await engines[key].results())],
    restart: (key) => engines[key].restart(),
    run: (key, count) => engines[key].run(count),
    peak: (key) => engines[key].peak(),
    close: (key) => engines[key].close(),
  };
}

/** Where they are measured: an engine whose work call(operation, key, ...arguments) does. */
export const hostedEngine = (key, call) => ({
  open: (item, data) => call('open', key, item, data.recipe),
  results: () => call('results', key),
  restart: () => call('restart', key),
  run: (count) => call('run', key, count),
  close: () => call('close', key),
});
