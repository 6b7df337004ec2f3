// Native engines, each a process of its own that takes commands.
import { fork, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { COMPARED_STEPS } from './cases.mjs';
import { toBytes } from './peer_data.mjs';

function nameOfCase(item) {
  if (item.kind === 'gemm') return `gemm ${item.m} ${item.n} ${item.k}`;
  if (item.kind === 'op') return ['op', item.op, ...Object.values(item.sizes)].join(' ');
  return [item.kind, item.model, item.batch, item.loss].filter(Boolean).join(' ');
}

/** Sends and reads the lines described in native.c. Throws when the program does not start. */
export async function lineEngine(about, command, args, folder) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (text) => {
    complaint = (complaint + text).slice(-2000);
  });
  const failed = new Promise((_, reject) => child.once('error', reject));
  failed.catch(() => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await Promise.race([lines.next(), failed]);
    if (done) throw new Error(complaint.trim() || `${about.name} ended unexpectedly`);
    return value;
  };
  const ask = async (line) => {
    child.stdin.write(`${line}\n`);
    const [word, ...rest] = (await answer()).split(' ');
    if (word !== 'ok') throw new Error(rest.join(' '));
    return rest;
  };
  const file = join(folder, `${about.key}.bin`);
  return {
    ...about,
    ...JSON.parse(await answer()),
    async open(item, data) {
      await writeFile(file, toBytes(data));
      if (item.manifest) await writeFile(`${file}.json`, JSON.stringify(item.manifest));
      const [, variant] = await ask(`open ${nameOfCase(item)} ${file}`);
      return variant;
    },
    async results() {
      await ask(`results ${COMPARED_STEPS} ${file}.results`);
      const bytes = await readFile(`${file}.results`);
      return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    },
    restart: () => ask('restart'),
    run: async (count) => Number((await ask(`run ${count}`))[0]),
    close: () => ask('close'),
    dispose: () => child.stdin.end(),
  };
}

/** onnxruntime-node, in a process of its own. */
export async function ortEngine(about, threads) {
  const program = fileURLToPath(new URL('ort_process.mjs', import.meta.url));
  const child = fork(program, [String(threads)], { serialization: 'advanced' });
  const answer = () =>
    new Promise((resolve, reject) => {
      const ended = () => reject(new Error(`${about.name} ended unexpectedly`));
      child.once('exit', ended);
      child.once('message', ({ error, value }) => {
        child.off('exit', ended);
        if (error) reject(new Error(error));
        else resolve(value);
      });
    });
  const ask = (...message) => {
    const answered = answer();
    child.send(message);
    return answered;
  };
  return {
    ...about,
    ...(await answer()),
    open: (item, data) => ask('open', item, data),
    results: () => ask('results'),
    run: (count) => ask('run', count),
    close: () => ask('close'),
    dispose: () => child.disconnect(),
  };
}
