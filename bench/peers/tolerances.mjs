// How far outputs may differ, derived from the arithmetic of each case.
import { operationTolerances } from './operations.mjs';
import { perturbed } from './peer_data.mjs';
import { Random } from './random.mjs';

const EPSILON = 2 ** -23;
const ELEMENTS = 200;
const ROWS = 4;
const PERTURBATIONS = 3;

/**
 * Returns [{at, reference, bound}]: an output at that index lies within bound of the reference, so
 * any two lie within twice that of each other. The bounds are those of plx_gemm and of
 * bench/network.h. Losses have no double-precision reference: theirs is our own loss.
 */
export async function tolerances(item, data, ours) {
  if (item.kind === 'gemm') return ofProduct(item, data, ours.output);
  if (item.kind === 'op') return operationTolerances(item, data, ours.output);
  if (item.kind === 'predict') return ofPredictions(item, data, ours.output);
  return ofLosses(item, data, ours);
}

/**
 * The largest error as a share of what is allowed: ours against the reference, the others against
 * ours.
 */
export function worstError(output, bounds, isOurs) {
  let worst = 0;
  for (const { at, reference, ours, bound } of bounds) {
    const share = isOurs
      ? Math.abs(output[at] - reference) / bound
      : Math.abs(output[at] - ours) / (2 * bound);
    if (!(share <= worst)) worst = share;
  }
  return worst;
}

function ofProduct({ m, n, k, transposed }, { a, b }, output) {
  const [ai, ap] = transposed === 'a' ? [1, m] : [k, 1];
  const [bp, bj] = transposed === 'b' ? [1, k] : [n, 1];
  const random = new Random(1);
  return Array.from({ length: ELEMENTS }, () => {
    const [i, j] = [random.word() % m, random.word() % n];
    let sum = 0;
    let size = 0;
    for (let p = 0; p < k; ++p) {
      const term = a[i * ai + p * ap] * b[p * bp + j * bj];
      sum += term;
      size += Math.abs(term);
    }
    return { at: i * n + j, reference: sum, ours: output[i * n + j], bound: k * EPSILON * size };
  });
}

/** e' = |W|^T e + (k + 1) eps (|W|^T (|x| + e) + |b|), layer by layer. */
function layer({ w, b, in: inputs, out: outputs }, relu, { value, bound }) {
  const next = { value: new Float64Array(outputs), bound: new Float64Array(outputs) };
  for (let j = 0; j < outputs; ++j) {
    let sum = b[j];
    let size = Math.abs(b[j]);
    let carried = 0;
    for (let i = 0; i < inputs; ++i) {
      const weight = w[i * outputs + j];
      sum += weight * value[i];
      size += Math.abs(weight) * (Math.abs(value[i]) + bound[i]);
      carried += Math.abs(weight) * bound[i];
    }
    next.value[j] = relu ? Math.max(sum, 0) : sum;
    next.bound[j] = carried + (inputs + 1) * EPSILON * size;
  }
  return next;
}

function ofPredictions(item, data, output) {
  const bounds = [];
  const [width, last] = [item.layers[0], data.weights.length - 1];
  for (let q = 0; q < Math.min(ROWS, item.batch); ++q) {
    const row = Math.floor(((q + 0.5) * item.batch) / Math.min(ROWS, item.batch));
    const x = Float64Array.from(data.x.subarray(row * width, (row + 1) * width));
    let state = { value: x, bound: new Float64Array(width) };
    data.weights.forEach((weights, i) => {
      state = layer(weights, i < last, state);
    });
    state.value.forEach((reference, j) => {
      const at = row * item.layers.at(-1) + j;
      bounds.push({ at, reference, ours: output[at], bound: state.bound[j] });
    });
  }
  return bounds;
}

/** The longest sum: over a layer's inputs, or over all rows of the batch. */
function longestSum({ layers, batch, manifest }) {
  if (!manifest) return Math.max(...layers, batch);
  const inputs = manifest.weights.map(
    ({ dims }) => dims.reduce((a, b) => a * b, 1) / (dims.at(-1) ?? 1),
  );
  const [{ dims, dtype }] = manifest.inputs;
  return Math.max(...inputs, batch * (dtype === 'int32' ? dims[0] : dims[0] * dims[1]));
}

/**
 * Rounding in a sum of k products has the effect of changing each product by up to k eps / 2. Our
 * own training losses, from weights moved by that much, therefore show how far rounding can carry
 * the losses of another engine; k is the longest sum, over a layer's inputs or over the batch.
 */
async function ofLosses(item, data, ours) {
  const relative = (longestSum(item) * EPSILON) / 2;
  const bound = Float64Array.from(ours.output, (loss) => relative * Math.abs(loss));
  for (let i = 0; i < PERTURBATIONS; ++i) {
    await ours.engine.open(item, perturbed(item, data, relative, i + 1));
    const moved = await ours.engine.results();
    moved.forEach((loss, step) => {
      bound[step] = Math.max(bound[step], Math.abs(loss - ours.output[step]));
    });
  }
  await ours.engine.open(item, data);
  return [...ours.output].map((loss, at) => ({
    at,
    reference: loss,
    ours: loss,
    bound: bound[at],
  }));
}
