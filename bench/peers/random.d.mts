/** The types of random.mjs, for the page. */
export class Random {
  constructor(seed: number);
  /** 32 bits. */
  word(): number;
  /** Uniform in (0, 1). */
  uniform(): number;
  normals(count: number, scale: number): Float32Array;
}
