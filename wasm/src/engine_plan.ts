/** Reads compiled plans, and the library's lists of names. */
import type { OptimizerOptions, Plan } from './api.js';
import { PlxError } from './errors.js';
import type { Heap } from './heap.js';

/** Reads a list of names in the order of a C enumeration. */
export function names(heap: Heap, at: (i: number) => number): string[] {
  const list: string[] = [];
  for (let address = at(0); address !== 0; address = at(list.length)) {
    list.push(heap.text(address));
  }
  return list;
}

/** Returns the index of a name in such a list. */
export function indexOf(list: readonly string[], name: string, what: string): number {
  const i = list.indexOf(name);
  if (i < 0) {
    throw new PlxError('PLX_ERR_ARGUMENT', `unknown ${what} "${name}": use ${list.join(', ')}`);
  }
  return i;
}

/** Sets the optimizer of the next trainer or graph. */
export function chooseOptimizer(heap: Heap, kind: number, o: OptimizerOptions): void {
  heap.c._plx_js_optimizer(
    kind,
    o.rate ?? Number.NaN,
    o.momentum ?? Number.NaN,
    Number(o.nesterov ?? false),
    o.beta1 ?? Number.NaN,
    o.beta2 ?? Number.NaN,
    o.epsilon ?? Number.NaN,
    o.weightDecay ?? Number.NaN,
  );
}

export function readPlan(heap: Heap, plan: number): Plan {
  const steps = [];
  for (let i = 0; i < heap.c._plx_js_plan_steps(plan); i++) {
    heap.c._plx_js_plan_step(plan, i);
    steps.push(heap.read('step'));
  }
  heap.c._plx_js_plan_memory(plan);
  return { steps, flops: heap.c._plx_js_plan_flops(plan), memory: heap.read('memory') };
}
