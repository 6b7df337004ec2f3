#!/usr/bin/env bash
# TensorFlow.js 4.22.0, backend wasm: the mean of 2^25 ones is 0.5, and their sum 2^24, because one float
# adds them one after the other and stops growing at 2^24. The backend cpu gives 1 and 2^25.
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

    const ones = tf.ones([2 ** 25]);
    const [sum, mean] = [tf.sum(ones), tf.mean(ones)];
    console.log(`${backend}: sum ${sum.dataSync()[0]}, mean ${mean.dataSync()[0]}`);
  }
}

main();
END

seen=$(node run.cjs 2>node.log)
expected='cpu: sum 33554432, mean 1
wasm: sum 16777216, mean 0.5'
if [ "$seen" != "$expected" ]; then
    printf 'This has changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen" >&2
    exit 1
fi
printf '%s\n' "$seen"
