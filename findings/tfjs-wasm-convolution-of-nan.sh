#!/usr/bin/env bash
# TensorFlow.js 4.22.0, backend wasm: a convolution whose input holds NaN gives -Infinity, not NaN, and
# so does a maximum pool. A diverged network therefore looks like one with a very small output; a
# following ReLU makes it 0. The backend cpu gives NaN for the convolution, and leaves NaN out of the pool.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >npm.log
npm install --silent --no-audit --no-fund --ignore-scripts @tensorflow/tfjs@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0 >npm.log 2>&1

cat >run.cjs <<'END'
const tf = require('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm');
const { dirname } = require('node:path');

wasm.setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
console.info = () => {};
console.warn = () => {};

async function main() {
  for (const backend of ['cpu', 'wasm']) {
    await tf.setBackend(backend);

    const one = [1, 1, 1, 1];
    const image = tf.tensor([NaN], one);
    const values = [
      tf.conv2d(image, tf.tensor([1], one), 1, 'valid'),
      tf.relu(tf.conv2d(image, tf.tensor([1], one), 1, 'valid')),
      tf.maxPool(tf.tensor([1, NaN, 2, 3], [1, 1, 4, 1]), [1, 2], 1, 'valid'),
    ].map((tensor) => [...tensor.dataSync()].join(' '));
    console.log(`${backend}: convolution ${values[0]}, with ReLU ${values[1]}, pool ${values[2]}`);
  }
}

main();
END

seen=$(node run.cjs 2>node.log)
expected='cpu: convolution NaN, with ReLU NaN, pool 1 2 3
wasm: convolution -Infinity, with ReLU 0, pool 1 -Infinity 3'
if [ "$seen" != "$expected" ]; then
    printf 'This has changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen" >&2
    exit 1
fi
printf '%s\n' "$seen"
