/** The reference results of the page are of the suites as they are now. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { unpack } from '../../scripts/reference_rows.mjs';

const file = (name) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const command = process.env.PARALLAX_COMMAND ?? file('build/release/parallax');
const advice = 'they are older than the suites: measure them anew with scripts/reference';

const read = (name) => unpack(readFileSync(file(`bench/results/reference-${name}.jsonl`), 'utf8'));

const time = '(-|[\\d.]+ (?:s|min|h))';
const listedCase = new RegExp(`^ {2}(\\S.*?) +${time} +${time} +${time}$`);

/** The cases of a quick run, as "suite: case"; those without a time are not measured by one. */
function quickCases() {
  const table = readFileSync(file('bench/suites.def'), 'utf8');
  const suites = [...table.matchAll(/^SUITE\((\w+)\)/gm)].map(([, name]) => name);
  return suites.flatMap((suite) =>
    execFileSync(command, ['bench', '--list', suite], { encoding: 'utf8' })
      .trimEnd()
      .split('\n')
      .flatMap((line) => {
        const [, name, quick] = listedCase.exec(line) ?? [];
        return name && quick !== '-' ? [`${suite}: ${name}`] : [];
      }),
  );
}

const names = (rows) => new Set(rows.map((row) => `${row.suite}: ${row.case}`));
/* Peaks and bandwidths are of what a machine has: its vectors, and caches of some sizes. */
const isOfMachine = (name) => /^ops: (peak|bandwidth) /.test(name);
const missing = (from, of) => [...from].filter((name) => !of.has(name) && !isOfMachine(name));

const sides = {
  A: read('native').filter(({ engine }) => !engine.exact),
  B: read('native').filter(({ engine }) => engine.exact),
  C: read('browser'),
};

describe('the reference results', () => {
  const listed = new Set(quickCases());

  for (const [side, rows] of Object.entries(sides))
    it(`of side ${side} are of the cases of a quick run`, () => {
      assert.ok(listed.size > 100);
      assert.deepEqual(missing(listed, names(rows)), [], advice);
      const timed = names(rows.filter(({ primary }) => primary));
      assert.deepEqual(missing(timed, listed), [], advice);
    });

  it('are rows of the schema, of one named machine', () => {
    const ajv = addFormats.default(new Ajv2020({ allErrors: true, allowUnionTypes: true }));
    const validate = ajv.compile(
      JSON.parse(readFileSync(file('bench/results.schema.json'), 'utf8')),
    );
    const all = Object.values(sides).flat();
    for (const row of all)
      assert.ok(validate(row), `${row.suite} ${row.case}: ${ajv.errorsText(validate.errors)}`);
    assert.equal(new Set(all.map(({ machine }) => machine.name)).size, 1);
  });

  it('are small enough to come with every visit', () => {
    const bytes = ['native', 'browser'].map(
      (name) => readFileSync(file(`bench/results/reference-${name}.jsonl`)).length,
    );
    assert.ok(bytes[0] + bytes[1] < 1_500_000, `${bytes} bytes`);
  });
});
