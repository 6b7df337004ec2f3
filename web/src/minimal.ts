/** From opening a page to the first result of training, with as little else as can be. */
import { load } from 'parallax-nn';

const output = document.getElementById('result');
try {
  const plx = await load();
  const model = plx.sequential([
    plx.layers.dense({ units: 16, activation: 'tanh', inputShape: [2] }),
    plx.layers.dense({ units: 1 }),
  ]);
  /* XOR. */
  const x = new Float32Array([0, 0, 0, 1, 1, 0, 1, 1]);
  const y = new Float32Array([0, 1, 1, 0]);
  const { loss } = await model.fit(x, y, {
    epochs: 200,
    batchSize: 4,
    optimizer: { kind: 'adam', rate: 0.05 },
  });
  performance.mark('first-result');
  const [mark] = performance.getEntriesByName('first-result');
  if (output && mark) {
    output.textContent =
      `Learnt XOR in ${loss.length} steps: loss ${loss.at(-1)?.toExponential(1)}, ` +
      `${mark.startTime.toFixed(0)} ms after the page was opened (${plx.info().tier}).`;
  }
  plx.dispose();
} catch (error) {
  if (output) output.textContent = error instanceof Error ? error.message : String(error);
}
