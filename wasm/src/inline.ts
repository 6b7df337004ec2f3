/**
 * The package in a single file: the tier `simd` in the calling thread, without a worker or a fetch.
 * For extensions, edge runtimes and `file:` pages; long calls take turns with the page.
 *
 * @packageDocumentation
 */
import glue from 'plx-glue';
import base64 from 'plx-wasm-base64';
import type { Load } from './api.js';
import { makeLoad } from './client.js';
import { Engine } from './engine.js';
import { newParallax } from './parallax.js';
import { compileBytes } from './source.js';

export type * from './api.js';
export type * from './api_activations.js';
export type * from './api_batches.js';
export type * from './api_generation.js';
export { type FailedCall, PlxError } from './errors.js';
export type * from './generated/layer_types.js';
export type * from './graph_api.js';

function decode(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Starts an engine in this thread. */
export const load: Load = makeLoad(
  {
    compile: () => compileBytes(decode(base64), 'the inline build'),
    spawn: () => new Engine(glue),
    workerFile: () => 'the inline build',
    cpus: () => 1,
    only: { tier: 'simd', reason: 'the inline build has one thread' },
  },
  newParallax,
);
