/* Every op on every kernel target against the scalar one, and on several threads against one. */
#include "ops/walk.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const plx_plan_options all_threads = {.passes = PLX_PASS_DEAD_CODE | PLX_PASS_MEMORY};

typedef struct target_walk {
    plx_check *t;
    plx_ctx *scalar, *target;
    const char *isa;
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
static void check_target(void *arg, const plx_op *op, const plx__sample *sample, const char *text) {
    target_walk *w = arg;
    int64_t size = 0;
    plx_real *expected = run_sample(w->t, w->scalar, op, sample, PLX_WALK_PLAIN, &size);
    plx_real *bound = run_sample(w->t, w->scalar, op, sample, PLX_WALK_MAGNITUDES, &size);
    plx_real *actual = run_sample(w->t, w->target, op, sample, PLX_WALK_PLAIN, &size);
    const double eps = sizeof(plx_real) == sizeof(double) ? DBL_EPSILON : (double)FLT_EPSILON;
    const double terms = terms_per_output(sample, size);
    const double factor = 2 * fmin(terms, 16 + log2(terms)) + 8;
    for (int64_t i = 0; expected && bound && actual && i < size; ++i) {
        const double scale = 1 + fabs((double)expected[i]) +
                             (isfinite((double)bound[i]) ? fabs((double)bound[i]) : 0);
        const double error = fabs((double)actual[i] - (double)expected[i]);
        if (!CHECK(w->t, error <= factor * eps * scale,
                   "%s on %s: element %lld is %.9g, scalar %.9g", text, w->isa, (long long)i,
                   (double)actual[i], (double)expected[i]))
            break;
    }
    free(expected);
    free(bound);
    free(actual);
}

void plx_test_ops_isa(plx_check *t) {
    target_walk w = {.t = t, .scalar = plx_check_context(t, "scalar", 1)};
    for (int i = 0; w.scalar && plx_isa_name(i); ++i) {
        w.isa = plx_isa_name(i);
        w.target = plx_check_context(t, w.isa, 1);
        if (!w.target) continue;
        plx_walk_ops(check_target, &w);
        plx_ctx_free(w.target);
    }
    plx_ctx_free(w.scalar);
}

static void check_threads(void *arg, const plx_op *op, const plx__sample *sample,
                          const char *text) {
    target_walk *w = arg;
    int64_t size = 0;
    plx_real *one = run_sample(w->t, w->scalar, op, sample, PLX_WALK_PLAIN, &size);
    plx_real *many = run_sample(w->t, w->target, op, sample, PLX_WALK_PLAIN, &size);
    if (one && many)
        CHECK(w->t, !memcmp(one, many, (size_t)size * sizeof *one),
              "%s on %s: the bits depend on the number of threads", text, w->isa);
    free(one);
    free(many);
}

void plx_test_ops_threads(plx_check *t) {
    for (int i = 0; plx_isa_name(i); ++i)
        for (int threads = 2; threads <= 3; ++threads) {
            target_walk w = {.t = t, .isa = plx_isa_name(i)};
            w.scalar = plx_check_context(t, w.isa, 1);
            w.target = plx_check_context(t, w.isa, threads);
            if (w.scalar && w.target) plx_walk_ops(check_threads, &w);
            plx_ctx_free(w.scalar);
            plx_ctx_free(w.target);
        }
}

static void check_views(void *arg, const plx_op *op, const plx__sample *sample, const char *text) {
    target_walk *w = arg;
    int64_t size = 0;
    plx_real *whole = run_sample(w->t, w->target, op, sample, PLX_WALK_PLAIN, &size);
    plx_real *views = run_sample(w->t, w->target, op, sample, PLX_WALK_VIEWS, &size);
    if (whole && views)
        CHECK(w->t, !memcmp(whole, views, (size_t)size * sizeof *whole),
              "%s on %s: the bits depend on the addresses of inputs", text, w->isa);
    free(whole);
    free(views);
}

void plx_test_ops_views(plx_check *t) {
    for (int i = 0; plx_isa_name(i); ++i) {
        target_walk w = {.t = t, .isa = plx_isa_name(i)};
        w.target = plx_check_context(t, w.isa, 1);
        if (w.target) plx_walk_ops(check_views, &w);
        plx_ctx_free(w.target);
    }
}
