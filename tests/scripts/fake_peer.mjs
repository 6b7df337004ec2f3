// An engine of scripts/peers for its tests: fake_peer.mjs FOLDER NAME THREADS. It has products only,
// and speaks the lines of bench/peers/native.c. A file FOLDER/NAME.dies names the command at which it
// kills itself, once; while there is a FOLDER/NAME.missing it does not start, and while there is a
// FOLDER/NAME.nopeak it has no ceiling.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const [folder, name, threads] = process.argv.slice(2);
if (existsSync(join(folder, `${name}.missing`))) {
  console.error(`a warning\n${name} is not installed`);
  process.exit(3);
}

let product;

function multiply([m, n, k], transposed, values) {
  const [ai, ap] = transposed === 'a' ? [1, m] : [k, 1];
  const [bp, bj] = transposed === 'b' ? [1, k] : [n, 1];
  const [a, b] = [values.subarray(0, m * k), values.subarray(m * k)];
  return Float32Array.from({ length: m * n }, (_, at) => {
    let sum = 0;
    for (let p = 0; p < k; ++p)
      sum += a[Math.floor(at / n) * ai + p * ap] * b[p * bp + (at % n) * bj];
    return sum;
  });
}

function dieAt(command) {
  const file = join(folder, `${name}.dies`);
  if (!existsSync(file) || readFileSync(file, 'utf8') !== command) return;
  rmSync(file);
  process.kill(process.pid, 'SIGKILL');
}

function obey([command, ...words]) {
  dieAt(command);
  if (command === 'open') {
    const bytes = readFileSync(words.at(-1));
    const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    product = multiply(words.slice(1, 4).map(Number), words[4], values);
    return '0 by hand';
  }
  if (command === 'results') writeFileSync(words[1], product);
  // Each takes a millisecond of the time of two CPUs.
  return command === 'run' ? `${words[0] * 1e6} ${words[0] * 2e6}` : '0';
}

console.log(JSON.stringify({ version: '1', threads: Number(threads), notes: [`${name} is fake`] }));
for await (const line of createInterface({ input: process.stdin })) {
  if (line !== 'peak') console.log(`ok ${obey(line.split(' '))}`);
  else if (existsSync(join(folder, `${name}.nopeak`))) console.log('error no processor');
  else console.log('ok 0.001');
}
