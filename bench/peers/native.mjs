// The native engines: Parallax, OpenBLAS, onnxruntime and PyTorch.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { lineEngine, ortEngine } from './processes.mjs';

const notProduct = (item) => item.kind !== 'gemm';

/** {engines, notes, close}: ours first; notes say which are missing, and why. */
export async function nativeEngines({ threads, python, folder, root }) {
  const engines = [];
  const notes = [];
  const program = join(root, 'build/release/parallax_peer');
  const about = (key, name, more) => ({ key, name, kind: 'native', threads, ...more });
  const start = async (what, make) => {
    try {
      engines.push(label(await make()));
    } catch (error) {
      if (!engines.length) throw error;
      notes.push(`without ${what}: ${error.message.split('\n').at(-1)}`);
    }
  };
  const line = (info, command, ...args) =>
    lineEngine(info, command, [...args, String(threads)], folder);
  const blas = (role) =>
    line(about(role, 'OpenBLAS', { cannot: notProduct }), program, role).then(withoutIsa);

  await start('Parallax', () =>
    line(about('parallax', 'parallax'), program, 'parallax').then(withItsOperations),
  );
  await start('OpenBLAS', () => blas('blas'));
  await start('the default OpenBLAS', () => blas('blas-unaided'));
  // If OpenBLAS chooses the best kernels by itself, both are one engine.
  if (engines.length === 3 && engines[1].gemm === engines[2].gemm) engines.pop().dispose();
  await start('onnxruntime', () =>
    ortEngine(
      about('ort', 'onnxruntime-node', { cannot: (item) => item.kind === 'train' }),
      threads,
    ),
  );
  const torch = fileURLToPath(new URL('torch_engine.py', import.meta.url));
  await start('PyTorch', () => line(about('torch', 'PyTorch'), python, torch));
  const close = () => {
    for (const engine of engines) engine.dispose();
  };
  return { engines, notes, close };
}

const label = (engine) => ({
  ...engine,
  short: engine.isa ?? engine.name,
  label: `${engine.name} ${engine.isa ?? engine.gemm ?? engine.version}`,
});

/** Our engine reports which operations it has. */
const withItsOperations = ({ operations, ...engine }) => ({
  ...engine,
  cannot: (item) => item.kind === 'op' && !operations.includes(item.op),
});

/** A BLAS runs its own kernels, so what Parallax would run is left out. */
function withoutIsa({ isa, vectorBits, fma, exact, version, operations, ...engine }) {
  return { ...engine, version: engine.gemm };
}
