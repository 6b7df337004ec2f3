#include "base/thread_pool.h"

#include "base/platform.h"
#include "check.h"

#include <stdatomic.h>
#include <stdio.h>

enum { UNITS = 1000 };

typedef struct tally {
    atomic_int visits[UNITS];
    atomic_int bad_worker;
    int threads;
} tally;

static void visit(void *arg, int64_t begin, int64_t end, int worker) {
    tally *own = arg;
    if (worker < 0 || worker >= own->threads) atomic_store(&own->bad_worker, 1);
    for (int64_t i = begin; i < end; ++i) atomic_fetch_add(&own->visits[i], 1);
}

static void each_unit_once(plx_check *t, plx__pool *pool, int threads, int64_t units,
                           int64_t grain) {
    static tally own;
    own.threads = threads;
    for (int i = 0; i < UNITS; ++i) atomic_store(&own.visits[i], 0);
    plx__parallel_for(pool, threads, units, grain, visit, &own);
    int wrong = 0;
    for (int i = 0; i < UNITS; ++i) wrong += atomic_load(&own.visits[i]) != (i < units);
    CHECK(t, !wrong, "%d threads, %d units, grain %d: %d units not visited once", threads,
          (int)units, (int)grain, wrong);
    CHECK(t, !atomic_load(&own.bad_worker), "a worker number beyond the threads asked for");
}

void plx_test_unit_pool(plx_check *t) {
    for (int threads = 1; threads <= 4; ++threads) {
        plx__pool *pool = plx__pool_new(threads);
        if (!CHECK(t, pool != NULL, "no pool of %d", threads)) continue;
        CHECK(t, plx__pool_threads(pool) <= threads, "more threads than asked for");
        const int64_t units[] = {0, 1, 2, 7, 64, UNITS};
        for (int u = 0; u < 6; ++u)
            for (int64_t grain = 1; grain <= 300; grain *= 7)
                each_unit_once(t, pool, threads, units[u], grain);
        /* Many short loops, then a pause that sends the workers to sleep, then more. */
        for (int round = 0; round < 3; ++round) {
            for (int i = 0; i < 2000; ++i) each_unit_once(t, pool, threads, 8, 1);
            const int64_t until = plx_platform_now_ns() + 2000000;
            while (plx_platform_now_ns() < until) plx_platform_pause();
        }
        plx__pool_free(pool);
    }
    plx__pool_free(NULL);
}
