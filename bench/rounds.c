/* The measuring loop: rounds over all cases, visits and samples. */
#include "bench/row.h"

#include "base/context.h"
#include "base/platform.h"
#include "bench/statistics.h"

#include <math.h>
#include <string.h>

/* ---- Samples --------------------------------------------------------------------------------- */

/* Whether a sample is long enough; in a shorter one, whatever the cause, the steps of the clock
 * show. */
static bool long_enough(const plx_bench *bench, int64_t ns) {
    return ns >= plx__bench_sample_ns(bench) / 2;
}

/* How many times to do the work, after it took ns for times. */
static int64_t grown(const plx_bench *bench, int64_t times, int64_t ns) {
    const double least = (double)plx__bench_sample_ns(bench);
    const double grow = ns > bench->clock_ns ? 1.05 * least / (double)ns : 16;
    const double next = (double)times * (grow > 16 ? 16 : grow);
    return next > (double)times ? (int64_t)next + 1 : times + 1;
}

/* So many attempts cover samples from a nanosecond to days: if they fail, the clock does not
 * move. */
enum { TRIES = 48 };

static plx_status clock_stands(plx_bench *bench) {
    return plx__bench_fail(bench, PLX_ERR_UNSUPPORTED,
                           "bench: the clock stands still, so nothing can be timed");
}

/* Finds how many times the work fits in a sample; doubles as the warm-up. A single look could hit a
 * disturbance. */
static plx_status calibrate(plx_bench *bench, plx_work_fn work, void *arg, int64_t *times) {
    int64_t here = 1;
    for (int round = 0; round < TRIES; ++round) {
        const int64_t start = plx_platform_now_ns();
        PLX_TRY(work(arg, here));
        const int64_t ns = plx_platform_now_ns() - start;
        if (round > 0 && long_enough(bench, ns)) {
            *times = here;
            return PLX_OK;
        }
        if (round > 0 || !long_enough(bench, ns)) here = grown(bench, here, ns);
    }
    return clock_stands(bench);
}

plx_status plx__bench_time(plx_bench *bench, plx_work_fn work, void *arg, int64_t *times,
                           double *ns) {
    *ns = NAN;
    if (!*times) PLX_TRY(calibrate(bench, work, arg, times));
    for (int round = 0; round < TRIES; ++round) {
        const int64_t start = plx_platform_now_ns();
        PLX_TRY(work(arg, *times));
        const int64_t took = plx_platform_now_ns() - start;
        if (long_enough(bench, took)) {
            *ns = (double)took / (double)*times;
            return PLX_OK;
        }
        *times = grown(bench, *times, took);
    }
    return clock_stands(bench);
}

typedef struct case_work {
    plx_bench *bench;
    plx_case *c;
} case_work;

static plx_status run_case_work(void *arg, int64_t times) {
    const case_work *work = arg;
    return work->c->run(work->bench, work->c, times);
}

static plx_status sample_timed(plx_bench *bench, plx_case *c) {
    case_work work = {bench, c};
    double ns;
    /* A visit's memory and code are cold: its first run would measure that too. */
    if (c->iterations && !c->visit_count) PLX_TRY(c->run(bench, c, c->iterations / 4 + 1));
    PLX_TRY(plx__bench_time(bench, run_case_work, &work, &c->iterations, &ns));
    plx__case_sample(c, ns);
    c->visit_count += 1;
    c->visit_ns += (int64_t)(ns * (double)c->iterations);
    return c->beside ? c->beside(bench, c) : PLX_OK;
}

static plx_status sample_slice(plx_bench *bench, plx_case *c, int64_t slice_ns) {
    bool done = false;
    PLX_TRY(c->slice(bench, c, slice_ns, &done));
    c->visit_count += done;
    return PLX_OK;
}

/* ---- Measured beside the cases --------------------------------------------------------------- */

bool plx__bench_due(const plx_bench *bench, const plx_samples *taken, int64_t last_ns,
                    int64_t pause_ns) {
    const int before = taken->rounds > 1 ? taken->ends[taken->rounds - 2] : 0;
    if (taken->rounds <= bench->round) return true;
    if (taken->count - before >= PLX_BENCH_SAMPLES / bench->rounds) return false;
    if (plx_platform_now_ns() - last_ns < pause_ns) return false;
    /* Spread over the run, however long it is. */
    return plx_platform_now_ns() - last_ns >=
           plx_bench_expected_ns(bench) / (PLX_BENCH_SAMPLES / 2);
}

enum { PEAK_ROUNDS = 1000 };

static plx_status run_peak(void *arg, int64_t times) {
    plx_bench *bench = arg;
    if (plx_peak(bench->ctx, 0, times * PEAK_ROUNDS) > 0) return PLX_OK;
    return plx__bench_fail(bench, PLX_ERR_UNSUPPORTED,
                           "bench: the system had no processor for one of the threads");
}

/* Samples pure arithmetic beside the cases that it bounds. Without a processor for each thread
 * there is no sample. */
static void sample_ceiling(plx_bench *bench) {
    enum { PAUSE_NS = 50000000 };
    double ns;
    if (!plx__bench_due(bench, &bench->peaks, bench->peak_taken_ns, PAUSE_NS)) return;
    /* Wakes the threads. */
    (void)run_peak(bench, 1);
    const plx_status status = plx__bench_time(bench, run_peak, bench, &bench->peak_times, &ns);
    const double operations = plx_peak(bench->ctx, 0, PEAK_ROUNDS);
    if (status == PLX_OK && operations > 0)
        (void)plx__samples_add(&bench->peaks, bench->round, operations / ns);
    bench->peak_taken_ns = plx_platform_now_ns();
}

/* Interference only slows arithmetic down, so the ceiling lies near the top of the samples. */
static double ceiling(const plx_bench *bench) {
    double sorted[PLX_BENCH_SAMPLES];
    const plx_samples *peaks = &bench->peaks;
    if (!peaks->count) return 0;
    memcpy(sorted, peaks->values, (size_t)peaks->count * sizeof *sorted);
    return plx__summarise(peaks->count, sorted).p90;
}

/* ---- Visits ---------------------------------------------------------------------------------- */

static int64_t visit_budget(const plx_bench *bench, const plx_case *c) {
    const double share = c->share > 0 ? c->share : 1;
    return (int64_t)(share * (double)bench->budget_ns) / bench->rounds;
}

static bool visited(const plx_bench *bench, const plx_case *c) {
    if (c->dropped || c->round > bench->round) return true;
    if (c->slice) return c->visit_count >= c->repeats;
    if (c->visit_count >= PLX_BENCH_SAMPLES / bench->rounds) return true;
    return c->visit_count > 0 && c->visit_ns >= visit_budget(bench, c);
}

static int visits_of(const plx_bench *bench, const plx_case *c) {
    return c->visits > 0 && c->visits < bench->rounds ? c->visits : bench->rounds;
}

static plx_status open_visit(plx_bench *bench, plx_case *c) {
    if (c->opened) return PLX_OK;
    c->opened = true;
    c->ctx = NULL;
    c->began_ns = plx_platform_now_ns();
    const plx_status status = c->open ? c->open(bench, c) : PLX_OK;
    c->assumed |= !plx_ctx_get_info(c->ctx ? c->ctx : bench->ctx).costs_measured;
    return status;
}

static void close_visit(plx_case *c) {
    if (c->opened && c->close) c->close(c);
    c->opened = false;
}

static plx_status end_visit(plx_bench *bench, plx_case *c) {
    plx_status status = PLX_OK;
    if (!c->checked && c->check) status = c->check(bench, c);
    c->checked = true;
    close_visit(c);
    c->visit_count = 0;
    c->visit_ns = 0;
    /* A first visit that does something else is no estimate for the others. */
    if (c->round > 0 || !(c->first_ns > 0))
        c->took_ns = (double)(plx_platform_now_ns() - c->began_ns);
    c->round = c->round + 1 < visits_of(bench, c) ? c->round + 1 : PLX_BENCH_ROUNDS;
    return status;
}

static plx_status drop(plx_case *c, plx_status status) {
    c->dropped = true;
    close_visit(c);
    return status;
}

static plx_status work_on(plx_bench *bench, plx_case *c, int64_t slice_ns) {
    PLX_TRY(open_visit(bench, c));
    plx__pool *pool = (c->ctx ? c->ctx : bench->ctx)->pool;
    plx__pool_forget(pool);
    PLX_TRY(c->slice ? sample_slice(bench, c, slice_ns) : sample_timed(bench, c));
    const int worked = plx__pool_worked(pool);
    if (worked > c->threads_worked) c->threads_worked = worked;
    if (c->flops > 0) sample_ceiling(bench);
    return visited(bench, c) ? end_visit(bench, c) : PLX_OK;
}

/* ---- Rounds ---------------------------------------------------------------------------------- */

/* Moves memory to other addresses than in earlier rounds: they decide which arrays share cache
 * lines, and a program that runs once sees only one arrangement. */
static void begin_round(plx_bench *bench) {
    enum { PAGE = 4096, PAGES = 512, LINE = 64, LINES = 64 };
    plx_platform_free(bench->spacer);
    plx_platform_trim();
    bench->spacer = plx_platform_alloc((size_t)(PAGE * (1 + plx_rng_below(&bench->rng, PAGES)) +
                                                LINE * plx_rng_below(&bench->rng, LINES)));
    /* A browser's threads may take a while to start for the first time. */
    enum { TRIES_OF_COSTS = 10 };
    const plx__machine *machine = &bench->ctx->machine;
    for (int i = 0; i < TRIES_OF_COSTS && (i == 0 || !machine->threads_measured); ++i)
        plx__machine_renew(bench->ctx);
    bench->in_round = true;
}

/* Collects the cases of the first group that this round has not finished visiting. */
static void gather(plx_bench *bench) {
    const plx_case *first = NULL;
    bench->turn_count = 0;
    for (int i = 0; i < bench->case_count; ++i) {
        const plx_case *c = bench->cases[i];
        if (c->finished || visited(bench, c)) continue;
        const bool earlier = !first || c->suite < first->suite ||
                             (c->suite == first->suite && c->group < first->group);
        if (earlier) {
            first = c;
            bench->turn_count = 0;
        }
        if (c->suite == first->suite && c->group == first->group)
            bench->turns[bench->turn_count++] = i;
    }
}

/* Cases of a group take turns, in a new order each time. */
static void deal(plx_bench *bench) {
    bench->turn = 0;
    gather(bench);
    for (int i = bench->turn_count - 1; i > 0; --i) {
        const int j = (int)plx_rng_below(&bench->rng, i + 1), swapped = bench->turns[i];
        bench->turns[i] = bench->turns[j];
        bench->turns[j] = swapped;
    }
}

/* The case to work on next; NULL when the round is over. */
static plx_case *next_case(plx_bench *bench) {
    for (int attempt = 0; attempt < 2; ++attempt) {
        for (; bench->turn < bench->turn_count; ++bench->turn) {
            plx_case *c = bench->cases[bench->turns[bench->turn]];
            if (!visited(bench, c)) return c;
        }
        plx__yardstick_apply(bench);
        deal(bench);
    }
    return NULL;
}

/* If a slice ends in the middle of a sample, the case continues. */
static plx_status take_turn(plx_bench *bench, plx_case *c, int64_t slice_ns) {
    const int before = c->visit_count;
    bench->suite = c->suite;
    const plx_status status = work_on(bench, c, slice_ns);
    if (status != PLX_OK) return drop(c, status);
    if (c->visit_count > before || !c->opened) bench->turn += 1;
    return PLX_OK;
}

/* ---- The end --------------------------------------------------------------------------------- */

static void conclude_case(plx_bench *bench, plx_case *c) {
    if (c->finished || c->dropped) return;
    c->ceiling = c->flops > 0 ? ceiling(bench) : 0;
    if (c->conclude) c->conclude(bench, c);
    c->finished = true;
}

/* After all cases: concludes each of them, then each suite as a whole. */
static plx_status conclude(plx_bench *bench) {
    const int measured = bench->case_count;
    bench->concluded = true;
    plx_platform_free(bench->spacer);
    bench->spacer = NULL;
    for (int i = 0; i < measured; ++i) {
        bench->suite = bench->cases[i]->suite;
        conclude_case(bench, bench->cases[i]);
    }
    plx_status status = PLX_OK;
    for (bench->suite = 0; plx__suite_at(bench->suite); ++bench->suite) {
        const plx_suite *suite = plx__suite_at(bench->suite);
        if (!bench->chosen[bench->suite] || !suite->finish) continue;
        const plx_status here = suite->finish(bench);
        if (here != PLX_OK) status = here;
    }
    for (int i = measured; i < bench->case_count; ++i) {
        bench->cases[i]->checked = bench->cases[i]->finished = true;
    }
    return status;
}

void plx_bench_stop(plx_bench *bench) {
    for (int i = 0; i < bench->case_count; ++i) {
        plx_case *c = bench->cases[i];
        if (c->finished || c->dropped) continue;
        /* In its first visit, with enough samples for an interval: once checked, it counts. */
        const bool enough = c->slice ? c->visit_count > 0 : c->visit_count >= 5;
        bench->suite = c->suite;
        if (c->opened && !c->checked && enough && end_visit(bench, c) != PLX_OK) c->dropped = true;
        close_visit(c);
        if (!c->checked) c->dropped = true;
    }
    bench->round = bench->rounds;
    bench->turn_count = 0;
    if (!bench->concluded) (void)conclude(bench);
}

/* ---- Time left ------------------------------------------------------------------------------- */

/* The expected time of a visit: before the first, an estimate of its samples with their warm-up and
 * what is measured beside them, and of setting up the case. */
static double expected_visit_ns(const plx_bench *bench, const plx_case *c) {
    const double making = 1e6 + c->making_ns;
    if (c->took_ns > 0) return c->took_ns;
    if (c->slice) return making + c->work_ns;
    const double sample = (double)plx__bench_sample_ns(bench);
    const double budget = (double)visit_budget(bench, c), least = fmax(sample, 2 * c->work_ns);
    return making + (c->beside ? 2 : 1.5) * fmax(budget, least);
}

/* The expected time of all visits but the first `done`. */
static double expected_ns(const plx_bench *bench, const plx_case *c, int done) {
    const int visits = visits_of(bench, c);
    const double each = expected_visit_ns(bench, c);
    if (done >= visits) return 0;
    if (done > 0 || !(c->first_ns > 0)) return (visits - done) * each;
    return 1e6 + c->making_ns + c->first_ns + (visits - 1) * each;
}

static double left_ns(const plx_bench *bench, bool all) {
    double left = 0;
    for (int i = 0; i < bench->case_count; ++i) {
        const plx_case *c = bench->cases[i];
        if (c->dropped || c->suite == PLX_BENCH_SUITES) continue;
        const double whole = expected_ns(bench, c, all ? 0 : c->round);
        /* Subtracts the time spent in an open visit, but never all of it: the visit is not over
         * yet. */
        const double spent = all || !c->opened ? 0 : (double)(plx_platform_now_ns() - c->began_ns);
        const double here = whole - expected_ns(bench, c, c->round + 1);
        left += whole - (spent < 0.95 * here ? spent : 0.95 * here);
    }
    return left;
}

int64_t plx_bench_expected_ns(const plx_bench *bench) {
    return (int64_t)left_ns(bench, true);
}

plx_bench_case plx_bench_case_at(const plx_bench *bench, int i) {
    for (int at = 0; at < bench->case_count; ++at) {
        const plx_case *c = bench->cases[at];
        if (c->silent || c->suite == PLX_BENCH_SUITES || i-- > 0) continue;
        return (plx_bench_case){plx_bench_suite_name(c->suite), c->name,
                                (int64_t)expected_ns(bench, c, 0)};
    }
    return (plx_bench_case){0};
}

static void report(plx_bench *bench, const plx_case *c, bool done, plx_bench_progress *progress) {
    const double left = done ? 0 : left_ns(bench, false), all = left_ns(bench, true);
    const double fraction = done ? 1 : all > 0 ? 1 - left / all : 0;
    if (fraction > bench->fraction) bench->fraction = fraction;
    const plx_suite *suite = c ? plx__suite_at(c->suite) : NULL;
    *progress = (plx_bench_progress){
        .suite = suite ? suite->name : "",
        .name = c ? c->name : "",
        .fraction = bench->fraction,
        .round = bench->round < bench->rounds ? bench->round + 1 : bench->rounds,
        .rounds = bench->rounds,
        .left_ns = (int64_t)left,
        .done = done,
    };
}

plx_status plx_bench_advance(plx_bench *bench, int64_t slice_ns, plx_bench_progress *progress) {
    const int64_t start = plx_platform_now_ns();
    plx_status status = PLX_OK;
    plx_case *c = NULL;
    while (status == PLX_OK && bench->round < bench->rounds) {
        if (!bench->in_round) begin_round(bench);
        c = next_case(bench);
        if (c) {
            status = take_turn(bench, c, slice_ns);
        } else {
            bench->round += 1;
            bench->in_round = false;
        }
        if (plx_platform_now_ns() - start >= slice_ns) break;
    }
    const bool over = bench->round >= bench->rounds;
    if (status == PLX_OK && over && !bench->concluded) status = conclude(bench);
    report(bench, c, over && bench->concluded, progress);
    return status;
}
