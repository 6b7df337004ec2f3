/** What the machine allows: threads that cannot be started, a language with decimal commas. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import { assertRows, program, withFolder } from './support.mjs';

const linux = process.platform === 'linux';
const NOBODY = 65534;

/** Runs the command as a user who may have so many threads; the superuser may have any. */
function withThreads(most, args) {
  return withFolder((folder) => {
    const copy = path.join(folder, 'parallax');
    chmodSync(folder, 0o777); // bench keeps its rows there
    copyFileSync(program, copy);
    const drop = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
    const become = process.getuid() === 0 ? ['setpriv', ...drop] : [];
    const command = [`--nproc=${most}`, ...become, copy, ...args];
    const options = { encoding: 'utf8', cwd: folder, timeout: 120_000 };
    const { status, signal, stdout, stderr, error } = spawnSync('prlimit', command, options);
    assert.equal(error, undefined);
    assert.equal(signal, null, stderr);
    return { code: status, out: stdout, err: stderr };
  });
}

describe('where threads cannot be started', { skip: !linux && 'only Linux limits them' }, () => {
  const one = /^parallax: 1 thread instead of \d+: the system lets this process start no more\.$/m;
  // As root these are all threads of one user without other processes. Another user has some.
  const most = process.getuid?.() === 0 ? [1, 2] : [1];
  for (const threads of most) {
    it(`info tells of ${threads}`, async () => {
      const { code, out, err } = await withThreads(threads, ['info', '--threads', '2']);
      assert.equal(code, 0, err);
      assert.match(out, new RegExp(`^threads +${threads} of `, 'm'));
      if (threads === 1) assert.match(err, one);
      else if (/BLAS: OpenBLAS/.test(out)) assert.match(out, /OpenBLAS has 1 thread: the system/);
    });
    for (const gemm of ['cblas', 'auto'])
      it(`--gemm ${gemm} goes on with ${threads}`, async () => {
        const { out: about } = await withThreads(threads, ['info']);
        if (gemm === 'cblas' && /BLAS: none/.test(about)) return;
        const size = ['--quick', '--cases', '128', '--seconds', '0.01', '--rounds', '1'];
        const args = ['bench', 'gemm', ...size, '--all', '--gemm', gemm, '--threads', '2'];
        const { code, out, err } = await withThreads(threads, args);
        assert.equal(code, 0, err);
        assert.match(out, /128 x 128 x 128 +rate/);
        assert.match(err, threads === 1 ? one : /BLAS/);
      });
  }
});

it('voids the sizes that memory does not hold', {
  skip: !linux && 'only Linux limits it',
}, async () => {
  // The command itself takes 20 to 25 MB, and the largest array 67 MB.
  const size = ['--quick', '--cases', 'bandwidth', '--seconds', '0.01', '--rounds', '1'];
  const args = ['--as=85000000', program, 'bench', 'ops', ...size, '--all', '--threads', '1'];
  const { status, stdout, stderr } = await withFolder((cwd) =>
    spawnSync('prlimit', args, { encoding: 'utf8', cwd }),
  );
  assert.equal(status, 1, stderr);
  for (const kib of [8, 16, 32, 64, 128, 256, 512])
    assert.match(stdout, new RegExp(`bandwidth ${kib} KiB +copy +\\d`));
  for (const mib of [1, 2, 4, 8, 16, 32, 64])
    assert.match(stdout, new RegExp(`bandwidth ${mib} MiB +copy +(\\d|- .*VOID: no memory)`));
  assert.match(stdout, /bandwidth 64 MiB .*VOID: no memory for an array of 67108864 bytes/);
  assert.match(stderr, /void: /);
});

it('has a row for each figure, void or not', { skip: !linux && 'only Linux limits it' }, () => {
  const size = ['--quick', '--cases', 'bandwidth', '--seconds', '0.001', '--rounds', '1'];
  const args = ['bench', 'ops', ...size, '--threads', '1', '--json', '-'];
  // Where the sizes of caches are not known, levels follow from what was measured.
  const { stdout: bytes } = spawnSync('getconf', ['LEVEL1_DCACHE_SIZE'], { encoding: 'utf8' });
  const known = Number(bytes) > 0;
  const measure = (command) => {
    const { stdout, stderr } = spawnSync(command[0], command.slice(1), { encoding: 'utf8' });
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assertRows(rows);
    const counts = (row) => row.suite === 'ops' && (known || /iB$/.test(row.case));
    return { rows: rows.filter(counts), stderr };
  };
  const figures = ({ rows }) => rows.map((row) => `${row.case} ${row.metric}`).sort();
  const whole = measure([program, ...args]);
  const limited = measure(['prlimit', '--as=61440000', program, ...args]);
  assert.deepEqual(figures(limited), figures(whole), limited.stderr);
  const voided = limited.rows.filter((row) => !row.checks.passed);
  for (const metric of ['read', 'copy', 'add'])
    assert.ok(voided.some((row) => row.case === 'bandwidth 64 MiB' && row.metric === metric));
  for (const row of voided) {
    assert.match(row.checks.failure, /^no memory for an array of \d+ bytes$/);
    assert.equal(row.samples.count, 0);
  }
});

it('reads numbers where the language has decimal commas', (t) =>
  withFolder((folder) => {
    const tests = path.join(path.dirname(program), 'plx_tests');
    const source = path.join(folder, 'source');
    const sign = ['decimal_point ","', 'thousands_sep ""', 'grouping -1'];
    writeFileSync(source, ['LC_NUMERIC', ...sign, 'END LC_NUMERIC', ''].join('\n'));
    mkdirSync(path.join(folder, 'made'));
    // -c: the other categories are missing, which it complains of and does not need.
    spawnSync('localedef', ['-c', '-i', source, '-f', 'ANSI_X3.4-1968', `${folder}/made/comma`]);
    if (!existsSync(`${folder}/made/comma/LC_NUMERIC`))
      return t.skip('localedef made no language: install locales');
    const env = { ...process.env, LOCPATH: `${folder}/made`, LC_NUMERIC: 'comma', LC_ALL: '' };
    const run = (command, args) => spawnSync(command, args, { encoding: 'utf8', env });
    assert.equal(run('/usr/bin/printf', ['%.1f', '1,5']).stdout, '1,5', 'it has decimal commas');
    const { status, stdout } = run(tests, ['unit.files']);
    assert.equal(status, 0, stdout);
  }));
