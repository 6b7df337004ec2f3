/** Frees what callers forgot to dispose of, when it is garbage-collected. */

/* Some edge runtimes have no such registry; there, memory is freed by `dispose` alone. */
const registry =
  typeof FinalizationRegistry === 'undefined'
    ? undefined
    : new FinalizationRegistry<() => void>((free) => free());

/** Calls free once target is garbage-collected, unless it was disposed of. free must not hold it. */
export function whenForgotten(target: object, free: () => void): void {
  registry?.register(target, free, target);
}

/** Says that target was disposed of. */
export function disposed(target: object): void {
  registry?.unregister(target);
}

/**
 * Whether this is a build for development, or Node outside production. Bundlers replace the
 * expression by a constant; where neither they nor the runtime know it, reading it throws.
 */
function inDevelopment(): boolean {
  try {
    return process.env.NODE_ENV !== 'production';
  } catch {
    return false;
  }
}

let warned = false;

/** Warns once that something was forgotten; debug: what load was told, which decides if it is set. */
export function warnForgotten(noun: string, debug: boolean | undefined): void {
  if (warned || !(debug ?? inDevelopment())) return;
  warned = true;
  console.warn(
    `parallax-nn: ${noun} was garbage-collected without dispose(), and its memory was freed only ` +
      'then. Call dispose() when you are done, or declare it with "using" or "await using". This ' +
      'warning is given once; load({ debug: false }) turns it off.',
  );
}
