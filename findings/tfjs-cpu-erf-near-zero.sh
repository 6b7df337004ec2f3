#!/usr/bin/env bash
# TensorFlow.js 4.22.0, backend cpu: erf(1e-8) is 8.9% too large, because a rational approximation with a
# constant absolute error serves all arguments. erf(x) is 2x / sqrt(pi) there. The backend wasm is right.
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

    const x = 1e-8;
    const value = tf.erf(tf.tensor([x])).dataSync()[0];
    const error = value / ((2 * x) / Math.sqrt(Math.PI)) - 1;
    console.log(`${backend}: relative error ${Math.abs(error).toFixed(3)}`);
  }
}

main();
END

seen=$(node run.cjs 2>node.log)
expected='cpu: relative error 0.089
wasm: relative error 0.000'
if [ "$seen" != "$expected" ]; then
    printf 'This has changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen" >&2
    exit 1
fi
printf '%s\n' "$seen"
