#!/usr/bin/env bash
# TensorFlow.js 4.22.0, backend cpu: the product of two int32 tensors is formed in double precision and
# then reduced to 32 bits, so its low bits are wrong once it passes 2^53. The backend wasm is exact
# (123456789 * 987654321 modulo 2^32 is -67153019).
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

    const product = tf.mul(tf.tensor([123456789], [1], 'int32'), tf.tensor([987654321], [1], 'int32'));
    console.log(`${backend}: ${product.dtype} ${product.dataSync()[0]}`);
  }
}

main();
END

seen=$(node run.cjs 2>node.log)
expected='cpu: int32 -67153024
wasm: int32 -67153019'
if [ "$seen" != "$expected" ]; then
    printf 'This has changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen" >&2
    exit 1
fi
printf '%s\n' "$seen"
