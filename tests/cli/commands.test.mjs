/** Each command does what its help promises; its rows match the schema. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { assertTable } from './csv_table.mjs';
import {
  assertRows,
  interruptAfter,
  interruptWhen,
  mnist,
  parallax,
  program,
  readRows,
  root,
  withFolder,
} from './support.mjs';

const commands = ['info', 'bench', 'train', 'predict', 'run', 'explain', 'verify', 'compare'];

const suites = [
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

const jsonLines = (text) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

/** The learning tasks, as the command lists them. */
const tasks = parallax(['train'])
  .out.trimEnd()
  .split('\n')
  .map((line) => line.split(' ')[0]);
/** The tasks that make their own data, for suites of models. */
const models = tasks.filter((name) => !['mnist', 'interp5d'].includes(name));

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
      /* What run gives are arrays. */
      assert.match(out, name === 'run' ? /--output=FOLDER/ : /--json=FILE/);
    });
  }
  it('gives the version', () => {
    assert.match(parallax(['--version']).out, /^parallax \d+\.\d+\.\d+ \(/);
  });
});

describe('info', () => {
  it('names the kernels, and uses the requested one', () => {
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
  /** Suites and cases as --list prints them: ["gemm", "64 x 64 x 64", ["-", "0.8 s", "3 s"]]. */
  const listed = (...args) => {
    const { code, out, err } = parallax(['bench', '--list', ...args]);
    assert.equal(code, 0, err);
    const [head, ...lines] = out.trimEnd().split('\n');
    assert.match(head, /^suite +quick +default +full +what it measures$/);
    let suite;
    return lines.map((line) => {
      const times = line.slice(52, 79).match(/-|[\d.]+ (?:s|min|h)/g);
      assert.equal(times?.length, 3, line);
      const name = line.slice(0, 52).trim();
      if (!line.startsWith(' ')) suite = name;
      return [suite, line.startsWith(' ') ? name : undefined, times];
    });
  };

  it('lists suites and cases, the same names at each size', () => {
    const all = listed();
    const names = (lines) => lines.map(([suite, name]) => `${suite}: ${name}`);
    assert.deepEqual(
      all.filter(([, name]) => name === undefined).map(([suite]) => suite),
      suites,
    );
    for (const size of ['--quick', '--full'])
      assert.deepEqual(names(listed(size)), names(all), size);
    const [first, ...gemm] = listed('gemm');
    assert.deepEqual(first.slice(0, 2), ['gemm', undefined]);
    assert.ok(gemm.some(([, name, [quick]]) => name === '64 x 64 x 64' && quick === '-'));
    assert.deepEqual(names(listed('gemm', '--cases', '256 x')), [
      'gemm: undefined',
      'gemm: 256 x 256 x 256',
    ]);
  });

  it('selects a case by its whole name, though it has commas', () => {
    const selected = (cases) =>
      listed('inference', '--cases', cases).flatMap(([, name]) => name ?? []);
    const all = listed('inference').flatMap(([, name]) => name ?? []);
    assert.ok(all.length > 30 && all.every((name) => name.includes(', ')));
    assert.deepEqual(selected('784-200-10, batch 1'), ['784-200-10, batch 1']);
    assert.deepEqual(selected(' vit-nano, batch 8 ,784-200-10, batch 1,resnet'), [
      '784-200-10, batch 1',
      'vit-nano, batch 8',
      ...all.filter((name) => name.startsWith('resnet')),
    ]);
    assert.deepEqual(selected(all.join(',')), all);
    const args = ['inference', '--quick', '--seconds', '0.001', '--rounds', '1', '--json', '-'];
    const { out } = parallax(['bench', ...args, '--cases', '784-200-10, batch 1']);
    const rows = jsonLines(out).filter(({ suite }) => suite === 'inference');
    const measured = new Set(rows.map((row) => row.case));
    assert.deepEqual([...measured], ['784-200-10, batch 1']);
  });

  it('measures under the names that it lists', () => {
    const args = ['adaptive', '--quick', '--seconds', '0.001', '--rounds', '1'];
    const { out } = parallax(['bench', ...args, '--json', '-']);
    const measured = new Set(jsonLines(out).map((row) => row.case));
    const names = listed('adaptive').flatMap(([, name]) => name ?? []);
    assert.ok(names.length > 40);
    for (const name of names) assert.ok(measured.has(name), name);
  });

  it('runs all suites, and every row matches the schema', () =>
    withFolder((folder) => {
      const [json, csv] = [path.join(folder, 'a.jsonl'), path.join(folder, 'a.csv')];
      const args = ['bench', 'all', '--quick', '--seconds', '0.02', '--json', json, '--csv', csv];
      const { code, out, err } = parallax(args, mnist ? { env: { PARALLAX_DATA: mnist } } : {});
      // On a busy machine the system may lend fewer processors than threads: that is reported, without a row.
      const complaints = err.match(/^parallax: .*$/gm) ?? [];
      const busy = complaints.filter((line) => line.includes('had no processor for one of'));
      assert.deepEqual(complaints, busy);
      assert.equal(code, busy.length > 0 ? 1 : 0, err);
      const rows = readRows(json);
      assertRows(rows);
      const found = new Set(rows.map((row) => row.suite));
      assert.deepEqual([...found].sort(), [...suites, 'machine'].sort());
      for (const row of rows) {
        assert.equal(row.engine.kind, 'native');
        assert.equal(row.checks.passed, true, `${row.case}: ${row.checks.failure}`);
      }
      for (const name of models) {
        const own = rows.filter((row) => row.case === `train ${name}`);
        assert.ok(own.some(({ metric, ceiling }) => metric === 'throughput' && ceiling.share > 0));
        assert.ok(
          own.some(({ curve }) => curve?.loss.length === 5),
          name,
        );
        assert.ok(own.every(({ memory }) => memory.gradients > 0));
      }
      if (mnist) assert.ok(rows.some((row) => row.data.kind === 'real' && row.data.source));
      assertTable(readFileSync(csv, 'utf8'), rows);
      const page = out.trimEnd().split('\n');
      assert.ok(page.length <= 45, `a page has ${page.length} lines`);
      assert.equal(page.at(-1), `All rows are in ${json}.`);
      for (const suite of suites) assert.match(out, new RegExp(`^${suite} +\\d+ rows  `, 'm'));
      assert.deepEqual(readdirSync(folder).sort(), ['a.csv', 'a.jsonl'], 'nothing else is left');
    }));

  it('prints a page, and tables on request', () =>
    withFolder((folder) => {
      const [json, tables] = [path.join(folder, 'a.jsonl'), path.join(folder, 'a.txt')];
      const args = ['bench', 'gemm', 'bits', '--quick', '--seconds', '0.01', '--cases', '256,clip'];
      const { code, out } = parallax([...args, '--json', json, '--tables', tables]);
      assert.equal(code, 0);
      const rows = readRows(json);
      const lines = out.trimEnd().split('\n');
      const own = rows.filter(({ suite }) => suite === 'gemm').length;
      assert.match(lines[0], /^ +median unit +95% interval$/);
      assert.match(
        lines[1],
        new RegExp(`^gemm +${own} rows {2}\\d+% of the ceiling .*at best \\d.* GFLOP/s`),
      );
      assert.match(
        lines[2],
        /^ {2}256 x 256 x 256 +[\d.]+ GFLOP\/s +[\d.]+ to [\d.]+ +\d+% of the c/,
      );
      assert.match(lines[3], /^bits +\d+ rows {2}\d+ results whose bits can be compared$/);
      assert.match(lines[4], /^ {2}clip-nano, 50 steps: training time +[\d.]+ ms/);
      assert.match(lines[5], new RegExp(`^all +${rows.length} rows {2}0 void`));
      assert.equal(lines[6], `All rows are in ${json}.`);
      assert.equal(lines.length, 7, out);
      const table = readFileSync(tables, 'utf8');
      assert.match(table, /^gemm\n {2}case .*\n {2}256 x 256 x 256 /m);
      const all = parallax([...args, '--json', json, '--all']).out;
      const heads = (text) => text.match(/^ {2}256 x 256 x 256 +(rate|time) /gm);
      assert.deepEqual(heads(all), heads(table), 'the same tables before the page');
      assert.deepEqual(readdirSync(folder).sort(), ['a.jsonl', 'a.txt']);
    }));

  it('keeps all rows in a new file of its own', () =>
    withFolder((folder) => {
      const args = ['bench', 'gemm', '--quick', '--seconds', '0.01', '--cases', '256 x'];
      const results = path.join(folder, 'parallax-results');
      for (const runs of [1, 2]) {
        const { code, out, err } = parallax(args, { cwd: folder });
        assert.equal(code, 0, err);
        const files = readdirSync(results);
        assert.equal(files.length, runs, 'none is overwritten');
        const [, name] =
          /^All rows are in parallax-results\/(bench-\d{8}-\d{6}(?:-\d)?\.jsonl)\.$/m.exec(out);
        assert.ok(files.includes(name));
        assertRows(readRows(path.join(results, name)));
      }
      const nothing = path.join(folder, 'nothing');
      mkdirSync(nothing);
      const { code } = parallax(['bench', 'gemm', '--quick', '--cases', 'none'], { cwd: nothing });
      assert.equal(code, 2);
      assert.deepEqual(readdirSync(nothing), [], 'without a row no file is left');
    }));

  it('has no interval of two rounds', () => {
    const args = ['bench', 'gemm', '--quick', '--cases', '128 x', '--rounds', '2', '--json', '-'];
    const { out, err } = parallax([...args, '--seconds', '0.01']);
    const rows = jsonLines(out).filter(({ primary, suite }) => primary && suite === 'gemm');
    for (const { samples } of rows) {
      assert.equal(samples.rounds.length, 2);
      assert.deepEqual([samples.low, samples.high], [undefined, undefined]);
    }
    assert.ok(rows.length > 0);
    assert.match(err, /^An interval takes at least 3 rounds; there were 2\.$/m);
  });

  it('keeps the rows that fit on a full disk, and does not claim that all are there', () =>
    withFolder((folder) => {
      const json = path.join(folder, 'a.jsonl');
      const args = ['bench', 'gemm', '--quick', '--seconds', '0.01', '--cases', '128 x'];
      // A limit on the size of files stands in for it; the signal that comes with it is ignored.
      const limited = ['-c', 'trap "" XFSZ; ulimit -f 4; exec "$0" "$@"', program, ...args];
      const { status, stdout, stderr } = spawnSync('bash', [...limited, '--json', json], {
        encoding: 'utf8',
      });
      assert.equal(status, 1, stderr);
      assert.match(stderr, /writing ".*a\.jsonl" failed: File too large/);
      assert.match(stderr, /the rows before that are in ".*a\.jsonl\.part"/);
      assert.ok(stdout.endsWith(`Not all rows could be written to ${json}.\n`), stdout);
      assert.deepEqual(readdirSync(folder), ['a.jsonl.part']);
      assertRows(readRows(`${json}.part`));
    }));

  it('without arguments lists the suites, and runs a selection of all of them', () =>
    withFolder((folder) => {
      const args = ['bench', '--seconds', '0.002', '--rounds', '1', '--threads', '2'];
      const { code, out, err } = parallax(args, { cwd: folder });
      assert.ok(code === 0 || /had no processor/.test(err), err);
      for (const suite of suites) assert.match(out, new RegExp(`^${suite} +[\\d.]+ (s|min)`, 'm'));
      assert.match(out, /^A selection of these now, in about a minute/m);
      assert.ok(out.split('\n').length <= 51, out);
      const [file] = readdirSync(path.join(folder, 'parallax-results'));
      const rows = readRows(path.join(folder, 'parallax-results', file));
      assertRows(rows);
      const source = new URL('../../native/cli/bench_selection.c', import.meta.url);
      const names = readFileSync(source, 'utf8').match(/(?<=^ +")\w+: .*(?=",$)/gm);
      const measured = new Set(rows.map((row) => `${row.suite}: ${row.case}`));
      for (const name of names) assert.ok(measured.has(name), name);
      assert.deepEqual([...new Set(names.map((name) => name.split(':')[0]))], suites);
    }));

  it('repeats: rows say which run they belong to, and the page has means and deviations', () =>
    withFolder((folder) => {
      const json = path.join(folder, 'a.jsonl');
      const args = ['bench', 'gemm', '--quick', '--seconds', '0.01', '--cases', '256 x'];
      const { code, out, err } = parallax([...args, '--repeat', '3', '--json', json]);
      assert.equal(code, 0, err);
      const rows = readRows(json);
      assertRows(rows);
      const own = rows.filter(({ suite, primary }) => suite === 'gemm' && primary);
      assert.deepEqual(
        own.map(({ run }) => run),
        [1, 2, 3],
      );
      const values = own.map(({ samples }) => samples.median);
      const mean = values.reduce((a, b) => a + b) / 3;
      const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 2);
      const line = /^ {2}256 x 256 x 256 +(\S+) GFLOP\/s +(\S+) (\S+) to (\S+)$/m.exec(out);
      assert.ok(line, out);
      // On logarithms; the 97.5% quantile of Student's t with 2 degrees of freedom.
      const logs = values.map(Math.log);
      const centre = logs.reduce((a, b) => a + b) / 3;
      const squares = logs.reduce((sum, x) => sum + (x - centre) ** 2, 0);
      const half = (4.302652729696142 * Math.sqrt(squares / 2)) / Math.sqrt(3);
      const expected = [mean, deviation, Math.exp(centre - half), Math.exp(centre + half)];
      expected.forEach((value, i) => {
        const shown = Number(line[i + 1]);
        // Four significant digits are printed.
        assert.ok(Math.abs(shown - value) <= 5.1e-4 * Math.abs(value), `${shown}, not ${value}`);
      });
      const two = parallax([...args, '--repeat', '2', '--json', json]).out;
      assert.match(two, /^ {2}256 x 256 x 256 +\S+ GFLOP\/s +\S+ *$/m, 'two have no interval');
      assert.match(two, /^An interval takes at least 3 runs; there were 2\.$/m);
      const single = parallax([...args, '--json', '-']);
      assert.ok(jsonLines(single.out).every((row) => row.run === undefined));
    }));

  it('says if noise stands in for images', () => {
    const args = ['bench', 'bits', '--quick', '--cases', 'mnist,interp5d', '--json', '-'];
    const { out } = parallax(args);
    const rows = jsonLines(out);
    assertRows(rows);
    for (const row of rows) assert.equal(row.data.kind, 'synthetic');
  });

  it('has bits of every model, the same on another exact target and with 2 threads', () => {
    const bits = (...args) => {
      const { out } = parallax(['bench', 'bits', '--quick', '--json', '-', ...args]);
      return Object.fromEntries(jsonLines(out).map((row) => [row.case, row.checks.lossBits]));
    };
    const targets = JSON.parse(parallax(['info', '--json', '-']).out).targets;
    const exact = targets.filter((isa) => ['sse2', 'avx128', 'neon128'].includes(isa));
    const first = bits('--isa', exact[0], '--threads', '1');
    for (const name of models) assert.match(first[`${name}, 50 steps`], /^[0-9a-f]{16}$/, name);
    // The last exact target, another one wherever there are two, with two threads.
    const last = exact.at(-1);
    assert.deepEqual(bits('--isa', last, '--threads', '2'), first, last);
  });

  it('keeps its results when it is interrupted', () =>
    withFolder(async (folder) => {
      const json = path.join(folder, 'a.jsonl');
      // Rows are written once a case has been visited, however long that takes here.
      const args = ['bench', 'gemm', '--cases', '128,256', '--seconds', '10', '--json', json];
      let result = { err: 'stopped; 0 rows' };
      for (let wait = 2000; / 0 rows/.test(result.err); wait *= 2)
        result = await interruptAfter(args, wait);
      assert.equal(result.code, 130, result.err);
      assert.match(result.err, /stopped; \d+ rows were measured/);
      assertRows(readRows(json));
      assert.deepEqual(readdirSync(folder), ['a.jsonl']);
    }));

  it('leaves no empty file behind when it is killed', () =>
    withFolder(async (folder) => {
      const files = ['json', 'csv', 'tables'].flatMap((name) => [`--${name}`, `${folder}/${name}`]);
      const args = ['bench', 'gemm', '--cases', '128,256', '--seconds', '10', ...files];
      const { code } = await interruptAfter(args, 700, 'SIGKILL');
      assert.equal(code, null, 'it was at work');
      for (const name of readdirSync(folder)) {
        assert.match(name, /\.part$/);
        assert.ok(statSync(path.join(folder, name)).size > 0, `${name} has what was measured`);
      }
    }));
});

describe('train', () => {
  it('fits interp5d almost down to the noise', () =>
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
      assert.match(out, /^plane\.csv: its first line names the columns$/m);
      const r2 = Number(/R\^2 ([\d.]+)\n$/.exec(out)[1]);
      assert.ok(r2 > 0.99, `R^2 ${r2}`);
    }));

  it('takes time stamps, as spreadsheets write them', () =>
    withFolder((folder) => {
      // Seconds since 1970: in single precision all of them would be one of four numbers.
      const lines = Array.from({ length: 400 }, (_, i) => {
        const second = 1700000000 + i;
        return `"${second}";${(i % 7) / 2};${second + i}`.replaceAll('.', ',');
      });
      writeFileSync(path.join(folder, 'times.csv'), `\ufeff${lines.join('\r\n')}\r\n\r\n`);
      const args = ['train', 'interp5d', '--csv', 'times.csv', '--batch', '32'];
      const { code, out, err } = parallax(args, { cwd: folder });
      assert.equal(code, 0, err);
      assert.match(out, /^times\.csv: its first line is a row of numbers, not of names$/m);
      // The standard deviation of the target is 231 seconds.
      const [, rmse, r2] = /RMSE on the 80 held out: ([\d.]+), R\^2 ([\d.]+)\n$/.exec(out);
      assert.ok(Number(rmse) < 10 && Number(r2) > 0.99, `RMSE ${rmse}, R^2 ${r2}`);
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

  it('learns the test images of MNIST, or else the digits of the page', () =>
    withFolder((folder) => {
      const images = Buffer.concat([
        Buffer.from([0, 0, 8, 3, 0, 0, 0, 10, 0, 0, 0, 28, 0, 0, 0, 28]),
        Buffer.alloc(10 * 28 * 28, 7),
      ]);
      const labels = Buffer.from([0, 0, 8, 1, 0, 0, 0, 10, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      for (const set of ['digits', 't10k']) {
        writeFileSync(path.join(folder, `${set}-images-idx3-ubyte`), images);
        writeFileSync(path.join(folder, `${set}-labels-idx1-ubyte`), labels);
        const args = ['train', 'mnist', '--quick', '--batch', '2', '--epochs', '1', '--json', '-'];
        const { out } = parallax(args, { env: { PARALLAX_DATA: folder } });
        const [row] = jsonLines(out);
        assert.equal(row.data.kind, 'real');
        assert.equal(row.data.source, `${set}-images-idx3-ubyte`);
      }
    }));

  it('repeats with further seeds, and says how many of them reach the goals', () =>
    withFolder((folder) => {
      const json = path.join(folder, 'a.jsonl');
      const args = ['train', 'interp5d', '--quick', '--reproducible'];
      const { code, out, err } = parallax([
        ...args,
        '--seed',
        '4',
        '--repeat',
        '3',
        '--json',
        json,
      ]);
      assert.equal(code, 0, err);
      const rows = readRows(json);
      assertRows(rows);
      const rmse = rows.filter(({ metric }) => metric === 'rmse');
      assert.deepEqual(
        rmse.map(({ run, data }) => [run, data.seed]),
        [
          [1, 4],
          [2, 5],
          [3, 6],
        ],
      );
      const values = rmse.map(({ samples }) => samples.median);
      const mean = values.reduce((a, b) => a + b) / 3;
      const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 2);
      const line = /^RMSE +(\S+) +(\S+) +(\S+) to (\S+); at most \S+: (\d) of 3 runs$/m.exec(out);
      assert.ok(line, out);
      assert.ok(Math.abs(Number(line[1]) - mean) <= 6e-5, `${line[1]}, not ${mean}`);
      assert.ok(Math.abs(Number(line[2]) - deviation) <= 6e-5, `${line[2]}, not ${deviation}`);
      // A run has the same bits as when it runs alone.
      const alone = parallax([...args, '--seed', '5', '--json', '-']).out;
      const [first] = jsonLines(alone);
      assert.equal(rows.find(({ run }) => run === 2).checks.lossBits, first.checks.lossBits);
      assert.equal(first.run, undefined);
    }));

  it('stops on Ctrl-C and says how far it got', async () => {
    const { code, out, err } = await interruptWhen(
      ['train', 'interp5d', '--epochs', '100000'],
      /epoch +2 of/,
    );
    assert.equal(code, 130);
    assert.match(err, /stopped after step \d+ of \d+/);
    assert.match(out, /RMSE on the 2000 held out/);
  });
});

describe('train a model', () => {
  it('lists the tasks', () => {
    assert.ok(models.length > 0);
    for (const name of ['mnist', 'interp5d', 'gpt2-nano']) assert.ok(tasks.includes(name), name);
  });

  for (const name of models) {
    it(`trains ${name} for some steps, and prints its exhibits`, () => {
      const args = ['train', name, '--quick', '--steps', '3', '--batch', '4', '--json', '-'];
      const { code, out, err } = parallax(args);
      assert.equal(code, 0, err);
      const rows = jsonLines(out);
      assertRows(rows);
      assert.match(
        err,
        new RegExp(`^${name}: \\d+ \\w+ to train on, \\d+ held out \\(synthetic: `),
      );
      assert.match(err, /^3 steps in .* samples\/s.* GFLOP\/s \(\d+% .*bits [0-9a-f]{16}$/m);
      assert.match(err, /^memory \(bytes\): parameters [1-9]/m);
      assert.match(err, / on the \d+ held out: /);
      const loss = rows.find(({ metric, curve }) => metric === 'loss' && curve);
      assert.deepEqual(loss.curve.step, [1, 2, 3]);
      assert.equal(loss.curve.loss.at(-1), loss.checks.lastLoss);
      assert.equal(loss.data.kind, 'synthetic');
      assert.ok(rows.some(({ metric }) => metric === 'throughput'));
      assert.ok(rows[0].memory.gradients > 0);
    });
  }

  it('learns the characters of a text', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'abc.txt');
      writeFileSync(file, 'the quick brown fox jumps over the lazy dog. '.repeat(200));
      const train = (...more) =>
        parallax(['train', 'gpt2-nano', '--data', file, '--batch', '8', '--seed', '3', ...more]);
      const { code, out, err } = train('--model', 'gpt2-nano:layers=1,width=32', '--steps', '120');
      assert.equal(code, 0, err);
      assert.match(
        out,
        /\(abc\.txt\); gpt2-nano:layers=1,width=32,vocabulary=28,context=64, batch 8/,
      );
      const loss = Number(/loss on the \d+ held out: ([\d.]+) nats/.exec(out)[1]);
      assert.ok(loss < 2, `a text that repeats itself is left at ${loss} nats a character`);
      assert.match(out, /generated text\n.*the /);
    }));

  it('takes a recipe', () => {
    const small = ['train', 'interp5d', '--rows', '400', '--epochs', '4', '--batch', '32'];
    const bits = (...more) => {
      const { code, out, err } = parallax([...small, '--reproducible', ...more]);
      assert.equal(code, 0, err);
      return /bits ([0-9a-f]{16})/.exec(out)[1];
    };
    const recipes = [
      [],
      ['--optimizer', 'lion'],
      ['--optimizer', 'rmsprop'],
      ['--schedule', 'cosine'],
      ['--schedule', 'linear', '--warmup', '3'],
      ['--schedule', 'step'],
      ['--schedule', 'one-cycle'],
      ['--clip', '0.01'],
      ['--weight-decay', '0.1'],
      ['--accumulate', '2'],
    ];
    const all = recipes.map((recipe) => bits(...recipe));
    assert.equal(new Set(all).size, all.length, 'each has losses of its own');
    assert.equal(bits('--clip', '1e9'), all[0], 'what clips nothing changes nothing');
  });

  it('says in its rows how it trained', () => {
    const args = 'interp5d --rows 100 --steps 2 --batch 8 --optimizer sgd --schedule step';
    const more = '--warmup 1 --weight-decay 0.1 --accumulate 2 --patience 3 --json -';
    const { code, out, err } = parallax(['train', ...args.split(' '), ...more.split(' ')]);
    assert.equal(code, 0, err);
    const [{ parameters }] = jsonLines(out);
    const { schedule, warmup, weight_decay, accumulate, patience, every, factor } = parameters;
    assert.deepEqual([schedule, warmup, weight_decay], ['step', 1, 0.1]);
    assert.deepEqual([accumulate, patience], [2, 3]);
    assert.ok(every >= 1 && factor > 0 && factor < 1);
  });

  it('stops early when patience ends', () => {
    const { code, out } = parallax(
      'train interp5d --rows 300 --epochs 5000 --rate 0.01 --patience 3'.split(' '),
    );
    assert.equal(code, 0);
    const epochs = Number(/epoch +(\d+) of 5000 [^\n]*\n(?!epoch)/.exec(out)[1]);
    assert.ok(epochs < 2000, `${epochs} epochs`);
    assert.match(out, /216 rows to train on/);
  });

  it('keeps the last good weights when training diverges', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'a.jsonl');
      const args = 'train interp5d --optimizer sgd --rate 0.9 --epochs 50 --json'.split(' ');
      const { code, out, err } = parallax([...args, file]);
      assert.equal(code, 1);
      assert.match(err, /^parallax: .*not finite at step \d+.*last good/m);
      assert.match(out, /RMSE on the 2000 held out: \d/);
      const rows = readRows(file);
      assertRows(rows);
      assert.ok(rows.every(({ checks }) => checks.passed === false && /step/.test(checks.failure)));
    }));
});

describe('explain', () => {
  it('knows every model', () => {
    const names = parallax(['explain', 'none']).err.match(/\b[a-z0-9]+-(nano|tiny)\b/g);
    assert.ok(names.length > 2, String(names));
    for (const name of names) {
      const { code, out, err } = parallax([
        'explain',
        name,
        '--batch',
        '2',
        '--training',
        '--json',
        '-',
      ]);
      assert.equal(code, 0, err);
      const rows = jsonLines(out);
      const of = (kind) => rows.filter(({ row }) => row === kind);
      const [model] = of('model');
      const [memory] = of('memory');
      assert.ok(of('layer').length > 3 && of('step').length > 10, name);
      const flops = of('layer').reduce((sum, layer) => sum + layer.flops, 0);
      assert.ok(Math.abs(model.flops - flops) <= 1e-9 * flops);
      const trained = [...of('layer'), ...of('weight')];
      const parameters = trained.reduce((sum, row) => sum + row.parameters, 0);
      assert.equal(parameters, model.parameters, `${name}: rows add up`);
      assert.equal(memory.parameters, 4 * (model.parameters + model.state));
      assert.ok(memory.gradients >= 4 * model.parameters);
      assert.ok(memory.optimizer >= 8 * model.parameters);
    }
  });
  it('counts the parameters of a model as its paper does', () => {
    const { out } = parallax(['explain', 'gpt2-124m', '--batch', '1', '--json', '-']);
    const model = jsonLines(out).find(({ row }) => row === 'model');
    // Tables of 50257 and 1024 rows; 12 blocks of 12 width^2 + 13 width; the last norm.
    const width = 768;
    const block = 12 * width ** 2 + 13 * width;
    assert.equal(model.parameters, (50257 + 1024) * width + 12 * block + 2 * width);
  });
  it('shows what is fused', () => {
    const { code, out } = parallax(['explain', 'mlp:784-200-10', '--json', '-']);
    assert.equal(code, 0);
    const steps = jsonLines(out).filter(({ row }) => row === 'step');
    assert.equal(steps[0].fused, 'matmul+bias+relu');
    assert.deepEqual(steps[0].shape, [64, 200]);
    assert.ok(steps[0].flops >= 2 * 64 * 784 * 200);
  });
  it('lists the passes, can skip each of them, and the documents have them all', () => {
    const { code, out } = parallax(['explain', '--passes', '--json', '-']);
    assert.equal(code, 0);
    const passes = jsonLines(out).map(({ name }) => name);
    assert.ok(passes.includes('fuse') && passes.includes('dead_code'), String(passes));
    const text = readFileSync(path.join(root, 'ARCHITECTURE.md'), 'utf8');
    const help = parallax(['explain', '--help']).out.replace(/\s+/g, ' ');
    assert.ok(help.includes(passes.join(', ')), help);
    for (const name of passes) {
      assert.ok(text.includes(`- *${name}*: `), `${name} in ARCHITECTURE.md`);
      const model = ['explain', 'mlp:7-5-3', '--training', '--without', name];
      const own = parallax([...model, '--json', '-']);
      assert.equal(own.code, 0, own.err);
    }
    const all = parallax(['explain', 'mlp:7-5-3', '--without', passes.join(), '--json', '-']);
    const steps = jsonLines(all.out).filter(({ row }) => row === 'step');
    assert.ok(steps.length > 2 && steps.every(({ fused }) => fused === ''));
  });
  it('shows a plan as data', () => {
    const model = ['explain', 'gpt2-nano:layers=1', '--batch', '2', '--training', '--operands'];
    const places = ['--alignment', '256', '--largest-buffer', '1048576', '--json', '-'];
    const { code, out, err } = parallax([...model, ...places]);
    assert.equal(code, 0, err);
    const rows = jsonLines(out);
    const of = (kind) => rows.filter(({ row }) => row === kind);
    const slabs = of('buffer').filter(({ kind }) => kind === 'slab');
    assert.ok(slabs.length > 1 && slabs.every(({ bytes }) => bytes <= 1048576));
    const outputs = of('operand').filter(({ role }) => role === 'output');
    assert.ok(outputs.length > 20 && outputs.every(({ offset }) => offset % 256 === 0));
    assert.equal(of('step').find(({ op }) => op === 'attention').attributes.causal, 1);
    assert.ok(of('operand').some(({ written }) => written));
  });
  for (const model of ['resnet-nano', 'clip-nano']) {
    it(`shows the values that ${model} keeps as data`, () => {
      const { code, out, err } = parallax(['explain', model, '--operands', '--json', '-']);
      assert.equal(code, 0, err);
      const rows = jsonLines(out);
      const of = (kind) => rows.filter(({ row }) => row === kind);
      const kinds = new Set(of('buffer').map(({ kind }) => kind));
      for (const kind of kinds) {
        assert.match(kind, /^(tensor|input|constant|slab|kept)$/);
      }
      assert.ok(kinds.has('kept') && kinds.has('slab'), [...kinds].join());
      const [{ activations }] = of('memory');
      const kept = of('step').filter((step) => step.kept);
      assert.ok(kept.length > 0 && kept.every(({ arenaOffset }) => arenaOffset === -1));
      for (const { step, arenaOffset } of of('step')) {
        assert.ok(arenaOffset >= -1 && arenaOffset < activations, `step ${step}: ${arenaOffset}`);
      }
      assert.equal(parallax(['explain', model, '--operands']).code, 0);
    });
  }
  it('shows where the time of a training step goes, beside the ceilings of the machine', () => {
    const args = ['explain', 'mlp:20-30-4', '--training', '--profile', '--batch', '8'];
    const { code, out, err } = parallax([...args, '--json', '-']);
    assert.equal(code, 0, err);
    const rows = jsonLines(out);
    const of = (kind) => rows.filter(({ row }) => row === kind);
    const steps = of('step');
    assert.ok(steps.some((step) => step.op === 'adam'));
    for (const { nanoseconds, workers, failure } of steps) {
      // A busy machine hides the time of a step of microseconds, and a buffer has none.
      if (nanoseconds === undefined)
        assert.match(failure, /too short for this clock|sets memory apart for a later step/);
      else assert.ok(nanoseconds > 0 && workers >= 1);
    }
    assert.ok(steps.some(({ method }) => method === 'gemm'));
    const sum = (list, key) => list.reduce((total, row) => total + (row[key] ?? 0), 0);
    assert.ok(Math.abs(sum(steps, 'share') - 1) < 1e-9);
    const [total] = of('profile');
    assert.ok(total.profiledRuns >= total.rounds && total.rounds >= 3);
    assert.ok(Math.abs(sum(steps, 'nanoseconds') - total.stepsNs) < 1e-6 * total.stepsNs);
    const items = of('item');
    assert.equal(sum(items, 'count'), steps.filter(({ op }) => op !== 'buffer').length);
    assert.ok(items.every((item, i) => i === 0 || item.overNs <= items[i - 1].overNs));
    for (const { leastNs, nanoseconds, roofline, limit, failure } of steps) {
      // Faster than its ceiling, or no ceilings: a busy machine may have no processor for a thread.
      if (roofline === undefined) {
        assert.ok(leastNs === undefined && (failure || total.note), failure);
      } else {
        assert.ok(Math.abs(roofline - leastNs / nanoseconds) < 1e-9 && limit !== '');
        assert.ok(roofline <= 1.05 && failure === undefined, `${roofline}`);
      }
    }
    if (total.roofline === undefined) {
      assert.notEqual(total.note, '');
    } else {
      assert.ok(of('level').length > 0 && total.peak > 0);
      assert.ok(
        Math.abs(sum(steps, 'leastNs') - total.leastNs) < 1e-6 * total.leastNs || total.note,
      );
    }
  });
  it('prints a profile as a table that ends in what to do next', () => {
    // The first layer has 75 times the work of the second, so it is first in any order of times.
    const { code, out, err } = parallax(['explain', 'mlp:200-300-4', '--profile']);
    assert.equal(code, 0, err);
    assert.match(out, /op +fused, or name +shape +us +share +rate +roofline +limit +method/);
    assert.match(out, /^ +0 +dense +matmul\+bias\+relu +64x300 .* gemm packed +[\d.]+ of \d+$/m);
    assert.match(
      out,
      /^a run takes [\d.]+ us \(\w+, \d+ threads?\) in the fastest of \d+ rounds of \d+ runs?\.$/m,
    );
    assert.match(
      out,
      /^With a clock between them its steps take [\d.]+ us together, again in the/m,
    );
    assert.doesNotMatch(out, /NaN|nan|inf/);
    assert.match(out, /^what takes most time above the ceilings/m);
    assert.match(out, /^ {2}1\. dense matmul\+bias\+relu 64x300 +1 /m);
  });
});

describe('verify', () => {
  it('passes on every target', () => {
    const { code, out } = parallax(['verify', '--quick']);
    assert.equal(code, 0, out);
    assert.match(out, /\d+ checks, 0 failed\n$/);
  });
  it('can be restricted to one target', () => {
    const { code, out } = parallax(['verify', '--quick', '--isa', 'scalar', '--threads', '1']);
    assert.equal(code, 0);
    assert.match(out, /^scalar +1 thread /m);
    assert.match(out, /^2 checks, 0 failed$/m);
  });
});

describe('compare', () => {
  const row = jsonLines(
    parallax(['bench', 'gemm', '--quick', '--cases', '256', '--json', '-']).out,
  ).find(({ primary }) => primary);
  // Its figures are replaced, including those of its rounds.
  delete row.samples.rounds;
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
  it('leaves out void rows', async () => {
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
