/** The build puts the glue code of a tier here. */
declare module 'plx-glue' {
  const glue: import('./exports.js').Glue;
  export default glue;
}

/** The module of the tier `simd`, as base64; only in the inline build. */
declare module 'plx-wasm-base64' {
  const base64: string;
  export default base64;
}
