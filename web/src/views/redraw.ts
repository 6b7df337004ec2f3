/** When results are drawn again. */
import type { AppState } from '../state.js';
import type { Store } from '../store.js';

/** Least time in milliseconds between two drawings while rows arrive. */
const pace = 400;

/** Calls show at once, and whenever the results or how they are shown change. */
export function redrawResults(store: Store<AppState>, show: () => void): void {
  let timer: number | undefined;
  const draw = () => {
    timer = undefined;
    show();
  };
  store.watch(
    [
      ...(['browser', 'native', 'files', 'compared', 'reference', 'shared'] as const),
      ...(['theme', 'route', 'form', 'suites'] as const),
    ],
    ({ run }) => {
      if (timer !== undefined) return;
      if (run.phase === 'running') timer = window.setTimeout(draw, pace);
      else draw();
    },
  );
}
