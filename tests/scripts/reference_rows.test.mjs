// Reference rows keep what the page draws, and are still rows of the schema.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pack, slimRows, unpack } from '../../scripts/reference_rows.mjs';

const row = (change = {}) => ({
  suite: 'gemm',
  case: '256 x 256 x 256',
  parameters: { m: 256 },
  metric: 'rate',
  primary: true,
  samples: {
    count: 12345,
    median: 1.23456789,
    values: [1, 2],
    mean: 1,
    deviation: 1,
    rounds: [1.23456, 2],
  },
  engine: { isa: 'avx512' },
  machine: { name: 'CPU', cpus: 2 },
  checks: { passed: true },
  ...change,
});

describe('reference rows', () => {
  test('survive being packed, in which repeated fields are left out', () => {
    const rows = [
      row(),
      row({ metric: 'throughput', primary: false }),
      row({ suite: 'mlp', roofline: { flops: 1 } }),
      row({ suite: 'mlp' }),
    ];
    const text = pack(rows);
    assert.deepEqual(
      unpack(text).map((one) => JSON.parse(JSON.stringify(one))),
      rows,
    );
    const [first, second] = text.split('\n').map((line) => line.length);
    assert.ok(second < 0.7 * first, `${second} of ${first} letters`);
  });

  test('keep evenly spaced points of a scatter plot', () => {
    const many = Array.from({ length: 240 }, (_, i) => i);
    const [slim] = slimRows([row({ scatter: { analytic: many, numeric: many } })], 'M');
    assert.equal(slim.scatter.analytic.length, 24);
    assert.deepEqual(slim.scatter.analytic.slice(0, 3), [0, 10, 20]);
    assert.deepEqual(slim.scatter.numeric, slim.scatter.analytic);
  });

  test('are rounded, named, and without samples', () => {
    const [slim] = slimRows([row({ worst: { x: 1 }, bound: 0.123456 })], 'A machine');
    assert.deepEqual(slim.samples, { count: 12345, median: 1.235, rounds: [1.235, 2] });
    assert.deepEqual(slim.machine, { name: 'A machine', cpus: 2 });
    assert.equal(slim.worst, undefined);
    assert.equal(slim.bound, 0.1235);
  });

  test('keep memory to the byte, once for each case, and points of a curve', () => {
    const memory = { inputs: 1234567 };
    const many = Array.from({ length: 240 }, (_, i) => i + 1 / 3);
    const curve = { step: many.map(Math.floor), loss: many };
    const rows = [row({ memory, curve }), row({ memory, metric: 'p99', primary: false })];
    const other = row({ memory, metric: 'training memory', unit: 'bytes', primary: false });
    const slim = slimRows([...rows, { ...other, case: 'b' }, { ...rows[1], case: 'c' }], 'M');
    assert.deepEqual(
      slim.map((each) => each.memory),
      [memory, memory, undefined],
    );
    assert.equal(slim[0].curve.step.length, 24);
    assert.deepEqual(slim[0].curve.step.slice(0, 2), [0, 10]);
    assert.deepEqual(slim[0].curve.loss.slice(0, 2), [0.3333, 10.33]);
  });

  test('keep counts and parameters to the digit', () => {
    const histogram = { edges: [0, 0.123456], counts: [1234567] };
    const [slim] = slimRows([row({ histogram, parameters: { bytes: 1234567 } })], 'M');
    assert.deepEqual(slim.histogram, { edges: [0, 0.1235], counts: [1234567] });
    assert.deepEqual(slim.parameters, { bytes: 1234567 });
  });

  test('are those that are drawn, and one of every case', () => {
    const other = { primary: false, metric: 'tokens' };
    const kept = (...rows) => slimRows(rows, 'M').map(({ metric }) => metric);
    assert.deepEqual(kept(row(), row(other)), ['rate']);
    assert.deepEqual(kept(row(other), row({ ...other, metric: 'more' })), ['tokens']);
    assert.deepEqual(kept(row(), row({ ...other, metric: 'held-out RMSE' })), [
      'rate',
      'held-out RMSE',
    ]);
    assert.deepEqual(kept(row(), row({ ...other, checks: { passed: true, lossBits: 'a' } })), [
      'rate',
      'tokens',
    ]);
  });
});
