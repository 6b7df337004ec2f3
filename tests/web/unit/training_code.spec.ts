/** The command and the program that repeat a training run: they run, and train the same. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { quickChoice } from '../../../web/src/training.js';
import { codeOf, commandOf } from '../../../web/src/training_code.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const own = { takes: 'table', file: undefined };

test('a command says what was chosen, and quotes what a shell would read', () => {
  const choice = {
    ...quickChoice('gpt2-nano', 3),
    ...{ steps: 40, batchSize: 4, rate: 0.01, optimizer: 'lion', model: 'gpt2-nano:layers=2' },
  };
  const words = commandOf(choice, { takes: 'text', file: "it's mine.txt" });
  expect(words).toBe(
    'parallax train gpt2-nano --quick --seed=3 --steps=40 --batch=4 --rate=0.01 --optimizer=lion ' +
      "--model=gpt2-nano:layers=2 --data='it'\\''s mine.txt'",
  );
  const table = { takes: 'table', file: 'mine.csv' };
  expect(commandOf({ ...quickChoice('interp5d', 0), size: 'full' }, table)).toBe(
    'parallax train interp5d --full --seed=0 --csv=mine.csv',
  );
  const digits = { takes: 'digits', file: undefined };
  expect(commandOf({ ...quickChoice('mnist', 0), size: 'default' }, digits)).toBe(
    'PARALLAX_DATA=FOLDER parallax train mnist --seed=0',
  );
});

test('a program names the files that it reads', () => {
  const text = codeOf(quickChoice('gpt2-nano', 3), { takes: 'text', file: 'mine.txt' });
  expect(text).toMatch(
    /bytesOf\("mine\.txt"\)[\s\S]*task: "gpt2-nano",[\s\S]*source: "mine\.txt",/,
  );
  const digits = codeOf(quickChoice('mnist', 3), { takes: 'digits', file: undefined });
  expect(digits).toMatch(/images-idx3[\s\S]*data: \{ mnist: \{ images, labels \} \},/);
});

test('both train, to the same loss up to rounding', () => {
  test.slow();
  const choice = { ...quickChoice('interp5d', 5), steps: 40 };
  /* Else numbers are printed in colour here. */
  const env = { ...process.env, FORCE_COLOR: '0' };
  const run = (program: string, ...args: string[]) =>
    execFileSync(program, args, { cwd: `${root}/web`, encoding: 'utf8', env, stdio: 'pipe' });
  const told = run(process.execPath, '--input-type=module', '-e', codeOf(choice, own));
  const loss = Number(/^40 ([\d.]+)$/m.exec(told)?.[1]);
  const words = commandOf(choice, own).split(' ').slice(1);
  const native = run(`${root}/build/release/parallax`, ...words, '--json=-');
  const there = Number(/"lastLoss":([\d.]+)/.exec(native)?.[1]);
  expect(Math.abs(loss / there - 1), `${told}\n${native}`).toBeLessThan(1e-3);
});
