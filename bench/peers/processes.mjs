// Native engines, each a process of its own that takes commands.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { COMPARED_STEPS } from './cases.mjs';
import { toBytes } from './peer_data.mjs';

function nameOfCase(item) {
  if (item.kind === 'gemm') return `gemm ${item.m} ${item.n} ${item.k} ${item.transposed}`;
  if (item.kind === 'op') return ['op', item.op, ...Object.values(item.sizes)].join(' ');
  return [item.kind, item.model, item.batch, item.loss].filter(Boolean).join(' ');
}

/**
 * Watches a process: `ended` rejects once it has ended, or did not start; lost() is then the
 * sentence that says so, and undefined before.
 */
function watched(child, name) {
  let complaint = '';
  child.stderr?.on('data', (text) => {
    complaint = (complaint + text).slice(-2000);
  });
  let sentence;
  const end = (text) => {
    sentence ??= text;
    return new Error(sentence);
  };
  const ended = Promise.race([
    once(child, 'close').then(([code, signal]) => {
      const last = complaint.trim().split('\n').at(-1);
      const how = signal ? `by ${signal}` : `with code ${code}`;
      throw end(`${name} ended ${how}${last ? `: ${last}` : ''}`);
    }),
    once(child, 'error').then(([error]) => {
      throw end(`${name} did not start: ${error.message}`);
    }),
  ]);
  ended.catch(() => {});
  return { ended, lost: () => sentence };
}

/** The time that a case's runs took, and that of all CPUs together. */
function stopwatch() {
  let [wall, used] = [0, 0];
  return {
    reset() {
      [wall, used] = [0, 0];
    },
    add(ns, cpuNs) {
      wall += ns;
      used += cpuNs;
    },
    cpus: () => (used > 0 ? used / wall : undefined),
  };
}

/**
 * Sends and reads the lines described in native.c. Throws when the program does not start. Engines
 * that answer `run` with the CPUs' time, too, have cpus(): how many of them the case kept busy.
 */
export async function lineEngine(about, command, args, folder, env = process.env) {
  // In a process group of its own, so that an interrupted measurement can end it in order.
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true, env });
  child.stdin.on('error', () => {}); // It ended, which `ended` tells.
  const { ended, lost } = watched(child, about.name);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await Promise.race([lines.next(), ended]);
    return done ? ended : value;
  };
  const ask = async (line) => {
    child.stdin.write(`${line}\n`);
    const [word, ...rest] = (await answer()).split(' ');
    if (word !== 'ok') throw new Error(rest.join(' '));
    return rest;
  };
  const file = join(folder, `${about.key}.bin`);
  const time = stopwatch();
  const introduction = JSON.parse(await answer());
  return {
    ...about,
    ...introduction,
    lost,
    ask,
    cpus: time.cpus,
    async open(item, data) {
      time.reset();
      await writeFile(file, toBytes(data));
      if (item.manifest) await writeFile(`${file}.json`, JSON.stringify(item.manifest));
      const [, ...variant] = await ask(`open ${nameOfCase(item)} ${file}`);
      return variant.join(' ');
    },
    async results() {
      await ask(`results ${COMPARED_STEPS} ${file}.results`);
      const bytes = await readFile(`${file}.results`);
      return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    },
    restart: () => ask('restart'),
    async run(count) {
      const [ns, used = 0] = (await ask(`run ${count}`)).map(Number);
      time.add(ns, used);
      return ns;
    },
    close: () => ask('close'),
    dispose: () => child.kill('SIGKILL'),
  };
}

/** onnxruntime-node, in a process of its own. */
export async function ortEngine(about, threads) {
  const program = fileURLToPath(new URL('ort_process.mjs', import.meta.url));
  const child = fork(program, [String(threads)], { serialization: 'advanced', detached: true });
  const { ended, lost } = watched(child, about.name);
  const answer = async () => {
    const [{ error, value }] = await Promise.race([once(child, 'message'), ended]);
    if (error) throw new Error(error);
    return value;
  };
  const ask = (...message) => {
    const answered = answer();
    child.send(message, () => {}); // If it ended, which `ended` tells, it cannot be sent.
    return answered;
  };
  return {
    ...about,
    ...(await answer()),
    lost,
    open: (item, data) => ask('open', item, data),
    results: () => ask('results'),
    run: (count) => ask('run', count),
    close: () => ask('close'),
    dispose: () => child.kill('SIGKILL'),
  };
}
