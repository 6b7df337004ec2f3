/**
 * The node tests of the Python package onnx: what becomes of each is in tests/onnx/node_tests.tsv, so that
 * a change of any of them is seen. PARALLAX_WRITE_ONNX=1 writes the file.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { program, root } from './support.mjs';

const python = process.env.PARALLAX_ONNX_PYTHON ?? path.join(root, '.toolchain/onnx/bin/python');
const skip = existsSync(python) ? false : 'the Python package onnx is missing: run scripts/setup';

it('each node test of the package passes or is refused, as it was before', { skip }, () => {
  const script = path.join(root, 'tests/onnx/node_tests.py');
  const run = spawnSync(python, [script, program], { encoding: 'utf8', maxBuffer: 1 << 26 });
  assert.equal(run.status, 0, run.stderr);
  assert.ok(run.stdout.split('\n').length > 600, 'there are tests');
  const list = path.join(root, 'tests/onnx/node_tests.tsv');
  if (process.env.PARALLAX_WRITE_ONNX) writeFileSync(list, run.stdout);
  assert.doesNotMatch(run.stdout, /\tdiffers/);
  assert.deepEqual(run.stdout.split('\n'), readFileSync(list, 'utf8').split('\n'));
});
