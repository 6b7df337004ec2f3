/** What can be told of a compiled plan. */
import type { MemoryUse, OptimizerOptions, Plan } from './api.js';
import { PlxError } from './errors.js';
import type { Heap } from './heap.js';

/** Names in the order of a C enumeration, read once. */
export function names(heap: Heap, at: (i: number) => number): string[] {
  const list: string[] = [];
  for (let address = at(0); address !== 0; address = at(list.length)) {
    list.push(heap.text(address));
  }
  return list;
}

/** The place of a name in such a list. */
export function indexOf(list: string[], name: string, what: string): number {
  const i = list.indexOf(name);
  if (i < 0) {
    throw new PlxError('PLX_ERR_ARGUMENT', `no ${what} "${name}": there are ${list.join(', ')}`);
  }
  return i;
}

/** Sets the optimizer that the next trainer or graph takes. */
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

/** What a call left in the results, as an object. */
export function memoryUse(heap: Heap): MemoryUse {
  const [parameters, gradients, optimizer, activations, workspace, inputs, kept] = heap.results(
    0,
    7,
  ) as [number, number, number, number, number, number, number];
  return { parameters, gradients, optimizer, activations, workspace, inputs, kept };
}

export function readPlan(heap: Heap, plan: number): Plan {
  const steps = [];
  for (let i = 0; i < heap.c._plx_js_plan_steps(plan); i++) {
    heap.c._plx_js_plan_step(plan, i);
    steps.push({
      op: heap.resultText(16),
      name: heap.resultText(17),
      fused: heap.resultText(18),
      shape: heap.results(7, heap.result(6)),
      flops: heap.result(0),
      bytes: heap.result(1),
      threads: heap.result(2),
      thresholdRows: heap.result(5),
      arenaOffset: heap.result(3),
    });
  }
  heap.c._plx_js_plan_memory(plan);
  return { steps, flops: heap.c._plx_js_plan_flops(plan), memory: memoryUse(heap) };
}
