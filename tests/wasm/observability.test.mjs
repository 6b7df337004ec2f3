/** What an application sees of the engine: its start, entries of the timeline, and info as text. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { PerformanceObserver, performance } from 'node:perf_hooks';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { load } from 'parallax-nn';
import { XOR } from './support/data.mjs';
import { withEngine } from './support/engine.mjs';

/** Collects the entries of the package's calls while body runs. */
async function entriesOf(body) {
  const entries = [];
  const take = (list) => entries.push(...list.filter(({ name }) => name.startsWith('parallax:')));
  const observer = new PerformanceObserver((list) => take(list.getEntries()));
  observer.observe({ type: 'measure' });
  try {
    await body();
  } finally {
    take(observer.takeRecords());
    observer.disconnect();
  }
  return entries;
}

describe('the performance timeline', () => {
  const calls = {
    load: async () => {
      (await load({ tier: 'simd' })).dispose();
    },
    compile: (plx) => {
      const g = plx.graph();
      return g.compile([g.constant(1)]);
    },
    run: async (plx) => {
      const g = plx.graph();
      return (await g.compile([g.constant(1)])).run();
    },
    fit: (plx) => plx.model('mlp:2-4-1').fit(XOR.x, XOR.y),
    predict: (plx) => plx.model('mlp:2-4-1').predict(XOR.x),
    evaluate: (plx) => plx.model('mlp:2-4-1').evaluate(XOR.x, XOR.y),
  };
  for (const [call, body] of Object.entries(calls)) {
    it(`has an entry for ${call}, from the call to the answer`, () =>
      withEngine({ tier: 'simd' }, async (plx) => {
        let [began, ended] = [0, 0];
        const entries = await entriesOf(async () => {
          began = performance.now();
          await body(plx);
          ended = performance.now();
        });
        const own = entries.filter(({ name }) => name === `parallax:${call}`);
        assert.equal(own.length, 1, entries.map(({ name }) => name).join());
        const [{ startTime, duration, detail }] = own;
        assert.ok(startTime >= began && duration > 0 && startTime + duration <= ended);
        assert.equal(detail, null);
      }));
  }

  it('counts predictAll as a prediction', () =>
    withEngine({ tier: 'simd' }, async (plx) => {
      const entries = await entriesOf(() => plx.model('mlp:2-4-1').predictAll(XOR.x));
      assert.deepEqual(
        entries.map(({ name }) => name),
        ['parallax:predict'],
      );
    }));

  it('says which status a call failed with', () =>
    withEngine({ tier: 'simd' }, async (plx) => {
      const model = plx.model('mlp:2-4-1');
      const entries = await entriesOf(async () => {
        await model.predict([[1]]).catch(() => {});
        await model.fit(XOR.x, XOR.y, { signal: AbortSignal.abort() }).catch(() => {});
      });
      assert.deepEqual(
        entries.map(({ name, detail }) => [name, detail.failed]),
        [
          ['parallax:predict', 'PLX_ERR_SHAPE'],
          ['parallax:fit', 'PLX_ERR_CANCELLED'],
        ],
      );
    }));

  it('keeps the last entry of each name, so that it does not grow', () =>
    withEngine({ tier: 'simd' }, async (plx) => {
      const model = plx.model('mlp:2-4-1');
      for (let i = 0; i < 5; i++) await model.predict(XOR.x);
      assert.equal(performance.getEntriesByName('parallax:predict').length, 1);
    }));
});

describe('info as text', () => {
  let info;
  before(() =>
    withEngine({ threads: 2, memoryMB: 64, tier: 'simd-threads' }, async (plx) => {
      info = await plx.ready();
    }),
  );

  it('has a line for each fact', () => {
    const [first, ...lines] = String(info).split('\n');
    assert.equal(first, `parallax-nn ${info.version}`);
    const told = Object.fromEntries(
      lines.map((line) => [line.slice(0, 10).trim(), line.slice(10)]),
    );
    assert.equal(told.tier, `simd-threads, 2 of ${info.cpus} threads`);
    assert.equal(told.kernels, 'wasm128, 128 bits, multiply-add not fused');
    assert.equal(told.exact, 'yes');
    assert.equal(told.memory, '64 MiB at the start');
    assert.match(told.speed, /^\d+\.\d GFLOP\/s, \d+\.\d GB\/s on one thread, (measured|assumed)$/);
    assert.match(told.started, /^compiled \d+, worker \d+, ready \d+, threads \d+ ms$/);
    const { platform, arch, versions } = process;
    assert.equal(told.runtime, `node ${versions.node} on ${platform} ${arch}`);
  });

  it('gives the reason of each step down', () =>
    withEngine({ tier: 'simd', threads: 2 }, async (plx) => {
      const [{ wanted, got, reason }] = plx.info().downgrades;
      const lines = String(plx.info()).split('\n');
      assert.ok(lines.includes(`downgrade ${wanted} to ${got}: ${reason}`), lines.join('\n'));
    }));

  it('leaves info plain data', () => {
    const { tier, threads } = structuredClone(info);
    assert.deepEqual([tier, threads], ['simd-threads', 2]);
    assert.ok(!Object.keys(info).includes('toString'));
  });
});

describe('a start', () => {
  const bytes = readFileSync(new URL(import.meta.resolve('parallax-nn/wasm/engine-simd.wasm')));
  let server;
  before(async () => {
    server = createServer(({ url }, response) => {
      const packed = url === '/packed';
      const body = packed ? gzipSync(bytes) : bytes;
      const headers = { 'Content-Type': 'application/wasm', 'Content-Length': body.length };
      response.writeHead(200, { ...headers, ...(packed && { 'Content-Encoding': 'gzip' }) });
      response.end(body);
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  /** Loads from an address of the server, or from disk; returns the progress that was told. */
  async function progressOf(path) {
    const told = [];
    const { port } = server.address();
    const from = path && { wasmURL: `http://127.0.0.1:${port}${path}` };
    await withEngine({ tier: 'simd', ...from, onProgress: (news) => told.push(news) }, () => {});
    return told;
  }

  it('tells how much of a file has come, and how much there is', async () => {
    const told = await progressOf('/plain');
    assert.ok(told.length > 1, `${told.length} parts`);
    for (const [i, { tier, loaded, total }] of told.entries()) {
      assert.deepEqual([tier, total], ['simd', bytes.length]);
      assert.ok(loaded > (told[i - 1]?.loaded ?? 0));
    }
    assert.equal(told.at(-1).loaded, bytes.length);
  });

  it('tells no total of a compressed file, whose length is another', async () => {
    const told = await progressOf('/packed');
    assert.deepEqual(told.at(-1), { tier: 'simd', loaded: bytes.length });
  });

  it('tells of a file on disk at once', async () => {
    const all = { tier: 'simd', loaded: bytes.length, total: bytes.length };
    assert.deepEqual(await progressOf(), [all]);
  });

  it('can be stopped, which ends its worker', async () => {
    const controller = new AbortController();
    const exits = [];
    const follow = (worker) => {
      exits.push(new Promise((resolve) => worker.once('exit', resolve)));
      controller.abort('enough');
    };
    process.on('worker', follow);
    try {
      const stopped = { name: 'AbortError', codeName: 'PLX_ERR_CANCELLED', cause: 'enough' };
      await assert.rejects(load({ signal: controller.signal }), stopped);
      await assert.rejects(load({ signal: AbortSignal.abort() }), { name: 'AbortError' });
      assert.equal(exits.length, 1, 'a signal that has aborted starts nothing');
      await Promise.all(exits);
    } finally {
      process.off('worker', follow);
    }
  });

  it('is not stopped by a signal that aborts later', async () => {
    const controller = new AbortController();
    await withEngine({ tier: 'simd', signal: controller.signal }, async (plx) => {
      controller.abort();
      assert.equal((await plx.model('mlp:2-1').predict([[1, 2]])).length, 1);
    });
  });
});

describe('a prediction', () => {
  const N = 3000;
  const x = new Float32Array(5 * N).map((_, i) => Math.sin(i));
  const make = (plx) => plx.model('mlp:5-32-2', { seed: 1 });

  for (const [options, parts] of [
    [{}, 12],
    [{ batchSize: 100 }, 30],
    [{ batchSize: 7 }, 62],
    [{ batchSize: N }, 1],
  ])
    it(`in parts has the same bits, with ${JSON.stringify(options)}`, () =>
      withEngine({ tier: 'simd' }, async (plx) => {
        const model = make(plx);
        const told = [];
        const onProgress = (fraction) => told.push(fraction);
        const expected = await model.predict(x, options);
        assert.deepEqual(await model.predict(x, { ...options, onProgress }), expected);
        assert.equal(told.length, parts);
        assert.equal(told.at(-1), 1);
        assert.ok(told.every((fraction, i) => i === 0 || fraction > told[i - 1]));
        const [all] = Object.values(await model.predictAll(x, { ...options, onProgress }));
        assert.deepEqual(all, { data: expected, shape: [N, 2] });
      }));

  it('stops when asked, and the next one works', () =>
    withEngine({ tier: 'simd' }, async (plx) => {
      const model = make(plx);
      const controller = new AbortController();
      const { signal } = controller;
      const told = [];
      const onProgress = (fraction) => {
        told.push(fraction);
        if (fraction > 0.2) controller.abort();
      };
      const stopped = { name: 'AbortError', codeName: 'PLX_ERR_CANCELLED' };
      await assert.rejects(model.predict(x, { signal, onProgress }), stopped);
      assert.equal(told.length, 3, 'of twelve parts');
      await assert.rejects(model.predict(x, { signal }), stopped);
      assert.equal((await model.predict(x)).length, 2 * N);
    }));

  it('rejects with what its callback throws', () =>
    withEngine({ tier: 'simd' }, async (plx) => {
      const onProgress = () => {
        throw new Error('mine');
      };
      await assert.rejects(make(plx).predict(x, { onProgress }), { message: 'mine' });
    }));

  it('of no samples is empty', () =>
    withEngine({ tier: 'simd' }, async (plx) => {
      const told = [];
      const onProgress = (fraction) => told.push(fraction);
      assert.equal((await make(plx).predict([], { onProgress })).length, 0);
      assert.deepEqual(told, [1]);
    }));
});
