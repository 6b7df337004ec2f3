/** Each command does what its help promises; its rows are of the schema. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { assertRows, interruptWhen, mnist, parallax, readRows, withFolder } from './support.mjs';

const commands = ['info', 'bench', 'train', 'explain', 'verify', 'compare'];

describe('help', () => {
  it('lists the commands', () => {
    const { code, out } = parallax(['--help']);
    assert.equal(code, 0);
    for (const name of commands) assert.match(out, new RegExp(`^ +${name} `, 'm'));
  });
  for (const name of commands) {
    it(`is there for ${name}`, () => {
      const { code, out } = parallax([name, '--help']);
      assert.equal(code, 0);
      assert.match(out, new RegExp(`^Usage: parallax ${name} `));
      assert.match(out, /--json=FILE/);
    });
  }
  it('gives the version', () => {
    assert.match(parallax(['--version']).out, /^parallax \d+\.\d+\.\d+ \(/);
  });
});

describe('info', () => {
  it('names the kernels, and takes the one it is told', () => {
    const { code, out } = parallax(['info', '--json', '-', '--isa', 'scalar', '--threads', '1']);
    assert.equal(code, 0);
    const info = JSON.parse(out);
    assert.equal(info.isa, 'scalar');
    assert.equal(info.threads, 1);
    assert.ok(info.targets.includes('scalar'));
    assert.ok(info.gflops > 0 && info.gbytes > 0);
  });
  it('heeds PARALLAX_ISA', () => {
    const { out } = parallax(['info', '--json', '-'], { env: { PARALLAX_ISA: 'scalar' } });
    assert.equal(JSON.parse(out).isa, 'scalar');
  });
  it('has an exact target', () => {
    const { out } = parallax(['info', '--json', '-', '--reproducible']);
    const info = JSON.parse(out);
    assert.equal(info.exact, true);
    assert.equal(info.vectorBits, 128);
  });
});

describe('bench', () => {
  it('lists its suites', () => {
    const { out } = parallax(['bench', '--list']);
    for (const suite of [
      'gemm',
      'mlp',
      'adaptive',
      'interp5d',
      'bits',
      'ops',
      'accuracy',
      'hypercausal',
    ])
      assert.match(out, new RegExp(`^${suite} `, 'm'));
  });

  it('runs all suites, and every row is of the schema', () =>
    withFolder((folder) => {
      const [json, csv] = [path.join(folder, 'a.jsonl'), path.join(folder, 'a.csv')];
      const args = ['bench', 'all', '--quick', '--seconds', '0.02', '--json', json, '--csv', csv];
      const { code, err } = parallax(args, mnist ? { env: { PARALLAX_DATA: mnist } } : {});
      assert.equal(code, 0, err);
      const rows = readRows(json);
      assertRows(rows);
      const suites = new Set(rows.map((row) => row.suite));
      assert.deepEqual(
        [...suites],
        ['gemm', 'mlp', 'adaptive', 'interp5d', 'bits', 'ops', 'accuracy', 'hypercausal'],
      );
      for (const row of rows) {
        assert.equal(row.engine.kind, 'native');
        assert.equal(row.checks.passed, true, `${row.case}: ${row.checks.failure}`);
      }
      if (mnist) assert.ok(rows.some((row) => row.data.kind === 'real' && row.data.source));
      const lines = readFileSync(csv, 'utf8').trimEnd().split('\r\n');
      assert.equal(lines.length, rows.length + 1);
      assert.match(lines[0], /^schema,suite,case,.*samples\.median/);
      assert.deepEqual(readdirSync(folder).sort(), ['a.csv', 'a.jsonl'], 'nothing else is left');
    }));

  it('says where noise stands in for images', () => {
    const { out } = parallax(['bench', 'bits', '--quick', '--json', '-']);
    const rows = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assertRows(rows);
    for (const row of rows) assert.equal(row.data.kind, 'synthetic');
  });

  it('keeps what it has measured when it is interrupted', () =>
    withFolder(async (folder) => {
      const json = path.join(folder, 'a.jsonl');
      const args = ['bench', 'gemm', 'adaptive', '--quick', '--seconds', '0.5', '--json', json];
      const { code, err } = await interruptWhen(args, /case +metric/);
      assert.equal(code, 130, err);
      assert.match(err, /stopped; \d+ rows were measured/);
      assertRows(readRows(json));
      assert.deepEqual(readdirSync(folder), ['a.jsonl']);
    }));
});

describe('train', () => {
  it('fits interp5d nearly to the noise', () =>
    withFolder((folder) => {
      const json = path.join(folder, 'a.jsonl');
      const { code, out } = parallax(['train', 'interp5d', '--json', json]);
      assert.equal(code, 0);
      assert.match(out, /^epoch +50 of 50 /m);
      const rows = readRows(json);
      assertRows(rows);
      const figure = (metric) => rows.find((row) => row.metric === metric).samples.median;
      assert.ok(figure('r2') > 0.95, `R^2 ${figure('r2')}`);
      assert.ok(figure('rmse') < 0.2, `RMSE ${figure('rmse')}`);
    }));

  it('takes a table', () =>
    withFolder((folder) => {
      const csv = path.join(folder, 'plane.csv');
      const lines = Array.from({ length: 400 }, (_, i) => [i % 20, i % 7, 2 * (i % 20) - (i % 7)]);
      writeFileSync(csv, `a,b,target\n${lines.map((cells) => cells.join(',')).join('\n')}\n`);
      const { code, out } = parallax(['train', 'interp5d', '--csv', csv, '--batch', '32']);
      assert.equal(code, 0);
      const r2 = Number(/R\^2 ([\d.]+)\n$/.exec(out)[1]);
      assert.ok(r2 > 0.99, `R^2 ${r2}`);
    }));

  it('has the same bits on all exact targets, with 1 and 2 threads', () => {
    const bits = (...args) =>
      /bits ([0-9a-f]{16})/.exec(
        parallax(['train', 'interp5d', '--rows', '500', '--epochs', '3', ...args]).out,
      )[1];
    const targets = JSON.parse(parallax(['info', '--json', '-']).out).targets;
    const exact = targets.filter((isa) => ['sse2', 'avx128', 'neon128'].includes(isa));
    assert.ok(exact.length > 0);
    const first = bits('--reproducible', '--threads', '1');
    for (const isa of exact) {
      assert.equal(bits('--isa', isa, '--threads', '1'), first, isa);
      assert.equal(bits('--isa', isa, '--threads', '2'), first, `${isa}, 2 threads`);
    }
    assert.notEqual(bits('--reproducible', '--seed', '1'), first);
  });

  it('learns digits to 95%', { skip: !mnist && 'PARALLAX_DATA is not set' }, () => {
    const { code, out } = parallax(['train', 'mnist'], { env: { PARALLAX_DATA: mnist } });
    assert.equal(code, 0);
    assert.match(out, /label +predicted/);
    const [, held, accuracy] = /accuracy on the (\d+) held out: ([\d.]+)%\n$/.exec(out);
    assert.equal(held, '2000');
    assert.ok(Number(accuracy) >= 95, `${accuracy}%`);
  });

  it('stops on Ctrl-C and says how far it came', async () => {
    const { code, out, err } = await interruptWhen(
      ['train', 'interp5d', '--epochs', '100000'],
      /epoch +2 of/,
    );
    assert.equal(code, 130);
    assert.match(err, /stopped after step \d+ of \d+/);
    assert.match(out, /RMSE on the 2000 held out/);
  });
});

describe('explain', () => {
  it('shows what is fused', () => {
    const { code, out } = parallax(['explain', 'mlp:784-200-10', '--json', '-']);
    assert.equal(code, 0);
    const steps = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(steps[0].fused, 'matmul+bias+relu');
    assert.deepEqual(steps[0].shape, [64, 200]);
    assert.ok(steps[0].flops >= 2 * 64 * 784 * 200);
  });
  it('times the steps of training', () => {
    const args = ['explain', 'mlp:20-30-4', '--training', '--profile', '--batch', '8'];
    const { code, out } = parallax([...args, '--json', '-']);
    assert.equal(code, 0);
    const steps = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.ok(steps.some((step) => step.op === 'adam'));
    assert.ok(steps.every((step) => step.nanoseconds > 0));
  });
});

describe('verify', () => {
  it('passes on every target', () => {
    const { code, out } = parallax(['verify', '--quick']);
    assert.equal(code, 0, out);
    assert.match(out, /\d+ checks, 0 failed\n$/);
  });
  it('can be kept to one target', () => {
    const { code, out } = parallax(['verify', '--quick', '--isa', 'scalar', '--threads', '1']);
    assert.equal(code, 0);
    assert.match(out, /^scalar +1 thread /m);
    assert.match(out, /^2 checks, 0 failed$/m);
  });
});

describe('compare', () => {
  const row = JSON.parse(
    parallax(['bench', 'gemm', '--quick', '--cases', '256', '--json', '-']).out.split('\n')[0],
  );
  const compare = (change) =>
    withFolder((folder) => {
      const [a, b] = ['a.jsonl', 'b.jsonl'].map((name) => path.join(folder, name));
      const other = structuredClone(row);
      change(other);
      writeFileSync(a, `${JSON.stringify(row)}\n`);
      writeFileSync(b, `${JSON.stringify(other)}\n`);
      return parallax(['compare', a, b, '--json', '-']);
    });

  it('gives the ratio and its interval', async () => {
    Object.assign(row.samples, { median: 100, low: 90, high: 110 });
    const { code, out } = await compare((other) => {
      Object.assign(other.samples, { median: 50, low: 45, high: 55 });
    });
    assert.equal(code, 0);
    const result = JSON.parse(out);
    // Relative errors of 10% each, in quadrature on a logarithmic scale.
    assert.equal(result.ratio, 2);
    assert.ok(
      Math.abs(result.low - 2 * Math.exp(-Math.hypot(Math.log(10 / 9), Math.log(1.1)))) < 1e-9,
    );
    assert.ok(
      Math.abs(result.high - 2 * Math.exp(Math.hypot(Math.log(1.1), Math.log(10 / 9)))) < 1e-9,
    );
  });
  it('leaves out what is void', async () => {
    const { err } = await compare((other) => {
      other.checks = { passed: false, failure: 'too large an error' };
    });
    assert.match(err, /void: the check of B failed/);
  });
  it('says that machines differ', async () => {
    const { err } = await compare((other) => {
      other.machine.name = 'another';
    });
    assert.match(err, /The machines differ/);
  });
});
