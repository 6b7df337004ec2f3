/** The packed package in other runtimes, each in the version that npm installs. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { newProject } from './support/tarball.mjs';

const FOLDER = fileURLToPath(new URL('runtimes', import.meta.url));
const PINS = JSON.parse(readFileSync(join(FOLDER, 'package.json'), 'utf8')).optionalDependencies;
const SUPPORT = fileURLToPath(new URL('support', import.meta.url));
const SYSTEM = `${process.platform}-${process.arch}`;
/** The packages' names for the systems whose binaries they contain. */
const DENO = { 'linux-x64': 'linux-x64-glibc', 'linux-arm64': 'linux-arm64-glibc' };
const BUN = { 'linux-arm64': 'linux-aarch64', 'darwin-arm64': 'darwin-aarch64' };

const node = (major, ...flags) => {
  const name = `node-${major}-${SYSTEM}`;
  return {
    title: `Node ${PINS[name]?.split('@').at(-1) ?? major}${flags.map((flag) => ` ${flag}`).join('')}`,
    runtime: `Node ${major}`,
    program: `${name}/bin/node`,
    flags,
  };
};
const RUNTIMES = [
  node(20),
  node(20, '--experimental-wasm-relaxed-simd'),
  node(22),
  node(24),
  node(26),
  {
    title: `Deno ${PINS.deno}`,
    runtime: `Deno ${PINS.deno.split('.')[0]}`,
    program: `@deno/${DENO[SYSTEM] ?? SYSTEM}/deno`,
    flags: ['run', '--allow-all'],
  },
  {
    title: `Bun ${PINS.bun}`,
    runtime: `Bun ${PINS.bun.split('.')[0]}`,
    program: `@oven/bun-${BUN[SYSTEM] ?? SYSTEM}/bin/bun`,
    flags: [],
  },
];

describe('the packed package in', () => {
  let project;
  before(() => {
    project = newProject();
    for (const file of [
      ...['runtime_app.mjs', 'relaxed.mjs'],
      ...['runtime_required.cjs', 'runtime_in_thread.mjs'],
    ])
      copyFileSync(join(SUPPORT, file), join(project.folder, file));
  });
  after(() => project.remove());

  for (const { title, runtime, program, flags } of RUNTIMES) {
    const path = join(FOLDER, 'node_modules', program);
    const skip = existsSync(path) ? false : `npm brought no program of it for ${SYSTEM}`;
    const relaxed = runtime !== 'Node 20' || flags.length > 0;
    const best = relaxed ? 'relaxed-threads' : 'simd-threads';

    /** Runs a program, which must also exit by itself, with status 0; returns what it printed. */
    async function run(file) {
      const { stdout } = await promisify(execFile)(path, [...flags, file], {
        cwd: project.folder,
        timeout: 60_000,
      });
      return JSON.parse(stdout);
    }

    it(title, { skip }, async () => {
      const got = await run('runtime_app.mjs');
      assert.equal(got.runtime, runtime);
      assert.equal(got.threads, 2);
      const lacks = got.tier === 'simd-threads';
      assert.equal(got.tier, best, title);
      assert.deepEqual(
        got.downgrades.map(({ wanted }) => wanted),
        lacks ? ['relaxed-threads'] : [],
      );
      assert.equal(got.fma, got.fuses, 'what info says of fusing is what the engine does');
      assert.equal(got.rowFma, got.fuses, 'and so do the rows');
      assert.ok(got.passed && got.changed && got.same);
      assert.ok(got.loss[1] < 0.1 * got.loss[0], `loss ${got.loss}`);
      assert.equal(got.predicts, 4);
      const measured = got.measured.map(({ tier }) => tier);
      assert.deepEqual(measured.toSorted(), lacks ? [] : ['relaxed-threads', 'simd-threads']);
      assert.equal(got.fastest, lacks ? 'simd-threads' : measured[0]);
      assert.equal(got.disposed, 'PLX_ERR_STATE');
    });

    if (!runtime.startsWith('Node')) continue;

    it(`${title}, required from CommonJS`, { skip }, async () => {
      const expected = { tier: best, threads: 2, falls: true, error: true, others: [1, 1] };
      assert.deepEqual(await run('runtime_required.cjs'), expected);
    });

    it(`${title}, in worker threads`, { skip }, async () => {
      const [first, second] = await run('runtime_in_thread.mjs');
      const { code, tier, threads, loss } = first;
      assert.deepEqual({ code, tier, threads }, { code: 0, tier: best, threads: 2 });
      assert.ok(loss.at(-1) < loss[0], `loss ${loss}`);
      assert.deepEqual(second, first, 'engines side by side do not disturb each other');
    });
  }
});
