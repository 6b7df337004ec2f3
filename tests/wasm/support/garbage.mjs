/** Collects garbage on request, for tests of what is freed. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');

/** Collects garbage, and lets the callbacks of what was collected run. */
export async function collect() {
  /* What one pass frees may have held more, and its callbacks are tasks of their own. */
  for (let pass = 0; pass < 3; pass++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Collects garbage until done returns true; returns whether it did. */
export async function collectedUntil(done) {
  for (let i = 0; i < 100; i++) {
    await collect();
    if (done()) return true;
  }
  return false;
}
