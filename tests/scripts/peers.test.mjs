/** scripts/peers, on engines made for this test: what ends in the middle, and what the table says. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cases as allCases } from '../../bench/peers/cases.mjs';
import { measureGroup, separateEngines } from '../../bench/peers/groups.mjs';
import { browserEngines } from '../../bench/peers/peer_browser.mjs';
import { makeData } from '../../bench/peers/peer_data.mjs';
import { ceilingOf, toRows } from '../../bench/peers/peer_rows.mjs';
import { lineEngine } from '../../bench/peers/processes.mjs';
import { tableLines } from '../../bench/peers/report.mjs';
import { ONE_THREAD, targetsOf, verdicts } from '../../bench/peers/targets.mjs';
import { vendorOf } from '../../bench/peers/vendor.mjs';

const fake = fileURLToPath(new URL('fake_peer.mjs', import.meta.url));
const product = (n) => ({
  suite: 'gemm',
  name: `${n}`,
  kind: 'gemm',
  m: n,
  n,
  k: n,
  transposed: 'none',
  flops: 2 * n ** 3,
});
const cases = [3, 4, 5].map(product);
const native = { where: 'native', threads: 1 };
const chromium = { where: 'browser', threads: 1 };
const method = { rounds: 3, sampleNs: 2e6, seed: 1, gapMs: 0 };

/** Measures the cases; before a case, prepare[its number] is called. */
async function measured(group, prepare = {}, chosen = cases) {
  const lines = [];
  const results = {};
  const rows = [];
  const out = {
    note: (sentence) => lines.push(`  (${sentence})`),
    begin: () => {},
    add(item, side, entries) {
      results[item.name] = Object.fromEntries(
        entries.map(({ engine, ns, failure }) => [engine.key, failure ?? ns.length]),
      );
      const about = { seed: 1, machine: {}, commit: 'abc', date: '2026-01-02' };
      rows.push(...toRows(item, entries, { ...side, ...about }));
      lines.push(...tableLines(item, side, entries));
    },
  };
  const data = (item) => {
    prepare[item.n]?.();
    return makeData(item, { seed: 1 });
  };
  for (const note of group.notes) out.note(note);
  await measureGroup(group, chosen, { out, side: native, method, makeData: data });
  return { results, rows, text: lines.join('\n') };
}

describe('native engines', () => {
  let folder;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'peers-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const put = (name, text = '') => writeFileSync(path.join(folder, name), text);
  const engines = (...names) =>
    separateEngines(
      names.map((key, i) => ({
        what: key,
        async start() {
          const about = { key, name: i ? key : 'parallax', kind: 'native', label: key, short: key };
          const args = [fake, folder, key, '1'];
          const engine = await lineEngine(about, process.execPath, args, folder);
          return i ? engine : { ...engine, peak: async () => Number(await engine.ask('peak')) };
        },
      })),
    );
  const all = { ours: 3, a: 3, b: 3 };

  it('are all measured; CPUs beyond their threads are told', async () => {
    const { results, text } = await measured(await engines('ours', 'a', 'b'));
    assert.deepEqual(results, { 3: all, 4: all, 5: all });
    assert.match(text, /^ {2}\(ours is fake\)\n {2}\(a is fake\)/);
    assert.match(text, /ours .*\(\d+% of the ceiling; by hand/);
    assert.match(text, /a .* ours 1\.00x .*\(by hand; kept 2\.00 CPUs busy, not 1\)/);
  });

  it('multiply operands that lie in memory as their transposes', async () => {
    const chosen = ['none', 'a', 'b'].map((transposed) => ({
      ...product(3),
      name: transposed,
      n: 4,
      k: 5,
      transposed,
    }));
    const { results, rows } = await measured(await engines('ours', 'a'), {}, chosen);
    const both = { ours: 3, a: 3 };
    assert.deepEqual(results, { none: both, a: both, b: both });
    assert.ok(rows.every(({ checks }) => checks.passed));
    assert.deepEqual(
      rows.map(({ parameters }) => parameters.transposed),
      ['none', 'none', 'a', 'a', 'b', 'b'],
    );
  });

  it('of ours have rows with the ceiling of the same run, and the threads asked for', async () => {
    const { rows } = await measured(await engines('ours', 'a'));
    assert.equal(rows.length, 6);
    for (const { engine, case: name, samples, ceiling, parameters } of rows) {
      assert.equal(parameters.threads, 1);
      if (engine.name !== 'parallax') assert.equal(ceiling, undefined);
      else {
        assert.equal(ceiling.gflops, 0.001);
        assert.equal(ceiling.share, samples.median / 0.001, name);
        assert.equal(ceiling.failure, undefined);
      }
    }
  });

  it('have no ceiling where none can be measured, and are no less valid', async () => {
    put('ours.nopeak');
    const { results, rows } = await measured(await engines('ours', 'a'));
    assert.deepEqual(results[3], { ours: 3, a: 3 });
    assert.ok(rows.every(({ ceiling }) => ceiling === undefined));
  });

  for (const command of ['open', 'results', 'run', 'close'])
    it(`are void in the case in which they end, here at "${command}", and run again`, async () => {
      const prepare = { 4: () => put('a.dies', command) };
      const { results, text } = await measured(await engines('ours', 'a', 'b'), prepare);
      assert.deepEqual(results[3], all);
      assert.deepEqual(results[4], { ...all, a: 'a ended by SIGKILL' });
      assert.deepEqual(results[5], all);
      assert.match(text, /a +void: a ended by SIGKILL\n.*\(a ended by SIGKILL; it runs again\)/s);
    });

  it('are not compared where ours ends', async () => {
    const prepare = { 4: () => put('ours.dies', 'results') };
    const { results } = await measured(await engines('ours', 'a'), prepare);
    assert.deepEqual(results[4], {
      ours: 'parallax ended by SIGKILL',
      a: 'not compared, since ours failed',
    });
    assert.deepEqual(results[5], { ours: 3, a: 3 });
  });

  it('are left out if they cannot start', async () => {
    put('a.missing');
    const { results, text } = await measured(await engines('ours', 'a', 'b'));
    assert.deepEqual(results[3], { ours: 3, b: 3 });
    assert.match(text, /\(without a: a ended with code 3: a is not installed\)/);
    put('ours.missing');
    await assert.rejects(engines('ours', 'b'), /parallax ended with code 3: ours is not installed/);
  });

  it('are left out if they cannot start again; without ours nothing goes on', async () => {
    const ends = (name) => () => {
      put(`${name}.dies`, 'run');
      put(`${name}.missing`);
    };
    const one = await measured(await engines('ours', 'a', 'b'), { 4: ends('a') });
    assert.deepEqual(one.results[5], { ours: 3, b: 3 });
    assert.match(one.text, /\(from here on without a: a ended with code 3: a is not installed\)/);
    const none = await measured(await engines('ours', 'b'), { 4: ends('ours') });
    assert.deepEqual(Object.keys(none.results), ['3', '4']);
    assert.match(none.text, /\(1 case is left out\)$/);
  });
});

describe('the engines of a page', () => {
  /** Opens pages whose engines give the products of ones; acts[i] is called in every run of page i. */
  function opener(acts) {
    const pages = [];
    const open = async () => {
      const act = acts[pages.length];
      if (!act) throw new Error('no browser here\nat some line');
      const events = new EventEmitter();
      let [runs, lost, size] = [0, undefined, 0];
      const ended = new Promise((_, reject) => {
        events.once('end', () => {
          lost = 'the page was closed in the middle';
          reject(new Error(lost));
        });
      });
      ended.catch(() => {});
      const answers = {
        start: (_, maker, { tier, threads }) => ({
          tier: maker === 'parallax' ? tier : undefined,
          version: '1',
          threads,
        }),
        open: (_, { n }) => {
          size = n;
        },
        results: () => new Array(size * size).fill(size),
        run: (_, count) => {
          act(events, ++runs);
          return count * 1e6;
        },
      };
      const page = {
        evaluate: async (_, [name, args]) => {
          if (lost) throw new Error('page.evaluate: Target page has been closed');
          return answers[name]?.(...args);
        },
      };
      pages.push(page);
      return { page, runtime: 'Fake 1', ended, lost: () => lost, close: async () => {} };
    };
    return { open, pages };
  }

  const ones = ({ m, n, k }) => ({
    a: new Float32Array(m * k).fill(1),
    b: new Float32Array(k * n).fill(1),
    recipe: {},
  });
  async function measuredInPages(acts, threads = 1) {
    const { open, pages } = opener(acts);
    const lines = [];
    const voids = [];
    const out = {
      note: (sentence) => lines.push(`  (${sentence})`),
      begin: () => {},
      add(item, side, entries) {
        voids.push(entries.every(({ failure }) => failure));
        lines.push(...tableLines(item, side, entries));
      },
    };
    const group = await browserEngines({ threads, root: '/', open });
    const started = group.engines;
    await measureGroup(group, cases, {
      ...{ out, side: { ...chromium, threads }, method, makeData: ones },
    });
    return { pages, voids, started, text: lines.join('\n') };
  }
  const quiet = () => {};
  const endsAt = (wanted) => (events, runs) => {
    if (runs === wanted) events.emit('end');
  };

  it('are measured in one page if nothing happens', async () => {
    const { pages, voids } = await measuredInPages([quiet]);
    assert.equal(pages.length, 1);
    assert.deepEqual(voids, [false, false, false]);
  });

  it('are joined by ours on one thread where two are measured', async () => {
    const { started } = await measuredInPages([quiet], 2);
    const alone = started.filter(({ name }) => name === ONE_THREAD);
    assert.deepEqual(
      alone.map(({ tier }) => tier),
      ['simd-threads', 'relaxed-threads'],
    );
    for (const { cannot } of alone) {
      assert.ok(cannot(product(3)));
      assert.ok(!cannot({ suite: 'models', kind: 'train' }));
    }
  });

  // Each of the five engines needs two runs to find its count, and then one for each round.
  for (const runs of [1, 9, 15, 25])
    it(`are all void when the page ends, here after ${runs} runs, and go on in a new one`, async () => {
      const { pages, voids, text } = await measuredInPages([endsAt(runs), quiet]);
      assert.equal(pages.length, 2);
      assert.deepEqual(voids, [true, false, false]);
      assert.match(text, /^3\n {2}void: the page was closed in the middle\n/m);
      assert.match(text, /\(the page was closed in the middle; the next cases run in a new one\)/);
    });

  it('end with a sentence if there is no new browser', async () => {
    const { voids, text } = await measuredInPages([endsAt(2)]);
    assert.deepEqual(voids, [true]);
    assert.match(
      text,
      /and no new one could be started: no browser here\)\n {2}\(2 cases are left/,
    );
  });
});

describe('scripts/peers', () => {
  const script = fileURLToPath(new URL('../../bench/peers/run.mjs', import.meta.url));
  const peers = (...args) => spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });

  it('lists its cases, of which --case takes some', () => {
    const names = (...args) =>
      peers('--list', ...args)
        .stdout.trim()
        .split('\n');
    assert.ok(names().length > names('--case', 'train').length);
    assert.deepEqual(names('--case', 'train 784'), ['train 784-200-10, batch 64']);
    assert.deepEqual(names('--case', '1024 x 8192'), [
      '1024 x 8192 x 128',
      '1024 x 8192 x 128, b transposed',
    ]);
  });

  it('judges every product natively, and in browsers those that are measured there', () => {
    const products = allCases.filter(({ kind }) => kind === 'gemm');
    assert.equal(new Set(products.map(({ name }) => name)).size, products.length);
    for (const threads of [1, 2])
      for (const item of products)
        assert.equal(targetsOf(item, { where: 'native', threads }).length, 1, item.name);
    for (const item of products)
      assert.equal(targetsOf(item, chromium).length, item.onlyNative ? 0 : 2, item.name);
  });

  const wrong = [
    [['--case', 'nosuch'], /no case has "nosuch" in its name; the cases are:\n {2}256 x/],
    [['--threads', '0'], /--threads must be an integer from 1 to 64, not "0"/],
    [['--seed', '-1'], /argument is ambiguous|--seed/],
    [['--fast'], /--fast.*--help/],
  ];
  for (const [args, pattern] of wrong)
    it(`refuses ${args.join(' ')}`, () => {
      const { status, stderr } = peers(...args);
      assert.equal(status, 2, stderr);
      assert.match(stderr, pattern);
    });
});

describe('the table', () => {
  const vendors = [
    ['vendor_id\t: AuthenticAMD\n', '', 'AMD'],
    ['processor : 0\nvendor_id\t: GenuineIntel\n', '', 'Intel'],
    ['CPU implementer\t: 0x41\n', '', 'ARM'],
    ['vendor_id\t: SomethingNew\n', '', 'SomethingNew'],
    ['', 'Apple M4', 'Apple'],
    ['', '', 'unknown'],
  ];
  for (const [cpuinfo, model, vendor] of vendors)
    it(`names the vendor ${vendor}`, () => assert.equal(vendorOf(cpuinfo, model), vendor));

  const entry = (name, median) => ({ engine: { name }, median });
  const judged = (item, side, ...peers) =>
    verdicts(item, side, entry('parallax', 1), peers, ({ median }) => median);
  const large = '512-1024-1024-512-10';

  it('judges by the best peer of each target', () => {
    const best = judged(product(3), native, entry('OpenBLAS', 1.3), entry('JAX', 0.9));
    assert.deepEqual(best, ['best of OpenBLAS, onnxruntime and JAX: 0.90 of 1, missed by 10%']);
    const kernels = judged(product(3), native, entry('OpenBLAS', 1.3), entry('OpenBLAS', 1.1));
    assert.match(kernels[0], /: 1\.10 of 1, reached$/);
    const training = judged({ kind: 'train', model: large }, native, entry('JAX', 1.5));
    assert.deepEqual(training, ['JAX: 1.50 of 1.5, reached']);
    const prediction = { kind: 'predict', model: large, batch: 32 };
    assert.match(judged(prediction, native, entry('onnxruntime-node', 1))[0], /of 1\.1, missed/);
    assert.match(judged(prediction, chromium, entry('jax-js', 1))[0], /of 1\.3, missed/);
  });

  it('judges what is wanted of this number of threads', () => {
    const two = { ...native, threads: 2 };
    const prediction = { kind: 'predict', model: large, batch: 32 };
    assert.match(judged(prediction, two, entry('onnxruntime-node', 1))[0], /of 1\.1, missed/);
    const training = { kind: 'train', model: large };
    assert.deepEqual(judged(training, two, entry('JAX', 1)), []);
    const model = { kind: 'train', suite: 'models', model: 'gpt2-nano' };
    const alone = entry(ONE_THREAD, 1.95);
    assert.deepEqual(judged(model, two, alone), [`${ONE_THREAD}: 1.95 of 1.9, reached`]);
    assert.deepEqual(judged(model, native, alone), []);
  });

  it('compares two threads with one of the same tier', () => {
    const model = { kind: 'train', suite: 'models', model: 'gpt2-nano' };
    const tier = (name, of, median) => ({ engine: { name, tier: of }, median });
    const peers = [tier(ONE_THREAD, 'simd', 1.5), tier(ONE_THREAD, 'relaxed', 1.9)];
    const side = { ...chromium, threads: 2 };
    const told = verdicts(model, side, tier('parallax', 'relaxed', 1), peers, (p) => p.median);
    assert.deepEqual(told, [`${ONE_THREAD}: 1.90 of 1.9, reached`]);
  });

  const shares = [
    ['native', 1, 'gpt2-nano', 0.8],
    ['native', 2, 'bert-nano', 0.75],
    ['native', 1, 'resnet-nano', 0.45],
    ['browser', 1, 'vit-nano', 0.88],
  ];
  for (const [where, threads, model, wanted] of shares)
    it(`judges the share of the ceiling of ${model}, ${where}, on ${threads}`, () => {
      const item = { kind: 'train', suite: 'models', model };
      const of = (share, failure) =>
        verdicts(
          item,
          { where, threads },
          { ...entry('parallax', 1), ceiling: { share, failure } },
          [],
          () => 1,
        );
      assert.deepEqual(of(wanted), [
        `share of the ceiling: ${wanted.toFixed(2)} of ${wanted}, reached`,
      ]);
      assert.match(of(wanted - 0.1)[0], /missed/);
      assert.deepEqual(of(1.2, 'it is no ceiling'), []);
    });

  it('has no share of a ceiling that was exceeded, or where the method needs less', () => {
    const taken = { ceiling: 0.001, ns: [1000, 1000, 1000] };
    assert.match(ceilingOf({ flops: 2 }, taken).failure, /it is no ceiling/);
    assert.equal(ceilingOf({ flops: 1 }, taken).failure, undefined);
    assert.equal(ceilingOf({ work: 0.5, kind: 'train' }, taken).share, 0.5);
    const conv = (stride) => ({ op: 'conv2d', flops: 1, sizes: { k: 3, stride, groups: 1 } });
    assert.equal(ceilingOf(conv(1), taken), undefined);
    assert.equal(ceilingOf(conv(2), taken).share, 1);
    assert.equal(ceilingOf({ kind: 'op', op: 'gelu' }, taken), undefined);
  });
});
