/* Every op on every kernel target against the scalar one, and on several threads against one. */
#include "ops/walk.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const plx_plan_options all_threads = {.passes = PLX_PASS_DEAD_CODE | PLX_PASS_MEMORY};

enum { MOST_TARGETS = 16, MOST_THREADS = 3 };

typedef struct target_walk {
    plx_check *t;
    plx_ctx *first;                /* what the others are compared with */
    plx_ctx *others[MOST_TARGETS]; /* NULL: cannot run here */
    const char *isa[MOST_TARGETS];
    int count;
} target_walk;

static plx_real *run_sample(plx_check *t, plx_ctx *ctx, const plx_op *op, const plx__sample *sample,
                            plx_walk_mode mode, int64_t *size) {
    plx_walk walk;
    plx_real *y = NULL;
    if (plx_walk_open(t, ctx, op, sample, mode, &walk))
        y = plx_walk_run(t, &walk, &all_threads, size);
    plx_walk_close(&walk);
    return y;
}

/* The most input values that one output depends on: the length of its longest sum. */
static double terms_per_output(const plx__sample *sample, int64_t outputs) {
    double largest = 1;
    for (int k = 0; k < sample->inputs_count; ++k) {
        const int rank = sample->inputs[k].rank;
        const double size = (double)plx__product(rank, sample->inputs[k].dims);
        const double row = (double)plx__columns(rank, sample->inputs[k].dims);
        largest = fmax(largest, fmax(row, size / (outputs > 0 ? (double)outputs : 1)));
    }
    return largest;
}

/* Two sums of n terms differ by at most 2 (16 + log2 n) eps sum|terms|, as each is off by half
 * of it (or by n: Higham, "Accuracy and Stability of Numerical Algorithms", section 4.2).
 * sum|terms| is the result of the op on the absolute values of the inputs; elementary functions add
 * 4 ULP on each side. */
static void compare_targets(target_walk *w, const plx_op *op, const plx__sample *sample,
                            const char *text, const plx_real *expected, const plx_real *bound,
                            int64_t size) {
    const double eps = sizeof(plx_real) == sizeof(double) ? DBL_EPSILON : (double)FLT_EPSILON;
    const double terms = terms_per_output(sample, size);
    const double factor = 2 * fmin(terms, 16 + log2(terms)) + 8;
    for (int k = 0; k < w->count; ++k) {
        plx_real *actual = run_sample(w->t, w->others[k], op, sample, PLX_WALK_PLAIN, &size);
        for (int64_t i = 0; actual && i < size; ++i) {
            const double scale = 1 + fabs((double)expected[i]) +
                                 (isfinite((double)bound[i]) ? fabs((double)bound[i]) : 0);
            const double error = fabs((double)actual[i] - (double)expected[i]);
            if (!CHECK(w->t, error <= factor * eps * scale,
                       "%s on %s: element %lld is %.9g, scalar %.9g", text, w->isa[k], (long long)i,
                       (double)actual[i], (double)expected[i]))
                break;
        }
        free(actual);
    }
}

static void check_targets(void *arg, const plx_op *op, const plx__sample *sample,
                          const char *text) {
    target_walk *w = arg;
    int64_t size = 0;
    plx_real *expected = run_sample(w->t, w->first, op, sample, PLX_WALK_PLAIN, &size);
    plx_real *bound = run_sample(w->t, w->first, op, sample, PLX_WALK_MAGNITUDES, &size);
    if (expected && bound) compare_targets(w, op, sample, text, expected, bound, size);
    free(expected);
    free(bound);
}

static void add_context(target_walk *w, const char *isa, int threads) {
    if (!CHECK(w->t, w->count < MOST_TARGETS, "more than %d contexts", MOST_TARGETS)) return;
    w->isa[w->count] = isa;
    w->others[w->count] = plx_check_context(w->t, isa, threads);
    w->count += w->others[w->count] != NULL;
}

static void close_walk(target_walk *w) {
    plx_ctx_free(w->first);
    for (int k = 0; k < w->count; ++k) plx_ctx_free(w->others[k]);
}

void plx_test_ops_isa(plx_check *t) {
    target_walk w = {.t = t, .first = plx_check_context(t, "scalar", 1)};
    for (int i = 0; plx_isa_name(i); ++i) add_context(&w, plx_isa_name(i), 1);
    if (w.first) plx_walk_ops(check_targets, &w);
    close_walk(&w);
}

/* One thread computes each sample once, for all numbers of threads. */
static void check_threads(void *arg, const plx_op *op, const plx__sample *sample,
                          const char *text) {
    target_walk *w = arg;
    int64_t size = 0;
    plx_real *one = run_sample(w->t, w->first, op, sample, PLX_WALK_PLAIN, &size);
    for (int k = 0; one && k < w->count; ++k) {
        plx_real *many = run_sample(w->t, w->others[k], op, sample, PLX_WALK_PLAIN, &size);
        if (many)
            CHECK(w->t, !memcmp(one, many, (size_t)size * sizeof *one),
                  "%s on %s: the bits depend on the number of threads", text, w->isa[k]);
        free(many);
    }
    free(one);
}

void plx_test_ops_threads(plx_check *t) {
    for (int i = 0; plx_isa_name(i); ++i) {
        target_walk w = {.t = t, .first = plx_check_context(t, plx_isa_name(i), 1)};
        for (int threads = 2; threads <= MOST_THREADS; ++threads)
            add_context(&w, plx_isa_name(i), threads);
        if (w.first) plx_walk_ops(check_threads, &w);
        close_walk(&w);
    }
}

static void check_views(void *arg, const plx_op *op, const plx__sample *sample, const char *text) {
    target_walk *w = arg;
    int64_t size = 0;
    plx_real *whole = run_sample(w->t, w->first, op, sample, PLX_WALK_PLAIN, &size);
    plx_real *views = run_sample(w->t, w->first, op, sample, PLX_WALK_VIEWS, &size);
    if (whole && views)
        CHECK(w->t, !memcmp(whole, views, (size_t)size * sizeof *whole),
              "%s on %s: the bits depend on the addresses of inputs", text, w->isa[0]);
    free(whole);
    free(views);
}

void plx_test_ops_views(plx_check *t) {
    for (int i = 0; plx_isa_name(i); ++i) {
        target_walk w = {.t = t, .isa = {plx_isa_name(i)}};
        w.first = plx_check_context(t, w.isa[0], 1);
        if (w.first) plx_walk_ops(check_views, &w);
        close_walk(&w);
    }
}
