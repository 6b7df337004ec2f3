/**
 * What the relaxed instructions of the tier `relaxed-threads` do here. The specification leaves to
 * the engine whether they fuse, and an engine can have them wrong in a compiler of its own (as Node 20
 * has another of them, only until a function has been optimised). So they run on known operands, in
 * a module that is new, before the tier is taken.
 */

/** The instructions' names, as the C sources have them (wasm_simd128.h), and where the module has them. */
export const RELAXED = ['f32x4_relaxed_madd', 'f64x2_relaxed_madd'] as const;

const text = (name: string): number[] => [name.length, ...new TextEncoder().encode(name)];
const section = (id: number, ...body: number[]): number[] => [id, body.length, ...body];

/** Loads a, b and c from at, at + 16 and at + 32, and stores what the instruction makes of them. */
function apply(opcode: number, at: number, out: number): number[] {
  const load = (offset: number) => [0x41, 0x00, 0xfd, 0x00, 0x04, offset];
  return [
    ...[0x41, 0x00],
    ...[load(at), load(at + 16), load(at + 32)].flat(),
    ...[0xfd, opcode, 0x02],
    ...[0xfd, 0x0b, 0x04, out],
  ];
}

/** (func (export "madd")) on the memory that it exports; offsets below 128, for one byte each. */
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

/** a b + c where rounding twice shows: (1 + e) (1 - e) - 1 is -e e, and 0 when the product is rounded to
 * fewer digits than 1 - e e takes. */
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

/** What the engine says. */
export interface RelaxedAnswer {
  /** Why the instructions cannot be used; empty when they can. */
  fault: string;
  /** Whether multiply and add are rounded once. */
  fused: boolean;
}

/** The fault of the results beside what they may be, or whether all of them were fused. */
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

/** Asks the engine, anew each time: a function's first call is the one that can be wrong. */
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
