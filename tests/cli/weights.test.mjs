/** Weights: written by train, shown by explain, applied by predict; torn and foreign files. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { parallax, program, withFolder } from './support.mjs';

/** Trains the smallest task for a few steps, with its weights in a file. */
function train(folder, ...more) {
  const file = path.join(folder, 'w.safetensors');
  const args = [
    'train',
    'interp5d',
    '--rows',
    '50',
    '--steps',
    '3',
    '--out',
    file,
    '--threads',
    '1',
  ];
  return { file, ...parallax([...args, ...more]) };
}

/** A file of this header and these bytes. */
function safetensors(header, data = Buffer.alloc(0)) {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([size, text, data]);
}

/** The header of a file, read by other code than ours. */
function headerOf(bytes) {
  const size = Number(bytes.readBigUInt64LE(0));
  return JSON.parse(bytes.subarray(8, 8 + size).toString());
}

describe('train --out', () => {
  it('writes a file of the format, with what its model is', () =>
    withFolder((folder) => {
      const { file, code, out } = train(folder, '--seed', '7');
      assert.equal(code, 0);
      assert.match(out, /^weights: .*w\.safetensors$/m);
      const bytes = readFileSync(file);
      assert.equal(Number(bytes.readBigUInt64LE(0)) % 8, 0, 'data are aligned');
      const { __metadata__: metadata, ...tensors } = headerOf(bytes);
      assert.deepEqual(metadata['parallax.format'], '1');
      assert.deepEqual(JSON.parse(metadata['parallax.model']), {
        name: 'mlp:5-64-64-64-64-1',
        seed: 7,
      });
      assert.equal(Object.keys(tensors).length, 10);
      assert.deepEqual(readdirSync(folder), ['w.safetensors']);
    }));

  it('gives the same bytes for the same run', () =>
    withFolder((folder) => {
      const first = readFileSync(train(folder, '--reproducible').file);
      assert.deepEqual(readFileSync(train(folder, '--reproducible').file), first);
    }));

  it('keeps the file that is there unless the run ends well', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'w.safetensors');
      writeFileSync(file, 'before');
      const { code } = train(folder, '--rate', '1e18');
      assert.equal(code, 1);
      assert.equal(readFileSync(file, 'utf8'), 'before');
      assert.deepEqual(readdirSync(folder), ['w.safetensors']);
    }));

  it('refuses a folder, a missing folder and several runs before the work', () =>
    withFolder((folder) => {
      const to = (name, ...more) =>
        parallax(['train', 'interp5d', '--rows', '50', '--steps', '3', '--out', name, ...more]);
      assert.match(to(folder).err, /cannot write ".*": it is no regular file/);
      assert.match(to(path.join(folder, 'a/b')).err, /cannot write ".*": No such file/);
      assert.match(to(path.join(folder, 'x'), '--repeat', '2').err, /cannot be combined/);
      assert.equal(existsSync(path.join(folder, 'x')), false);
    }));
});

describe('explain of a file', () => {
  it('shows tensors and metadata, also as rows', () =>
    withFolder((folder) => {
      const { file } = train(folder);
      const { code, out } = parallax(['explain', file, '--json', path.join(folder, 'rows')]);
      assert.equal(code, 0);
      assert.match(out, /dense_1\.\S+ +F32 +5x64 +1280/);
      assert.match(out, /10 tensors, 12929 values/);
      const rows = readFileSync(path.join(folder, 'rows'), 'utf8')
        .trim()
        .split('\n')
        .map(JSON.parse);
      assert.equal(rows.filter(({ row }) => row === 'tensor').length, 10);
      assert.equal(rows.filter(({ row }) => row === 'metadata').length, 3);
    }));

  it('lets no control character of a file reach the terminal', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'x.safetensors');
      writeFileSync(file, safetensors({ __metadata__: { 'a\u001b[2J': 'b\u0007' } }));
      const { code, out } = parallax(['explain', file]);
      assert.equal(code, 0);
      assert.ok(!out.includes('\u001b') && !out.includes('\u0007'));
    }));

  it('says where a file is wrong', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'x.safetensors');
      assert.match(parallax(['explain', file]).err, /cannot read ".*": No such file/);
      for (const [bytes, expected] of [
        [Buffer.alloc(0), /has 0 bytes, too few/],
        [Buffer.from('{"a":1}  '), /at most 100000000 are allowed/],
        [safetensors('{"a":1}'), /byte 13: '\{' must stand here/],
      ]) {
        writeFileSync(file, bytes);
        const { code, err } = parallax(['explain', file]);
        assert.equal(code, 1);
        assert.match(err, expected);
      }
      assert.equal(parallax(['explain', file, '--training']).code, 2);
    }));
});

describe('predict', () => {
  const table = 'a,b,c,d,e\n0,0,0,0,0\n0.5,-0.5,1,2,-1\n';

  it('prints a line for each row, and the same from any number of threads', () =>
    withFolder((folder) => {
      const { file } = train(folder);
      const input = path.join(folder, 'x.csv');
      writeFileSync(input, table);
      const predict = (...more) => parallax(['predict', '-w', file, '-i', input, ...more]);
      const { code, out } = predict('--threads', '1');
      assert.equal(code, 0);
      const lines = out.trimEnd().split('\n');
      assert.equal(lines.length, 2);
      for (const line of lines) assert.ok(Number.isFinite(Number(line)), line);
      assert.equal(predict('--threads', '2').out, out);
      assert.equal(predict('--batch', '1', '--reproducible').out, predict('--reproducible').out);
      assert.equal(predict('--model', 'mlp:5-64-64-64-64-1').out, out);
      const rows = predict('--json', '-').out.trimEnd().split('\n').map(JSON.parse);
      assert.deepEqual(
        rows.map(({ row, values }) => [row, values.map(Math.fround)]),
        lines.map((line, row) => [row, line.split(',').map(Math.fround)]),
      );
    }));

  it('gives predictions in the units of the table', () =>
    withFolder((folder) => {
      /* y is exactly 1000 + 200 a. */
      const rows = Array.from({ length: 200 }, (_, i) => `${i},${1000 + 200 * i}`);
      const csv = path.join(folder, 'train.csv');
      const file = path.join(folder, 'w.safetensors');
      const input = path.join(folder, 'x.csv');
      writeFileSync(csv, `a,y\n${rows.join('\n')}\n`);
      writeFileSync(input, '50\n150\n');
      const trained = parallax([
        'train',
        'interp5d',
        '--csv',
        csv,
        '--out',
        file,
        '--steps',
        '300',
      ]);
      assert.equal(trained.code, 0);
      const { code, out } = parallax(['predict', '-w', file, '-i', input]);
      assert.equal(code, 0);
      const [low, high] = out.trim().split('\n').map(Number);
      /* A tenth of the range of y; without the scales both would lie within 2 of 0. */
      assert.ok(Math.abs(low - 11_000) < 4_000 && Math.abs(high - 31_000) < 4_000, out);
    }));

  it('names the first weight that differs, and the column count', () =>
    withFolder((folder) => {
      const { file } = train(folder);
      const input = path.join(folder, 'x.csv');
      writeFileSync(input, '1,2\n');
      const { code, err } = parallax(['predict', '-w', file, '-i', input]);
      assert.equal(code, 1);
      assert.match(err, /has 2 columns, but the model takes 5 values/);
      const other = parallax(['predict', '-w', file, '-i', input, '-m', 'mlp:5-32-1']);
      assert.equal(other.code, 1);
      assert.match(other.err, /has shape \[5, 32\], but \[5, 64\] in the file/);
      assert.equal(parallax(['predict', '-w', file]).code, 2);
      assert.equal(parallax(['predict', '-w', file, '-i', input, '-m', 'none']).code, 2);
    }));

  it('asks for the model of a file that does not name it', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'x.safetensors');
      const input = path.join(folder, 'x.csv');
      writeFileSync(file, safetensors('{}'));
      writeFileSync(input, '1\n');
      assert.match(parallax(['predict', '-w', file, '-i', input]).err, /does not name a model/);
    }));
});

describe('train --checkpoint', () => {
  const task = [
    'train',
    'interp5d',
    '--rows',
    '500',
    '--steps',
    '60',
    '--reproducible',
    '--seed',
    '4',
  ];

  /** The losses of a run that was never interrupted. */
  const bitsOf = (out) => /losses' bits ([0-9a-f]{16})/.exec(out)?.[1];
  const whole = () => bitsOf(parallax(task).out);

  it('goes on with the bits of a run that was never stopped, wherever it is killed', () =>
    withFolder((folder) => {
      const expected = whole();
      assert.ok(expected, 'the bits of the losses are printed');
      const file = path.join(folder, 'c');
      const more = ['--checkpoint', file, '--resume', '--every', '0'];
      let killed = 0;
      let out = '';
      for (let i = 0; i < 100 && !bitsOf(out); i += 1) {
        /* Later each time, so that the kills fall into all phases of a run. */
        const { signal, stdout } = spawnSync(program, [...task, ...more], {
          encoding: 'utf8',
          timeout: 20 + 15 * i,
          killSignal: 'SIGKILL',
        });
        if (signal) killed += 1;
        out = stdout;
      }
      assert.ok(killed > 0, 'it was killed at least once');
      assert.equal(bitsOf(out), expected);
    }));

  it('takes the one before a damaged one, and says so', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'c');
      const more = ['--checkpoint', file, '--every', '0'];
      const expected = whole();
      assert.equal(bitsOf(parallax([...task, ...more]).out), expected);
      assert.deepEqual(readdirSync(folder).sort(), ['c', 'c.1']);
      const bytes = readFileSync(file);
      bytes[bytes.length - 5] ^= 1;
      writeFileSync(file, bytes);
      const { code, out, err } = parallax([...task, ...more, '--resume']);
      assert.equal(code, 0);
      assert.match(err, /checksum is wrong/);
      assert.match(err, /going on from ".*c\.1"/);
      assert.match(out, /continued after step \d+ of 60/);
      assert.equal(bitsOf(out), expected);
      writeFileSync(file, 'x');
      writeFileSync(`${file}.1`, '');
      const none = parallax([...task, ...more, '--resume']);
      assert.equal(none.code, 1);
      assert.match(none.err, /too few/);
    }));

  it('refuses the checkpoint of another run, and options without one', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'c');
      const more = ['--checkpoint', file, '--resume'];
      assert.equal(parallax([...task, ...more]).code, 0);
      const other = parallax([...task, '--batch', '7', ...more]);
      assert.equal(other.code, 1);
      assert.match(other.err, /its batch is \d+, but 7 here/);
      assert.equal(parallax([...task, '--resume']).code, 2);
      assert.equal(parallax([...task, '--checkpoint', file, '--keep', '0']).code, 2);
      assert.equal(parallax([...task, '--checkpoint', file, '--out', file]).code, 2);
      assert.equal(parallax([...task, '--checkpoint', file, '--repeat', '2']).code, 2);
    }));

  it('keeps what there is when the disk is full', (test) => {
    const disk = smallDisk();
    if (!disk) return test.skip('this process may not mount a small file system');
    const { folder, unmount } = disk;
    try {
      const file = path.join(folder, 'c');
      const first = parallax([...task.slice(0, 4), '--steps', '5', '--checkpoint', file]);
      assert.equal(first.code, 0);
      const kept = readFileSync(file);
      const large = [
        'train',
        'interp5d',
        '--rows',
        '500',
        '--steps',
        '5',
        '--model',
        'mlp:5-2000-1',
      ];
      const { code, err } = parallax([
        ...large,
        '--out',
        path.join(folder, 'w'),
        '--checkpoint',
        path.join(folder, 'd'),
      ]);
      assert.equal(code, 1);
      assert.match(err, /No space left on device/);
      assert.deepEqual(readFileSync(file), kept);
      assert.deepEqual(
        readdirSync(folder).filter((name) => name.endsWith('.part')),
        [],
      );
    } finally {
      unmount();
    }
  });
});

/** A file system of 256 kB, if this process may mount one. */
function smallDisk() {
  const folder = mkdtempSync(path.join(tmpdir(), 'parallax-full-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder]);
  if (status !== 0) return undefined;
  return {
    folder,
    unmount() {
      spawnSync('umount', [folder]);
      rmSync(folder, { recursive: true });
    },
  };
}
