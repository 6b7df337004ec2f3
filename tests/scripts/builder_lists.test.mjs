// The tests that walk every builder have lists of their own: here they are compared with the headers.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const read = (file) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

/** Builders add to a graph, which they get by itself or in a scope. */
const builders = ['src/parallax.h', 'src/parallax_nn.h'].flatMap((header) =>
  [
    ...read(header)
      .replace(/\/\*.*?\*\//gs, '')
      .matchAll(/^plx_(?:node|status) (plx_\w+)\(([^;{}]*)\);/gm),
  ]
    .map(([, name, parameters]) => ({ name, parameters: parameters.split(/,\s*/) }))
    .filter(({ parameters }) =>
      parameters.some((one) => /^(?:plx_graph|const plx_scope) \*/.test(one)),
    ),
);

/** Parameters through which results are returned. */
const isResult = (one) => /^plx_\w+ \*/.test(one);
const takesNodes = (one) =>
  !isResult(one) && /^(?:const )?plx_(?:node|hypercausal)\b(?!_)/.test(one);
/** Numbers that may be out of range, and pointers that may be NULL. */
const canBeWrong = (one) =>
  !isResult(one) &&
  (/^(?:double|plx_real|int64_t) /.test(one) || (/^const .*\*/.test(one) && !one.includes('name')));

/** Calls of which every number is allowed. */
const takesAnything = ['plx_constant'];

test('the headers declare builders', () => {
  assert.ok(builders.length > 80, `${builders.length} are found`);
});

for (const [file, wanted, free] of [
  ['tests/unit/foreign_nodes.c', takesNodes, []],
  ['tests/unit/refusals.c', canBeWrong, takesAnything],
])
  test(`${file} has a row for each builder that can be refused there`, () => {
    const rows = read(file);
    const missing = builders
      .filter(({ parameters }) => parameters.some((one) => wanted(one) && !/plx_scope/.test(one)))
      .map(({ name }) => name)
      .filter((name) => !free.includes(name) && !rows.includes(`${name}(`));
    assert.deepEqual(missing, []);
  });
