#include "base/thread_pool.h"

#include "base/platform.h"
#include "base/sizes.h"

#include <string.h>

/* How long an idle worker spins before it sleeps. A wake-up through the kernel costs tens of
 * microseconds, and the gaps between the steps of a plan are shorter than that. */
enum { SPIN_NS = 60000, SPINS_PER_CLOCK = 64 };

/* Least time between two moves of a worker away from a shared processor. */
enum { MOVE_PAUSE_NS = 1000000 };

/* The loop in progress is one 64-bit ticket: a generation, the number of workers invited, a closed
 * bit, and the number of workers inside. A worker enters by compare-and-swap, so it can never join
 * a loop that the caller has already left, and a caller never waits for a worker that is still
 * asleep. */
#define ACTIVE_MASK UINT64_C(0x7fff)
#define CLOSED UINT64_C(0x8000)
#define INVITED_SHIFT 16
#define GENERATION_SHIFT 24
enum { MAX_THREADS = 128 };

typedef struct worker {
    struct plx__pool *pool;
    plx_platform_thread *thread;
    int id;
    int64_t moved_ns; /* when it last left a shared processor */
} worker;

/* The state of one worker, on a cache line of its own. */
typedef struct share {
    _Atomic uint64_t pieces; /* unclaimed ones: first << 32 | end */
    atomic_int cpu;          /* where the worker last ran; -1: unknown */
    atomic_bool worked;
    char pad[48];
} share;

struct plx__pool {
    _Atomic uint64_t ticket;
    atomic_uint epoch;   /* the word that sleeping workers wait on */
    atomic_bool asleep;  /* a worker sleeps, or is about to, and nobody has woken it */
    atomic_uint started; /* number of workers */
    atomic_bool stop;
    char pad[64];
    share shares[MAX_THREADS];
    plx__loop_fn fn;
    void *arg;
    int64_t units, grain;
    uint64_t generation;
    int threads, loop_threads;
    worker workers[MAX_THREADS];
};

/* Claims a piece: the owner takes the first, others the last. -1 when none is left. */
static int64_t claim(share *from, bool owner) {
    uint64_t pieces = atomic_load_explicit(&from->pieces, memory_order_relaxed);
    for (;;) {
        const uint32_t first = (uint32_t)(pieces >> 32), end = (uint32_t)pieces;
        if (first >= end) return -1;
        const uint64_t rest =
            owner ? (uint64_t)(first + 1) << 32 | end : (uint64_t)first << 32 | (end - 1);
        if (atomic_compare_exchange_weak_explicit(&from->pieces, &pieces, rest,
                                                  memory_order_relaxed, memory_order_relaxed))
            return owner ? first : end - 1;
    }
}

/* Runs the worker's own share first, then pieces that others have not begun: the same data stays in
 * the same core's cache from loop to loop, and nobody waits for a late worker. */
static void claim_pieces(plx__pool *pool, int id) {
    const int64_t units = pool->units, grain = pool->grain;
    for (int i = 0; i < pool->loop_threads; ++i) {
        share *from = &pool->shares[(id + i) % pool->loop_threads];
        int64_t piece;
        while ((piece = claim(from, i == 0)) >= 0) {
            atomic_store_explicit(&pool->shares[id].worked, true, memory_order_relaxed);
            const int64_t begin = piece * grain, end = begin + grain;
            pool->fn(pool->arg, begin, end < units ? end : units, id);
        }
    }
}

/* Deals equal shares of consecutive pieces. */
static void deal(plx__pool *pool, int threads) {
    const uint64_t pieces = (uint64_t)((pool->units + pool->grain - 1) / pool->grain);
    for (int i = 0; i < threads; ++i) {
        const uint64_t first = pieces * (uint64_t)i / (uint64_t)threads;
        const uint64_t end = pieces * (uint64_t)(i + 1) / (uint64_t)threads;
        atomic_store_explicit(&pool->shares[i].pieces, first << 32 | end, memory_order_relaxed);
    }
    pool->loop_threads = threads;
}

/* ---- Processor placement --------------------------------------------------------------------- */

/* Two threads on one processor take turns of milliseconds while each waits for the other: a loop on
 * two threads is then many times slower than on one. A system often wakes a thread on the processor
 * of its waker, may resume an interrupted thread on another one, and looks for imbalance only every
 * few milliseconds. So an idle worker that shares a processor with another one moves away. */

static void note_place(plx__pool *pool, int id) {
    atomic_store_explicit(&pool->shares[id].cpu, plx_platform_cpu(), memory_order_relaxed);
}

/* Moves a worker off the processor of the caller or of a worker with a lower number. */
static void take_place(plx__pool *pool, worker *self) {
    int busy[MAX_THREADS];
    bool shared = false;
    note_place(pool, self->id);
    const int own = atomic_load_explicit(&pool->shares[self->id].cpu, memory_order_relaxed);
    for (int i = 0; i < self->id; ++i) {
        busy[i] = atomic_load_explicit(&pool->shares[i].cpu, memory_order_relaxed);
        shared |= busy[i] == own;
    }
    if (own < 0 || !shared) return;
    const int64_t now = plx_platform_now_ns();
    if (self->moved_ns && now - self->moved_ns < MOVE_PAUSE_NS) return;
    self->moved_ns = now;
    plx_platform_move_off(busy, self->id);
    note_place(pool, self->id);
}

/* ---- Workers --------------------------------------------------------------------------------- */

/* Waits until the epoch differs from seen, and returns it. */
static unsigned await_epoch(plx__pool *pool, worker *self, unsigned seen) {
    const int64_t deadline = plx_platform_now_ns() + SPIN_NS;
    do {
        take_place(pool, self);
        for (int i = 0; i < SPINS_PER_CLOCK; ++i) {
            const unsigned now = atomic_load_explicit(&pool->epoch, memory_order_acquire);
            if (now != seen) return now;
            plx_platform_pause();
        }
    } while (plx_platform_now_ns() < deadline);
    for (;;) {
        /* Sequential consistency: either the caller sees this sleeper, or the sleeper sees the
         * caller's epoch and does not sleep. */
        atomic_store(&pool->asleep, true);
        if (atomic_load(&pool->epoch) == seen) plx_platform_wait(&pool->epoch, seen);
        const unsigned now = atomic_load(&pool->epoch);
        if (now == seen) continue;
        take_place(pool, self);
        return now;
    }
}

static void worker_main(void *arg) {
    worker *self = arg;
    plx__pool *pool = self->pool;
    unsigned seen = 0;
    take_place(pool, self);
    atomic_fetch_add(&pool->started, 1);
    plx_platform_wake_all(&pool->started);
    for (;;) {
        seen = await_epoch(pool, self, seen);
        if (atomic_load(&pool->stop)) return;
        uint64_t ticket = atomic_load(&pool->ticket);
        for (;;) {
            const int invited = (int)(ticket >> INVITED_SHIFT & 0xff);
            if ((ticket & CLOSED) || self->id >= invited) break;
            if (!atomic_compare_exchange_weak(&pool->ticket, &ticket, ticket + 1)) continue;
            claim_pieces(pool, self->id);
            atomic_fetch_sub(&pool->ticket, 1);
            break;
        }
    }
}

plx__pool *plx__pool_new(int threads) {
    plx__pool *pool = plx_platform_alloc(sizeof *pool);
    if (!pool) return NULL;
    memset(pool, 0, sizeof *pool);
    atomic_store(&pool->ticket, CLOSED);
    pool->threads = 1;
    plx__pool_grow(pool, threads);
    return pool;
}

bool plx__pool_begin(plx__pool *pool, int threads) {
    if (threads > MAX_THREADS) threads = MAX_THREADS;
    if (!plx_platform_has_threads()) threads = 1;
    note_place(pool, 0);
    while (pool->threads < threads) {
        worker *w = &pool->workers[pool->threads];
        w->pool = pool;
        w->id = pool->threads;
        w->thread = plx_platform_thread_start(worker_main, w);
        if (!w->thread) break;
        pool->threads += 1;
    }
    return atomic_load(&pool->started) + 1 == (unsigned)pool->threads;
}

void plx__pool_grow(plx__pool *pool, int threads) {
    if (plx__pool_begin(pool, threads)) return;
    /* Sleep instead of spinning: a new thread often starts on the processor of its creator. */
    unsigned started;
    while ((started = atomic_load(&pool->started)) < (unsigned)pool->threads - 1)
        plx_platform_wait(&pool->started, started);
}

void plx__pool_free(plx__pool *pool) {
    if (!pool) return;
    atomic_store(&pool->stop, true);
    atomic_fetch_add(&pool->epoch, 1);
    plx_platform_wake_all(&pool->epoch);
    for (int i = 1; i < pool->threads; ++i) plx_platform_thread_join(pool->workers[i].thread);
    plx_platform_free(pool);
}

int plx__pool_threads(const plx__pool *pool) {
    return pool->threads;
}

void plx__parallel_for(plx__pool *pool, int threads, int64_t units, int64_t grain, plx__loop_fn fn,
                       void *arg) {
    if (units <= 0) return;
    if (grain < 1) grain = 1;
    /* Piece numbers have 31 bits. */
    if (units / grain > INT32_MAX) grain = units / INT32_MAX + 1;
    if (threads > pool->threads) threads = pool->threads;
    if (threads <= 1 || units <= grain) {
        fn(arg, 0, units, 0);
        return;
    }
    pool->fn = fn;
    pool->arg = arg;
    pool->units = units;
    pool->grain = grain;
    deal(pool, threads);
    pool->generation += 1;
    atomic_store(&pool->ticket,
                 pool->generation << GENERATION_SHIFT | (uint64_t)threads << INVITED_SHIFT);
    note_place(pool, 0);
    atomic_fetch_add(&pool->epoch, 1);
    /* Once: a worker that was woken and has no processor yet must not cost each loop a call of the
     * system. */
    if (atomic_exchange(&pool->asleep, false)) plx_platform_wake_all(&pool->epoch);
    claim_pieces(pool, 0);
    uint64_t ticket = atomic_fetch_or(&pool->ticket, CLOSED);
    while (ticket & ACTIVE_MASK) {
        plx_platform_pause();
        ticket = atomic_load(&pool->ticket);
    }
}

/* ---- All at once ----------------------------------------------------------------------------- */

typedef struct meeting {
    plx__loop_fn fn;
    void *arg;
    int threads;
    int64_t patience_ns;
    atomic_int present; /* threads that have arrived; below 0: given up */
} meeting;

/* Whether all threads have arrived. No thread gets two pieces: the first one keeps it waiting here.
 */
static bool meet(meeting *m) {
    /* In a longer gap between two looks at the clock this thread did not run, and where a whole
     * virtual machine was halted, nor did the others: only so much of it counts. */
    enum { LONGEST_NS = 1000000 };
    int64_t last = 0, waited = 0;
    int present = atomic_fetch_add(&m->present, 1) + 1;
    for (int i = 1; present >= 0 && present < m->threads; ++i) {
        plx_platform_pause();
        present = atomic_load(&m->present);
        if (i % SPINS_PER_CLOCK) continue;
        const int64_t now = plx_platform_now_ns();
        if (last) waited += now - last < LONGEST_NS ? now - last : LONGEST_NS;
        last = now;
        if (waited < m->patience_ns || present < 0 || present >= m->threads) continue;
        /* Either all have arrived by now, or nobody runs. */
        if (atomic_compare_exchange_strong(&m->present, &present, INT32_MIN)) return false;
    }
    return present >= m->threads;
}

static void each_piece(void *arg, int64_t begin, int64_t end, int id) {
    meeting *m = arg;
    (void)begin;
    (void)end;
    if (meet(m)) m->fn(m->arg, id, id + 1, id);
}

bool plx__parallel_each(plx__pool *pool, int threads, int64_t patience_ns, plx__loop_fn fn,
                        void *arg) {
    if (threads > pool->threads) threads = pool->threads;
    meeting m = {.fn = fn, .arg = arg, .threads = threads, .patience_ns = patience_ns};
    plx__parallel_for(pool, threads, threads, 1, each_piece, &m);
    return atomic_load(&m.present) >= 0;
}

int64_t plx__grain(int64_t units, int64_t elements_per_unit, int threads) {
    enum { PIECES_PER_THREAD = 4, SMALLEST = 4096, VECTORS = 16 };
    const int64_t by_balance = units / ((int64_t)threads * PIECES_PER_THREAD) + 1;
    const int64_t by_size = SMALLEST / plx__most(elements_per_unit, 1) + 1;
    const int64_t grain = plx__most(by_balance, by_size);
    return elements_per_unit > 1 ? grain : plx__round_up(grain, VECTORS);
}

int plx__pool_worked(const plx__pool *pool) {
    int worked = 1;
    for (int i = 1; i < pool->threads; ++i)
        worked += atomic_load_explicit(&pool->shares[i].worked, memory_order_relaxed);
    return worked;
}

void plx__pool_forget(plx__pool *pool) {
    for (int i = 0; i < pool->threads; ++i)
        atomic_store_explicit(&pool->shares[i].worked, false, memory_order_relaxed);
}
