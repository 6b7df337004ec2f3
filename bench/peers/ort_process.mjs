// onnxruntime-node as a process that answers each message [operation, ...arguments] with one
// message.
import { createRequire } from 'node:module';
import ort from 'onnxruntime-node';

import { ortEngine } from './engine_ort.mjs';

const options = {
  executionProviders: ['cpu'],
  intraOpNumThreads: Number(process.argv[2]),
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
};
const engine = ortEngine(ort, options, true);

process.on('message', async ([operation, ...args]) => {
  try {
    process.send({ value: await engine[operation](...args) });
  } catch (error) {
    process.send({ error: String(error.message ?? error) });
  }
});
process.on('disconnect', () => process.exit(0));

const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json');
process.send({ value: { version, runtime: `Node ${process.versions.node.split('.')[0]}` } });
