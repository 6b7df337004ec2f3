// RESULTS.md and README's table are what the committed rows give, and rows are read as they are meant.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { cases } from '../../bench/peers/cases.mjs';
import { ONE_THREAD, others, targetsOf } from '../../bench/peers/targets.mjs';
import { readmeTable, SIDES } from '../../scripts/result_peers.mjs';
import { documents, resultsDocument, withTable } from '../../scripts/results.mjs';

/** A row of scripts/peers: the figure of each round. */
function row(name, values, change = {}) {
  const { engine, ...rest } = change;
  return {
    file: 'peers.jsonl',
    suite: 'mlp',
    case: name,
    parameters: {},
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

/** A row of one figure. */
const single = (suite, name, metric, value, change = {}) => {
  const { engine, ...rest } = change;
  return {
    ...row(name, [value], { engine }),
    ...{ file: `${suite}.jsonl`, suite, metric, unit: '1' },
    samples: { median: value, p10: value, p90: value, values: [value] },
    ...rest,
  };
};

const models = cases.filter(({ suite }) => suite === 'models');
const two = { parameters: { threads: 2 }, engine: { threads: 2 } };

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
    assert.match(missed, /\n0 of \d+ targets are met, 1 are missed/);
    assert.match(missed, /\| PyTorch: 1\.10 of 1\.5, missed by 27% \|/);
    const met = resultsDocument([row(STEP, [10, 10, 10]), torch([30, 30, 30])]);
    assert.match(met, /\n1 of \d+ targets are met, 0 are missed/);
    assert.doesNotMatch(met, /missed by/);
  });

  test('a target without rows is not measured, and never met', () => {
    const all =
      SIDES.flatMap((side) => cases.flatMap((item) => targetsOf(item, side))).length +
      others.length;
    const nothing = resultsDocument([]);
    assert.match(nothing, new RegExp(`\n0 of ${all} targets are met, 0 .* and ${all} were not`));
    const some = resultsDocument([row(STEP, [10, 10, 10]), torch([30, 30, 30])]);
    assert.match(some, new RegExp(`\n1 of ${all} targets are met, 0 .* and ${all - 1} were not`));
    assert.match(some, new RegExp(`\\| native \\| 1 \\| JAX \\| ${STEP};`));
  });

  test('the best of several peers is not known while one of them is missing', () => {
    const rate = { suite: 'gemm', metric: 'rate', unit: 'GFLOP/s', better: 'higher' };
    const name = '1024 x 1024 x 1024';
    const of = (engine, value) => row(name, [value, value, value], { ...rate, engine });
    const peers = ['OpenBLAS', 'onnxruntime-node', 'JAX'].map((peer) => of({ name: peer }, 60));
    const told = (...rows) => resultsDocument(rows);
    assert.match(told(of({}, 90), ...peers), /\n1 of \d+ targets are met, 0 are missed/);
    assert.match(told(of({}, 90), peers[0]), /\n0 of \d+ targets are met, 0 are missed/);
    assert.match(told(of({}, 30), peers[0]), /\n0 of \d+ targets are met, 1 are missed/);
  });

  test('what is not there is one line with its command', () => {
    const sections = [
      ['Natively, 1 thread', 'scripts/peers --native --threads 1 --quick'],
      ['Natively, 2 threads', 'scripts/peers --native --threads 2 --quick'],
      ['In Chromium, 1 thread', 'scripts/peers --browser --threads 1 --quick'],
      ['In Chromium, 2 threads', 'scripts/peers --browser --threads 2 --quick'],
      ['Latency of predictions', 'parallax bench inference'],
      ['Training steps with and without fusion', 'parallax bench models --cases step'],
      ['Downloads', 'node scripts/package_sizes.mjs'],
      ['Start of a page', 'node scripts/start_up.mjs'],
      ['Wider kernel targets', 'scripts/inversions'],
      ['What the models reach', 'parallax train NAME --quick'],
      ['Accuracy', 'parallax bench accuracy'],
    ];
    const text = resultsDocument([]);
    for (const [title, command] of sections)
      assert.ok(text.includes(`## ${title}\n\nNot measured in this run: \`${command}\`.\n`), title);
  });

  test('shares of the ceiling are shown and judged', () => {
    const train = models[0].name;
    const beside = (share, failure) =>
      resultsDocument([row(train, [10, 10, 10], { ceiling: { gflops: 200, share, failure } })]);
    assert.match(beside(0.81), /\| 10\.0 us \(81%\) \|/);
    assert.match(beside(0.81), /\n1 of \d+ targets are met, 0 are missed/);
    assert.match(beside(0.5), /share of the ceiling: 0\.50 of 0\.8, missed by 38%/);
    assert.match(beside(1.2, 'no ceiling'), /\| 10\.0 us \|/);
    assert.match(beside(1.2, 'no ceiling'), /\n0 of \d+ targets are met, 0 are missed/);
    const bare = /so there are no percentages/;
    assert.doesNotMatch(beside(0.5), bare);
    assert.match(resultsDocument([row(train, [10, 10, 10])]), bare);
  });

  test('two threads have a section, beside ours on one', () => {
    const alone = { parameters: { threads: 2 }, engine: { name: ONE_THREAD, threads: 1 } };
    const rows = models.flatMap(({ name }) => [
      row(name, [10, 10, 10], two),
      row(name, [18, 18, 18], alone),
    ]);
    const text = resultsDocument(rows);
    assert.match(text, /## Natively, 2 threads[^#]*\| case \| ours \| ours on one thread \|/);
    assert.match(
      text,
      /\| native \| 2 \| .* \| parallax on one thread: 1\.80 of 1\.9, missed by 5% \|/,
    );
    assert.match(text, /## Natively, 1 thread\n\nNot measured/);
  });

  test('a peer that used fewer threads stays with those it was measured beside', () => {
    const slower = { parameters: { threads: 2 }, engine: { name: 'PyTorch', threads: 1 } };
    const text = resultsDocument([row(STEP, [10, 10, 10], two), row(STEP, [20, 20, 20], slower)]);
    assert.match(text, /## Natively, 2 threads[^#]*10\.0 us \| 2\.00/);
    assert.match(text, /## Natively, 1 thread\n\nNot measured/);
  });

  test('latencies are shown with what is left out', () => {
    const of = (metric, value, change) =>
      single('inference', 'bert, batch 1', metric, value, change);
    const text = resultsDocument([
      of('latency, p50', 10),
      of('latency, p99', 20),
      of('p50 without packing', 30),
      of('p99 without packing', 40, { checks: { passed: false } }),
    ]);
    assert.match(text, /\| bert, batch 1 \| 10\.0 \/ 20\.0 \| 30\.0 \/ - \| - \/ - \|/);
  });

  test('fusion has a geometric mean once every model has rows', () => {
    const fused = models.map(({ model }, i) =>
      single('models', `step ${model}`, 'fused / unfused', i % 2 ? 0.5 : 1, {
        parameters: { model },
      }),
    );
    const all = resultsDocument(fused);
    assert.match(all, /\| step gpt2-nano \| - \| - \| 1\.00 \|/);
    assert.match(all, /The geometric mean is 1\.41\./);
    assert.match(all, /\n1 of \d+ targets are met, 0 are missed/);
    const some = resultsDocument(fused.slice(1));
    assert.match(some, /no geometric mean/);
    assert.match(some, /\n0 of \d+ targets are met, 0 are missed/);
  });

  test('sizes, the start of a page and wider targets are shown and judged', () => {
    const size = (name, tier, value) =>
      single('package', name, 'download', value, { engine: { tier } });
    const rows = (load, ms, predicting, slower) => [
      size('load()', 'simd', load - 1000),
      size('load()', 'relaxed-threads', load),
      size('inference', 'simd', 90_000),
      single('package', 'a page', 'first result', ms),
      single('package', 'a net', 'first prediction', predicting),
      single('inversions', 'ops,adaptive; small sizes', 'slower on a wider target', 9, {
        parameters: { targets: 'avx2, sse2', compared: 7 },
      }),
      single('inversions', 'ops,adaptive', 'slower on a wider target', slower, {
        parameters: { targets: 'avx2, sse2', compared: 7 },
      }),
    ];
    const good = resultsDocument(rows(165_000, 120, 150, 0));
    assert.match(good, /\| load\(\) \| relaxed-threads \| 165\.0 \|/);
    assert.match(good, /\| a page \| 120 ms \|/);
    assert.match(good, /\| a net \| 150 ms \|/);
    assert.match(good, /\| ops,adaptive \| avx2, sse2 \| 7 \| 0 \|/);
    assert.match(good, /\n5 of \d+ targets are met, 0 are missed/);
    const bad = resultsDocument(rows(173_250, 150, 165, 2));
    assert.match(bad, /gzip: 173\.3 of at most 165 kB, missed by 5%/);
    assert.match(bad, /median: 150 of at most 120 ms, missed by 25%/);
    assert.match(bad, /median: 165 of at most 150 ms, missed by 10%/);
    assert.match(bad, /narrower target: 2 of at most 0, missed/);
  });

  test('rows of an older commit, or of a tree with changes, are told', () => {
    const of = (commit, date, change) => ({ ...row(STEP, [1, 1, 1], change), commit, date });
    const old = of('old-changed', '2026-01-01T00:00:00Z');
    const recent = of('new', '2026-01-02T00:00:00Z', two);
    const section = (text, threads) =>
      text.split(`## Natively, ${threads} thread`)[1].split('##')[0];
    const text = resultsDocument([old, recent]);
    assert.match(section(text, 1), /older than the newest rows here, which are of commit new\./);
    assert.match(section(text, 1), /the tree had changes that were not committed/);
    assert.doesNotMatch(section(text, 2), /older|not committed/);
    const mixed = resultsDocument([old, of('new', '2026-01-02T00:00:00Z')]);
    assert.match(section(mixed, 1), /These rows are of 2 commits\./);
    assert.doesNotMatch(section(mixed, 1), /older/);
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
