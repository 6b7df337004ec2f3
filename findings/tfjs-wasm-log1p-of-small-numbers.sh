#!/usr/bin/env bash
# TensorFlow.js 4.22.0, backend wasm: log1p(1e-8) and selu(-1e-8) are 0, since log1p adds 1 and selu
# subtracts it in single precision. The backend cpu keeps all digits; so does elu on both.
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

    const x = tf.tensor([1e-8]);
    const values = [tf.log1p(x), tf.selu(tf.neg(x)), tf.elu(tf.neg(x))].map((y) => y.dataSync()[0]);
    console.log(`${backend}: ${values.map((value) => value.toExponential(3)).join(' ')}`);
  }
}

main();
END

seen=$(node run.cjs 2>node.log)
expected='cpu: 1.000e-8 -1.758e-8 -1.000e-8
wasm: 0.000e+0 0.000e+0 -1.000e-8'
if [ "$seen" != "$expected" ]; then
    printf 'This has changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen" >&2
    exit 1
fi
printf '%s\n' "$seen"
