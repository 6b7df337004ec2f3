/** Element types as the library numbers them. */
import type { DType, DTypeArrays } from './graph_api.js';

/** The values of plx_dtype, in order. */
export const DTYPES: readonly DType[] = [
  'float32',
  'int32',
  'bfloat16',
  'float16',
  'int8',
  'uint8',
];

const ARRAYS = {
  float32: Float32Array,
  int32: Int32Array,
  bfloat16: Uint16Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
};

/** Copies count elements out of the engine's memory. */
export function copyElements(
  memory: ArrayBuffer,
  address: number,
  dtype: DType,
  count: number,
): DTypeArrays[DType] {
  return new ARRAYS[dtype](memory, address, count).slice();
}
