/** What was garbage-collected without dispose: its memory comes back, and development is told once. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { load } from 'parallax-nn';
import { withEngine } from './support/engine.mjs';
import { collect, collectedUntil } from './support/garbage.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const SMALL = { tier: 'simd-threads', threads: 1, memoryMB: 64, debug: false };
const MEGABYTE = 2 ** 20;

/** What holds memory: made, used once and returned; the engine has room for a few of them only. */
const KINDS = {
  'a model': async ({ plx }) => {
    const model = plx.model('mlp:1000-2000-10');
    await model.predict(new Float32Array(1000));
    return model;
  },
  'a graph': async ({ plx }) => {
    const g = plx.graph();
    await g.read(g.parameter('w', [2, MEGABYTE]));
    return g;
  },
  'a function of a graph': async ({ graph }, i) => {
    const name = `x${i}`;
    const f = await graph.compile([graph.sum(graph.input(name, [2, MEGABYTE]))]);
    await f.run({ [name]: new Float32Array(2 * MEGABYTE) });
    return f;
  },
  'the state of an optimizer': async ({ plx, model }) => {
    const optimizer = plx.optimizer('adam');
    await model.fit(new Float32Array(1000), new Float32Array(10), { optimizer });
    return optimizer;
  },
  'a generator': async ({ gpt }) => {
    const generator = await gpt.generator();
    await generator.feed([1, 2, 3]);
    return generator;
  },
};

/** What the kinds belong to. Models take memory only once they are used. */
function owners(plx) {
  const config = { width: 256, heads: 2, layers: 2, context: 1024, vocabulary: 16 };
  return {
    plx,
    graph: plx.graph(),
    get model() {
      this.made ??= plx.model('mlp:1000-1000-10');
      return this.made;
    },
    get gpt() {
      this.made ??= plx.model('gpt2-nano', { config });
      return this.made;
    },
  };
}

describe('the engine gets back the memory of', () => {
  for (const [what, use] of Object.entries(KINDS)) {
    it(`${what} that was forgotten`, () =>
      withEngine(SMALL, async (plx) => {
        const all = owners(plx);
        for (let i = 0; i < 30; i++) {
          await use(all, i);
          await collect();
        }
      }));

    it(`${what}, thirty of which would not fit`, () =>
      withEngine(SMALL, async (plx) => {
        const all = owners(plx);
        const held = [];
        const fill = async () => {
          while (held.length < 30) held.push(await use(all, held.length));
        };
        await assert.rejects(fill, { codeName: 'PLX_ERR_MEMORY' });
      }));
  }

  it('an engine, whose worker ends', async () => {
    let running = 0;
    const count = (worker) => {
      running++;
      worker.once('exit', () => running--);
    };
    process.on('worker', count);
    try {
      await (async () => {
        const plx = await load({ tier: 'simd', debug: false });
        await plx.model('mlp:2-3-1').predict([[1, 2]]);
      })();
      assert.equal(running, 1);
      assert.ok(await collectedUntil(() => running === 0), 'its worker has ended');
    } finally {
      process.off('worker', count);
    }
  });
});

describe('nothing is freed that is still in use:', () => {
  it('the model of a generator, the graph of a function and of a node', () =>
    withEngine({ tier: 'simd', debug: false }, async (plx) => {
      const config = { width: 32, heads: 2, layers: 1, vocabulary: 10 };
      const generator = await plx.model('gpt2-nano', { config }).generator();
      const compiled = await (() => {
        const g = plx.graph();
        return g.compile([g.constant(3)]);
      })();
      const node = (() => {
        const g = plx.graph();
        return g.input('x', [2, 5]);
      })();
      await collect();
      await generator.feed([1, 2]);
      assert.equal((await generator.logits()).length, 10);
      const [{ data }] = await compiled.run();
      assert.deepEqual([...data], [3]);
      assert.deepEqual(await node.shape(), [2, 5]);
    }));

  it('a model without a name, while it trains', () =>
    withEngine({ tier: 'simd', debug: false }, async (plx) => {
      const running = plx.model('mlp:2-8-1').fit([[0, 1]], [[1]], { epochs: 20_000 });
      await collect();
      assert.equal((await running).steps, 20_000);
    }));

  it('an engine of which only a model is left', async () => {
    const model = await (async () =>
      (await load({ tier: 'simd', debug: false })).model('mlp:2-1'))();
    await collect();
    assert.equal((await model.predict([[1, 2]])).length, 1);
  });
});

describe('in development', () => {
  /** Runs a program that forgets things, and returns what it wrote to its standard error. */
  function told(body, options, environment = {}) {
    const code = `
      import { load } from 'parallax-nn';
      const plx = await load({ tier: 'simd'${options} });
      const forget = async () => { ${body} };
      for (let i = 0; i < 3; i++) {
        await forget();
        for (let pass = 0; pass < 5; pass++) {
          gc();
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
      await plx.models();
      plx.dispose();`;
    const { NODE_ENV: _, ...env } = process.env;
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--expose-gc', '--input-type=module', '-e', code],
      { cwd: HERE, encoding: 'utf8', env: { ...env, ...environment } },
    );
    assert.equal(status, 0, stderr);
    return stderr;
  }

  const MODEL = "await plx.model('mlp:2-1').predict([[1, 2]]);";
  const GRAPH = 'const g = plx.graph(); await g.read(g.parameter("w", [2]));';
  const production = { NODE_ENV: 'production' };

  for (const [what, noun, ...given] of [
    ['a model is named, once', 'a model', MODEL, ''],
    ['a graph is named, once', 'a graph', GRAPH, ''],
    ['debug tells of it in production too', 'a model', MODEL, ', debug: true', production],
  ])
    it(what, () => {
      const lines = told(...given)
        .trim()
        .split('\n');
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(
        lines[0],
        new RegExp(`^parallax-nn: ${noun} was garbage-collected without dispose`),
      );
    });

  for (const [what, ...given] of [
    ['production', MODEL, '', production],
    ['debug: false', MODEL, ', debug: false'],
    [
      'what was disposed of',
      "const m = plx.model('mlp:2-1'); await m.predict([1, 2]); await m.dispose();",
      '',
    ],
    [
      'what its owner frees',
      "const m = plx.model('mlp:2-1'); await m.fit([1, 2], [1], { optimizer: plx.optimizer('adam') }); await m.dispose();",
      '',
    ],
    ['a model that could not be made', "await plx.model('nothing').summary().catch(() => {});", ''],
  ])
    it(`is told nothing of ${what}`, () => assert.equal(told(...given), ''));
});
