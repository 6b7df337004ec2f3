/** Models and weights as safetensors files: our own, those of others, and damaged ones. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { load } from 'parallax-nn';
import { load as loadInference } from 'parallax-nn/inference';

const command =
  process.env.PARALLAX_COMMAND ??
  fileURLToPath(new URL('../../build/release/parallax', import.meta.url));

let plx;
before(async () => {
  plx = await load({ tier: 'simd' });
});
after(() => plx.dispose());

const code = (codeName, message) => (error) => {
  assert.equal(error.codeName, codeName, error.message);
  assert.match(error.message, message);
  return true;
};

const headerOf = (bytes) => {
  const size = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  return JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + size)));
};

/** A file of this header, and these bytes behind it. */
function fileOf(header, data = new Uint8Array()) {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

const stacks = (layers) => ({
  'a stack': [
    layers.dense({ units: 4, activation: 'tanh', inputShape: [3] }),
    layers.residual({ layers: [layers.dense({ units: 4, activation: 'relu' })] }),
    layers.layerNorm({}),
    layers.dense({ units: 2, activation: 'softmax', name: 'näme "x"' }),
  ],
  'a stack on ids': [
    layers.embedding({ vocabulary: 7, units: 3, inputShape: [5] }),
    layers.flatten({}),
    layers.dense({ units: 1 }),
  ],
});

describe('model.save and plx.load', () => {
  const values = async (model) => (await model.getWeights()).map(({ data }) => data);

  for (const name of ['mlp:3-4-2', 'gpt2-nano:width=16,heads=2,layers=1', 'resnet-nano']) {
    it(`bring ${name} back, bit for bit`, async () => {
      const model = plx.model(name, { seed: 3 });
      const bytes = await model.save();
      const again = await plx.load(bytes);
      assert.deepEqual(await values(again), await values(model));
      assert.deepEqual(await again.save(), bytes, 'the same bytes');
      await model.dispose();
      await again.dispose();
    });
  }

  for (const which of ['a stack', 'a stack on ids']) {
    it(`bring ${which} back`, async () => {
      const model = plx.sequential(stacks(plx.layers)[which], { seed: 5 });
      const again = await plx.load(await model.save());
      assert.deepEqual(await values(again), await values(model));
      assert.deepEqual(await again.inputs(), await model.inputs());
      assert.equal(String(await again.summary()), String(await model.summary()));
      await model.dispose();
      await again.dispose();
    });
  }

  it('keep what was learnt, and carry metadata', async () => {
    const model = plx.model('mlp:2-8-1', { seed: 1 });
    await model.fit(
      [
        [0, 1],
        [1, 0],
      ],
      [1, 0],
      { epochs: 3, loss: 'mse' },
    );
    const bytes = await model.save({ metadata: { 'trained on': 'two "rows"\n' } });
    assert.equal(headerOf(bytes).__metadata__['trained on'], 'two "rows"\n');
    const again = await plx.load(bytes);
    assert.deepEqual(await again.predict([[0.5, 0.5]]), await model.predict([[0.5, 0.5]]));
    await model.dispose();
    await again.dispose();
  });

  it('work in the package without training', async () => {
    const model = plx.model('mlp:2-8-1', { seed: 1 });
    const small = await loadInference({ tier: 'simd' });
    const again = await small.load(await model.save());
    assert.deepEqual(await again.predict([[0.5, 0.5]]), await model.predict([[0.5, 0.5]]));
    small.dispose();
    await model.dispose();
  });

  it('exchange files with the command', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'parallax-'));
    const file = path.join(folder, 'w.safetensors');
    const table = path.join(folder, 'x.csv');
    const run = (...args) => spawnSync(command, args, { encoding: 'utf8' });
    const x = [0.25, -0.5, 1];
    writeFileSync(table, `${x.join(',')}\n`);
    const model = plx.model('mlp:3-4-2', { seed: 3 });
    writeFileSync(file, await model.save());
    const { stdout, stderr } = run('predict', '-w', file, '-i', table, '--reproducible');
    assert.deepEqual(
      stdout.trim().split(',').map(Math.fround),
      [...(await model.predict([x]))],
      stderr,
    );
    run('train', 'interp5d', '--rows', '50', '--steps', '2', '--out', file);
    const theirs = await plx.load(readFileSync(file));
    assert.deepEqual((await theirs.inputs())[0].shape, [5]);
    await model.dispose();
    await theirs.dispose();
    rmSync(folder, { recursive: true });
  });
});

describe('files that are refused', () => {
  it('by name and shape, and nothing changes', async () => {
    const model = plx.model('mlp:2-3-1', { seed: 1 });
    const before = await model.getWeights();
    for (const [other, message] of [
      ['mlp:2-4-1', /has shape \[2, 3\], but \[2, 4\] in the file/],
      ['mlp:2-3-3-1', /shape|has not|has no/],
      ['mlp:2-3', /the file has no/],
    ]) {
      const donor = plx.model(other);
      await assert.rejects(model.loadWeights(await donor.save()), code('PLX_ERR_SHAPE', message));
      await donor.dispose();
    }
    assert.deepEqual(await model.getWeights(), before);
    await model.dispose();
  });

  it('where they are damaged', async () => {
    const model = plx.model('mlp:2-3-1', { seed: 1 });
    const whole = await model.save();
    for (const size of [0, 7, 8, 40, whole.length - 1]) {
      await assert.rejects(
        model.loadWeights(whole.slice(0, size)),
        code('PLX_ERR_FORMAT', /safetensors/),
      );
      await assert.rejects(
        plx.load(whole.slice(0, size)),
        (error) => error.codeName === 'PLX_ERR_FORMAT',
      );
    }
    const longer = new Uint8Array(whole.length + 1);
    longer.set(whole);
    await assert.rejects(plx.load(longer), code('PLX_ERR_FORMAT', /1 bytes follow the data/));
    await model.dispose();
  });

  it('where they do not say which model they are of, or lie about it', async () => {
    const refused = async (metadata, codeName, message) =>
      assert.rejects(
        plx.load(fileOf(metadata && { __metadata__: metadata })),
        code(codeName, message),
      );
    await refused(null, 'PLX_ERR_FORMAT', /does not say of which model/);
    await refused({}, 'PLX_ERR_FORMAT', /does not say of which model/);
    await refused({ 'parallax.model': '{}' }, 'PLX_ERR_UNSUPPORTED', /reads "1"/);
    const model = (text) => ({ 'parallax.format': '1', 'parallax.model': text });
    await refused(model('{'), 'PLX_ERR_FORMAT', /is not JSON/);
    await refused(model('{}'), 'PLX_ERR_ARGUMENT', /sequential/);
    await refused(model('{"name":7}'), 'PLX_ERR_ARGUMENT', /expected a name/);
    await refused(model('{"name":"none"}'), 'PLX_ERR_ARGUMENT', /no/);
    await refused(model('{"layers":[{"kind":"none"}]}'), 'PLX_ERR_ARGUMENT', /layer/);
    await refused(model('{"name":"mlp:2-1","seed":"x"}'), 'PLX_ERR_ARGUMENT', /seed/);
  });

  it('metadata that cannot be written', async () => {
    const model = plx.model('mlp:2-1');
    for (const [metadata, message] of [
      [{ a: 1 }, /"a" is .*: it must be a string/],
      [{ 'parallax.model': 'x' }, /the library's own/],
      [{ a: 'x\0' }, /NUL/],
    ])
      await assert.rejects(model.save({ metadata }), code('PLX_ERR_ARGUMENT', message));
    await assert.rejects(model.loadWeights('text'), code('PLX_ERR_ARGUMENT', /Uint8Array/));
    await model.dispose();
  });
});
