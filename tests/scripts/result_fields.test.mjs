/** JavaScript sees every field of what C tells of plans and profiles, and what the command writes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { camel, rowsOf } from '../../wasm/tables.mjs';

const read = (name) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
const results = new Map(
  rowsOf('results.def', read('wasm/results.def'), ['RESULT', 'BENCH_RESULT']).map(
    ({ parts: [name, text] }) => [
      name,
      [...text.matchAll(/[A-Z]+\((?:\w+, )?(\w+)\)/g)].map(([, field]) => field),
    ],
  ),
);

/** Members of a structure in a header. */
function members(header, name) {
  const text = read(header).replace(/\/\*[\s\S]*?\*\//g, '');
  const [, body] = new RegExp(`typedef struct ${name} \\{([^}]*)\\}`).exec(text);
  return [...body.matchAll(/(\w+)(?:\[\w+\])?[,;]/g)].map(([, member]) => member);
}

/** Fields that a function of the command adds to a row. */
function written(file, name) {
  const text = read(file);
  const [body] = new RegExp(`^[^\\n]*\\b${name}\\([^;]*?\\{[\\s\\S]*?^\\}`, 'm').exec(text);
  return [...body.matchAll(/cJSON_Add\w+\(\w+, "(\w+)"/g)].map(([, field]) => field);
}

/** Fields of C that have another name or place in JavaScript. */
const RENAMED = {
  plx_step_info: { rank: 'shape', dims: 'shape', nanoseconds: '', workers: '', method: '' },
  plx_profile_step: { ns: 'nanoseconds' },
  plx_profile_item: { ns: 'nanoseconds' },
  plx_profile_total: { ns: 'nanoseconds' },
};

describe('the results of the package have', () => {
  for (const [header, name, ...parts] of [
    ['src/parallax.h', 'plx_memory', 'memory'],
    ['src/parallax.h', 'plx_step_info', 'step'], // measured times are those of a profile
    ['bench/profile.h', 'plx_profile_step', 'profiled'],
    ['bench/profile.h', 'plx_profile_item', 'item'],
    ['bench/profile.h', 'plx_profile_total', 'profile'],
  ])
    it(`all members of ${name}`, () => {
      const there = parts.flatMap((part) => results.get(part));
      const list = members(header, name);
      assert.ok(list.length >= 4, String(list));
      for (const member of list) {
        const field = RENAMED[name]?.[member] ?? member;
        assert.ok(field === '' || there.includes(field), `${name}: ${member}`);
      }
    });

  for (const [file, name, own, ...parts] of [
    ['native/cli/cmd_explain.c', 'memory_row', ['row', 'name'], 'memory'],
    ['native/cli/cmd_explain.c', 'step_row', ['row', 'step', 'attributes'], 'step'], // of plans as data
    ['native/cli/profile_rows.c', 'add_profile', [], 'profiled'],
  ])
    it(`all that the command writes in ${name}`, () => {
      const there = parts.flatMap((part) => results.get(part)).map(camel);
      const list = written(file, name).filter((field) => !own.includes(field));
      assert.ok(list.length >= 4, String(list));
      for (const field of list) assert.ok(there.includes(field), `${name}: ${field}`);
    });
});
