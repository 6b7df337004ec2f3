/**
 * Tests the relaxed instructions of the tier `relaxed-threads` on this engine. The specification
 * lets the engine choose whether they fuse, and one of an engine's compilers may get them wrong
 * (Node 20 has another of them wrong, but only until a function is optimised). So they run on known
 * operands, in a new module, before the tier is used.
 */

/** The names of the instructions in the C sources (wasm_simd128.h). */
export const RELAXED = ['f32x4_relaxed_madd', 'f64x2_relaxed_madd'] as const;

const text = (name: string): number[] => [name.length, ...new TextEncoder().encode(name)];
const section = (id: number, ...body: number[]): number[] => [id, body.length, ...body];

/** Code that loads a, b and c from at, at + 16 and at + 32, and stores the instruction's result. */
function apply(opcode: number, at: number, out: number): number[] {
  const load = (offset: number) => [0x41, 0x00, 0xfd, 0x00, 0x04, offset];
  return [
    ...[0x41, 0x00],
    ...[load(at), load(at + 16), load(at + 32)].flat(),
    ...[0xfd, opcode, 0x02],
    ...[0xfd, 0x0b, 0x04, out],
  ];
}

/**
 * A module that exports a memory and (func (export "madd")); offsets are below 128, one byte each.
 */
function moduleBytes(): Uint8Array<ArrayBuffer> {
  const body = [0x00, ...apply(0x85, 0, 96), ...apply(0x87, 48, 112), 0x0b];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, 1, 0x60, 0, 0),
    ...section(3, 1, 0),
    ...section(5, 1, 0, 1),
    ...section(7, 2, ...text('memory'), 2, 0, ...text('madd'), 0, 0),
    ...section(10, 1, body.length, ...body),
  ]);
}

/** Operands for which a b + c shows whether it rounds twice: (1 + e) (1 - e) - 1 is -e e, but 0 if
 * the product is rounded to fewer digits than 1 - e e needs. */
const shows = (e: number) => ({ a: 1 + e, b: 1 - e, c: -1, fused: -e * e, apart: 0 });
const plain = (a: number, b: number, c: number) => ({
  ...{ a, b, c },
  ...{ fused: a * b + c, apart: a * b + c },
});
const FLOATS = [shows(2 ** -13), plain(3, 5, 7), shows(-(2 ** -14)), plain(-2, 0.5, 1000)];
const DOUBLES = [shows(2 ** -28), plain(-3, 7, 11)];

interface Probe {
  memory: WebAssembly.Memory;
  madd(): void;
}

/** The result of the test. */
export interface RelaxedAnswer {
  /** Why the instructions cannot be used; empty if they can. */
  fault: string;
  /** Whether multiply and add are rounded once, that is, fused. */
  fused: boolean;
}

/** Compares results with what they may be: returns a fault, or whether all of them were fused. */
function judge(name: string, got: ArrayLike<number>, cases: typeof FLOATS): RelaxedAnswer {
  let fused = true;
  for (const [i, { a, b, c, fused: once, apart }] of cases.entries()) {
    const value = got[i] ?? Number.NaN;
    if (value !== once && value !== apart) {
      const fault = `its ${name} is wrong here: ${a} * ${b} + ${c} gave ${value}`;
      return { fault, fused: false };
    }
    fused &&= value === once;
  }
  return { fault: '', fused };
}

function run(probe: Probe): RelaxedAnswer {
  const { buffer } = probe.memory;
  FLOATS.forEach(({ a, b, c }, i) => {
    for (const [j, value] of [a, b, c].entries()) new Float32Array(buffer, 16 * j).set([value], i);
  });
  DOUBLES.forEach(({ a, b, c }, i) => {
    for (const [j, value] of [a, b, c].entries())
      new Float64Array(buffer, 48 + 16 * j).set([value], i);
  });
  probe.madd();
  const floats = judge(RELAXED[0], new Float32Array(buffer, 96, 4), FLOATS);
  const doubles = judge(RELAXED[1], new Float64Array(buffer, 112, 2), DOUBLES);
  return { fault: floats.fault || doubles.fault, fused: floats.fused && doubles.fused };
}

/** Runs the test, in a new module each time: it is a function's first call that can go wrong. */
export function askRelaxed(): RelaxedAnswer {
  let probe: Probe;
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes()));
    probe = exports as unknown as Probe;
  } catch {
    const fault = 'this engine has no relaxed SIMD (Chrome 114, Firefox 145 and later have it)';
    return { fault, fused: false };
  }
  return run(probe);
}
