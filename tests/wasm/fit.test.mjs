/** The settings of fit: optimizers, schedules, clipping, accumulation, early stopping. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { interp5d, XOR } from './support/data.mjs';
import { withEngine } from './support/engine.mjs';

const fails = (promise, codeName, message) =>
  assert.rejects(promise, (error) => {
    assert.equal(error.codeName, codeName, error.message);
    assert.match(error.message, message);
    return true;
  });

const valuesOf = async (model) => (await model.getWeights()).map(({ data }) => data);

const OPTIONS = { threads: 1, reproducible: true };

describe('optimizers', () => {
  for (const [kind, rate] of [
    ['sgd', 0.3],
    ['adam', 0.02],
    ['adamw', 0.02],
    ['lion', 0.003],
    ['rmsprop', 0.01],
  ]) {
    it(`${kind} learns XOR`, () =>
      withEngine(OPTIONS, async (plx) => {
        const model = plx.model('mlp:2-16-1:tanh', { seed: 1 });
        const momentum = kind === 'sgd' ? { momentum: 0.9 } : {};
        const optimizer = { kind, rate, ...momentum, weightDecay: 0 };
        const history = await model.fit(XOR.x, XOR.y, { optimizer, epochs: 1500, batchSize: 4 });
        assert.equal(history.stoppedEarly, false);
        assert.ok(history.loss.at(-1) < 0.01, `${kind}: ${history.loss.at(-1)}`);
      }));
  }

  it('follow their formulas: Lion moves by the rate, RMSprop by ten times the rate at first', () =>
    withEngine(OPTIONS, async (plx) => {
      for (const [kind, expected] of [
        ['lion', 0.01],
        ['rmsprop', 0.1],
      ]) {
        const model = plx.model('mlp:2-1', { seed: 1 });
        const before = await valuesOf(model);
        await model.fit([[1, 2]], [[9]], { optimizer: { kind, rate: 0.01 } });
        const after = await valuesOf(model);
        for (let i = 0; i < before.length; i++)
          for (let j = 0; j < before[i].length; j++) {
            const moved = Math.abs(after[i][j] - before[i][j]);
            /* Weights below 4 are rounded by less than 2^-22. */
            assert.ok(Math.abs(moved - expected) < 2 ** -20, `${kind} moved by ${moved}`);
          }
      }
    }));
});

describe('schedules', () => {
  const ratesOf = async (plx, schedule, epochs) => {
    const rates = [];
    const optimizer = { kind: 'sgd', rate: 0.5 };
    const onEpoch = ({ rate }) => rates.push(rate / 0.5);
    const model = plx.model('mlp:2-4-1:tanh');
    await model.fit(XOR.x, XOR.y, { optimizer, schedule, epochs, batchSize: 4, onEpoch });
    return rates;
  };
  const near = (actual, expected) => {
    assert.equal(actual.length, expected.length);
    for (const [i, value] of expected.entries())
      assert.ok(Math.abs(actual[i] - value) < 1e-14, `step ${i}: ${actual[i]}, not ${value}`);
  };

  it('follow their formulas, as the logs show', () =>
    withEngine(OPTIONS, async (plx) => {
      near(await ratesOf(plx, 'constant', 3), [1, 1, 1]);
      near(
        await ratesOf(plx, { kind: 'linear', floor: 0.5, warmup: 2 }, 6),
        [0.5, 1, 1, 0.875, 0.75, 0.625],
      );
      near(await ratesOf(plx, { kind: 'step', every: 2, factor: 0.5 }, 5), [1, 1, 0.5, 0.5, 0.25]);
      near(
        await ratesOf(plx, { kind: 'cosine', floor: 0.1 }, 4),
        [0, 1, 2, 3].map((q) => 0.1 + (0.9 * (1 + Math.cos((Math.PI * q) / 4))) / 2),
      );
      const cycle = await ratesOf(plx, 'one-cycle', 20);
      near([cycle[0], cycle[5], cycle[19]], [0.04, 1, 4e-6]);
    }));

  it('continue from a rate that is changed while they run', () =>
    withEngine(OPTIONS, async (plx) => {
      const model = plx.model('mlp:2-4-1:tanh');
      let last;
      const running = model.fit(XOR.x, XOR.y, {
        epochs: 50_000,
        optimizer: { kind: 'sgd', rate: 0.1 },
        schedule: { kind: 'linear', floor: 0.5 },
        onBatch: async (log) => {
          last = log;
          await model.setRate(0.2);
        },
      });
      await running;
      assert.ok(Math.abs(last.rate - 0.1) < 1e-4, `the last rate is ${last.rate}`);
    }));
});

describe('fit', () => {
  it('reports the norm of gradients that it clips', () =>
    withEngine(OPTIONS, async (plx) => {
      const step = async (options) => {
        const model = plx.model('mlp:2-4-1:tanh', { seed: 3 });
        const before = await valuesOf(model);
        let norm;
        await model.fit(XOR.x, XOR.y, {
          ...options,
          batchSize: 4,
          optimizer: { kind: 'sgd', rate: 1 },
          onBatch: ({ gradientNorm }) => {
            norm = gradientNorm;
          },
        });
        const after = await valuesOf(model);
        return {
          norm,
          moved: Math.hypot(...after.flatMap((w, i) => [...w].map((v, j) => v - before[i][j]))),
        };
      };
      const free = await step({});
      assert.equal(free.norm, undefined);
      const clipped = await step({ clipNorm: free.moved / 2 });
      /* 17 weights below 4. */
      assert.ok(Math.abs(clipped.norm - free.moved) < 17 * 2 ** -21);
      assert.ok(Math.abs(clipped.moved - free.moved / 2) < 17 * 2 ** -21);
    }));

  it('accumulates small batches into a large one', () =>
    withEngine(OPTIONS, async (plx) => {
      const { x, y } = interp5d(24);
      const train = async (options) => {
        const model = plx.model('mlp:5-8-1:tanh', { seed: 2 });
        const optimizer = { kind: 'sgd', rate: 0.1 };
        const history = await model.fit(x, y, { ...options, optimizer, epochs: 4 });
        return { losses: history.loss, weights: await valuesOf(model) };
      };
      const large = await train({ batchSize: 12 });
      const small = await train({ batchSize: 4, accumulate: 3 });
      assert.equal(small.losses.length, 8);
      for (const [i, loss] of large.losses.entries())
        assert.ok(Math.abs(small.losses[i] - loss) < 1e-5);
      for (const [i, weights] of large.weights.entries())
        for (const [j, weight] of weights.entries())
          assert.ok(Math.abs(small.weights[i][j] - weight) < 1e-5);
    }));

  it('smooths labels', () =>
    withEngine(OPTIONS, async (plx) => {
      const labels = [0, 1, 1, 0];
      const loss = async (labelSmoothing) => {
        const model = plx.model('mlp:2-3', { seed: 5 });
        const history = await model.fit(XOR.x, labels, {
          loss: 'crossentropy',
          labelSmoothing,
          batchSize: 4,
        });
        return history.loss[0];
      };
      const model = plx.model('mlp:2-3', { seed: 5 });
      const logits = await model.predict(XOR.x);
      const mean = (smoothing) => {
        let sum = 0;
        for (let r = 0; r < 4; r++) {
          const row = [...logits.slice(3 * r, 3 * r + 3)];
          const total = Math.log(row.reduce((s, v) => s + Math.exp(v), 0));
          for (const [c, v] of row.entries())
            sum += ((c === labels[r] ? 1 - smoothing : 0) + smoothing / 3) * (total - v);
        }
        return sum / 4;
      };
      for (const smoothing of [0, 0.1, 0.5])
        assert.ok(Math.abs((await loss(smoothing)) - mean(smoothing)) < 1e-5);
    }));

  it('stops early and restores the best weights', () =>
    withEngine(OPTIONS, async (plx) => {
      const { x, y } = interp5d(40);
      /* Labels without a pattern, so that nothing learnt from them generalises. */
      const noise = y.map((_, i) => ((i * 7919) % 13) / 6 - 1);
      const model = plx.model('mlp:5-32-1:tanh', { seed: 2 });
      const losses = [];
      const held = { x: x.slice(100), y: noise.slice(20) };
      const history = await model.fit(x.slice(0, 100), noise.slice(0, 20), {
        epochs: 2000,
        batchSize: 10,
        optimizer: { kind: 'adam', rate: 0.01 },
        validation: held,
        earlyStopping: { patience: 5 },
        onEpoch: ({ validation }) => losses.push(validation.loss),
      });
      assert.equal(history.stoppedEarly, true);
      assert.equal(history.epochs.length, losses.length);
      const best = Math.min(...losses);
      assert.equal(losses.indexOf(best) + 1, history.bestEpoch);
      assert.equal(losses.length, history.bestEpoch + 5);
      const { loss } = await model.evaluate(held.x, held.y);
      assert.equal(loss, best);
      assert.ok(history.memory.kept >= 2 * history.memory.parameters);
    }));

  it('rejects when it diverges, and the model keeps its last good weights', () =>
    withEngine(OPTIONS, async (plx) => {
      const model = plx.model('mlp:2-8-1:relu', { seed: 1 });
      const running = model.fit(XOR.x, XOR.y, {
        epochs: 1000,
        optimizer: { kind: 'sgd', rate: 1e4 },
        batchSize: 4,
      });
      await fails(running, 'PLX_ERR_DIVERGED', /not finite at step \d+, in epoch \d+.*restored/);
      const { loss } = await model.evaluate(XOR.x, XOR.y);
      assert.ok(Number.isFinite(loss), `the loss is ${loss}`);
      for (const weights of await valuesOf(model)) assert.ok(weights.every(Number.isFinite));
      /* Training can continue. */
      await model.fit(XOR.x, XOR.y, { optimizer: { kind: 'sgd', rate: 0 } });
    }));
});

/** Plain gradient descent in a fixed order, so that weights depend only on the number of steps. */
const DESCENT = { optimizer: { kind: 'sgd', rate: 0.1 }, batchSize: 2, shuffle: false };

/** Returns the weights after every epoch, each from a call of its own. */
async function epochByEpoch(plx, epochs) {
  const model = plx.model('mlp:2-8-1:tanh', { seed: 1 });
  const list = [];
  for (let i = 0; i < epochs; i++) {
    await model.fit(XOR.x, XOR.y, DESCENT);
    list.push(await valuesOf(model));
  }
  return list;
}

for (const tier of ['simd', 'simd-threads']) {
  describe(`callbacks of fit, ${tier}`, () => {
    const options = { tier, threads: 1 };
    const start = (plx, more) =>
      plx.model('mlp:2-8-1:tanh', { seed: 1 }).fit(XOR.x, XOR.y, { ...DESCENT, ...more });

    it('see the weights of their epoch, whether they await them or not', () =>
      withEngine(options, async (plx) => {
        const expected = await epochByEpoch(plx, 20);
        for (const waits of [true, false]) {
          const model = plx.model('mlp:2-8-1:tanh', { seed: 1 });
          const asked = [];
          const onEpoch = () => {
            asked.push(valuesOf(model));
            return waits ? asked.at(-1) : undefined;
          };
          await model.fit(XOR.x, XOR.y, { ...DESCENT, epochs: 20, onEpoch });
          assert.deepEqual(await Promise.all(asked), expected, `waits: ${waits}`);
        }
      }));

    it('see the weights of their step in onBatch', () =>
      withEngine(options, async (plx) => {
        /* Lion moves the bias by the rate in every step while it is too small. */
        const model = plx.model('mlp:1-1', { seed: 1 });
        const bias = async () => (await valuesOf(model))[1][0];
        let calls = 0;
        await model.fit([[0]], [[1e9]], {
          epochs: 40_000,
          optimizer: { kind: 'lion', rate: 1 },
          onBatch: async ({ step }) => {
            calls++;
            assert.equal(await bias(), step);
          },
        });
        assert.ok(calls > 0);
      }));

    it('stop it at once, and the error has the history', () =>
      withEngine(options, async (plx) => {
        const expected = (await epochByEpoch(plx, 3))[2];
        for (const wait of [undefined, new Promise((resolve) => setTimeout(resolve, 20))]) {
          const model = plx.model('mlp:2-8-1:tanh', { seed: 1 });
          const controller = new AbortController();
          const seen = [];
          const running = model.fit(XOR.x, XOR.y, {
            ...DESCENT,
            epochs: 10_000,
            signal: controller.signal,
            onEpoch: (log) => {
              seen.push(log);
              if (log.epoch < 3) return;
              controller.abort();
              return wait;
            },
          });
          await assert.rejects(running, (error) => {
            assert.equal(error.name, 'AbortError');
            assert.equal(error.message, 'fit: cancelled after 6 of 20000 steps');
            assert.equal(error.history.steps, 6);
            assert.equal(error.history.loss.length, 6);
            assert.deepEqual(error.history.epochs, seen);
            assert.ok(error.history.memory.parameters > 0);
            return true;
          });
          assert.equal(seen.length, 3);
          assert.deepEqual(await valuesOf(model), expected);
        }
      }));

    it('may abort before the first step, with an empty history', () =>
      withEngine(options, async (plx) => {
        for (const validation of [0, 0.5]) {
          const { history, message } = await start(plx, {
            validation,
            signal: AbortSignal.abort(),
          }).catch((error) => error);
          assert.equal(message, 'fit: cancelled');
          const none = {
            loss: new Float32Array(),
            epochs: [],
            steps: 0,
            stoppedEarly: false,
            stopped: false,
          };
          const { memory, milliseconds, ...rest } = history;
          assert.deepEqual(rest, validation ? { ...none, bestEpoch: 0 } : none);
          const done = await start(plx, { validation });
          assert.deepEqual(Object.keys(history).sort(), Object.keys(done).sort());
          assert.deepEqual(Object.keys(memory).sort(), Object.keys(done.memory).sort());
          assert.ok([milliseconds, ...Object.values(memory)].every((value) => value === 0));
          const controller = new AbortController();
          const running = start(plx, { epochs: 100_000, validation, signal: controller.signal });
          controller.abort();
          await assert.rejects(running, (error) => error.history.steps === 0);
        }
      }));

    it('stop it at once from onBatch', () =>
      withEngine(options, async (plx) => {
        const controller = new AbortController();
        let last;
        const running = start(plx, {
          epochs: 1_000_000,
          signal: controller.signal,
          onBatch: ({ step }) => {
            last = step;
            controller.abort();
          },
        });
        await assert.rejects(running, ({ history }) => history.steps === last);
      }));

    it('make it reject with the error of their promise', () =>
      withEngine(options, async (plx) => {
        const oops = new Error('oops');
        const fail = async () => {
          throw oops;
        };
        const isOops = (error) => error === oops;
        for (const name of ['onEpoch', 'onBatch'])
          await assert.rejects(start(plx, { epochs: 50_000, [name]: fail }), isOops, name);
        const config = { layers: 1, heads: 1, width: 8, vocabulary: 5, context: 8 };
        const gpt = plx.model('gpt2-nano', { config });
        await assert.rejects(gpt.generate([0], { count: 3, onToken: fail }), isOops, 'onToken');
        /* The model keeps working. */
        assert.equal((await start(plx, { epochs: 1 })).steps, 2);
      }));

    it('are not called again after one has failed', () =>
      withEngine(options, async (plx) => {
        let calls = 0;
        const onEpoch = async () => {
          calls++;
          throw new Error('oops');
        };
        await assert.rejects(start(plx, { epochs: 1000, onEpoch, onBatch: () => calls++ }), /oops/);
        assert.equal(calls, 1);
      }));
  });
}

describe('an abort', () => {
  it('reaches a step through shared memory, without a message', () =>
    withEngine({ tier: 'simd-threads', threads: 1 }, async (plx) => {
      const { postMessage } = Worker.prototype;
      Worker.prototype.postMessage = function (message, ...rest) {
        if (!message.path?.includes('cancel')) postMessage.call(this, message, ...rest);
      };
      try {
        const controller = new AbortController();
        const model = plx.model('mlp:2-8-1:tanh');
        const { signal } = controller;
        const running = model.fit(XOR.x, XOR.y, { ...DESCENT, epochs: 200_000, signal });
        await model.getWeights();
        controller.abort();
        await assert.rejects(running, ({ history }) => history.steps < 400_000);
      } finally {
        Worker.prototype.postMessage = postMessage;
      }
    }));
});

describe('fit after fit', () => {
  const { x, y } = interp5d(24);
  const newModel = (plx) => {
    const { dense, dropout } = plx.layers;
    return plx.sequential(
      [
        dense({ units: 16, activation: 'tanh', inputShape: [5] }),
        dropout({ rate: 0.5 }),
        dense({ units: 1 }),
      ],
      { seed: 3 },
    );
  };
  const train = async (plx, optimizer, calls) => {
    const model = newModel(plx);
    for (const epochs of calls) await model.fit(x, y, { optimizer, epochs, batchSize: 8 });
    return valuesOf(model);
  };

  it('continues the order and the masks, so that a hundred calls reach every unit', () =>
    withEngine(OPTIONS, async (plx) => {
      const model = newModel(plx);
      const [before] = await valuesOf(model);
      for (let i = 0; i < 100; i++)
        await model.fit(x.slice(0, 5), y.slice(0, 1), { optimizer: { kind: 'sgd', rate: 0.01 } });
      const [after] = await valuesOf(model);
      for (let unit = 0; unit < 16; unit++) assert.notEqual(after[unit], before[unit]);
      const sgd = { kind: 'sgd', rate: 0.1 };
      assert.deepEqual(await train(plx, sgd, [1, 2, 1]), await train(plx, sgd, [4]));
    }));

  it('continues with the state of an optimizer created once, and of no other', () =>
    withEngine(OPTIONS, async (plx) => {
      for (const kind of ['adam', 'adamw', 'rmsprop', 'lion', 'sgd']) {
        const options = { kind, rate: 0.01, ...(kind === 'sgd' ? { momentum: 0.9 } : {}) };
        const one = await train(plx, options, [4]);
        assert.deepEqual(await train(plx, plx.optimizer(options), [1, 2, 1]), one, kind);
        assert.notDeepEqual(await train(plx, options, [1, 2, 1]), one, kind);
      }
    }));

  it('accepts an optimizer for one model, at its own rate, until it is disposed of', () =>
    withEngine(OPTIONS, async (plx) => {
      const adam = plx.optimizer('adam');
      assert.deepEqual(adam.options, { kind: 'adam' });
      const [model, other] = [newModel(plx), newModel(plx)];
      const fit = (of, optimizer) => of.fit(x, y, { optimizer, batchSize: 24 });
      await fit(model, adam);
      await fails(fit(other, adam), 'PLX_ERR_ARGUMENT', /made for other weights \(4 tensors\)/);
      adam.setRate(0);
      const frozen = await valuesOf(model);
      await fit(model, adam);
      assert.deepEqual(await valuesOf(model), frozen);
      assert.throws(() => adam.setRate(-1), /rate is -1/);
      assert.throws(() => plx.optimizer('adagrad'), /optimizer is "adagrad"/);
      await adam.dispose();
      /* A rejected call does not bind the optimizer to its model. */
      const refused = newModel(plx).fit(x, y, { optimizer: adam, clipNorm: -1 });
      await fails(refused, 'PLX_ERR_ARGUMENT', /clip/);
      await fit(other, adam);
      await other.dispose();
      await fit(model, adam);
      await withEngine(OPTIONS, (second) =>
        fails(fit(newModel(second), adam), 'PLX_ERR_ARGUMENT', /belongs to another engine/),
      );
    }));
});

describe('ignored labels', () => {
  const labels = [0, -100, -100, 1, 2, -100, 0, 1, 1, -100, 2, 0];
  const x = interp5d(12).x;
  const train = async (plx, options) => {
    const model = plx.model('mlp:5-8-3:tanh', { seed: 2 });
    const history = await model.fit(x, labels, { loss: 'crossentropy', ...options });
    return { history, model, weights: await valuesOf(model) };
  };

  it('have no weight when gradients are accumulated', () =>
    withEngine(OPTIONS, async (plx) => {
      const optimizer = { kind: 'sgd', rate: 0.5 };
      const large = await train(plx, { optimizer, batchSize: 4, epochs: 3 });
      const small = await train(plx, { optimizer, batchSize: 2, accumulate: 2, epochs: 3 });
      /* Nine steps with sums of four. */
      for (const [i, weights] of large.weights.entries())
        for (const [j, weight] of weights.entries())
          assert.ok(Math.abs(small.weights[i][j] - weight) < 9 * 4 * 4 * 2 ** -23);
    }));

  it("have no weight in an epoch's loss, which equals that of evaluation", () =>
    withEngine(OPTIONS, async (plx) => {
      const optimizer = { kind: 'sgd', rate: 0 };
      const { history, model } = await train(plx, { optimizer, batchSize: 5 });
      const { loss } = await model.evaluate(x, labels, { loss: 'crossentropy' });
      assert.ok(Math.abs(history.epochs[0].loss - loss) < 12 * 4 * 2 ** -23);
    }));
});

describe('a gradient whose square overflows', () => {
  it('counts as divergence, with the history so far', () =>
    withEngine(OPTIONS, async (plx) => {
      for (const kind of ['adam', 'adamw', 'rmsprop']) {
        const model = plx.model('mlp:1-1', { seed: 1 });
        const before = await valuesOf(model);
        await assert.rejects(model.fit([[1e10]], [[-1e15]], { optimizer: kind }), (error) => {
          assert.equal(error.codeName, 'PLX_ERR_DIVERGED');
          assert.match(error.message, /squares of the gradients are not finite at step 1/);
          assert.equal(error.history.steps, 1);
          assert.ok(Number.isFinite(error.history.loss[0]));
          return true;
        });
        assert.deepEqual(await valuesOf(model), before);
      }
    }));
});

describe('fit rejects', () => {
  for (const [options, message] of [
    [{ optimizer: 'adagrad' }, /optimizer is "adagrad"/],
    [{ optimizer: { kind: 'lion', beta1: 1 } }, /lion: beta1 1 must be 0 to below 1/],
    [{ optimizer: { kind: 'rmsprop', epsilon: 0 } }, /rmsprop: epsilon 0 must be above 0/],
    [
      { optimizer: { kind: 'sgd', weightDecay: -1 } },
      /weight decay -1 must be from 0 to below 1e30/,
    ],
    [{ schedule: 'sine' }, /schedule is "sine"/],
    [
      { schedule: { kind: 'cosine', floor: 2 } },
      /floor is 2; it must be 0 to 1, a share of the rate/,
    ],
    [{ schedule: { kind: 'cosine', warmup: 1.5 } }, /warmup is 1.5/],
    [{ schedule: { kind: 'linear', warmup: 99 } }, /the warm-up is 99 steps/],
    [
      { schedule: { kind: 'one-cycle', warmup: 1 } },
      /one-cycle has no option "warmup": it has kind/,
    ],
    [{ schedule: { kind: 'step' } }, /every is 0 steps; it must be at least 1/],
    [{ schedule: { kind: 'step', every: 2, factor: 2 } }, /factor is 2; it must be above 0/],
    [{ schedule: { kind: 'one-cycle', floor: 0.1 } }, /one-cycle has no option "floor"/],
    [{ schedule: { kind: 'cosine', every: 2 } }, /cosine .* "every": it has kind, warmup, floor/],
    [{ schedule: { kind: 'constant', factor: 2 } }, /constant has no option "factor"/],
    [
      { optimizer: { kind: 'Adam', momentum: 0.9 } },
      /^fit: optimizer: adam has no option "momentum": it has kind, rate, weightDecay, beta1/,
    ],
    [{ optimizer: { kind: 'sgd', beta1: 0.9 } }, /sgd .* "beta1": it has .* momentum, nesterov/],
    [{ optimizer: { kind: 'rmsprop', nesterov: true } }, /rmsprop has no option "nesterov"/],
    [{ optimizer: { kind: 'lion', epsilon: 1e-8 } }, /lion has no option "epsilon"/],
    [{ optimizer: { kind: 'sgd', nesterov: true } }, /nesterov needs a momentum above 0/],
    [{ optimizer: 5 }, /^fit: optimizer must be a name or options, not a number/],
    [{ validation: 'x' }, /^fit: validation must be a share .*, or \{ x, y \}, not "x"/],
    [{ clipNorm: -1 }, /the clip norm is -1/],
    [{ clipNorm: Number.NaN }, /clipNorm is NaN/],
    [
      { labelSmoothing: 0.1 },
      /label smoothing is 0.1; it must be 0 unless the loss is cross-entropy/,
    ],
    [{ accumulate: 0 }, /accumulate is 0/],
    [{ earlyStopping: { patience: 3 } }, /patience is 3; early stopping needs validation/],
    [{ earlyStopping: { patience: 0 } }, /patience is 0/],
    [
      { earlyStopping: { patience: 1, minImprovement: -1 }, validation: 0.5 },
      /the least improvement is -1/,
    ],
  ]) {
    it(JSON.stringify(options), () =>
      withEngine(OPTIONS, async (plx) => {
        const model = plx.model('mlp:2-4-1', { seed: 4 });
        const before = await valuesOf(model);
        await fails(
          model.fit(XOR.x, XOR.y, { epochs: 4, ...options }),
          'PLX_ERR_ARGUMENT',
          message,
        );
        assert.deepEqual(await valuesOf(model), before);
      }),
    );
  }
});
