/** Watches for what makes the times of a run wrong. */

/** Milliseconds between two looks at the clock. */
const every = 500;
/** A longer pause between two looks means that the page or the whole computer stood still. */
const longest = 4_000;

/** Calls tell with each reason to void the run, in words; returns a function that ends the watch. */
export function watchPage(tell: (why: string) => void): () => void {
  const onVisibility = () => {
    if (document.visibilityState === 'hidden') tell('the page was hidden');
  };
  const onFreeze = () => tell('the page was frozen');
  /* The clock of the page may stop while the computer sleeps; that of the system does not. */
  let last = { page: performance.now(), system: Date.now() };
  const look = () => {
    const now = { page: performance.now(), system: Date.now() };
    const pause = Math.max(now.page - last.page, now.system - last.system);
    last = now;
    if (pause > longest) tell(`the page stood still for ${Math.round(pause / 1000)} s`);
  };
  const timer = setInterval(look, every);
  let over = false;
  onVisibility();
  document.addEventListener('visibilitychange', onVisibility);
  document.addEventListener('freeze', onFreeze);
  return () => {
    if (over) return;
    over = true;
    /* It may have stood still until now. */
    look();
    clearInterval(timer);
    document.removeEventListener('visibilitychange', onVisibility);
    document.removeEventListener('freeze', onFreeze);
  };
}

/** The fields of a row that tell whether its threads worked. */
interface ThreadedRow {
  parameters?: Record<string, unknown>;
  engine?: { threads?: number; threadsWorked?: number };
}

/**
 * Why a run is void because threads were lost in it; undefined if none were. threads: those that the
 * engine had when the run began.
 */
export function lostThreads(rows: readonly object[], threads: number): string | undefined {
  const all = rows as readonly ThreadedRow[];
  const left = Math.min(threads, ...all.map(({ engine }) => engine?.threads ?? threads));
  if (left < threads) return `threads were lost: ${left} of ${threads} were left`;
  /* Elsewhere the plan may choose fewer; here all were told to work. Work that is over before a
   * thread has woken up is no sign of its loss, but not all of it is that short. */
  const worked = all.flatMap(({ parameters, engine }) =>
    parameters?.mode === 'parallel' ? (engine?.threadsWorked ?? []) : [],
  );
  const most = Math.max(0, ...worked);
  return worked.length > 0 && most < threads
    ? `threads were lost: at most ${most} of ${threads} worked`
    : undefined;
}
