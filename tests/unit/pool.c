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

typedef struct roll {
    atomic_int runs[4], together, most;
    int threads;
} roll;

/* All workers are there at once: each waits for the others. */
static void answer(void *arg, int64_t begin, int64_t end, int worker) {
    roll *r = arg;
    atomic_fetch_add(&r->runs[begin], begin == worker && end == worker + 1 ? 1 : 100);
    const int there = atomic_fetch_add(&r->together, 1) + 1;
    if (there == r->threads) atomic_store(&r->most, there);
}

/* Either every worker once, or nobody: never only some of them, whatever the patience. */
static void all_at_once(plx_check *t, plx__pool *pool, int threads) {
    static const int64_t patiences[] = {10000000000, 10000000000, 1000, 1};
    for (int i = 0; i < 40; ++i) {
        roll r = {.threads = threads};
        const int64_t patience = patiences[i % 4];
        const bool all = plx__parallel_each(pool, threads, patience, answer, &r);
        int runs = 0;
        for (int w = 0; w < threads; ++w) runs += atomic_load(&r.runs[w]);
        CHECK(t, runs == (all ? threads : 0), "%d of %d threads ran, and all: %d", runs, threads,
              all);
        CHECK(t, all || patience < 10000000000, "%d threads did not come in ten seconds", threads);
        if (all)
            CHECK(t, plx__pool_worked(pool) == threads, "it is not known which threads worked");
    }
    plx__pool_forget(pool);
    CHECK(t, plx__pool_worked(pool) == 1, "only the caller is left");
}

/* A thread that shares a processor moves at once, if there is another. */
static void places(plx_check *t) {
    if (plx_platform_cpu() < 0 || plx_platform_cpus() < 2) return;
    bool moved = false;
    for (int i = 0; i < 20 && !moved; ++i) {
        const int here = plx_platform_cpu();
        plx_platform_move_off(&here, 1);
        moved = plx_platform_cpu() != here;
    }
    CHECK(t, moved, "in 20 tries the thread stayed where it was");
    /* With nowhere to go it stays, and may still run everywhere. */
    int all[256];
    for (int i = 0; i < 256; ++i) all[i] = i;
    const int before = plx_platform_cpus();
    plx_platform_move_off(all, 256);
    CHECK(t, plx_platform_cpus() == before, "%d processors are left of %d", plx_platform_cpus(),
          before);
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
        /* Many short loops, then a pause that puts the workers to sleep, then more. */
        for (int round = 0; round < 3; ++round) {
            for (int i = 0; i < 2000; ++i) each_unit_once(t, pool, threads, 8, 1);
            const int64_t until = plx_platform_now_ns() + 2000000;
            while (plx_platform_now_ns() < until) plx_platform_pause();
        }
        all_at_once(t, pool, plx__pool_threads(pool));
        plx__pool_free(pool);
    }
    places(t);
    plx__pool_free(NULL);
}
