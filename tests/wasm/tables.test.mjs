/** The tables from which the package's TypeScript is generated, and how strictly they are read. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { layerFiles } from '../../wasm/generate_layers.mjs';
import { argumentsOf, comment, functionsOf, rowsOf, textOf } from '../../wasm/tables.mjs';

const read = (path) => readFileSync(new URL(`../../wasm/${path}`, import.meta.url), 'utf8');

describe('a table', () => {
  it('consists of macro rows, with comments and preprocessor lines in between', () => {
    const text = '/* (, */\n#ifndef A\nA(x, "a, (b" "c", f(1, 2)) // end\nB()';
    assert.deepEqual(rowsOf('test', text, ['A', 'B']), [
      { macro: 'A', parts: ['x', '"a, (b" "c"', 'f(1, 2)'] },
      { macro: 'B', parts: [''] },
    ]);
  });

  it('may contain nothing else', () => {
    assert.throws(() => rowsOf('test', 'A(x) y', ['A']), /test: expected A, found: y/);
    assert.throws(() => rowsOf('test', 'C(x)', ['A', 'B']), /test: expected A, B, found: C\(x\)/);
    assert.throws(() => rowsOf('test', 'A(x', ['A']), /test: a parenthesis is not closed: \(x/);
    assert.throws(() => argumentsOf('test', 'NODE(x), NODE(y)', ['NODE']), /found: , NODE/);
  });

  it('may split a text into several literals', () => {
    assert.equal(textOf('"a \\"b\\" "  "c"'), 'a "b" c');
    assert.throws(() => textOf('a "b"'), /no text: a "b"/);
  });

  it('becomes documentation of at most 100 columns', () => {
    const lines = comment('word '.repeat(60).trim()).split('\n');
    assert.deepEqual([lines[0], lines.at(-1)], ['/**', ' */']);
    assert.ok(lines.every((line) => line.length <= 98));
    assert.equal(comment('One.'), '/** One. */');
  });
});

describe('exported functions', () => {
  const one = (text) => functionsOf('test', text);

  it('are read with the names of their parameters', () => {
    const text = 'EXPORT const char *plx_js_a(const void *const *x, double n,\n    bool b) {\n}';
    assert.deepEqual(one(text), [{ name: 'plx_js_a', gives: true, parameters: ['x', 'n', 'b'] }]);
    assert.deepEqual(one('EXPORT void plx_js_b(void) {'), [
      { name: 'plx_js_b', gives: false, parameters: [] },
    ]);
  });

  it('take and return only what is a number in JavaScript', () => {
    assert.throws(() => one('EXPORT void plx_js_c(int64_t n) {'), /plx_js_c takes int64_t n/);
    assert.throws(() => one('EXPORT uint64_t plx_js_d(void) {'), /plx_js_d gives uint64_t/);
    assert.throws(() => one('EXPORT void other(void) {'), /cannot read EXPORT/);
  });
});

describe('the methods of a graph', () => {
  const made = read('src/generated/graph_builders.ts');
  const rows = rowsOf('builders.def', read('builders.def'), ['SECTION', 'ONE', 'MANY']);
  const methods = rows.filter(({ macro }) => macro !== 'SECTION').map(({ parts }) => parts);

  for (const [, method, , about] of methods) {
    it(`${method}: has its type and its documentation`, () => {
      const at = made.search(new RegExp(`^${method}[<(]`, 'm'));
      assert.equal(at >= 0, about !== 'BY_HAND');
      if (about === 'BY_HAND') return;
      const words = made
        .slice(0, at)
        .split('/**')
        .at(-1)
        .replace(/[\s*/]+/g, ' ')
        .trim();
      assert.equal(
        words,
        textOf(about)
          .replace(/[\s*/]+/g, ' ')
          .trim(),
      );
    });
  }
});

describe('the options of layers', () => {
  const rows = [
    { macro: 'PLX_LAYER', parts: ['A', 'a_b', 'ANY', '"Does it."'] },
    { macro: 'PLX_LAYER_COUNT', parts: ['units', 'IN(A)'] },
    { macro: 'PLX_LAYER_FLAG', parts: ['no_bias'] },
  ];
  const made = (list, kinds = 'OF(aB)') =>
    layerFiles(
      rows,
      `OPTIONS(Base, NONE, , "All.", NAME(name, NONE, NONE, "Name."))
       OPTIONS(Own, Base, ${kinds}, "Own.", ${list})`,
    );
  const UNITS = 'COUNT(width, units, NEEDED, "Width.")';

  it('become types, methods and places, after those that every layer has', () => {
    const files = made(`${UNITS} NOT(useBias, no_bias, true, "Bias.")`);
    assert.match(files['layer_types.ts'], /extends Base {\n\/\*\* Width\. \*\/\nwidth: number;/);
    assert.match(
      files['layer_types.ts'],
      /\/\*\* Bias \(default true\)\. \*\/\nuseBias\?: boolean;/,
    );
    assert.match(files['layer_types.ts'], /\/\*\* Does it\. \*\/\naB\(options: Own\): Layer;/);
    assert.match(files['layer_table.ts'], /aB: 'width! useBias',/);
    assert.match(files['layer_table.ts'], /width: 'count:11',\n {2}useBias: 'not:12',/);
    assert.match(files['layer_table.ts'], /LAYER_SIZE = 13;/);
  });

  it('must suit the fields that they set', () => {
    assert.throws(
      () => made(`${UNITS} COUNT(bias, no_bias, 1, "B.")`),
      /bias of aB cannot set no_bias/,
    );
    assert.throws(() => made(`${UNITS} COUNT(x, nowhere, 1, "X.")`), /x of aB cannot set nowhere/);
    assert.throws(() => made(`${UNITS} COUNT(x, units, 1, "X.")`), /aB: width, x set units/);
  });

  it('must need what the library needs', () => {
    assert.throws(() => made('COUNT(width, units, 1, "W.")'), /aB must need the option for units/);
    assert.throws(() => made('FLAG(x, no_bias, false, "X.")'), /aB must need the option for units/);
  });

  it('belong to exactly one kind of row', () => {
    assert.throws(() => made(UNITS, 'OF(other)'), /aB is a kind of 0 rows, not of one/);
    assert.throws(() => made(UNITS, 'OF(aB) OF(other)'), /there is no layer other/);
  });
});
