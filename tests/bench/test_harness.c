/* The measuring loop: what makes a sample, what is void, and what a run consists of. */
#include "bench/row.h"

#include "base/context.h"
#include "base/platform.h"
#include "check.h"

#include <math.h>
#include <string.h>

static plx_bench *open_bench(plx_check *t, plx_ctx *ctx, const char *cases, int rounds) {
    plx_bench_options options = plx_bench_default();
    plx_bench *bench = NULL;
    options.suites = "gemm";
    options.cases = cases;
    options.size = PLX_BENCH_QUICK;
    options.seconds = 0.01;
    options.rounds = rounds;
    const plx_status status = plx_bench_new(ctx, &options, &bench);
    return CHECK(t, status == PLX_OK, "bench: %s", plx_message(ctx)) ? bench : NULL;
}

static const plx_field *find(plx_bench *bench, int fields, const char *path) {
    for (int i = 0; i < fields; ++i)
        if (!strcmp(plx_bench_field(bench, i)->path, path)) return plx_bench_field(bench, i);
    return NULL;
}

/* ---- Samples --------------------------------------------------------------------------------- */

/* Work that a disturbance slows down at first, as on a machine that shares its processor. */
typedef struct work {
    int calls, slow_calls;
    int64_t times;
} work;

static plx_status busy(void *arg, int64_t times) {
    work *w = arg;
    const int64_t ns = w->calls++ < w->slow_calls ? 20000000 : times * 100;
    const int64_t until = plx_platform_now_ns() + ns;
    w->times = times;
    while (plx_platform_now_ns() < until) plx_platform_pause();
    return PLX_OK;
}

/* However often the first looks were disturbed, a sample lasts as long as the clock needs: once
 * a single disturbance left samples below a tick of a browser's clock. */
static void long_enough(plx_check *t, plx_ctx *ctx) {
    plx_bench *bench = open_bench(t, ctx, NULL, 1);
    if (!bench) return;
    const int64_t least = plx__bench_sample_ns(bench) / 2;
    for (int slow = 0; slow < 5; ++slow) {
        work w = {.slow_calls = slow};
        int64_t times = 0;
        double ns = 0;
        for (int sample = 0; sample < 3; ++sample)
            CHECK(t, plx__bench_time(bench, busy, &w, &times, &ns) == PLX_OK, "%s",
                  plx_message(ctx));
        CHECK(t, times == w.times && ns * (double)times >= (double)least,
              "after %d slow calls a sample is %g ns; it needs %lld", slow, ns * (double)times,
              (long long)least);
        CHECK(t, ns >= 99, "an iteration of 100 ns takes %g ns", ns);
    }
    plx_bench_free(bench);
}

/* ---- Figures --------------------------------------------------------------------------------- */

/* Collects the rows of all cases, and returns the fields of the row of that name. */
static int row_of(plx_bench *bench, const char *name) {
    for (int fields; (fields = plx_bench_take_row(bench)) > 0;)
        if (!strcmp(find(bench, fields, "case")->text, name)) return fields;
    return 0;
}

/* A complete row that has no figure usable in a ratio. */
static void figures(plx_check *t, plx_ctx *ctx) {
    static const struct {
        const char *name;
        plx_metric_kind kind;
        double value;
        bool primary, ok;
    } rows[] = {
        {"time", PLX_METRIC_TIME, 5, true, true},
        {"time of 0", PLX_METRIC_TIME, 0, true, false},
        {"time below 0", PLX_METRIC_TIME, -5, true, false},
        {"time that is none", PLX_METRIC_TIME, NAN, true, false},
        {"rate of time 0", PLX_METRIC_RATE, 0, true, false},
        {"rate of endless time", PLX_METRIC_RATE, INFINITY, true, false},
        {"own of 0", PLX_METRIC_OWN, 0, false, true},
        {"own below 0", PLX_METRIC_OWN, -3, false, true},
        {"own that is none", PLX_METRIC_OWN, NAN, false, false},
        {"own that is endless", PLX_METRIC_OWN, INFINITY, false, false},
        {"own speed of 0", PLX_METRIC_OWN, 0, true, false},
        {"own speed", PLX_METRIC_OWN, 2, true, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; ++i) {
        plx_bench *bench = open_bench(t, ctx, NULL, 2);
        if (!bench) return;
        bench->suite = 0;
        plx_case *c = plx__bench_add(bench, 0, "%s", rows[i].name);
        plx__case_metric(c, "figure", "us", "lower", rows[i].primary, rows[i].kind, 1);
        for (int round = 0; round < 2; ++round)
            plx__samples_add(rows[i].kind == PLX_METRIC_OWN ? &c->metrics[0].samples : &c->times,
                             round, rows[i].value);
        c->checked = true;
        plx_bench_stop(bench);
        const int fields = row_of(bench, rows[i].name);
        const plx_field *passed = find(bench, fields, "checks.passed");
        const plx_field *median = find(bench, fields, "samples.median");
        CHECK(t, passed && (passed->number == 1) == rows[i].ok, "%s: passed is not %d",
              rows[i].name, rows[i].ok);
        CHECK(t, (median != NULL) == rows[i].ok && (!median || isfinite(median->number)),
              "%s: a median that should be missing, or a missing one", rows[i].name);
        CHECK(t, rows[i].ok || find(bench, fields, "checks.failure"), "%s: no reason",
              rows[i].name);
        plx_bench_free(bench);
    }
}

/* A share above the ceiling by more than its interval is marked as impossible; one that may be
 * below is not. */
static void ceilings(plx_check *t, plx_ctx *ctx) {
    static const struct {
        double ns[3];
        bool failure;
    } runs[] = {{{50, 50.5, 51}, true}, {{99, 100, 104}, false}, {{200, 201, 202}, false}};
    for (size_t i = 0; i < sizeof runs / sizeof *runs; ++i) {
        plx_bench *bench = open_bench(t, ctx, NULL, 3);
        if (!bench) return;
        bench->suite = 0;
        plx_case *c = plx__bench_add(bench, 0, "case");
        plx__case_metric(c, "time", "ns", "lower", true, PLX_METRIC_TIME, 1);
        c->flops = 1000; /* 100 ns at the ceiling */
        for (int round = 0; round < 3; ++round) {
            plx__samples_add(&c->times, round, runs[i].ns[round]);
            plx__samples_add(&bench->peaks, round, 10);
        }
        c->checked = true;
        plx_bench_stop(bench);
        const int fields = row_of(bench, "case");
        CHECK(t, find(bench, fields, "ceiling.share"), "run %d has no share", (int)i);
        CHECK(t, (find(bench, fields, "ceiling.failure") != NULL) == runs[i].failure,
              "run %d: ceiling.failure is wrong", (int)i);
        plx_bench_free(bench);
    }
}

/* ---- Rounds ---------------------------------------------------------------------------------- */

/* Every case has a sample in every round, and rows say how many threads worked. */
static void rounds(plx_check *t, plx_ctx *ctx) {
    plx_bench *bench = open_bench(t, ctx, "128 x 128, batch 1", 4);
    if (!bench) return;
    plx_bench_progress at = {0};
    int rows = 0, last = 0;
    CHECK(t, plx_bench_expected_ns(bench) > 0, "nothing is promised");
    while (!at.done) {
        if (!CHECK(t, plx_bench_advance(bench, 5000000, &at) == PLX_OK, "%s", plx_message(ctx)))
            break;
        CHECK(t, at.round >= last && at.round <= 4 && at.rounds == 4, "round %d of %d after %d",
              at.round, at.rounds, last);
        last = at.round;
    }
    CHECK(t, last == 4 && at.left_ns == 0, "it ended in round %d with %g ns left", last,
          (double)at.left_ns);
    bool machine = false;
    for (int fields; (fields = plx_bench_take_row(bench)) > 0; ++rows) {
        const plx_field *field = find(bench, fields, "samples.rounds");
        const char *name = find(bench, fields, "case")->text;
        CHECK(t, field && field->count == 4, "%s: not four rounds", name);
        const double worked = find(bench, fields, "engine.threadsWorked")->number;
        CHECK(t, worked >= 1 && worked <= find(bench, fields, "engine.threads")->number,
              "%s: %g threads worked", name, worked);
        CHECK(t, find(bench, fields, "engine.costs"), "%s does not state its costs", name);
        machine |= !strcmp(find(bench, fields, "suite")->text, "machine");
    }
    CHECK(t, machine && rows > 2, "%d rows, with that of the machine or without", rows);
    plx_bench_free(bench);
}

static void refusals(plx_check *t, plx_ctx *ctx) {
    plx_bench_options options = plx_bench_default();
    plx_bench *bench;
    static const int wrong[] = {-1, 33};
    for (int i = 0; i < 2; ++i) {
        options.rounds = wrong[i];
        CHECK(t, plx_bench_new(ctx, &options, &bench) == PLX_ERR_ARGUMENT && !bench,
              "%d rounds are refused", wrong[i]);
        CHECK(t, strstr(plx_message(ctx), "1 to 32"), "the sentence: %s", plx_message(ctx));
    }
    /* Without cases to measure, the machine is not measured either. */
    bench = open_bench(t, ctx, "no such case", 2);
    plx_bench_progress at = {0};
    while (bench && !at.done) plx_bench_advance(bench, 5000000, &at);
    CHECK(t, bench && plx_bench_take_row(bench) == 0, "rows without a case");
    plx_bench_free(bench);
}

/* A case with more rows than there is room for is void; nothing is dropped silently. */
static void full_tables(plx_check *t, plx_ctx *ctx) {
    for (int table = 0; table < 5; ++table) {
        plx_bench *bench = open_bench(t, ctx, NULL, 1);
        if (!bench) return;
        bench->suite = 0;
        plx_case *c = plx__bench_add(bench, 0, "%s",
                                     table == 4 ? "a name that is much longer than the room that "
                                                  "there is for one, so that it is cut"
                                                : "case");
        const double value = 1;
        plx__case_metric(c, "own", "1", "none", false, PLX_METRIC_OWN, 1);
        CHECK(t, c->checks.failed == (table == 4), "a new case is void");
        for (int i = 0; i <= PLX_BENCH_SAMPLES; ++i) {
            if (table == 0) plx__case_number(c, "p", i);
            if (table == 1 && i < PLX_BENCH_METRICS)
                plx__case_metric(c, "own", "1", "none", false, PLX_METRIC_OWN, 1);
            if (table == 2) plx__case_record(c, 0, i);
            if (table == 3) plx__case_series(c, 0, "curve.loss", 1, &value);
        }
        CHECK(t, c->checks.failed && *c->checks.failure, "table %d is full without an error",
              table);
        plx_bench_free(bench);
    }
}

void plx_test_bench_harness(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 2);
    if (!ctx) return;
    if (sizeof(plx_real) == sizeof(float)) {
        long_enough(t, ctx);
        figures(t, ctx);
        ceilings(t, ctx);
        rounds(t, ctx);
        full_tables(t, ctx);
    }
    refusals(t, ctx);
    plx_ctx_free(ctx);
}
