// The peers of the browser, and the files of their packages that a page loads. Those for onnxruntime
// and TensorFlow.js are WebAssembly with vectors; jax-js writes its own at run time.

/**
 * cannot(item): why it does not run a case, if it does not. makesScripts: whether it makes the scripts
 * of its threads at run time, which a strict policy forbids.
 */
export const browserPeers = [
  {
    key: 'ort',
    name: 'onnxruntime-web',
    cannot: ({ kind }) => kind === 'train' && 'its package for browsers only predicts',
  },
  { key: 'tfjs', name: 'tfjs-backend-wasm', makesScripts: true },
  {
    key: 'jax',
    name: 'jax-js',
    makesScripts: true,
    cannot: ({ kind }) => kind === 'op' && 'it is measured on whole networks and products alone',
  },
];

/** By the key of its peer and the package's name: the files in its folder dist; "*" stands for any name. */
export const browserPackages = {
  ort: {
    'onnxruntime-web': [
      'ort.wasm.min.mjs',
      'ort-wasm-simd-threaded.mjs',
      'ort-wasm-simd-threaded.wasm',
    ],
  },
  tfjs: {
    '@tensorflow/tfjs': ['tf.min.js'],
    '@tensorflow/tfjs-backend-wasm': ['tf-backend-wasm.min.js', 'tfjs-backend-wasm-simd.wasm'],
  },
  jax: { '@jax-js/jax': ['*.js'] },
};
