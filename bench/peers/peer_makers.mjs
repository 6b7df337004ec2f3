// How the peers of the browser are started, in a page or in a worker.
import { jaxEngine } from './engine_jax.mjs';
import { ortEngine } from './engine_ort.mjs';
import { tfjsEngine } from './engine_tfjs.mjs';

/**
 * Each takes {packages, threads} and resolves to an engine. packages: by name, {at, version}, where
 * `at` is the address of the package's files and ends with a slash.
 */
export const peerMakers = {
  async ort({ packages, threads }) {
    const { at } = packages['onnxruntime-web'];
    const ort = await import(/* @vite-ignore */ `${at}ort.wasm.min.mjs`);
    Object.assign(ort.env.wasm, { wasmPaths: at, numThreads: threads });
    return {
      about: { version: ort.env.versions.web, threads: ort.env.wasm.numThreads },
      ...ortEngine(ort, { executionProviders: ['wasm'], graphOptimizationLevel: 'all' }, false),
    };
  },
  async tfjs({ packages, threads }) {
    const { at } = packages['@tensorflow/tfjs-backend-wasm'];
    // Its script sets this variable, and evaluates a text if there is none, which policies may forbid.
    globalThis.regeneratorRuntime ??= undefined;
    // Both define a global object.
    await import(/* @vite-ignore */ `${packages['@tensorflow/tfjs'].at}tf.min.js`);
    await import(/* @vite-ignore */ `${at}tf-backend-wasm.min.js`);
    return tfjsEngine(globalThis.tf, at, threads);
  },
  async jax({ packages, threads }) {
    const { at, version } = packages['@jax-js/jax'];
    return jaxEngine(await import(/* @vite-ignore */ `${at}index.js`), version, threads);
  },
};
