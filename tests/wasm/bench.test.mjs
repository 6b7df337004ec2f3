/** Benchmark suites in the package: rows that match the schema, native bits, and cancellation. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { load, PlxError } from 'parallax-nn/bench';
import { unpack } from '../../scripts/reference_rows.mjs';

const file = (name) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const ajv = addFormats.default(new Ajv2020({ allErrors: true, allowUnionTypes: true }));
const validate = ajv.compile(JSON.parse(readFileSync(file('bench/results.schema.json'), 'utf8')));

function assertRows(rows) {
  assert.ok(rows.length > 0, 'there are rows');
  for (const row of rows) {
    const name = `${row.suite} ${row.case} ${row.metric}`;
    assert.ok(validate(row), `${name}: ${ajv.errorsText(validate.errors)}`);
    assert.equal(row.engine.kind, 'wasm');
    assert.equal(row.checks.passed, true, `${name}: ${row.checks.failure}`);
  }
}

/** Returns the bits of each case of the suite `bits`. */
const bitsOf = (rows) =>
  Object.fromEntries(rows.map((row) => [row.case, row.checks.lossBits]).filter(([, bits]) => bits));

/** IDX files with n grey squares, and with the labels 0, 1, ... 9, 0, ... */
function imagesFile(n, side) {
  const bytes = Buffer.alloc(16 + n * side * side, 1);
  bytes.set([0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, side, 0, 0, 0, side]);
  return bytes;
}
const labelsFile = (n) =>
  Buffer.from([0, 0, 8, 1, 0, 0, 0, n].concat(Array.from({ length: n }, (_, i) => i % 10)));
const digits = (images, labels, source) => ({ data: { mnist: { images, labels, source } } });

const suiteNames = [
  'gemm',
  'mlp',
  'adaptive',
  'interp5d',
  'models',
  'inference',
  'bits',
  'ops',
  'accuracy',
  'hypercausal',
];

describe('bench', () => {
  let plx;
  before(async () => {
    plx = await load({ threads: 2 });
  });
  after(() => plx.dispose());

  it('lists the suites', async () => {
    const suites = await plx.suites();
    assert.deepEqual(
      suites.map(({ name }) => name),
      suiteNames,
    );
    for (const { description } of suites) assert.ok(description.length > 10);
  });

  it('runs all of them, and every row matches the schema', async () => {
    const seen = [];
    const progress = [];
    const rows = await plx.bench({
      size: 'quick',
      seconds: 0.02,
      rounds: 2,
      onRow: (row) => seen.push(row),
      onProgress: (at) => progress.push(at),
    });
    assertRows(rows);
    assert.deepEqual(seen, rows);
    assert.deepEqual([...new Set(rows.map((row) => row.suite))], ['machine', ...suiteNames]);
    assert.ok(progress.length > 10);
    assert.equal(progress.at(-1).fraction, 1);
    assert.equal(progress.at(-1).millisecondsLeft, 0);
    assert.deepEqual([...new Set(progress.map(({ round }) => round))], [1, 2]);
    assert.ok(progress.every(({ rounds }) => rounds === 2));
    const timed = rows.filter(({ primary, better }) => primary && better !== 'none');
    for (const { case: name, samples, engine } of timed) {
      assert.equal(samples.rounds?.length, 2, name);
      assert.ok(engine.threadsWorked >= 1 && engine.threadsWorked <= engine.threads, name);
      assert.ok(['measured', 'assumed'].includes(engine.costs), name);
    }
    assert.ok(progress.every(({ fraction }, i) => fraction >= (progress[i - 1]?.fraction ?? 0)));
    assert.ok(progress.every(({ failure }) => failure === undefined));
    assert.match(rows[0].engine.runtime, /^Node \d+$/);
  });

  it('computes the bits that are committed and those of the native command, with 1 and 2 threads', async (t) => {
    const command = file('build/release/parallax');
    const expected = new Map();
    if (existsSync(command)) {
      const { PARALLAX_ISA: _, PARALLAX_DATA: __, ...env } = process.env;
      const args = ['bench', 'bits', '--quick', '--reproducible', '--json', '-'];
      const { stdout } = spawnSync(command, args, { encoding: 'utf8', env });
      const native = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      expected.set('native', bitsOf(native));
    } else {
      t.diagnostic('the native command is not built: only threads are compared');
    }
    for (const threads of [1, 2]) {
      const engine = await load({ threads, reproducible: true });
      const rows = await engine.bench({ suites: ['bits'], size: 'quick' });
      assert.equal(engine.info().exact, true);
      engine.dispose();
      expected.set(`${threads} threads`, bitsOf(rows));
    }
    /* The page's self-test compares with these; scripts/reference writes them. */
    const committed = unpack(readFileSync(file('bench/results/reference-native.jsonl'), 'utf8'));
    const ofBits = committed.filter(({ suite, engine }) => suite === 'bits' && engine.exact);
    expected.set('bench/results/reference-native.jsonl', bitsOf(ofBits));
    const [first, ...rest] = expected.values();
    const names = Object.keys(first);
    for (const { name, takes } of await plx.tasks())
      if (['text', 'nothing'].includes(takes)) assert.ok(names.includes(`${name}, 50 steps`), name);
    assert.ok(names.length > 4, String(names));
    for (const bits of rest) assert.deepEqual(bits, first, JSON.stringify([...expected]));
  });

  it('keeps the rows it has when it is cancelled', async () => {
    const abort = new AbortController();
    const rows = [];
    const running = plx.bench({
      suites: ['gemm', 'adaptive'],
      size: 'quick',
      seconds: 0.1,
      signal: abort.signal,
      onRow: (row) => rows.push(row),
      onProgress: ({ round }) => round > 1 && abort.abort(),
    });
    await assert.rejects(running, { name: 'AbortError', codeName: 'PLX_ERR_CANCELLED' });
    assertRows(rows);
    assert.deepEqual([...new Set(rows.map(({ suite }) => suite))], ['machine', 'gemm', 'adaptive']);
    assert.ok((await plx.suites()).length > 0, 'the engine keeps working');
  });

  it('returns the rows measured so far when it is cancelled between rows', async () => {
    const abort = new AbortController();
    const rows = [];
    let before;
    const running = plx.bench({
      suites: ['gemm'],
      cases: ['128 x'],
      size: 'quick',
      seconds: 1,
      signal: abort.signal,
      onRow: (row) => rows.push(row),
      onProgress: ({ fraction }) => {
        assert.equal(abort.signal.aborted, false, 'no progress after the end');
        if (fraction < 0.5) return;
        before = rows.length;
        abort.abort(new Error('enough'));
      },
    });
    await assert.rejects(running, { name: 'AbortError', cause: new Error('enough') });
    assert.equal(before, 0);
    assertRows(rows);
  });

  it('estimates how long a run takes from its cases', async () => {
    const gemm = await plx.benchTime({ suites: ['gemm'], size: 'quick' });
    const both = await plx.benchTime({ suites: ['gemm', 'mlp'], size: 'quick' });
    const longer = await plx.benchTime({ suites: ['gemm'], size: 'quick', seconds: 5 });
    assert.ok(gemm > 0 && both > gemm && longer > 10 * gemm, `${gemm} ${both} ${longer} ms`);
    await assert.rejects(
      plx.benchTime({ cases: ['no such case'] }),
      /^PlxError: benchTime: no case of size "default" has "no such case" in its name/,
    );
    await assert.rejects(
      plx.benchTime({ rounds: 33 }),
      /benchTime: rounds is 33; it must be from 1 to 32/,
    );
    await assert.rejects(plx.benchTime({ sizes: 'quick' }), /sizes/);
  });

  it('selects a case by its whole name, though it has a comma', async () => {
    const choice = { suites: ['inference'], size: 'quick', seconds: 0.001, rounds: 1 };
    const rows = await plx.bench({ ...choice, cases: ['784-200-10, batch 1'] });
    const names = rows.filter(({ suite }) => suite === 'inference').map((row) => row.case);
    assert.deepEqual([...new Set(names)], ['784-200-10, batch 1']);
  });

  it('drops a case that fails, and continues', async () => {
    const engine = await load({ threads: 2, memoryMB: 64 });
    const failures = [];
    const rows = await engine.bench({
      suites: ['gemm'],
      cases: [' x '],
      size: 'full',
      seconds: 0.01,
      onProgress: ({ failure }) => failure && failures.push(failure),
    });
    engine.dispose();
    assert.match(failures.join(), /no memory for its matrices/);
    assertRows(rows);
  });

  it('rejects a second run while one is running', async () => {
    const first = plx.bench({ suites: ['gemm'], cases: ['128 x'], size: 'quick' });
    await assert.rejects(plx.bench({ suites: ['bits'] }), { codeName: 'PLX_ERR_STATE' });
    const rows = await first;
    assertRows(rows);
    assert.ok(rows.every(({ suite }) => ['machine', 'gemm'].includes(suite)));
  });

  it('uses images that it is given', async () => {
    const n = 100;
    const images = imagesFile(n, 28);
    const labels = labelsFile(n);
    const zipped = gzipSync(images);
    const running = plx.bench({
      suites: ['adaptive'],
      cases: ['784'],
      size: 'quick',
      seconds: 0.01,
      data: { mnist: { images: zipped, labels, source: 'grey squares' } },
    });
    /* The caller may reuse them. */
    zipped.fill(0);
    labels.fill(0);
    const rows = await running;
    assertRows(rows);
    assert.ok(rows.some(({ data }) => data.kind === 'real' && data.source === 'grey squares'));
  });

  it("rejects with the error of a callback's promise", async () => {
    const oops = new Error('oops');
    const fail = async () => {
      throw oops;
    };
    for (const name of ['onRow', 'onProgress']) {
      const choice = { suites: ['gemm'], cases: ['128 x'], size: 'quick', seconds: 0.02 };
      const running = plx.bench({ ...choice, [name]: fail });
      await assert.rejects(running, (error) => error === oops, name);
    }
  });

  const refused = [
    ['an unknown suite', { suites: ['sorting'] }, /"sorting".*gemm, mlp/],
    ['an unknown size', { size: 'huge' }, /huge.*quick/],
    ['an empty name', { suites: [''] }, /suites: "" is empty/],
    ['a suite with a comma', { suites: ['gemm,mlp'] }, /"gemm,mlp" contains a comma/],
    ['a text of two lines', { cases: ['1\n2'] }, /"1\n2" contains a line break/],
    [
      'part of a name that has a comma',
      { suites: ['inference'], cases: ['784-200-10, batch'], size: 'quick' },
      /no case of size "quick" has "784-200-10, batch" in its name/,
    ],
    ['unknown cases', { cases: ['zebra'] }, /no case of size "quick" has "zebra"/],
    ['data that is not an object', { data: 3 }, /data: expected/],
    ['a source that is not a string', digits(imagesFile(9, 28), labelsFile(9), 5), /mnist.source/],
    ['images of another size', digits(imagesFile(9, 27), labelsFile(9)), /27 x 27 pixels; 28 x 28/],
    ['no images', digits(imagesFile(0, 28), labelsFile(0)), /0 images and 0 labels/],
    ['images without labels', digits(imagesFile(9, 28), labelsFile(8)), /9 images and 8 labels/],
    ['labels for images', digits(labelsFile(9), labelsFile(9)), /images have 1 dimensions/],
    ['no suites', { suites: [] }, /bench: suites is empty/],
    ['no cases', { cases: [] }, /bench: cases is empty/],
    ['an unknown suite', { suites: ['nope'] }, /^bench: there is no suite "nope"/],
    ['a negative seed', { seed: -1 }, /seed is -1/],
    ['negative seconds', { seconds: -2 }, /seconds is -2/],
    ['negative rounds', { rounds: -2 }, /rounds is -2/],
    ['too many rounds', { rounds: 33 }, /rounds is 33; it must be from 1 to 32/],
    ['suites that are not a list', { suites: 'gemm' }, /suites: expected an array/],
    [
      'files that are no images',
      { data: { mnist: { images: new Uint8Array(9), labels: new Uint8Array(9) } } },
      /idx/,
    ],
  ];
  for (const [what, options, message] of refused) {
    it(`rejects ${what}`, async () => {
      await assert.rejects(plx.bench({ size: 'quick', ...options }), (error) => {
        assert.ok(error instanceof PlxError, String(error));
        assert.match(error.message, message);
        return true;
      });
      assert.ok((await plx.suites()).length > 0, 'the engine keeps working');
    });
  }
});
