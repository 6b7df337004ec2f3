/** Element types as the library numbers them. */
import { ARRAYS, DTYPES as LIST } from './generated/kind_lists.js';
import type { DTypeArrays } from './generated/kinds.js';
import type { DType } from './graph_api.js';

/** The values of plx_dtype, in order. */
export const DTYPES: readonly DType[] = LIST;

/** Copies count elements out of the engine's memory. */
export function copyElements(
  memory: ArrayBuffer,
  address: number,
  dtype: DType,
  count: number,
): DTypeArrays[DType] {
  return new ARRAYS[dtype](memory, address, count).slice();
}
