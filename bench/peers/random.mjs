// Seeded random numbers, the same natively and in the page.

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
    // Seeded by a Weyl sequence whose words are mixed, as the authors advise for small seeds.
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

  /** Uniform in (0, 1). */
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
