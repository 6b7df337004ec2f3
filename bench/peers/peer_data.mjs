// The numbers that all engines get: seeded weights, inputs and targets, natively and in the page.

const rotated = (word, by) => (word << by) | (word >>> (32 - by));

/** The finaliser of MurmurHash3 (Appleby). */
function mixed(word) {
  let h = word | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** xoshiro128** (Blackman and Vigna, 2018), with normal values by Box and Muller. */
export class Random {
  #s;

  constructor(seed) {
    // Filled by a Weyl sequence whose words are mixed, as the authors advise for small seeds.
    this.#s = Uint32Array.from({ length: 4 }, (_, i) => mixed(seed + (i + 1) * 0x9e3779b9));
  }

  word() {
    const s = this.#s;
    const result = Math.imul(rotated(Math.imul(s[1], 5), 7), 9) >>> 0;
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotated(s[3], 11);
    return result;
  }

  /** In (0, 1). */
  uniform() {
    return (this.word() + 0.5) / 2 ** 32;
  }

  normals(count, scale) {
    const values = new Float32Array(count);
    for (let i = 0; i < count; i += 2) {
      const radius = scale * Math.sqrt(-2 * Math.log(this.uniform()));
      const angle = 2 * Math.PI * this.uniform();
      values[i] = radius * Math.cos(angle);
      if (i + 1 < count) values[i + 1] = radius * Math.sin(angle);
    }
    return values;
  }
}

/**
 * gemm: {a, b}; networks: {weights: [{w, b, in, out}], x, y}, where y is normal values for MSE,
 * labels (Int32Array) for cross-entropy and undefined for predictions. Weights are He-normal,
 * biases small but not zero, so that one left out or in the wrong place shows. The recipe, {seed}
 * and by how much weights are moved, is kept with the data: what makes it again elsewhere.
 */
export function makeData(item, { seed, moved }) {
  const data = { ...made(item, seed), recipe: { seed, moved } };
  return moved ? withMovedWeights(data, moved) : data;
}

/** The same case with every weight moved, up or down by chance, by a relative part. */
export function perturbed(item, data, relative, seed) {
  return makeData(item, { ...data.recipe, moved: { relative, seed } });
}

function made(item, seed) {
  const random = new Random(seed);
  if (item.kind === 'gemm')
    return { a: random.normals(item.m * item.k, 1), b: random.normals(item.k * item.n, 1) };
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

/** A case's data as one run of 32-bit values, in the order that native engines read. */
export function toBytes(data) {
  const parts = data.a
    ? [data.a, data.b]
    : [...data.weights.flatMap(({ w, b }) => [w, b]), data.x, ...(data.y ? [data.y] : [])];
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
  const weights = data.weights.map((layer) => ({ ...layer, w: move(layer.w), b: move(layer.b) }));
  return { ...data, weights };
}
