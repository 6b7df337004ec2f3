/** Runs the parallax command, and checks rows against the schema. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

export const root = fileURLToPath(new URL('../..', import.meta.url));
/** Another build of the command can be named. */
export const program = process.env.PARALLAX_COMMAND ?? path.join(root, 'build/release/parallax');

const { PARALLAX_ISA: _isa, PARALLAX_DATA: _data, ...environment } = process.env;
/** The folder of MNIST, if the tests have it. */
export const mnist = process.env.PARALLAX_DATA;

export function parallax(args, { env = {}, cwd } = {}) {
  assert.ok(existsSync(program), `${program} is there: build it first`);
  const result = spawnSync(program, args, {
    encoding: 'utf8',
    env: { ...environment, ...env },
    cwd,
    timeout: 120_000,
    maxBuffer: 1 << 26,
  });
  assert.equal(result.signal, null, `parallax ${args.join(' ')} ended by itself`);
  return { code: result.status, out: result.stdout, err: result.stderr };
}

/** Runs the command; watch(child) may end it. */
function start(args, watch) {
  const child = spawn(program, args, { env: environment });
  let out = '';
  let err = '';
  child.stdout.on('data', (text) => {
    out += text;
  });
  child.stderr.on('data', (text) => {
    err += text;
  });
  watch(child, () => out);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

/** Starts the command and sends it SIGINT once its standard output matches. */
export function interruptWhen(args, pattern) {
  let sent = false;
  return start(args, (child, out) => {
    child.stdout.on('data', () => {
      if (sent || !pattern.test(out())) return;
      sent = true;
      child.kill('SIGINT');
    });
  });
}

/** Starts the command and sends it a signal after a while. */
export function interruptAfter(args, milliseconds, signal = 'SIGINT') {
  return start(args, (child) => {
    const timer = setTimeout(() => child.kill(signal), milliseconds);
    child.on('close', () => clearTimeout(timer));
  });
}

const ajv = addFormats.default(
  new Ajv2020({ allErrors: true, allowUnionTypes: true, strictTypes: false }),
);
const validate = ajv.compile(
  JSON.parse(readFileSync(path.join(root, 'bench/results.schema.json'), 'utf8')),
);

export function readRows(file) {
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

export function assertRows(rows) {
  assert.ok(rows.length > 0, 'there are rows');
  for (const row of rows) {
    assert.ok(
      validate(row),
      `${row.suite} ${row.case} ${row.metric}: ${ajv.errorsText(validate.errors)}`,
    );
  }
}

/** A folder that is gone when the function has returned. */
export async function withFolder(use) {
  const folder = mkdtempSync(path.join(tmpdir(), 'parallax-cli-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
