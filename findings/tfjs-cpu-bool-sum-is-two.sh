#!/usr/bin/env bash
# TensorFlow.js 4.22.0, backend cpu: adding two tensors of dtype bool gives a tensor of dtype bool that
# holds 2. The backend wasm gives 1.
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

    const yes = tf.tensor([true], [1], 'bool');
    const sum = tf.add(yes, yes);
    console.log(`${backend}: ${sum.dtype} ${sum.dataSync()[0]}`);
  }
}

main();
END

seen=$(node run.cjs 2>node.log)
expected='cpu: bool 2
wasm: bool 1'
if [ "$seen" != "$expected" ]; then
    printf 'This has changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen" >&2
    exit 1
fi
printf '%s\n' "$seen"
