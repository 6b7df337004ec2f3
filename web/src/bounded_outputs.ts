/**
 * The outputs of a network in single precision against the same sums in double, with the bound that
 * the library promises for sums of n terms, (16 + log2 n) eps sum |terms|, carried through the layers.
 */
import type { Parallax } from 'parallax-nn/bench';

/** FLT_EPSILON. */
const eps = 2 ** -23;

/** A layer's weights [inputs, units] and biases [units]. */
export interface Dense {
  weight: ArrayLike<number>;
  bias: ArrayLike<number>;
}

/** A value in double precision, and how far one in single precision may be from it. */
interface Bounded {
  value: number;
  bound: number;
}

/** One unit: the bias and a weight for each input. */
function unit(inputs: readonly Bounded[], { weight, bias }: Dense, j: number): Bounded {
  const units = bias.length;
  let [value, size, carried] = [bias[j]!, Math.abs(bias[j]!), 0];
  for (const [i, input] of inputs.entries()) {
    const w = weight[i * units + j]!;
    value += w * input.value;
    size += Math.abs(w) * (Math.abs(input.value) + input.bound);
    carried += Math.abs(w) * input.bound;
  }
  const terms = inputs.length + 1;
  return { value, bound: carried + (16 + Math.log2(terms)) * eps * size };
}

/** The outputs of dense layers for one sample, with a rectifier after all but the last. */
export function boundedForward(layers: readonly Dense[], sample: ArrayLike<number>): Bounded[] {
  let values: Bounded[] = Array.from(sample, (value) => ({ value, bound: 0 }));
  for (const [l, layer] of layers.entries()) {
    const sums = Array.from(layer.bias, (_, j) => unit(values, layer, j));
    /* A rectifier brings values no further apart. */
    const rectify = ({ value, bound }: Bounded) => ({ value: Math.max(0, value), bound });
    values = l < layers.length - 1 ? sums.map(rectify) : sums;
  }
  return values;
}

export interface BoundedOutput {
  error: number;
  bound: number;
}

const [rows, inputs] = [256, 5];

/** Samples on a lattice, and a smooth function of them: the same on every machine. */
function samples() {
  const x = Float32Array.from(
    { length: rows * inputs },
    (_, i) => ((((i % inputs) + 3) * 37 * (Math.floor(i / inputs) + 1)) % 101) / 50 - 1,
  );
  const y = Float32Array.from({ length: rows }, (_, r) =>
    Math.fround(x[r * inputs]! * x[r * inputs + 1]! - x[r * inputs + 2]!),
  );
  return { x, y };
}

/** Trains a network for some epochs, and compares its outputs with double precision. */
export async function trainedOutputs(plx: Parallax): Promise<BoundedOutput[]> {
  const { x, y } = samples();
  const model = plx.model(`mlp:${inputs}-64-64-1:relu`, { seed: 1 });
  try {
    await model.fit(x, y, { epochs: 3, batchSize: 32, seed: 1 });
    const weights = await model.getWeights();
    const layers = Array.from({ length: weights.length / 2 }, (_, l) => ({
      weight: weights[2 * l]!.data,
      bias: weights[2 * l + 1]!.data,
    }));
    const outputs = await model.predict(x);
    return Array.from(outputs, (output, r) => {
      const sample = x.subarray(r * inputs, (r + 1) * inputs);
      const [{ value, bound } = { value: Number.NaN, bound: 0 }] = boundedForward(layers, sample);
      return { error: Math.abs(output - value), bound };
    });
  } finally {
    await model.dispose();
  }
}
