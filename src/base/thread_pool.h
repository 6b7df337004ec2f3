/* One fork-join pool per context. Workers spin briefly before they sleep; the caller works too. */
#ifndef PLX_BASE_THREAD_POOL_H
#define PLX_BASE_THREAD_POOL_H

#include <stdbool.h>
#include <stdint.h>

typedef struct plx__pool plx__pool;

/* A piece of a parallel loop: units begin <= i < end. worker is 0 (the caller) .. threads-1 and
 * selects per-worker scratch. Worker i of t begins with the i-th of t equal shares of the units, in
 * ascending order, and then helps the others: which worker runs which piece is not determined, so
 * results must not depend on it. */
typedef void (*plx__loop_fn)(void *arg, int64_t begin, int64_t end, int worker);

/* threads counts the caller; a pool of 1 owns no thread. NULL when memory is short; fewer threads
 * than asked for when the platform gives no more. */
plx__pool *plx__pool_new(int threads);
void plx__pool_free(plx__pool *pool);
/* Adds threads, between loops, until there are `threads` or the platform gives no more, and waits
 * until they run. */
void plx__pool_grow(plx__pool *pool, int threads);
/* The same without waiting; returns whether all threads of the pool run. */
bool plx__pool_begin(plx__pool *pool, int threads);
int plx__pool_threads(const plx__pool *pool);

/* Runs fn over units 0..units-1 in pieces of at most grain units on at most threads workers, and
 * returns when all are done. threads <= 1 or units <= grain runs in the caller: fn(arg, 0, units,
 * 0), and fn may call it in this way only. */
void plx__parallel_for(plx__pool *pool, int threads, int64_t units, int64_t grain, plx__loop_fn fn,
                       void *arg);

/* Units per piece of a parallel loop: enough pieces for balance, none below about 4,096 elements.
 * Where a unit is one element, a multiple of 16, which keeps whole vectors in every piece. */
int64_t plx__grain(int64_t units, int64_t elements_per_unit, int threads);

/* Runs fn once on each of the first `threads` workers, all at the same time: they begin when the
 * last has arrived, with begin = worker and end = worker + 1. False, with fn not run at all, when
 * one did not arrive within patience_ns because the system had no processor for it. */
bool plx__parallel_each(plx__pool *pool, int threads, int64_t patience_ns, plx__loop_fn fn,
                        void *arg);

/* The number of workers that have run pieces of loops since the last plx__pool_forget; the caller
 * always counts. */
int plx__pool_worked(const plx__pool *pool);
void plx__pool_forget(plx__pool *pool);

#endif
