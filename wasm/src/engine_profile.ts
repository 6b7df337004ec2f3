/** Measures where the time of a model's run goes, in slices. */
import type { Profile } from './api_profile.js';
import { readPlan } from './engine_plan.js';
import { PlxError } from './errors.js';
import { LOSSES } from './generated/kind_lists.js';
import type { Heap } from './heap.js';
import type { ProfileRequest } from './rpc_bench.js';
import { breathe, type Job, SLICE_MS } from './slice.js';

/** Calls read for 0 to count - 1, after which its result is left. */
const list = <T>(count: number, read: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => read(i));

function readProfile(heap: Heap): Profile {
  const { c } = heap;
  const plan = readPlan(heap, c._plx_js_profile_plan());
  const steps = plan.steps.map((step, i) => {
    c._plx_js_profile_step(i);
    return { ...step, ...heap.read('profiled') };
  });
  c._plx_js_profile_total();
  const { levels, items, ...total } = heap.read('profile');
  return {
    ...plan,
    ...total,
    steps,
    items: list(items, (i) => {
      c._plx_js_profile_item(i);
      return heap.read('item');
    }),
    levels: list(levels, (i) => {
      c._plx_js_profile_level(i);
      return heap.read('level');
    }),
  };
}

/** Makes a profile, or stops when the job is cancelled. */
export async function runProfile(
  heap: Heap,
  request: ProfileRequest,
  job: Job,
  report: (fraction: number) => unknown,
): Promise<Profile> {
  const { c } = heap;
  const { model, batchSize, training, loss, seed } = request;
  try {
    heap.check(
      heap.withText(model, (text) =>
        c._plx_js_profile_new(
          text,
          batchSize,
          Number(training),
          loss ? LOSSES.indexOf(loss) : -1,
          seed,
        ),
      ),
    );
    for (let fraction = 0; fraction < 1; ) {
      if (job.cancelled) throw new PlxError('PLX_ERR_CANCELLED', 'profile: cancelled');
      fraction = c._plx_js_profile_advance(SLICE_MS * 1e6);
      if (fraction < 0) heap.check(fraction);
      await job.told(report(fraction));
      await breathe();
    }
    return readProfile(heap);
  } finally {
    c._plx_js_profile_free();
  }
}
