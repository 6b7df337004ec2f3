// A check that cannot fail is worth nothing: each rule is given a file that breaks it.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { checkLayers } from '../../scripts/check_layers.mjs';

function problemsOf(files) {
  const root = mkdtempSync(path.join(tmpdir(), 'layers-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.join(root, path.dirname(name)), { recursive: true });
      writeFileSync(path.join(root, name), text);
    }
    return checkLayers(root, Object.keys(files));
  } finally {
    rmSync(root, { recursive: true });
  }
}

const header = { 'src/parallax.h': '' };

const broken = {
  'a higher layer': [
    { 'src/ops/a.c': '#include "graph/b.h"\n', 'src/graph/b.h': '' },
    'src/ops/a.c:1: ops must not include the higher layer graph',
  ],
  'a higher layer, by a relative path': [
    { 'src/base/a.c': '\n#include "../io/b.h"\n', 'src/io/b.h': '' },
    'src/base/a.c:2: base must not include io',
  ],
  'io on something else than base': [
    { 'src/io/a.c': '#include "ops/b.h"\n', 'src/ops/b.h': '' },
    'src/io/a.c:1: io must not include ops',
  ],
  'the core on the native side': [
    { 'src/nn/a.c': '#include "native/b.h"\n', 'native/b.h': '' },
    'src/nn/a.c:1: src/ must not include native/b.h',
  ],
  'an operating system in the core': [
    { 'src/base/a.c': '/* why\n#if defined(_WIN32)\n*/\n#if defined(__linux__)\n#endif\n' },
    'src/base/a.c:4: src/ must not test __linux__; use base/platform.h',
  ],
  'a suite on the inside of the core': [
    { 'bench/suites/a.c': '#include "ops/b.h"\n', 'src/ops/b.h': '' },
    'bench/suites/a.c:1: bench/ must use parallax.h, not ops/b.h',
  ],
  'a learning task on the inside of the core': [
    { 'bench/tasks/a.c': '#include "base/platform.h"\n', 'src/base/platform.h': '' },
    'bench/tasks/a.c:1: bench/tasks/a.c may use only public headers, and must not include src/base/platform.h',
  ],
  'a learning task on the harness of suites': [
    { 'bench/tasks.h': '#include "bench/harness.h"\n', 'bench/harness.h': '' },
    'bench/tasks.h:1: bench/tasks.h may use only public headers, and must not include bench/harness.h',
  ],
  'a layer on the public header of a higher one': [
    { 'src/nn/a.c': '#include "parallax_learn.h"\n', 'src/parallax_learn.h': '' },
    'src/nn/a.c:1: nn must not include the higher layer learn',
  ],
  'two files of one name': [
    { 'src/ops/a.c': '', 'src/plan/a.c': '' },
    'src/plan/a.c:1: the file name is already used by src/ops/a.c',
  ],
  'a long file': [
    { 'src/ops/a.c': '\n'.repeat(1001) },
    'src/ops/a.c:1001: 1001 lines; at most 1000 are allowed',
  ],
  'a drawer': [{ 'src/ops/utils/a.c': '' }, 'src/ops/utils/a.c:1: no folder may be named utils'],
  "a machine's path": [
    { 'native/a.c': `const char *p = "/${'root'}/x";\n` },
    'native/a.c:1: a path that exists on one machine only',
  ],
};

for (const [name, [files, expected]] of Object.entries(broken)) {
  test(`reports ${name}`, () => {
    assert.deepEqual(problemsOf({ ...header, ...files }), [expected]);
  });
}

test('accepts what the rules allow', () => {
  assert.deepEqual(
    problemsOf({
      ...header,
      'src/base/status.h': '#include <stddef.h>\n',
      'src/ops/node.c': '#include "base/status.h"\n#include "parallax.h"\n',
      'src/kernels/simd_avx2.h': '#ifdef __FMA__\n#endif\n',
      'src/kernels/kernels.h': '',
      'native/cpu.c': '#ifdef __linux__\n#endif\n#include "kernels/kernels.h"\n',
      'src/ops/index.md': '',
      'src/parallax_nn.h': '#include "parallax.h"\n',
      'src/parallax_learn.h': '#include "parallax_nn.h"\n',
      'src/learn/learning.c': '#include "parallax_learn.h"\n',
      'bench/datasets.h': '#include "parallax_learn.h"\n',
      'bench/tasks/a.c': '#include "bench/datasets.h"\n#include "parallax.h"\n',
    }),
    [],
  );
});
