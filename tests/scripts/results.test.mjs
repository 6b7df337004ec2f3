// RESULTS.md and README's table are what the committed rows give, and rows are read as they are meant.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { documents, readmeTable, resultsDocument, withTable } from '../../scripts/results.mjs';

/** A row of scripts/peers: the figure of each round. */
function row(name, values, change = {}) {
  const { engine, ...rest } = change;
  return {
    file: 'peers.jsonl',
    suite: 'mlp',
    case: name,
    metric: 'step time',
    unit: 'us',
    better: 'lower',
    samples: { median: values[1], values },
    engine: { kind: 'native', name: 'parallax', threads: 1, ...engine },
    machine: { name: 'Test CPU', cpus: 2, system: 'Linux' },
    commit: 'abc',
    date: '2026-01-02T03:04:05Z',
    checks: { passed: true },
    ...rest,
  };
}

const STEP = 'train 784-200-10, batch 64';
const torch = (values, change) => row(STEP, values, { engine: { name: 'PyTorch' }, ...change });

describe('results', () => {
  test('the documents are what the rows in bench/results give', () => {
    for (const { path, text } of documents())
      assert.equal(readFileSync(path, 'utf8'), text, `${path}: run scripts/results`);
  });

  test('a ratio is taken round by round', () => {
    const text = resultsDocument([row(STEP, [100, 200, 400]), torch([300, 400, 400])]);
    assert.match(text, /\| train 784-200-10, batch 64 \| 200 us \| 2\.00 \[1\.00, 3\.00\] \|/);
    assert.match(text, /Measured on Test CPU, 2 CPUs, Linux; commit abc; 2026-01-02\./);
  });

  test('of rates more is faster', () => {
    const rate = { suite: 'gemm', metric: 'rate', unit: 'GFLOP/s', better: 'higher' };
    const name = '1024 x 1024 x 1024';
    const blas = { ...rate, engine: { name: 'OpenBLAS' } };
    const text = resultsDocument([row(name, [90, 90, 90], rate), row(name, [60, 60, 60], blas)]);
    assert.match(text, /90\.0 GFLOP\/s \| 1\.50 \[1\.50, 1\.50\]/);
  });

  test('of variants of a peer the fastest counts', () => {
    const rows = [row(STEP, [10, 10, 10]), torch([30, 30, 30]), torch([20, 20, 20])];
    assert.match(resultsDocument(rows), /2\.00 \[2\.00, 2\.00\]/);
  });

  test('what is void leaves a dash', () => {
    const tier = (name) => ({ kind: 'wasm', tier: name, runtime: 'Chromium 156' });
    const rows = [
      row(STEP, [10, 10, 10], { engine: tier('simd') }),
      row(STEP, [10, 10, 10], {
        engine: tier('relaxed-threads'),
        checks: { passed: false, failure: 'no memory' },
      }),
      torch([20, 20, 20], { engine: { name: 'jax-js', kind: 'wasm', runtime: 'Chromium 156' } }),
    ];
    assert.match(resultsDocument(rows), /\| 10\.0 us \/ - \| 2\.00 \[2\.00, 2\.00\] \/ - \|/);
  });

  test('a target that was missed is listed, one that was met is not', () => {
    const missed = resultsDocument([row(STEP, [10, 10, 10]), torch([11, 11, 11])]);
    assert.match(missed, /0 of 1 targets are met[\s\S]*PyTorch: 1\.10 of 1\.5, missed by 27%/);
    const met = resultsDocument([row(STEP, [10, 10, 10]), torch([30, 30, 30])]);
    assert.match(met, /1 of 1 targets are met/);
    assert.doesNotMatch(met, /missed by/);
  });

  test('rows of a case that is gone are an error', () => {
    assert.throws(() => resultsDocument([row('train nothing', [1, 1, 1])]), /which is no case/);
  });

  test('README has the fastest tier beside the fastest other', () => {
    const rows = [row(STEP, [10, 10, 10]), torch([30, 30, 30])];
    assert.match(
      readmeTable(rows),
      /natively \| .*a step \| 10\.0 us \| 3\.00 times as fast as PyTorch/,
    );
    assert.throws(() => withTable('no place for a table', rows), /lacks the lines/);
  });
});
