/** The unbundled package in a browser: isolation, policies, and misconfigured servers. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { closeBrowser, outcomeOf, withBrowser, withoutBrowser } from './support/browser.mjs';
import { answerRelaxed, apart, engineFuses } from './support/relaxed.mjs';
import { ISOLATION, STRICT_CSP, serve } from './support/server.mjs';

const DIST = fileURLToPath(new URL('../../wasm/dist', import.meta.url));

const SCHEMA = fileURLToPath(new URL('../../bench/results.schema.json', import.meta.url));
const ajv = addFormats.default(new Ajv2020({ allErrors: true, allowUnionTypes: true }));

/** A page whose script sets window.outcome to what body returns. */
const script = (body, from = './index.mjs') => `
import { load } from '${from}';
try {
  window.outcome = { value: await (async () => { ${body} })() };
} catch (error) {
  window.outcome = { error: { codeName: error.codeName, message: error.message } };
}`;

describe('in a browser', { skip: withoutBrowser }, () => {
  let folder;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'parallax-nn-'));
    cpSync(DIST, folder, { recursive: true });
    const page = '<!doctype html><title>test</title><script type="module" src="app.mjs"></script>';
    writeFileSync(join(folder, 'index.html'), page);
  });
  after(() => {
    rmSync(folder, { recursive: true });
    return closeBrowser();
  });

  async function run(body, { headers = {}, answer, from } = {}) {
    writeFileSync(join(folder, 'app.mjs'), script(body, from));
    const server = await serve(folder, headers, answer);
    try {
      return await withBrowser((profile) => outcomeOf(profile, `${server.url}/`));
    } finally {
      await server.close();
    }
  }

  const INFO = 'const plx = await load(); const i = plx.info(); plx.dispose(); return i;';

  it('uses the best tier on an isolated page, under the strictest policy', async () => {
    const { value, error } = await run(INFO, { headers: { ...ISOLATION, ...STRICT_CSP } });
    assert.equal(value?.tier, 'relaxed-threads', error?.message);
    assert.deepEqual(value.downgrades, []);
  });

  it('reports that kernels fuse only where they do', async () => {
    const body = `
      const fuses = (${engineFuses})();
      const fma = async () => {
        const plx = await load();
        const { tier, fma } = plx.info();
        plx.dispose();
        return [tier, fma];
      };
      const told = await fma();
      (${answerRelaxed})(${apart}, ${apart});
      return { fuses, told, unfused: await fma() };`;
    const { value, error } = await run(body, { headers: ISOLATION });
    assert.deepEqual(value?.told, ['relaxed-threads', value?.fuses], error?.message);
    assert.deepEqual(value.unfused, ['relaxed-threads', false]);
  });

  it('has one thread on a page that is not isolated, and says why', async () => {
    const { value, error } = await run(INFO, { headers: STRICT_CSP });
    assert.equal(value?.tier, 'simd', error?.message);
    assert.equal(value.isolated, false);
    assert.deepEqual(
      value.downgrades.map(({ wanted, got }) => [wanted, got]),
      [
        ['relaxed-threads', 'simd'],
        ['simd-threads', 'simd'],
      ],
    );
    assert.match(value.downgrades[0].reason, /Cross-Origin-Opener-Policy/);
  });

  it('runs inline on a page that may not start workers', async () => {
    const body = `
      const plx = await load();
      const y = await plx.model('mlp:2-4-1', { seed: 1 }).predict([[1, 2]]);
      return { tier: plx.info().tier, length: y.length };`;
    const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'";
    const { value, error } = await run(body, {
      headers: { 'Content-Security-Policy': policy },
      from: './inline.mjs',
    });
    assert.deepEqual(value, { tier: 'simd', length: 1 }, error?.message);
  });

  it('never blocks the page while it trains', async () => {
    const body = `
      const plx = await load({ threads: 1 });
      const model = plx.model('mlp:64-256-256-1');
      const n = 2048, x = new Float32Array(64 * n), y = new Float32Array(n);
      let longest = 0, last = performance.now(), frames = 0;
      const tick = () => {
        const now = performance.now();
        longest = Math.max(longest, now - last);
        last = now;
        frames++;
      };
      const timer = setInterval(tick, 4);
      const began = performance.now();
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 500);
      await model.fit(x, y, { epochs: 1e6, signal: controller.signal }).catch(() => {});
      clearInterval(timer);
      return { frames, stopped: performance.now() - began };`;
    const { value, error } = await run(body, { headers: ISOLATION });
    assert.ok(value?.frames > 25, `${value?.frames} timer ticks in 500 ms ${error?.message ?? ''}`);
    assert.ok(value.stopped < 1500, `stopped after ${value.stopped} ms`);
  });

  it('measures suites, and every row matches the schema', async () => {
    const validate = ajv.compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));
    const body = `
      const plx = await load({ threads: 2 });
      const rows = [];
      const suites = (await plx.suites()).map(({ name }) => name);
      const all = await plx.bench({ suites: ['gemm', 'bits'], size: 'quick', seconds: 0.02,
        onRow: (row) => rows.push(row) });
      const abort = new AbortController();
      const kept = [];
      const name = await plx.bench({ suites: ['gemm'], cases: ['128 x'], size: 'quick', seconds: 1,
        signal: abort.signal, onRow: (row) => kept.push(row),
        onProgress: ({ fraction }) => { if (fraction > 0.5) abort.abort(); },
      }).catch((error) => error.name);
      return { suites, same: rows.length === all.length, rows, kept, name };`;
    for (const [headers, tier] of [
      [{ ...ISOLATION, ...STRICT_CSP }, 'relaxed-threads'],
      [STRICT_CSP, 'simd'],
    ]) {
      const { value, error } = await run(body, { headers, from: './bench.mjs' });
      assert.ok(value?.suites.includes('bits'), error?.message);
      assert.ok(value.same && value.rows.length > 5, `${value.rows.length} rows`);
      assert.equal(value.name, 'AbortError');
      assert.ok(value.kept.length > 0, 'what was measured by the end is kept');
      for (const row of [...value.rows, ...value.kept]) {
        assert.ok(validate(row), `${row.case}: ${ajv.errorsText(validate.errors)}`);
        assert.equal(row.engine.tier, tier);
        assert.match(row.engine.runtime, /^\S+ \d+$/);
        assert.equal(row.machine.memoryBytes, undefined, 'browsers tell it only rounded');
        assert.equal(row.checks.passed, true, row.checks.failure);
      }
    }
  });

  it('rejects with one sentence when the server is misconfigured', async () => {
    const html = { type: 'text/html', body: '<!DOCTYPE html><html></html>' };
    const wasm = (own) => (path) => (path.endsWith('.wasm') ? own : undefined);
    const worker = (own) => (path) => (/engine.*mjs$/.test(path) ? own : undefined);
    const cases = [
      [wasm(html), 'PLX_ERR_FORMAT', /http.*wasm \(text\/html\) holds an HTML page/],
      [wasm({ status: 404, body: '' }), 'PLX_ERR_IO', /http.*wasm answered with status 404/],
      [worker({ status: 404, body: '' }), 'PLX_ERR_IO', /engine-simd.mjs did not load/],
      [worker(html), 'PLX_ERR_IO', /engine-simd.mjs did not load/],
    ];
    for (const [answer, codeName, message] of cases) {
      const { error } = await run(INFO, { answer });
      assert.equal(error?.codeName, codeName);
      assert.match(error.message, message);
    }
  });

  describe('has one thread if the workers of further threads', () => {
    const ENGINE = '/engine-relaxed-threads.mjs';
    const own = readFileSync(join(DIST, ENGINE), 'utf8');
    /** Answers the second request for the engine's file; the first is that of its own worker. */
    const toThread = (answer) => {
      let asked = 0;
      return (path) => (path === ENGINE && ++asked === 2 ? answer : undefined);
    };
    /** The engine's file, prefixed with other code in the worker of a thread. */
    const inThread = (statement) => (path) =>
      path === ENGINE ? { body: `if (self.name) { ${statement} }\n${own}` } : undefined;
    const policy = { 'Content-Security-Policy': "worker-src 'none'" };
    const cases = {
      'are forbidden by a policy': [
        (path) => (path === ENGINE ? { headers: policy } : undefined),
        /did not start: the worker of a thread failed/,
      ],
      'do not load': [
        toThread({ status: 404, body: '' }),
        /did not start: the worker of a thread failed: its file did not load/,
      ],
      'run out of memory': [
        inThread("throw new RangeError('out of memory');"),
        /did not start: the worker of a thread failed: .*out of memory/,
      ],
      'do not answer': [
        inThread('await new Promise(() => {});'),
        /did not start: the worker of a thread failed: it did not answer within 3000 ms/,
      ],
      'never run their thread': [
        inThread(
          "addEventListener('message', (e) => e.data.cmd === 'run' && e.stopImmediatePropagation());",
        ),
        /did not start: the worker of a thread failed: it ran no thread within 3000 ms/,
      ],
    };
    const body = `
      const plx = await load({ threads: 2, timeout: 3000 });
      const { length } = await plx.model('mlp:2-4-1', { seed: 1 }).predict([[1, 2]]);
      const { tier, threads, downgrades } = await plx.ready();
      plx.dispose();
      return { tier, threads, downgrades, length };`;
    for (const [name, [answer, reason]] of Object.entries(cases)) {
      it(name, async () => {
        const { value, error } = await run(body, { headers: ISOLATION, answer });
        assert.equal(value?.tier, 'relaxed-threads', error?.message);
        assert.deepEqual([value.threads, value.length], [1, 1]);
        const [{ wanted, got, reason: said }, ...more] = value.downgrades;
        assert.deepEqual([wanted, got, more], ['2 threads', '1 thread', []]);
        assert.match(said, reason);
      });
    }
  });

  describe('if the engine freezes when it makes a worker, as in Firefox,', () => {
    const ENGINE = '/engine-relaxed-threads.mjs';
    const own = readFileSync(join(DIST, ENGINE), 'utf8');
    const freeze =
      'self.Worker = class { constructor() { ' +
      'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); } };';
    /** As if in Firefox, where this many engines freeze. */
    const runFrozen = (engines) => {
      let asked = 0;
      const answer = (path) =>
        path === ENGINE && ++asked <= engines ? { body: `${freeze}\n${own}` } : undefined;
      const body = `
        Object.defineProperty(navigator, 'userAgent', { value: 'Firefox/153.0' });
        const plx = await load({ threads: 2 });
        const { length } = await plx.model('mlp:2-4-1', { seed: 1 }).predict([[1, 2]]);
        const { tier, threads, downgrades } = await plx.ready();
        plx.dispose();
        return { tier, threads, downgrades, length };`;
      return run(body, { headers: ISOLATION, answer });
    };

    it('another takes its place', async () => {
      const { value, error } = await runFrozen(1);
      const expected = { tier: 'relaxed-threads', threads: 2, downgrades: [], length: 1 };
      assert.deepEqual(value, expected, error?.message);
    });

    it('the next tier does after three of them, and says why', async () => {
      const { value, error } = await runFrozen(3);
      assert.equal(value?.tier, 'simd-threads', error?.message);
      assert.deepEqual([value.threads, value.length], [2, 1]);
      assert.match(
        value.downgrades[0].reason,
        /its worker froze when it made those of its threads/,
      );
    });
  });

  it('uses the tier without threads if the workers of the others do not load', async () => {
    const answer = (path) => (/-threads.mjs$/.test(path) ? { status: 404, body: '' } : undefined);
    const { value, error } = await run(INFO, { headers: ISOLATION, answer });
    assert.equal(value?.tier, 'simd', error?.message);
    assert.deepEqual(
      value.downgrades.map(({ wanted, got }) => [wanted, got]),
      [
        ['relaxed-threads', 'simd-threads'],
        ['simd-threads', 'simd'],
      ],
    );
    assert.match(value.downgrades[0].reason, /worker file engine-relaxed-threads.mjs did not load/);
  });

  it('accepts WebAssembly with the wrong MIME type', async () => {
    const answer = (path) => (path.endsWith('.wasm') ? { type: 'text/plain' } : undefined);
    const { value } = await run(INFO, { answer });
    assert.equal(value?.tier, 'simd');
  });
});
