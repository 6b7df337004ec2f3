/** The glue code of a tier, which the build inserts. */
declare module 'plx-glue' {
  const glue: import('./exports.js').Glue;
  export default glue;
}

/** The module of the tier `simd`, as base64; only in the inline build. */
declare module 'plx-wasm-base64' {
  const base64: string;
  export default base64;
}

/** Comlink's package declares these types under another name. */
declare module 'comlink/dist/esm/node-adapter.mjs' {
  import type { Endpoint } from 'comlink';

  interface NodeEndpoint {
    postMessage(message: unknown, transfer?: unknown): void;
    on(type: string, listener: (data: unknown) => void): unknown;
    off(type: string, listener: (data: unknown) => void): unknown;
    start?(): void;
  }
  export default function nodeEndpoint(port: NodeEndpoint): Endpoint;
}
