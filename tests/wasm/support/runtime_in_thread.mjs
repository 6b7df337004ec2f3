/** The program that runtimes.test.mjs runs in two worker threads at once; each uses one engine. */
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { load } from 'parallax-nn';

async function use() {
  const plx = await load({ threads: 2 });
  const { tier, threads } = await plx.ready();
  const model = plx.model('mlp:2-8-1:tanh', { seed: 7 });
  const { loss } = await model.fit([0, 1, 1, 0], [0, 1], { epochs: 20 });
  plx.dispose();
  return { tier, threads, loss: [...loss] };
}

/** The answer of a thread that has ended. */
const thread = () =>
  new Promise((resolve, reject) => {
    let answer;
    const worker = new Worker(new URL(import.meta.url));
    worker.on('message', (message) => {
      answer = message;
    });
    worker.on('error', reject);
    worker.on('exit', (code) => resolve({ code, ...answer }));
  });

if (isMainThread) console.log(JSON.stringify(await Promise.all([thread(), thread()])));
else parentPort.postMessage(await use());
