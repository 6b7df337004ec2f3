import type { SuiteInfo } from './api.js';
import { PlxError } from './errors.js';
import type { Heap } from './heap.js';
import type { BenchReport, BenchRequest } from './rpc.js';
import type { Job } from './slice.js';
export function listSuites(_heap: Heap): SuiteInfo[] {
  return [];
}
export async function runBench(
  _h: Heap,
  _r: BenchRequest,
  _j: Job,
  _p: (report: BenchReport) => unknown,
): Promise<void> {
  throw new PlxError('PLX_ERR_UNSUPPORTED', 'bench: this build has no suites');
}
