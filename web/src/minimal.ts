/**
 * The smallest page that trains: measures the time from opening it to the first result. With
 * `?predict` in its address it predicts with a small convolutional network instead.
 */
import { type EngineInfo, load, type Parallax } from 'parallax-nn';

const began = performance.now();
const output = document.getElementById('result');

type Part = [name: string, from: number, to: number];

/** What was done with the engine: its parts, and how it ended. */
interface Done {
  parts: [name: string, ended: number][];
  text: string;
}

/** Parts of the time since opening the page. Module and worker load in parallel. */
function allParts({ startup }: EngineInfo, done: Done): Part[] {
  const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  const opened = navigation?.responseEnd ?? 0;
  const [compiled, worker, ready] = [startup.compiled, startup.worker, startup.ready];
  return [
    ['navigation', 0, opened],
    ['script', opened, began],
    ['compile', began, began + compiled],
    ['worker', began, began + worker],
    ['engine', began + Math.max(compiled, worker), began + ready],
    ...done.parts.map(
      ([name, ended], i): Part => [name, done.parts[i - 1]?.[1] ?? began + ready, ended],
    ),
  ];
}

/** Adds rows to the table; the browser's own timeline gets the parts too. */
function show(table: HTMLTableElement, rows: Part[]): void {
  for (const [name, start, end] of rows) {
    performance.measure(name, { start, end });
    const row = table.insertRow();
    row.insertCell().textContent = name;
    row.insertCell().textContent = `${(end - start).toFixed(0)} ms`;
    row.insertCell().textContent = `from ${start.toFixed(0)} to ${end.toFixed(0)} ms`;
  }
}

async function learn(plx: Parallax): Promise<Done> {
  const model = plx.sequential([
    plx.layers.dense({ units: 16, activation: 'tanh', inputShape: [2] }),
    plx.layers.dense({ units: 1 }),
  ]);
  /* XOR. */
  const x = new Float32Array([0, 0, 0, 1, 1, 0, 1, 1]);
  const y = new Float32Array([0, 1, 1, 0]);
  const optimizer = plx.optimizer({ kind: 'adam', rate: 0.05 });
  await model.fit(x, y, { batchSize: 4, optimizer });
  const stepped = performance.now();
  const { loss } = await model.fit(x, y, { epochs: 199, batchSize: 4, optimizer });
  const { startTime } = performance.mark('first-result');
  return {
    parts: [
      ['first step', stepped],
      ['training', startTime],
    ],
    text: `Learnt XOR in ${1 + loss.length} steps: loss ${loss.at(-1)?.toExponential(1)}`,
  };
}

/** The weights are those that a network begins with. */
async function predict(plx: Parallax): Promise<Done> {
  const { conv2d, maxPool2d, flatten, dense } = plx.layers;
  const model = plx.sequential([
    conv2d({ filters: 8, kernelSize: 3, activation: 'relu', inputShape: [28, 28, 1] }),
    maxPool2d({ poolSize: 2 }),
    conv2d({ filters: 16, kernelSize: 3, activation: 'relu' }),
    maxPool2d({ poolSize: 2 }),
    flatten(),
    dense({ units: 10, activation: 'softmax' }),
  ]);
  const classes = await model.predict(new Float32Array(28 * 28).fill(0.5));
  const { startTime } = performance.mark('first-result');
  return {
    parts: [['prediction', startTime]],
    text: `Predicted ${classes.length} classes of an image of 28 x 28`,
  };
}

const predicts = new URLSearchParams(location.search).has('predict');
try {
  const plx = await load();
  const done = await (predicts ? predict(plx) : learn(plx));
  const info = plx.info();
  const all = allParts(info, done);
  const table = document.getElementById('breakdown');
  if (table instanceof HTMLTableElement) show(table, all);
  if (output) {
    output.textContent = `${done.text}, ${all.at(-1)?.[2].toFixed(0)} ms after the page was opened (${info.tier}).`;
  }
  plx.dispose();
} catch (error) {
  if (output) output.textContent = error instanceof Error ? error.message : String(error);
}
