// The native engines: Parallax, OpenBLAS, onnxruntime, PyTorch and JAX.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { separateEngines } from './groups.mjs';
import { lineEngine, ortEngine } from './processes.mjs';
import { notScaled, ONE_THREAD } from './targets.mjs';

const notProduct = (item) => item.kind !== 'gemm';

/** The engines as separateEngines takes them; ours first. */
export function nativeEngines({ threads, python, jax, folder, root }) {
  const program = join(root, 'build/release/parallax_peer');
  const about = (key, name, more) => ({ key, name, kind: 'native', threads, ...more });
  const line = async (info, command, ...args) =>
    lineEngine(info, command, [...args, String(threads)], folder);
  const script = (name) => fileURLToPath(new URL(name, import.meta.url));
  const ours = about('parallax', 'parallax');
  const oneThread = {
    what: ONE_THREAD,
    async start() {
      const info = { ...about('one', ONE_THREAD), threads: 1 };
      const engine = await lineEngine(info, program, ['parallax', '1'], folder);
      return labelled({ ...ourEngine(engine), cannot: notScaled });
    },
  };
  const ort = about('ort', 'onnxruntime-node', { cannot: (item) => item.kind === 'train' });
  return separateEngines([
    {
      what: 'Parallax',
      start: async () => labelled(ourEngine(await line(ours, program, 'parallax'))),
    },
    ...(threads === 2 ? [oneThread] : []),
    ...blasEngines({ about, program, threads, folder }),
    { what: 'onnxruntime', start: async () => labelled(await ortEngine(ort, threads)) },
    {
      what: 'PyTorch',
      start: async () =>
        labelled(
          await line(about('torch', 'PyTorch'), python ?? 'python3', script('torch_engine.py')),
        ),
    },
    {
      what: 'JAX',
      async start() {
        if (!jax) throw new Error('--jax names a Python interpreter that has it');
        return labelled(await line(about('jax', 'JAX'), jax, script('jax_engine.py')));
      },
    },
  ]);
}

/**
 * OpenBLAS with the kernels that it chooses by itself, and with those that the environment forces:
 * OPENBLAS_CORETYPE, or else better ones if its choice falls short of the processor.
 */
function blasEngines({ about, program, threads, folder }) {
  const { OPENBLAS_CORETYPE: _, ...unforced } = process.env;
  const blas = async (role, how, env) => {
    const info = about(role, 'OpenBLAS', { cannot: notProduct });
    const engine = await lineEngine(info, program, [role, String(threads)], folder, env);
    return { ...withoutIsa(engine), label: `${engine.gemm}, ${how}`, short: engine.gemm };
  };
  let own;
  return [
    {
      what: 'OpenBLAS with its own choice of kernels',
      async start() {
        const engine = await blas('blas-unaided', 'own choice', unforced);
        own = engine.gemm;
        return engine;
      },
    },
    {
      what: 'OpenBLAS with forced kernels',
      async start() {
        const engine = await blas('blas', 'forced', process.env);
        if (engine.gemm !== own) return engine;
        engine.dispose();
        throw new Error(`it chooses the best ones by itself, which are those of ${own}`);
      },
    },
  ];
}

const labelled = (engine) => ({
  ...engine,
  short: engine.isa ?? engine.name,
  label: `${engine.name} ${engine.isa ?? engine.gemm ?? engine.version}`,
});

/** Our engine reports which operations it has, and measures its ceiling. */
const ourEngine = ({ operations, ...engine }) => ({
  ...engine,
  peak: async () => Number(await engine.ask('peak')),
  cannot: (item) => item.kind === 'op' && !operations.includes(item.op),
});

/** A BLAS runs its own kernels, so what Parallax would run is left out. */
function withoutIsa({ isa, vectorBits, fma, exact, version, operations, ...engine }) {
  return { ...engine, version: engine.gemm };
}
