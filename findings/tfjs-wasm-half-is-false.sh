#!/usr/bin/env bash
# TensorFlow.js 4.22.0, backend wasm: casting 0.5 to bool gives false, because the value is truncated to
# an integer first; NaN is false as well. The backend cpu gives true for both, as NumPy does.
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

    const values = tf.cast(tf.tensor([0.5, -0.9, NaN, 1, 0]), 'bool').dataSync();
    console.log(`${backend}: ${[...values].join(' ')}`);
  }
}

main();
END

seen=$(node run.cjs 2>node.log)
expected='cpu: 1 1 1 1 0
wasm: 0 0 0 1 0'
if [ "$seen" != "$expected" ]; then
    printf 'This has changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen" >&2
    exit 1
fi
printf '%s\n' "$seen"
