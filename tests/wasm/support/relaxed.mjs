/**
 * Replaces the results of load's test of relaxed multiply-add by what floats and doubles compute of
 * (a, b, c). That test is a module of its own, the only one that load instantiates in its own
 * thread: 3 x 4 floats from byte 0, 3 x 2 doubles from byte 48, results from bytes 96 and 112.
 * Returns a function that restores the test. Runs in Node and, as text, in a page.
 */
export function answerRelaxed(floats, doubles) {
  const { Module, Instance } = WebAssembly;
  const buffer = new ArrayBuffer(128);
  const view = (Type, at, count) => new Type(buffer, at, count);
  const apply = (Type, at, out, count, madd) => {
    const [a, b, c] = [0, 16, 32].map((row) => view(Type, at + row, count));
    const results = view(Type, out, count);
    for (let i = 0; i < count; i++) results[i] = madd(a[i], b[i], c[i]);
  };
  WebAssembly.Module = class {};
  WebAssembly.Instance = class {
    exports = {
      memory: { buffer },
      madd() {
        apply(Float32Array, 0, 96, 4, floats);
        apply(Float64Array, 48, 112, 2, doubles);
      },
    };
  };
  return () => Object.assign(WebAssembly, { Module, Instance });
}

/** Multiply-add of floats, rounded twice, and of doubles. */
export const apart = (a, b, c) => Math.fround(a * b) + c;
/** Multiply-add of floats, rounded once: a double holds the product of two floats exactly. */
export const fused = (a, b, c) => a * b + c;

/**
 * Whether this engine fuses, tested with a different module from the package's: a function of three
 * floats. (1 + e) (1 - e) - 1 is -e e, but 0 if the product is rounded by itself (e e is a quarter
 * of the last digit). Undefined if there are no relaxed instructions.
 */
export function engineFuses() {
  const splat = (local) => [0x20, local, 0xfd, 0x13];
  const code = [0, ...splat(0), ...splat(1), ...splat(2), 0xfd, 0x85, 0x02, 0xfd, 0x1f, 1, 0x0b];
  const bytes = Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, 8, 1, 0x60, 3, 0x7d, 0x7d, 0x7d, 1, 0x7d],
    ...[3, 2, 1, 0],
    ...[7, 5, 1, 1, 0x66, 0, 0],
    ...[10, code.length + 2, 1, code.length, ...code],
  ]);
  if (!WebAssembly.validate(bytes)) return undefined;
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
  return f(1 + 2 ** -13, 1 - 2 ** -13, -1) === -(2 ** -26);
}
