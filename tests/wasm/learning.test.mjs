/** Learning tasks in the package: training, pauses, evaluation, new rates, cancellation, errors. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { load, PlxError } from 'parallax-nn/bench';

/** Sentences of few words: enough text for every task that takes one. */
function makeText(characters) {
  const words = ['the', 'cat', 'saw', 'a', 'dog', 'and', 'ran', 'home', 'quickly'];
  let state = 1;
  let text = '';
  while (text.length < characters) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    text += `${words[state % words.length]}${state % 7 === 0 ? '.\n' : ' '}`;
  }
  return text.slice(0, characters);
}

const STEPS = 6;
const text = makeText(6000);

/** IDX files of n digits: squares whose grey depends on the label. */
function makeDigits(n) {
  const images = Buffer.alloc(16 + n * 28 * 28);
  images.set([0, 0, 8, 3, 0, 0, n >> 8, n & 255, 0, 0, 0, 28, 0, 0, 0, 28]);
  const labels = Buffer.alloc(8 + n);
  labels.set([0, 0, 8, 1, 0, 0, n >> 8, n & 255]);
  for (let i = 0; i < n; i++) {
    labels[8 + i] = i % 10;
    images.fill(20 * (i % 10) + 5, 16 + i * 784 + 200, 16 + i * 784 + 500);
  }
  return { images, labels, source: 'squares' };
}

/** Options with which a task of any kind can run. */
const optionsOf = ({ name, takes }) => ({
  task: name,
  size: 'quick',
  seed: 3,
  steps: STEPS,
  batchSize: 4,
  ...(takes === 'text' ? { text, source: 'words.txt' } : {}),
  ...(takes === 'digits' ? { data: { mnist: makeDigits(300) } } : {}),
});

const same = (a, b) => assert.deepEqual(new Uint32Array(a.buffer), new Uint32Array(b.buffer));

function assertExhibit(exhibit, where) {
  const { kind, name, count, rows, columns, channels, values, labels } = exhibit;
  assert.ok(['text', 'matrix', 'images', 'bars'].includes(kind), where);
  assert.ok(name.length > 0, `${where}: it has a name`);
  if (kind === 'text') {
    assert.ok(exhibit.text.length > 0, `${where}: a text has characters`);
    return;
  }
  assert.equal(values.length, count * rows * columns * channels, `${where}: values by its shape`);
  assert.ok(values.length > 0, `${where}: not empty`);
  assert.ok(values.every(Number.isFinite), `${where}: finite`);
  const named = { matrix: rows, images: count, bars: columns }[kind];
  assert.ok(labels.length === 0 || labels.length === named, `${where}: all labels, or none`);
}

function assertMeasures(measures, where) {
  assert.ok(measures.length > 0, where);
  for (const { name, unit, better, value } of measures) {
    assert.ok(name && unit && ['lower', 'higher', 'none'].includes(better), where);
    assert.ok(Number.isFinite(value), `${where}: ${name}`);
  }
}

describe('learn', () => {
  let plx;
  let tasks;
  /** Losses of a run without a pause, by task. */
  const straight = new Map();
  before(async () => {
    plx = await load({ threads: 2, reproducible: true });
    tasks = await plx.tasks();
  });
  after(() => plx.dispose());

  /** A task whose steps take some milliseconds. */
  const language = () => tasks.find(({ takes }) => takes === 'text');

  const withRun = async (options, body) => {
    const run = await plx.learn(options);
    try {
      return await body(run);
    } finally {
      await run.dispose();
    }
  };

  it('lists its optimizers, each of which it accepts', async () => {
    const optimizers = await plx.optimizers();
    assert.deepEqual(optimizers.slice(0, 2), ['sgd', 'adam']);
    assert.equal(new Set(optimizers).size, optimizers.length);
    for (const optimizer of optimizers) {
      await withRun({ task: 'interp5d', size: 'quick', optimizer }, (run) =>
        assert.match(run.about.optimizer, new RegExp(`^${optimizer}`)),
      );
    }
  });

  it('trains every task, with its description and progress', async () => {
    assert.ok(tasks.length > 0);
    for (const task of tasks) {
      assert.ok(task.description.length > 10, task.name);
      await withRun(optionsOf(task), async (run) => {
        const { about } = run;
        assert.equal(about.task, task.name);
        assert.ok(about.parameters > 0 && about.batchSize > 0 && about.rate > 0, task.name);
        assert.ok(about.flops > 0 && about.memory.parameters >= 4 * about.parameters, task.name);
        assert.ok(about.data.train > 0 && about.data.test > 0 && about.data.source, task.name);
        assert.equal(about.data.seed, 3);
        assert.equal(about.steps, STEPS);
        const seen = [];
        const outcome = await run.train({ onProgress: (progress) => void seen.push(progress) });
        assert.deepEqual(
          { ...outcome, milliseconds: 0 },
          { reason: 'done', step: STEPS, steps: STEPS, milliseconds: 0 },
        );
        let step = 0;
        let milliseconds = 0;
        for (const progress of seen) {
          assert.equal(progress.step, step + progress.losses.length, 'every step is told once');
          assert.equal(progress.loss, progress.losses.at(-1));
          assert.ok(progress.milliseconds > milliseconds && progress.peak > 0);
          ({ step, milliseconds } = progress);
        }
        assert.equal(step, STEPS);
        const losses = await run.losses();
        assert.equal(losses.length, STEPS);
        straight.set(task.name, losses);
        assert.ok(losses.every(Number.isFinite), `${task.name}: ${losses}`);
      });
    }
  });

  it('has the same losses when it is paused, evaluated and shown in between', async () => {
    for (const task of tasks) {
      const expected = straight.get(task.name);
      await withRun(optionsOf(task), async (run) => {
        const stops = [];
        let told = 0;
        let outcome = await run.train({
          onProgress: async ({ step, losses }) => {
            stops.push(step);
            told += losses.length;
            if (stops.length === 1) await run.pause();
          },
        });
        for (; outcome.reason === 'paused'; outcome = await run.resume()) {
          const { length } = await run.losses();
          assert.equal(told, length, 'all steps before a pause are told');
          assertMeasures(await run.evaluate(), task.name);
          const exhibits = await run.exhibits();
          for (const exhibit of exhibits) assertExhibit(exhibit, `${task.name}: ${exhibit.name}`);
        }
        assert.equal(outcome.reason, 'done');
        same(await run.losses(), expected);
        same(await run.losses(2), expected.slice(2));
        await assert.rejects(run.resume(), { codeName: 'PLX_ERR_STATE' });
      });
    }
    await withRun(optionsOf(language()), async (run) => {
      const told = [];
      const onProgress = ({ losses }) => void told.push(...losses);
      const { reason, step } = await run.train({ steps: 2, onProgress });
      assert.equal(told.length, 2, 'steps that take no time to speak of are told');
      assert.deepEqual({ reason, step }, { reason: 'steps', step: 2 });
      await run.train();
      same(await run.losses(), straight.get(language().name));
    });
  });

  it('reports the name of a table', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => `${i},${i % 7},${2 * i}`);
    const csv = { text: rows.join('\n'), source: 'my table.csv' };
    await withRun({ task: 'interp5d', steps: 1, batchSize: 4, data: { csv } }, ({ about }) => {
      assert.equal(about.data.source, 'my table.csv');
      assert.equal(about.data.note, 'its first line is a row of numbers, not of names');
      assert.equal(about.data.real, true);
    });
  });

  it('stops when asked to pause, not earlier, and within the slice', async () => {
    await withRun({ ...optionsOf(language()), steps: 2000, batchSize: 1 }, async (run) => {
      const training = run.train();
      await run.pause();
      const { reason, step } = await training;
      assert.equal(reason, 'paused');
      assert.ok(step < 2000);
      const losses = await run.losses();
      await new Promise((resolve) => setTimeout(resolve, 60));
      assert.equal((await run.losses()).length, losses.length);
    });
  });

  it('uses another learning rate from the next step on', async () => {
    const losses = (rate) =>
      withRun(optionsOf(language()), async (run) => {
        await run.train({ steps: 3 });
        if (rate) await run.setRate(rate);
        await run.train();
        return run.losses();
      });
    const [as, other] = [await losses(), await losses(1e-7)];
    same(as.slice(0, 4), other.slice(0, 4));
    assert.notDeepEqual(as.slice(4), other.slice(4));
  });

  it('gives its weights, with which a model predicts what it measured, and held-out samples', async () => {
    const digits = tasks.find(({ takes }) => takes === 'digits');
    await withRun({ ...optionsOf(digits), steps: 400, batchSize: 16 }, async (run) => {
      await run.train();
      const held = [];
      for (let i = 0; i < run.about.data.test; i++) held.push(await run.heldOut(i));
      const net = plx.model(run.about.model);
      await net.setWeights(await run.getWeights());
      const logits = await net.predict(held.map(({ x }) => x));
      const right = held.filter(({ y: [label] }, i) => {
        const own = logits.slice(10 * i, 10 * i + 10);
        return own.indexOf(Math.max(...own)) === label;
      });
      const { value } = (await run.evaluate()).find(({ name }) => name === 'accuracy');
      assert.ok(value > 0.2, 'it has learnt something');
      assert.equal(right.length / held.length, value);
      await net.dispose();
      for (const i of [-1, 0.5, held.length, 'first']) {
        await assert.rejects(run.heldOut(i), { codeName: 'PLX_ERR_ARGUMENT' }, String(i));
      }
    });
    await withRun(optionsOf(language()), async (run) => {
      const [{ x, y }, next] = [await run.heldOut(0), await run.heldOut(1)];
      assert.equal(x.length, run.about.data.tokens);
      assert.deepEqual([...x.slice(1), next.x[0]], [...y], 'a target is what comes next');
    });
    await withRun(optionsOf({ name: 'clip-nano', takes: 'nothing' }), async (run) =>
      assert.equal((await run.heldOut(0)).y.length, 0, 'its loss has no targets'),
    );
  });

  it('is cancelled by a signal, and can continue afterwards', async () => {
    await withRun({ ...optionsOf(language()), steps: 2000, batchSize: 1 }, async (run) => {
      const controller = new AbortController();
      const training = run.train({
        signal: controller.signal,
        onProgress: () => controller.abort(),
      });
      await assert.rejects(training, (error) => {
        assert.ok(error instanceof PlxError);
        assert.equal(error.name, 'AbortError');
        assert.match(error.message, /^train: cancelled after \d+ of 2000 steps$/);
        return true;
      });
      const { length } = await run.losses();
      assert.ok(length > 0 && length < 2000);
      assert.equal((await run.train({ steps: 1 })).step, length + 1);
      const twice = [run.train({ steps: 50 }), run.train()];
      await assert.rejects(twice[1], { codeName: 'PLX_ERR_STATE' });
      await twice[0];
    });
  });

  it('can be disposed of while it trains', async () => {
    const run = await plx.learn({ ...optionsOf(language()), steps: 2000, batchSize: 1 });
    const training = run.train();
    await run.dispose();
    await assert.rejects(training, { codeName: 'PLX_ERR_CANCELLED' });
    await assert.rejects(run.evaluate(), { codeName: 'PLX_ERR_STATE' });
  });

  it('says at which step the loss was no longer finite', async () => {
    const options = { ...optionsOf(language()), steps: 50, rate: 1e10 };
    await withRun(options, async (run) => {
      await assert.rejects(run.train(), (error) => {
        assert.equal(error.codeName, 'PLX_ERR_DIVERGED');
        assert.match(error.message, /step \d+/);
        return true;
      });
      const losses = await run.losses();
      assert.ok(losses.length < 50);
      assert.ok(losses.every(Number.isFinite), 'what it learnt before is kept');
    });
  });

  it('rejects invalid options with a sentence, and keeps working', async () => {
    const first = language();
    const good = optionsOf(first);
    const refusals = [
      [{ ...good, task: 'gpt9' }, new RegExp(`^learn: there is no task "gpt9".*${first.name}`)],
      [{ ...good, task: undefined }, /task/],
      [{ ...good, size: 'huge' }, /size/],
      [{ ...good, model: 'gpt9-nano' }, /gpt9/],
      [{ ...good, model: 'gpt2-nano:heads=5' }, /heads/],
      [{ ...good, optimizer: 'magic' }, /optimizer is "magic".*adam/],
      [{ ...good, steps: 0 }, /steps/],
      [{ ...good, batch_size: 3 }, /"batch_size".*batchSize/],
      [{ ...good, batchSize: 1e9 }, /^learn: batch/],
      [{ task: first.name, source: 'x' }, /^learn: source names the text/],
      [{ ...good, source: 5 }, /^learn: source: expected a string/],
      [{ ...good, rate: -1 }, /rate is -1/],
      [{ ...good, rate: Number.NaN }, /rate/],
      [{ ...good, text: '' }, /bytes|text|characters/],
      [{ ...good, text: 'too short' }, /bytes|text|characters/],
      [
        { ...good, text: 5 },
        /text: expected a string, an ArrayBuffer or a Uint8Array, not a number/,
      ],
      [{ ...good, data: { cifar: {} } }, /data\.cifar/],
      [{ ...good, data: { csv: { text: '1,2\n' } } }, /takes no data\.csv: it takes text/],
      [{ task: 'vit-nano', text }, /vit-nano takes no text: it takes nothing/],
      [{ task: 'interp5d', text }, /interp5d takes no text: it takes data\.csv/],
      [{ task: 'interp5d', data: { csv: { text: 'a,b\n1,x\n' } } }, /line 2/],
      [{ task: 'mnist' }, /mnist needs its two files: data: \{ mnist: /],
      [
        {
          task: 'mnist',
          data: { mnist: { images: new Uint8Array(3), labels: new Uint8Array(3) } },
        },
        /IDX/i,
      ],
    ];
    for (const [options, pattern] of refusals) {
      await assert.rejects(plx.learn(options), (error) => {
        assert.ok(error instanceof PlxError, String(error));
        assert.match(error.message, pattern);
        return true;
      });
    }
    await assert.rejects(plx.learn(), { codeName: 'PLX_ERR_ARGUMENT' });
    await withRun(good, async (run) => {
      const oops = new Error('oops');
      const onProgress = async () => {
        throw oops;
      };
      await assert.rejects(run.train({ onProgress }), (error) => error === oops);
      await assert.rejects(run.train({ steps: 0 }), { codeName: 'PLX_ERR_ARGUMENT' });
      await assert.rejects(run.setRate(0), { codeName: 'PLX_ERR_ARGUMENT' });
      const { step } = await run.train({ steps: 1 });
      assert.equal((await run.train({ steps: 1 })).step, step + 1);
    });
  });
});
