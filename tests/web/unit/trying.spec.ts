/** Characters of a text, presets, frames, and losses of two engines. */
import { expect, test } from '@playwright/test';
import { alphabetOf, idsOf, textOf } from '../../../web/src/alphabet.js';
import { FrameMeter } from '../../../web/src/frames.js';
import { unzip } from '../../../web/src/mnist.js';
import { presetNames, presetOf, presets, withPreset } from '../../../web/src/presets.js';
import { compareLosses } from '../../../web/src/twins.js';
import { defaultRun, readForm, writeAddress } from '../../../web/src/url_state.js';
import { bitsText } from '../../../web/src/views/twins_view.js';
import { firstWords } from '../../../web/src/views/writing_panel.js';

test('characters are numbered by their code points, also beyond the first pieces', async () => {
  const text = `${'ab'.repeat(200_000)}é😀\n`;
  const characters = await alphabetOf(new TextEncoder().encode(text));
  expect(characters).toEqual([10, 97, 98, 0xe9, 0x1f600]);
  expect(idsOf('é😀a', characters)).toEqual([3, 4, 1]);
  expect(textOf([3, 4, 1], characters)).toBe('é😀a');
  expect(() => idsOf('abc', characters)).toThrow(/Character 3 .*“c”.*only its 5 characters/);
});

test('a text begins with its first words', () => {
  const bytes = new TextEncoder().encode('\n  First Citizen: before\nwe');
  expect(firstWords({ name: 'a', bytes })).toBe('First Citizen: b');
});

test('gzip that grows beyond the limit is refused', async () => {
  const large = new Uint8Array(3_000_000);
  const packed = await new Response(
    new Blob([large]).stream().pipeThrough(new CompressionStream('gzip')),
  ).arrayBuffer();
  const bytes = new Uint8Array(packed);
  expect(bytes.length).toBeLessThan(10_000);
  await expect(unzip('bomb.gz', bytes, 1e6)).rejects.toThrow(/bomb\.gz is too large.*1 MB/);
  expect(await unzip('fine.gz', bytes, 3e6)).toHaveLength(3_000_000);
});

test('presets survive the address, and replace the settings of another', () => {
  for (const preset of presets) {
    const form = withPreset({ steps: '7', optimizer: 'lion', profile: 'mlp:1-1' }, preset);
    expect(presetOf(form)).toBe(preset);
    expect(form.profile).toBe('mlp:1-1');
    expect(readForm(writeAddress(defaultRun, undefined, form))).toEqual(form);
    expect(Object.keys(preset.form).every((name) => presetNames.some((own) => own === name))).toBe(
      true,
    );
  }
  expect(presetOf({ task: 'mnist', steps: '3' })).toBeUndefined();
});

test('frames: their rate over the last seconds, and the longest gap of all', () => {
  const meter = new FrameMeter();
  expect(meter.frames).toBeUndefined();
  for (let i = 0; i <= 60; i++) meter.add((1000 * i) / 60);
  meter.add(1100);
  for (let i = 1; i <= 240; i++) meter.add(1100 + (1000 * i) / 60);
  expect(meter.frames!.perSecond).toBeCloseTo(60, 6);
  expect(meter.frames!.longest).toBeCloseTo(100, 6);
  meter.interrupt();
  meter.add(99_000);
  meter.add(99_010);
  expect(meter.frames).toMatchObject({ perSecond: 100, longest: expect.closeTo(100, 6) });
});

test('losses of two engines: equal bits, the first that differs, and by how much', () => {
  const a = Float32Array.of(1, 0.5, 0.25, 0.125);
  expect(compareLosses(a, a.slice(0, 3))).toEqual({ compared: 3, differs: undefined, largest: 0 });
  const b = Float32Array.of(1, 0.5, 0.25 + 2 ** -20, 0.125);
  const found = compareLosses(b, a);
  expect(found).toMatchObject({ compared: 4, differs: 3 });
  expect(found.largest).toBeCloseTo(2 ** -18, 12);
  /* Zero and minus zero are equal numbers of other bits. */
  expect(compareLosses(Float32Array.of(0), Float32Array.of(-0)).differs).toBe(1);
});

test('what is said of two engines depends on what is promised', () => {
  const twin = (exact: boolean) =>
    ({ tier: 'simd', threads: 1, exact, curve: [], seconds: 0 }) as const;
  const same = { compared: 9, differs: undefined, largest: 0 };
  const other = { compared: 9, differs: 4, largest: 1e-6 };
  const exact = [twin(true), twin(true)];
  const mixed = [twin(true), twin(false)];
  expect(bitsText({ found: same, twins: exact })).toBe(
    'The losses of all 9 steps are equal to the last bit.',
  );
  expect(bitsText({ found: same, twins: mixed })).toMatch(/not promised/);
  expect(bitsText({ found: other, twins: exact })).toMatch(/DIFFER from step 4 .*must not be/);
  expect(bitsText({ found: other, twins: mixed })).toMatch(/differ from step 4 .*fuses/);
  expect(bitsText({ found: { ...same, compared: 0 }, twins: exact })).toBe('');
});
