/** The smallest page that trains: measures the time from opening it to the first result. */
import { type EngineInfo, load } from 'parallax-nn';

const began = performance.now();
const output = document.getElementById('result');

/** Parts of the time since opening the page: name, from, to. Module and worker load in parallel. */
function parts({ startup }: EngineInfo, stepped: number): [string, number, number][] {
  const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  const opened = navigation?.responseEnd ?? 0;
  const [compiled, worker, ready] = [startup.compiled, startup.worker, startup.ready];
  return [
    ['navigation', 0, opened],
    ['script', opened, began],
    ['compile', began, began + compiled],
    ['worker', began, began + worker],
    ['engine', began + Math.max(compiled, worker), began + ready],
    ['first step', began + ready, stepped],
  ];
}

/** Adds rows to the table; the browser's own timeline gets the parts too. */
function show(table: HTMLTableElement, rows: [string, number, number][]): void {
  for (const [name, start, end] of rows) {
    performance.measure(name, { start, end });
    const row = table.insertRow();
    row.insertCell().textContent = name;
    row.insertCell().textContent = `${(end - start).toFixed(0)} ms`;
    row.insertCell().textContent = `from ${start.toFixed(0)} to ${end.toFixed(0)} ms`;
  }
}

try {
  const plx = await load();
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
  const info = plx.info();
  const table = document.getElementById('breakdown');
  if (table instanceof HTMLTableElement) show(table, parts(info, stepped));
  if (output) {
    output.textContent =
      `Learnt XOR in ${1 + loss.length} steps: loss ${loss.at(-1)?.toExponential(1)}, ` +
      `${startTime.toFixed(0)} ms after the page was opened (${info.tier}).`;
  }
  plx.dispose();
} catch (error) {
  if (output) output.textContent = error instanceof Error ? error.message : String(error);
}
