/** The engine in Node: tiers, models, training, prediction, cancellation, disposal. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { load } from 'parallax-nn';
import { interp5d, XOR } from './support/data.mjs';
import { withEngine } from './support/engine.mjs';
import { answerRelaxed, apart, engineFuses, fused } from './support/relaxed.mjs';

const TIERS = ['simd', 'simd-threads'];

describe('load', () => {
  it('uses the best tier of this engine and says why not a better one', () =>
    withEngine({ threads: 2 }, async (plx) => {
      const info = await plx.ready();
      if (info.tier === 'relaxed-threads') {
        assert.deepEqual(info.downgrades, []);
      } else {
        assert.equal(info.tier, 'simd-threads');
        const [{ wanted, got, reason }] = info.downgrades;
        assert.deepEqual([wanted, got], ['relaxed-threads', 'simd-threads']);
        assert.match(reason, /relaxed SIMD/);
      }
      assert.equal(info.threads, 2);
      assert.ok(info.startup.compiled > 0 && info.startup.worker > 0);
      assert.ok(info.startup.ready >= info.startup.compiled);
    }));

  it('measures which tier is fastest here, and uses it', () =>
    withEngine({ tier: 'fastest', threads: 2 }, async (plx) => {
      const { tier, measured, downgrades, threads } = await plx.ready();
      assert.equal(threads, 2);
      if (downgrades.length > 0) {
        assert.deepEqual([tier, measured], ['simd-threads', []]);
        return;
      }
      const [first, second] = measured;
      assert.equal(tier, first.tier);
      assert.deepEqual([first.tier, second.tier].sort(), ['relaxed-threads', 'simd-threads']);
      assert.ok(first.gflops >= second.gflops && second.gflops > 0);
    }));

  it('measures nothing where one tier alone may be used', () =>
    withEngine({ tier: 'fastest', reproducible: true, threads: 1 }, async (plx) => {
      const { tier, measured, downgrades } = plx.info();
      assert.deepEqual([tier, measured], ['simd-threads', []]);
      assert.match(downgrades[0].reason, /reproducible rules out relaxed SIMD/);
    }));

  it('says nothing of measured tiers unless asked', () =>
    withEngine({ threads: 1 }, async (plx) => {
      assert.equal(plx.info().measured, undefined);
    }));

  it('starts with one thread, and continues with all', () =>
    withEngine({ threads: 2, tier: 'simd-threads' }, async (plx) => {
      const early = plx.info();
      assert.deepEqual([early.threads, early.startup.threads], [1, undefined]);
      const { x, y } = interp5d(4096);
      const model = plx.model('mlp:5-256-256-1', { seed: 1 });
      const options = { epochs: 1, batchSize: 1024 };
      const { loss } = await model.fit(x, y, options);
      const controller = new AbortController();
      const { signal } = controller;
      const g = plx.graph();
      const a = g.parameter('a', [512, 512], new Float32Array(512 * 512).fill(0.5));
      const product = await g.compile([g.matmul(a, a)]);
      const [before] = await product.run();
      /* During training. */
      const running = plx.model('mlp:5-256-256-1').fit(x, y, { epochs: 1e6, signal });
      const info = await plx.ready();
      controller.abort();
      await assert.rejects(running, { name: 'AbortError' });
      assert.equal(info.threads, 2);
      assert.ok(info.startup.threads >= info.startup.ready && info.gflops > 0);
      assert.deepEqual(plx.info(), info);
      /* Plans compiled before use all threads from their next run on, with the same bits. */
      assert.deepEqual((await product.run())[0].data, before.data);
      assert.ok((await product.explain()).steps.some(({ threads }) => threads === 2));
      const again = await plx.model('mlp:5-256-256-1', { seed: 1 }).fit(x, y, options);
      assert.deepEqual(again.loss, loss);
    }));

  describe('tests relaxed multiply-add on this engine', () => {
    /** Calls load where the instructions compute the given functions of floats and doubles. */
    const infoWith = (floats, doubles) => {
      const end = answerRelaxed(floats, doubles);
      return withEngine({ threads: 1 }, (plx) => plx.info()).finally(end);
    };
    const right = fused;
    const wrong = {
      'is twice the right value': (a, b, c) => 2 * (a * b + c),
      'has lost what it adds to': (a, b) => a * b,
      'is no number': () => Number.NaN,
      'is off by one in the last digit': (a, b, c) => (a * b + c) * (1 + 2 ** -23),
    };
    for (const [name, madd] of Object.entries(wrong)) {
      it(`and uses no tier that needs it where it ${name}`, async () => {
        for (const [floats, doubles, instruction] of [
          [madd, right, 'f32x4_relaxed_madd'],
          [right, madd, 'f64x2_relaxed_madd'],
        ]) {
          const { tier, downgrades } = await infoWith(floats, doubles);
          assert.equal(tier, 'simd-threads');
          const [{ wanted, got, reason }, ...more] = downgrades;
          assert.deepEqual([wanted, got, more], ['relaxed-threads', 'simd-threads', []]);
          assert.match(reason, new RegExp(`${instruction} is wrong here: .* gave `));
        }
      });
    }

    it('and reports that kernels fuse only where it does', async () => {
      assert.equal(engineFuses() ?? false, (await withEngine({}, (plx) => plx.info())).fma);
      const info = await infoWith(apart, apart);
      assert.ok(
        !info.downgrades.some(({ reason }) => reason.includes('wrong')),
        'that is no fault',
      );
      assert.equal(info.fma, false);
    });

    it('and covers every such instruction that the kernels use', () => {
      const root = fileURLToPath(new URL('../..', import.meta.url));
      const relaxed = /[fi]\d+x\d+_relaxed_\w+|__builtin_wasm_relaxed_\w+/g;
      const namesIn = (files) =>
        [
          ...new Set(files.flatMap((file) => readFileSync(file, 'utf8').match(relaxed) ?? [])),
        ].sort();
      const kernels = join(root, 'src/kernels');
      const used = namesIn(readdirSync(kernels).map((name) => join(kernels, name)));
      assert.ok(used.length > 0);
      assert.deepEqual(namesIn([join(root, 'wasm/src/relaxed.ts')]), used);
    });
  });

  it('has one thread if the workers of further threads fail, and says so', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'parallax-nn-'));
    try {
      const engine = import.meta.resolve('parallax-nn/worker/engine-simd-threads.mjs');
      const file = join(folder, 'worker.mjs');
      const fails = `if (self.name) throw new RangeError('out of memory');`;
      writeFileSync(file, `${fails} await import(${JSON.stringify(engine)});`);
      const options = { tier: 'simd-threads', workerURL: pathToFileURL(file), threads: 2 };
      await withEngine(options, async (plx) => {
        assert.equal((await plx.ready()).threads, 1);
        const [{ wanted, got, reason }, ...more] = plx.info().downgrades;
        assert.deepEqual([wanted, got, more], ['2 threads', '1 thread', []]);
        assert.match(reason, /the worker of a thread failed: out of memory/);
        assert.equal((await plx.model('mlp:2-4-1').predict(XOR.x)).length, 4);
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('measures how many threads pay off', () =>
    withEngine({}, async (plx) => {
      const { threads, cpus } = await plx.ready();
      assert.ok(threads >= 1 && threads <= cpus);
    }));

  it('has one thread in the tier simd, and says so when asked for more', () =>
    withEngine({ tier: 'simd', threads: 2 }, async (plx) => {
      const { threads, downgrades, exact } = plx.info();
      assert.equal(threads, 1);
      assert.equal(exact, true);
      assert.equal(downgrades.at(-1).wanted, '2 threads');
    }));

  it('is exact when asked to be reproducible', () =>
    withEngine({ reproducible: true, threads: 2 }, async (plx) => {
      assert.equal(plx.info().exact, true);
    }));

  it('gives the threaded tiers memory of fixed size', () =>
    withEngine({ tier: 'simd-threads', memoryMB: 64 }, async (plx) => {
      assert.equal(plx.info().memoryBytes, 64 * 2 ** 20);
    }));

  it('says that the tier simd does not fix its memory', () =>
    withEngine({ tier: 'simd', memoryMB: 128 }, async (plx) => {
      assert.deepEqual(plx.info().downgrades.at(-1), {
        wanted: '128 MiB',
        got: 'no limit',
        reason: 'the tier simd has no fixed memory',
      });
    }));

  it('lets the process end without dispose', () => {
    const text = execFileSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { load } from 'parallax-nn';
         const plx = await load({ threads: 2 });
         const model = plx.model('mlp:2-4-1');
         await model.fit([[0, 1], [1, 0]], [[1], [0]], { epochs: 3, onBatch() {}, onEpoch() {} });
         console.log('done');`,
      ],
      { cwd: import.meta.dirname, encoding: 'utf8', timeout: 20_000 },
    );
    assert.equal(text, 'done\n');
  });
});

for (const tier of TIERS) {
  describe(`the tier ${tier}`, () => {
    let plx;
    before(async () => {
      plx = await load({ tier, threads: tier === 'simd' ? 1 : 2 });
    });
    after(() => plx.dispose());

    it('describes a model', async () => {
      const { dense, dropout, activation } = plx.layers;
      const model = plx.sequential([
        dense({ units: 64, activation: 'relu', inputShape: [5] }),
        dropout({ rate: 0.1 }),
        dense({ units: 3 }),
        activation({ activation: 'tanh' }),
      ]);
      const summary = await model.summary();
      assert.deepEqual(
        summary.layers.map(({ kind, outputShape, parameters }) => [kind, outputShape, parameters]),
        [
          ['dense', [64], 5 * 64 + 64],
          ['dropout', [64], 0],
          ['dense', [3], 64 * 3 + 3],
          ['activation', [3], 0],
        ],
      );
      assert.equal(summary.parameters, 384 + 195);
      assert.match(String(summary), /dense_1 +\[64\] +384/);
      await model.dispose();
    });

    it('learns XOR', async () => {
      const model = plx.sequential(
        [
          plx.layers.dense({ units: 8, activation: 'tanh', inputShape: [2] }),
          plx.layers.dense({ units: 1, activation: 'sigmoid' }),
        ],
        { seed: 1 },
      );
      const history = await model.fit(XOR.x, XOR.y, {
        epochs: 600,
        optimizer: { kind: 'adam', rate: 0.05 },
      });
      assert.equal(history.loss.length, 600);
      assert.equal(history.epochs.length, 600);
      assert.ok(history.loss.at(-1) < 0.01, `loss ${history.loss.at(-1)}`);
      const y = await model.predict(XOR.x);
      assert.deepEqual([...y].map(Math.round), [0, 1, 1, 0]);
    });

    it('learns classes and counts its confusions', async () => {
      const model = plx.model('mlp:2-16-2', { seed: 3 });
      const labels = XOR.y.map(([y]) => y);
      await model.fit(XOR.x, labels, {
        epochs: 300,
        loss: 'crossentropy',
        optimizer: { kind: 'adam', rate: 0.05 },
      });
      const result = await model.evaluate(XOR.x, labels, { loss: 'crossentropy' });
      assert.equal(result.accuracy, 1);
      assert.deepEqual(result.confusion, [
        [2, 0],
        [0, 2],
      ]);
      assert.ok(Number.isNaN(result.rmse));
    });

    it('fits a function of five variables down to its noise', async () => {
      const { x, y } = interp5d(2000);
      const model = plx.model('mlp:5-64-64-64-64-1', { seed: 1 });
      const epochs = [];
      const losses = [];
      const history = await model.fit(x, y, {
        epochs: 30,
        batchSize: 64,
        validation: 0.2,
        onEpoch: (log) => epochs.push(log),
        onBatch: (log) => losses.push(...log.losses),
      });
      assert.equal(history.steps, 30 * 25);
      assert.deepEqual(losses, [...history.loss], 'onBatch gives every loss once, in order');
      assert.deepEqual(epochs, history.epochs);
      assert.ok(history.epochs.at(-1).validation.r2 > 0.9);
      assert.ok(history.memory.parameters >= 4 * (5 * 64 + 64 + 3 * (64 * 64 + 64) + 65));
      const result = await model.evaluate(x, y);
      assert.ok(Math.abs(result.rmse ** 2 - result.loss) < 1e-6 * result.loss + 1e-9);
    });

    it('computes the same outputs for typed, flat and nested data', async () => {
      const model = plx.model('mlp:3-4-2', { seed: 5 });
      const rows = [
        [1, 2, 3],
        [4, 5, 6],
      ];
      const nested = await model.predict(rows);
      assert.deepEqual(await model.predict(rows.flat()), nested);
      assert.deepEqual(await model.predict(Float64Array.from(rows.flat())), nested);
      assert.deepEqual(await model.predict(Uint8Array.from(rows.flat())), nested);
      assert.deepEqual(await model.predict(rows, { batchSize: 1 }), nested);
      assert.equal((await model.predict(new Float32Array(0))).length, 0);
    });

    it('copies weights out and in', async () => {
      const one = plx.model('mlp:3-4-2', { seed: 5 });
      const two = plx.model('mlp:3-4-2', { seed: 6 });
      const x = [[0.5, -1, 2]];
      assert.notDeepEqual(await one.predict(x), await two.predict(x));
      const weights = await one.getWeights();
      assert.deepEqual(
        weights.map(({ shape }) => shape),
        [[3, 4], [4], [4, 2], [2]],
      );
      await two.setWeights(weights);
      assert.deepEqual(await one.predict(x), await two.predict(x));
    });

    it('explains its plans', async () => {
      const model = plx.model('mlp:784-200-10');
      const forward = await model.explain({ batchSize: 64 });
      assert.ok(forward.steps.length >= 2);
      assert.ok(forward.flops >= 2 * 64 * (784 * 200 + 200 * 10));
      assert.ok(forward.steps.some(({ fused }) => fused !== ''));
      const training = await model.explain({
        batchSize: 64,
        training: true,
        loss: 'crossentropy',
      });
      assert.ok(training.steps.length > forward.steps.length);
      assert.ok(training.memory.gradients > 0 && training.memory.optimizer > 0);
    });

    it('stops when asked, keeps working, and says how far it got', async () => {
      const { x, y } = interp5d(1000);
      const model = plx.model('mlp:5-64-64-1');
      const before = await model.getWeights();
      const controller = new AbortController();
      const reason = new Error('enough');
      let steps = 0;
      const running = model.fit(x, y, {
        epochs: 1_000_000,
        signal: controller.signal,
        onBatch: (log) => {
          steps = log.step;
          controller.abort(reason);
        },
      });
      await assert.rejects(running, (error) => {
        assert.equal(error.name, 'AbortError');
        assert.equal(error.codeName, 'PLX_ERR_CANCELLED');
        assert.equal(error.cause, reason);
        assert.match(error.message, /after \d+ of \d+ steps/);
        return true;
      });
      assert.ok(steps > 0);
      assert.notDeepEqual(await model.getWeights(), before, 'what was learnt stays');
      await model.fit(x, y, { epochs: 1 });
    });

    it('does not start if the signal has already aborted', async () => {
      const model = plx.model('mlp:2-4-1');
      const before = await model.getWeights();
      await assert.rejects(model.fit(XOR.x, XOR.y, { signal: AbortSignal.abort() }), {
        name: 'AbortError',
      });
      assert.deepEqual(await model.getWeights(), before);
    });

    it('changes the learning rate of a running fit', async () => {
      const { x, y } = interp5d(500);
      const model = plx.model('mlp:5-32-1');
      const controller = new AbortController();
      const running = model.fit(x, y, {
        epochs: 1_000_000,
        optimizer: { kind: 'sgd', rate: 0.01 },
        signal: controller.signal,
      });
      await model.setRate(0);
      const frozen = await model.getWeights();
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.deepEqual(await model.getWeights(), frozen, 'a rate of 0 changes nothing');
      controller.abort();
      await assert.rejects(running, { name: 'AbortError' });
      await assert.rejects(model.setRate(0.1), { codeName: 'PLX_ERR_STATE' });
    });

    it('answers other calls while it trains', async () => {
      const { x, y } = interp5d(1000);
      const busy = plx.model('mlp:5-64-64-1');
      const other = plx.model('mlp:2-4-1');
      const controller = new AbortController();
      const running = busy.fit(x, y, { epochs: 1_000_000, signal: controller.signal });
      const answers = [];
      for (let i = 0; i < 5; i++) {
        const began = performance.now();
        await other.predict(XOR.x);
        answers.push(performance.now() - began);
      }
      assert.ok(Math.min(...answers) < 150, `answers took ${answers.map(Math.round)} ms`);
      await assert.rejects(busy.fit(x, y), { codeName: 'PLX_ERR_STATE' });
      controller.abort();
      await assert.rejects(running, { name: 'AbortError' });
    });

    it('rejects with what a callback throws', async () => {
      const model = plx.model('mlp:2-4-1');
      const oops = new Error('oops');
      const running = model.fit(XOR.x, XOR.y, {
        epochs: 1_000_000,
        onEpoch() {
          throw oops;
        },
      });
      await assert.rejects(running, (error) => error === oops);
      await model.fit(XOR.x, XOR.y);
    });

    it('reads IDX and CSV', async () => {
      const idx = Uint8Array.from([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]);
      const expected = { shape: [2, 3], data: Uint8Array.from([1, 2, 3, 4, 5, 6]) };
      assert.deepEqual(await plx.data.idx(idx), expected);
      assert.deepEqual(await plx.data.idx(gzipSync(idx)), expected);
      const table = (values, names) => ({
        rows: values.length / 2,
        columns: 2,
        values: Float64Array.from(values),
        names,
      });
      assert.deepEqual(await plx.data.csv('a,b\n1,2\n3,4.5\n'), table([1, 2, 3, 4.5], true));
      // Seconds since 1970, which are equal in single precision; a mark of UTF-8; decimal commas.
      const seconds = [1700000000, 1700000001];
      assert.deepEqual(await plx.data.csv(`"${seconds.join('","')}"\r\n`), table(seconds, false));
      assert.deepEqual(await plx.data.csv('\ufeff1,5;2\n'), table([1.5, 2], false));
    });
  });
}

describe('dispose', () => {
  it('ends the worker, and rejects pending and later calls', async () => {
    const plx = await load({ threads: 2 });
    const model = plx.model('mlp:2-4-1');
    const running = model.fit(XOR.x, XOR.y, { epochs: 1_000_000 });
    await model.summary();
    plx.dispose();
    plx.dispose();
    const disposed = { codeName: 'PLX_ERR_STATE', message: /disposed/ };
    await assert.rejects(running, disposed);
    await assert.rejects(model.predict(XOR.x), disposed);
  });

  it('disposes of a model, and nothing else', () =>
    withEngine({ tier: 'simd' }, async (plx) => {
      const one = plx.model('mlp:2-4-1');
      const two = plx.model('mlp:2-4-1');
      await one.dispose();
      await one.dispose();
      await assert.rejects(one.predict(XOR.x), { codeName: 'PLX_ERR_STATE' });
      assert.equal((await two.predict(XOR.x)).length, 4);
    }));

  it('frees memory', () =>
    withEngine({ tier: 'simd-threads', threads: 1, memoryMB: 64 }, async (plx) => {
      for (let i = 0; i < 20; i++) {
        const model = plx.model('mlp:1000-1000-10');
        await model.predict(new Float32Array(1000));
        await model.dispose();
      }
    }));
});
