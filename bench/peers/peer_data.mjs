// The data that all engines get: seeded weights, inputs and targets, natively and in the page.

import { operationData } from './operations.mjs';
import { Random } from './random.mjs';

/**
 * gemm: {a, b}; operations: {inputs}; networks: {weights: [{w, b, in, out}], x, y}, where y is
 * normal values for MSE, labels (Int32Array) for cross-entropy and undefined for predictions.
 * Weights are He-normal; biases are small but not zero, so that one left out or misplaced shows.
 * The recipe ({seed} and how far weights are moved) is kept with the data, so that it can be made
 * again elsewhere.
 */
export function makeData(item, { seed, moved }) {
  const data = { ...made(item, seed), recipe: { seed, moved } };
  return moved ? withMovedWeights(data, moved) : data;
}

/** The same case with every weight moved, randomly up or down, by a relative amount. */
export function perturbed(item, data, relative, seed) {
  return makeData(item, { ...data.recipe, moved: { relative, seed } });
}

function made(item, seed) {
  if (item.kind === 'op') return operationData(item, seed);
  const random = new Random(seed);
  if (item.kind === 'gemm')
    return { a: random.normals(item.m * item.k, 1), b: random.normals(item.k * item.n, 1) };
  if (item.manifest) return modelData(item, random);
  const weights = [];
  for (let i = 0; i + 1 < item.layers.length; ++i) {
    const [inputs, outputs] = [item.layers[i], item.layers[i + 1]];
    const w = random.normals(inputs * outputs, Math.sqrt(2 / inputs));
    weights.push({ w, b: random.normals(outputs, 0.01), in: inputs, out: outputs });
  }
  const outputs = item.layers.at(-1);
  const x = random.normals(item.batch * item.layers[0], 1);
  const y = {
    crossentropy: () => Int32Array.from({ length: item.batch }, () => random.word() % outputs),
    mse: () => random.normals(item.batch * outputs, 1),
  }[item.loss]?.();
  return { weights, x, y };
}

const product = (dims) => dims.reduce((size, dim) => size * dim, 1);

/** Matrices preserve the scale of their inputs; vectors are close to their usual initial values. */
function weightOf({ name, dims, state, first }, random) {
  const size = product(dims);
  if (state) return new Float32Array(size).fill(first);
  if (dims.length < 2) return random.normals(size, 0.02).map((value) => value + first);
  const fanIn = size / dims.at(-1);
  return random.normals(size, name.endsWith('table') ? 0.05 : 1 / Math.sqrt(fanIn));
}

/**
 * The data of a model by name: [{name, dims, w}] in the model's order; x and y as {port: values}.
 */
function modelData({ manifest, batch, loss }, random) {
  const weights = manifest.weights.map((weight) => ({ ...weight, w: weightOf(weight, random) }));
  const integers = (size, below, from = 0) =>
    Int32Array.from({ length: size }, () => from + (random.word() % (below - from)));
  const x = {};
  for (const { name, dims, dtype, classes } of manifest.inputs) {
    const size = batch * product(dims);
    // Some models treat id 0 as padding.
    x[name] = dtype === 'int32' ? integers(size, classes, 1) : random.normals(size, 1);
  }
  const y = {};
  if (loss !== 'own')
    for (const { name, dims } of manifest.outputs)
      y[name] = integers(batch * product(dims.slice(0, -1)), dims.at(-1));
  return { weights, x, y, named: true };
}

function partsOf(data) {
  if (data.named)
    return [...data.weights.map(({ w }) => w), ...Object.values(data.x), ...Object.values(data.y)];
  if (data.a) return [data.a, data.b];
  if (data.inputs) return Object.values(data.inputs);
  return [...data.weights.flatMap(({ w, b }) => [w, b]), data.x, ...(data.y ? [data.y] : [])];
}

/** A case's data as one array of 32-bit values, in the order in which native engines read it. */
export function toBytes(data) {
  const parts = partsOf(data);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at);
    at += part.byteLength;
  }
  return bytes;
}

function withMovedWeights(data, { relative, seed }) {
  const random = new Random(seed);
  const move = (values) =>
    values.map((value) => value * (1 + (random.word() & 1 ? relative : -relative)));
  const weights = data.weights.map((layer) => ({
    ...layer,
    w: move(layer.w),
    ...(layer.b && { b: move(layer.b) }),
  }));
  return { ...data, weights };
}
