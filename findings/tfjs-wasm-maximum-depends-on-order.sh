#!/usr/bin/env bash
# TensorFlow.js 4.22.0, backend wasm: maximum and minimum of a number and NaN depend on which of them
# comes first, and clipByValue and relu6 turn NaN into the lower bound. The backend cpu gives NaN throughout.
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

    const [a, b] = [tf.tensor([NaN]), tf.tensor([1])];
    const values = [
      tf.maximum(a, b),
      tf.maximum(b, a),
      tf.minimum(a, b),
      tf.minimum(b, a),
      tf.clipByValue(a, 2, 3),
      tf.relu6(a),
    ].map((tensor) => tensor.dataSync()[0]);
    console.log(`${backend}: ${values.join(' ')}`);
  }
}

main();
END

seen=$(node run.cjs 2>node.log)
expected='cpu: NaN NaN NaN NaN NaN NaN
wasm: NaN 1 NaN 1 2 0'
if [ "$seen" != "$expected" ]; then
    printf 'This has changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen" >&2
    exit 1
fi
printf '%s\n' "$seen"
